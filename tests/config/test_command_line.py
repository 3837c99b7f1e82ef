import os
import subprocess
import sys
from importlib.metadata import version

import pytest

from medtheca.config.command_line import COMMANDS


def medtheca(*arguments, **variables):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDTHECA_")}
    return subprocess.run(
        [sys.executable, "-m", "medtheca", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**kept, **variables},
    )


def test_the_list_of_commands_is_shown_without_loading_django():
    code = (
        "import sys; from click.testing import CliRunner; from medtheca.config.command_line import root;"
        "print(CliRunner().invoke(root, ['--help']).output);"
        "sys.exit('django' in sys.modules or 'psycopg' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    for command in COMMANDS:
        assert f"  {command.name} " in shown
    assert "Exit codes:" in shown


def test_version_is_that_of_the_package():
    assert medtheca("--version").stdout == f"medtheca {version('medtheca')}\n"


@pytest.mark.parametrize("command", ["up", "status", "check"])
def test_wrong_settings_end_in_code_2_naming_themselves(command, tmp_path):
    ended = medtheca(command, MEDTHECA_PORT="many", MEDTHECA_COLOUR="red", MEDTHECA_DATA=str(tmp_path))
    assert ended.returncode == 2
    assert "MEDTHECA_PORT='many'" in ended.stderr
    assert "MEDTHECA_COLOUR is not a setting" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_unknown_command_is_wrong_usage():
    ended = medtheca("conquer")
    assert ended.returncode == 2
    assert "conquer" in ended.stderr


def test_settings_prints_the_table():
    assert "| `MEDTHECA_DATA` | `data` |" in medtheca("settings").stdout


def test_status_of_an_unused_folder_is_1_and_makes_nothing(tmp_path):
    ended = medtheca("status", MEDTHECA_DATA=str(tmp_path / "new"), DATABASE_URL="")
    assert ended.returncode == 1
    assert "used by   nobody" in ended.stdout
    assert not (tmp_path / "new").exists()
