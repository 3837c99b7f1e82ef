"""An archive with its tables, Alice, Sam and three cohorts, at rest; made once and copied for each test."""

import json
import shutil

from medtheca.config.processes.database import embedded_server
from tests.faults.harness.archive import INSIDER, Archive

COHORTS = 3
LEFT_OUT = shutil.ignore_patterns("steps", "run")
"""What a copy of the folder does without."""


def prepare(folder):
    """Make the archive of `folder` where there is none; return the facts that clients need: token and cohorts."""
    facts = folder / "facts.json"
    if not facts.exists():
        archive = Archive(folder)
        archive.data.mkdir(parents=True, exist_ok=True)
        server = embedded_server(archive.data)
        server.durable = False
        server.start()
        try:
            for arguments in (["-m", "medtheca", "migrate"], [*INSIDER, "setup", str(COHORTS)]):
                answer = archive.run(*arguments)
                assert answer.returncode == 0, answer.stderr
        finally:
            server.stop()
        facts.write_text(answer.stdout)
    return json.loads(facts.read_text())
