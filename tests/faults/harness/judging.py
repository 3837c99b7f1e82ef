"""Asks the separate checker."""

import json
import subprocess
import sys
from pathlib import Path

CHECKER = Path(__file__).parents[1] / "checker.py"


def judge(archive, *, own_check=False, settled=False):
    """Counts and violations of an archive at rest, by the checker and with `own_check` by `medtheca check` too.

    `settled` says that the upkeep has run without patience since anything worked.
    """
    answer = subprocess.run(
        [
            sys.executable,
            "-I",
            CHECKER,
            archive.history,
            archive.data,
            archive.url(),
            *(["settled"] if settled else []),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answer.stdout, answer.stderr
    report = json.loads(answer.stdout)
    assert answer.returncode == (1 if report["violations"] else 0)
    if own_check:
        own = archive.run("-m", "medtheca", "check", "--json", "--deep")
        assert own.stdout, own.stderr
        found = json.loads(own.stdout)["violations"]
        assert own.returncode == (1 if found else 0)
        report["violations"] += [
            {"subject": f"medtheca check: {violation['subject']}", "words": violation["words"]} for violation in found
        ]
    return report
