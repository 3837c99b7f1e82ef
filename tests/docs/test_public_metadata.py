"""The page on the file of public metadata has its columns."""

from pathlib import Path

from medtheca.toolkit.publictable.columns import columns_table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "public-metadata.md"


def test_the_table_of_columns_is_that_of_the_registry():
    assert columns_table() in PAGE.read_text(), "Print columns_table() into docs/reference/public-metadata.md."
