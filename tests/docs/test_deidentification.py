"""The page of de-identification says what the rules are now."""

from pathlib import Path

from medtheca.toolkit.confidentiality.page import write_page
from medtheca.toolkit.confidentiality.table import TABLE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "deidentification.md"


def test_the_page_is_what_the_rules_give():
    assert PAGE.read_text() == write_page(), (
        "run: python -m medtheca.toolkit.confidentiality.page > docs/reference/deidentification.md"
    )


def test_every_row_of_the_table_is_on_it():
    page = PAGE.read_text()
    assert all(row.keyword in page for row in TABLE.values())
    assert page.count("\n| (") >= len(TABLE) - 1
