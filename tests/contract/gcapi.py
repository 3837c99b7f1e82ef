"""The real `gcapi`, unpatched, of any version, in an environment of its own with nothing but an authority to trust.

    answer = gcapi.run("answer = [one.title for one in client.archives.iterate_all()]")
    failure = gcapi.fails("client.archives.detail(slug=given['slug'])", slug="none")

A snippet finds `client` (of the token's owner), `gcapi`, and what it is `given`; what it leaves in `answer` comes back,
its dataclasses as dictionaries. Files are given by path.
"""

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

from tests.contract.environments import environment_with

VERSIONS = ("0.16.1", "0.14.0")
_DRIVER = Path(__file__).with_name("gcapi_driver.py")


class GcApi:
    """Somebody with one version of gcapi, in a process that stays. `trust=False` leaves the authority out."""

    def __init__(self, version, archive, token, *, base_url="", trust=True):
        self.version, self.archive, self.token = version, archive, token
        self.base_url = base_url or f"{archive.url}/api/v1/"
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        self.process = subprocess.Popen(
            [str(environment_with(f"gcapi=={version}", python=(3, 11))), "-I", str(_DRIVER)],
            env=kept
            | {"GRAND_CHALLENGE_AUTHORIZATION": token, "NO_PROXY": "*"}
            | ({"SSL_CERT_FILE": str(archive.ca)} if trust else {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ask(self, code, *, options=None, **given):
        """What came of a snippet: `answer` or `error`, `type` and `status` of an exception, `logged`, `warned`.

        `options` are those of `gcapi.Client`.
        """
        options = {"base_url": self.base_url, **(options or {})}
        self.process.stdin.write(json.dumps({"code": code, "given": given, "options": options}, default=str) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        return SimpleNamespace(**json.loads(line))

    def run(self, code, **given):
        """As `ask`, for what has to succeed: its answer."""
        found = self.ask(code, **given)
        assert found.error is None, f"{found.error}\n{found.trace}\n{found.logged}"
        return found.answer

    def fails(self, code, **given):
        """As `ask`, for what has to fail."""
        found = self.ask(code, **given)
        assert found.error is not None, f"It succeeded: {found.answer}"
        return found

    def close(self):
        """End the process."""
        self.process.communicate()
