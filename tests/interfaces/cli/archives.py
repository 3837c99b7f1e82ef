"""Running `medtheca archive …` in the process of a test."""

import json

from click.testing import CliRunner

from medtheca.interfaces.cli.archive import archive as command


def run(*words, by="alice", exit_code=0):
    """What the command prints when somebody runs it, both streams together."""
    done = CliRunner().invoke(command, [*map(str, words), "--as", f"{by}@example.org"])
    assert done.exit_code == exit_code, done.output + str(done.exception)
    return done.output


def told(*words, by="alice", exit_code=0):
    """What the command prints as JSON on standard output."""
    done = CliRunner().invoke(command, [*map(str, words), "--json", "--as", f"{by}@example.org"])
    assert done.exit_code == exit_code, done.output + str(done.exception)
    return json.loads(done.stdout)
