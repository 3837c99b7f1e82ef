"""The page on the query language says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from medtheca.toolkit.querylang import (
    DEEPEST,
    LONGEST_QUERY,
    MOST_TERMS,
    MOST_WORDS,
    QueryError,
    fields_table,
    parse,
    to_text,
)
from medtheca.toolkit.querylang.literals import MOST_STARS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "query-language.md").read_text()
GOOD = re.findall(r"^\| `([^`]+)` \| [^|]+ \|$", PAGE, re.MULTILINE)
BAD = re.findall(r"^\| `([^`]+)` \| ([0-9]+) \| `([a-z_]+)` \|$", PAGE, re.MULTILINE)
SAME = [
    ("sex:male melanocytic:true", "sex:male AND melanocytic:true"),
    ("age_approx:>=60", "age_approx:[60 TO *]"),
    ("NOT sex:male", "-sex:male"),
    ("sex:(male OR female)", "sex:male OR sex:female"),
    ("image_type:clinical", 'image_type:"clinical: close-up"'),
    ("file_size:<=500kB", "file_size:<=500000"),
    ("created:2024", "created:[2024-01-01 TO 2024-12-31]"),
    ("*", ""),
]


def test_there_are_samples():
    assert len(GOOD) > 40
    assert len(BAD) > 8


@pytest.mark.parametrize("text", GOOD)
def test_a_sample_is_a_query(text):
    assert parse(to_text(parse(text))) == parse(text)


@pytest.mark.parametrize(("text", "column", "code"), BAD)
def test_a_wrong_sample_is_wrong_as_it_says(text, column, code):
    with pytest.raises(QueryError) as error:
        parse(text)
    assert (error.value.column, error.value.code) == (int(column), code)


@pytest.mark.parametrize(("text", "same"), SAME)
def test_what_the_page_calls_the_same_is_the_same(text, same):
    assert f"`{text}`" in PAGE
    assert parse(text) == parse(same)


def test_every_row_belongs_to_a_table():
    """A blank line ends a table, and what follows without a header is no table."""
    blocks = re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE)
    assert len(blocks) > 5
    assert [block.splitlines()[0] for block in blocks if not re.search(r"\A.*\n\|[-:| ]+\|\n", block)] == []


def test_the_table_of_fields_is_that_of_the_code():
    assert fields_table() in PAGE, (
        "print fields_table() of querylang, and paste it into docs/reference/query-language.md"
    )


def test_the_limits_are_those_of_the_code():
    limits = f"{LONGEST_QUERY:,} characters, {MOST_TERMS} terms and {MOST_WORDS} free words"
    words = " ".join(PAGE.split())
    assert limits in words
    assert f"brackets up to {DEEPEST} deep; a value has up to {MOST_STARS} stars" in words
