"""Whole archives for the tests of `medtheca import`: a database, a data folder and, where asked for, a web process."""

import contextlib
import json
import os
import subprocess
import sys

from tests.factories.accounts import make_user
from tests.plugins.server import LiveServer, fresh_database, speaking_to


class Instance:
    """One archive. Commands run in processes of their own; `server` serves it."""

    def __init__(self, data, name, url, unblock, **variables):
        self.data, self.name, self._unblock = data, name, unblock
        self.environment = os.environ | {
            "DATABASE_URL": url,
            "MEDTHECA_DATA": str(data),
            "MEDTHECA_DISK_RESERVE": "0",
            **variables,
        }
        self.server = LiveServer(url, MEDTHECA_DATA=str(data), **variables)

    def begin(self, *words, **variables):
        return subprocess.Popen(
            [sys.executable, "-m", "medtheca", *map(str, words)],
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words, code=0, **variables):
        """Standard output of a command, and standard error in `said`."""
        process = self.begin(*words, **variables)
        stdout, stderr = process.communicate(timeout=240)
        assert process.returncode == code, (process.returncode, stdout, stderr)
        assert "Traceback" not in stdout + stderr, stderr
        self.said = stderr
        return stdout

    @contextlib.contextmanager
    def inside(self):
        """The test's own Django speaks to the archive's database."""
        with self._unblock(), speaking_to(self.name):
            yield

    def bring(self, *words, code=0, cohort="Brought", **variables):
        """Run `medtheca import isic` quickly; the outcome, and its images by their ids."""
        printed = self.run(*importing(*words, cohort=cohort), "--json", code=code, **variables)
        outcome = json.loads(printed)
        outcome["by_id"] = {image["isic_id"]: image for image in outcome["images"]}
        return outcome

    def origins(self, cohort="Brought"):
        """What is noted of images that came, by their ids at the host, and what was made of them."""
        from medtheca.domains.provenance.models import Origin

        rows = Origin.objects.select_related("accession__description", "accession__original", "accession__cohort")
        with self.inside():
            return {row.remote_id: row for row in rows.filter(cohort__name=cohort)}

    def accessions(self, **wanted):
        """How many accessions there are."""
        from medtheca.domains.provenance.models import Accession

        with self.inside():
            return Accession.objects.filter(**wanted).count()


def importing(*words, cohort="Brought"):
    """The words of the command, with Alice and a cohort that is made where there is none."""
    return (
        *("import", "isic", "--as", "alice@example.org", "--cohort", cohort, "--contributor", "Library"),
        *("--delay", "0", *words),
    )


@contextlib.contextmanager
def instance(data, blocker, **variables):
    """A fresh archive with Alice; `blocker` is pytest-django's."""
    data.mkdir(parents=True, exist_ok=True)
    with fresh_database() as (name, url):
        made = Instance(data, name, url, blocker.unblock, **variables)
        try:
            with made.inside():
                make_user("alice")
            yield made
        finally:
            made.server.close()
