"""Generated documents say what the code says now."""

from pathlib import Path

from medtheca.config.environment import SETTINGS, settings_table
from medtheca.toolkit.schemas import ACQUISITION, fields_table

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


def test_the_table_of_settings_is_that_of_the_code():
    text = (REFERENCE / "settings.md").read_text()
    assert settings_table() in text, "run: medtheca settings, and paste its table into docs/reference/settings.md"


def test_every_setting_says_what_it_means():
    assert all(setting.help.endswith(".") for setting in SETTINGS)


def test_the_table_of_what_files_say_is_that_of_the_registry():
    text = (REFERENCE / "fields.md").read_text()
    assert fields_table(ACQUISITION) in text, (
        "print fields_table(ACQUISITION), and paste it into docs/reference/fields.md"
    )
