"""`medtheca protocols check`: files of hanging protocols and view content, judged without an archive."""

import json

import pytest
from click.testing import CliRunner

from medtheca.interfaces.cli.protocols import protocols

TWO = [
    {"viewport_name": "main", "x": 0, "y": 0, "w": 2, "h": 1},
    {"viewport_name": "secondary", "x": 2, "y": 0, "w": 2, "h": 1},
]


@pytest.fixture
def run(tmp_path):
    def check(*arguments, protocol=None, content=None):
        given = ["check", *arguments]
        for name, value in (("protocol.json", protocol), ("content.json", content)):
            if value is not None:
                path = tmp_path / name
                path.write_text(value if isinstance(value, str) else json.dumps(value))
                given += [str(path)] if name == "protocol.json" else ["--content", str(path)]
        return CliRunner().invoke(protocols, given)

    return check


def test_a_right_protocol_is_told_with_its_panels(run):
    result = run(protocol=TWO)
    assert result.exit_code == 0
    assert "protocol.json: right" in result.stdout
    assert "secondary: from 50% right and 0% down, 50% wide and 100% high" in result.stdout


def test_every_broken_rule_is_told_and_ends_with_1(run):
    result = run("--json", protocol=[{"viewport_name": "main", "x": 0}, {"viewport_name": "main"}])
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert not report["right"]
    assert {fault["place"] for fault in report["protocol"]["faults"]} == {"[0].y", "[1].viewport_name", "[1].x"}


def test_content_is_held_against_the_protocol_and_the_sockets(run):
    assert run(protocol=TWO, content={"main": ["ct"], "secondary": ["ct"]}).exit_code == 0
    result = run(protocol=TWO, content={"main": ["ct"]})
    assert result.exit_code == 1
    assert "Viewport secondary of the hanging protocol has no content." in result.stdout
    sockets = ["--socket", "ct=Image", "--socket", "report=PDF"]
    result = run(*sockets, content={"main": ["ct", "report"], "secondary": ["cta"]})
    assert "report is a PDF file, which needs a viewport to itself" in result.stdout
    assert "there is no socket \"cta\". Did you mean 'ct'?" in result.stdout


def test_what_is_no_json_is_told_by_line_and_column(run):
    result = run(protocol='[\n  {"viewport_name": "main",}\n]')
    assert result.exit_code == 1
    assert "Line 2, column" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Name a file"),
        (["--socket", "ct"], "SLUG=KIND"),
        (["--socket", "ct=Imag"], "Did you mean 'Image'"),
        (["/nothing.json"], "does not exist"),
    ],
)
def test_wrong_usage_ends_with_2(run, arguments, words):
    result = run(*arguments, content=None if not arguments or arguments[0].startswith("/") else {})
    assert result.exit_code == 2
    assert words in result.stderr


def test_what_is_no_text_ends_with_2(run, tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG\xff")
    result = CliRunner().invoke(protocols, ["check", str(path)])
    assert (result.exit_code, "cannot be read as text" in result.stderr) == (2, True)
