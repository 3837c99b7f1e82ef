"""The real `isic-cli`, unpatched, of any version, speaking to an archive on any port.

It has no option for the host but `--dev`, which means http://127.0.0.1:8000. At any other address a launcher of one
line sets its table of hosts before it begins. Nothing of the package is changed.
"""

import json
import os
import re
import subprocess

from tests.contract.environments import environment_with

CLIENT_ID = "RpCzc4hFjv5gOJdM2DM2nBdokOviOh5ne63Tpn7Q"
DEV_PORT = 8000
VERSIONS = {"12.7.0": (3, 12), "12.4.0": (3, 11)}
_LAUNCHER = "import sys, isic_cli.cli as c; c.DOMAINS['dev'] = sys.argv.pop(1); sys.argv[0] = 'isic'; c.main()"


class IsicCli:
    """One version of the program with a home of its own. `host` is such as http://127.0.0.1:8000."""

    def __init__(self, version, host, home):
        self.python = environment_with(f"isic-cli=={version}", python=VERSIONS[version])
        self.version, self.host, self.home = version, host, home
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        self.variables = kept | {
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "share"),
            "NO_PROXY": "*",
            "SENTRY_DSN": "",
            "PYTHONUNBUFFERED": "1",
            "COLUMNS": "200",
        }

    @property
    def is_plain(self):
        """Whether it is its own `isic --dev`, without the launcher."""
        return self.host == f"http://127.0.0.1:{DEV_PORT}"

    def _command(self, *words):
        if self.is_plain:
            begin = [str(self.python.with_name("isic"))]
        else:
            begin = [str(self.python), "-c", _LAUNCHER, self.host]
        return [*begin, "--dev", "--no-version-check", *words]

    def run(self, *words, given=""):
        """Run it to its end; return exit code and all that it printed."""
        done = subprocess.run(
            self._command(*words),
            env=self.variables,
            cwd=self.home,
            input=given,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def log_in(self, visitor):
        """Log in as people do: open the link that it prints, allow it, copy the code."""
        process = subprocess.Popen(
            self._command("user", "login"),
            env=self.variables,
            cwd=self.home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = ""
        try:
            while not (found := re.search(r"^(http\S+/oauth/authorize\S+)$", said, re.MULTILINE)):
                line = process.stdout.readline()
                assert line, said
                said += line
            rest, _ = process.communicate(visitor.allow(found[1]) + "\n", timeout=120)
        finally:
            process.kill()
            process.wait()
        return process.returncode, said + rest

    @property
    def token_file(self):
        host = self.host.split("//")[1].split(":")[0]
        return self.home / "share" / "girder_cli_oauth_client" / host / CLIENT_ID / "token.json"

    @property
    def token(self):
        """What it has stored of its log-in."""
        return json.loads(self.token_file.read_text())

    def age_token(self):
        """Let the stored token be over, by the program's own reckoning."""
        self.token_file.write_text(json.dumps(self.token | {"expires_at": 1}))
