"""Cells of spreadsheets of values: what is written is recognised when it comes back, and what was changed is not."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.schemas.workbook import _text
from medtheca.toolkit.sockets.cells import write_cell
from medtheca.toolkit.sockets.sheets import Use, cell_text, head_of, plan_columns, read_sheet_cell, says
from medtheca.toolkit.workbooks import write_workbook

_NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**15), 10**15)


def through_workbook(cells):
    """Cells as they come back out of a workbook."""
    file = io.BytesIO()
    write_workbook([["head"], *([cell] for cell in cells)], file)
    rows = CalamineWorkbook.from_filelike(io.BytesIO(file.getvalue())).get_sheet_by_index(0).to_python()
    return [_text(row[0]).strip() for row in rows[1:]]


@settings(deadline=None)
@given(st.lists(_NUMBERS, min_size=1, max_size=60))
def test_numbers_are_known_again_out_of_a_workbook(numbers):
    for number, cell in zip(numbers, through_workbook(numbers), strict=True):
        assert says(cell, number, rounded=True), (number, cell)


def test_fractions_are_known_again_out_of_a_workbook():
    # Written with sixteen digits and read with fifteen, some are rounded twice.
    numbers = [top / below for below in range(3, 60) for top in range(1, below)]
    wrong = [
        number
        for number, cell in zip(numbers, through_workbook(numbers), strict=True)
        if not says(cell, number, rounded=True)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("cell", "present"), [("0.31", 0.3), ("0.3000001", 0.3), ("x", 0.3), ("", 0.3), ("b", "a"), ("1", "1.0")]
)
def test_what_was_changed_is_seen(cell, present):
    assert not says(cell, present, rounded=True)


def test_texts_of_a_workbook_are_no_formulas_and_keep_their_noughts():
    texts = ["=1+1", "+41 22 767", "-0.5", "@SUM(A1)", "0042", "1e5", "TRUE", "http://example.org"]
    assert through_workbook(texts) == texts


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("FLT", "1.234,5", 1234.5),
        ("FLT", "-0,5", -0.5),
        ("FLT", "1e-3", 0.001),
        ("INT", "7.0", 7),
        ("BOOL", "Yes", True),
        ("MCHO", "left; right", ["left", "right"]),
        ("CHOI", "'=high", "=high"),
        ("STR", "0,5", "0,5"),
        ("JSON", '{"a": "1,5"}', {"a": "1,5"}),
    ],
)
def test_cells_are_read_by_kind_with_decimal_commas(kind, cell, value):
    assert read_sheet_cell(kind, cell, decimal_comma=True) == value


def test_a_comma_is_no_point_where_commas_separate():
    with pytest.raises(Refused):
        read_sheet_cell("FLT", "0,5")


def test_columns_are_sockets_by_slug_or_title_and_exported_heads_are_known():
    sockets = {"ct-image": "CT image", "score": "Score", "title": "Title", "id": "Id"}
    head = head_of(sockets)
    uses = [(column.use, column.slug) for column in plan_columns(head, sockets=sockets)]
    assert uses[:2] == [(Use.ID, ""), (Use.TITLE, "")]
    assert [slug for _, slug in uses[2:]] == list(sockets)
    by_title = plan_columns(["CT Image", "SCORE", "scores", "wholly else"], sockets=sockets)
    assert [column.slug for column in by_title] == ["ct-image", "score", "", ""]
    assert (by_title[2].suggested[0], by_title[3].suggested) == ("score", ())
    assert plan_columns(["x"], sockets=sockets, chosen={"x": ""})[0].use is Use.LEFT_OUT


def test_a_text_that_no_cell_holds_is_known_by_its_length():
    text = write_cell({"long": "x" * 40_000})
    assert says(cell_text(text), text)
    assert not says(cell_text(text), text + " ")
