"""What a spreadsheet would meet."""

import pytest

from medtheca.toolkit.inspection import inspect_sheet
from medtheca.toolkit.schemas import TableLimits

SHEET = """filename;gender;Alter;diagnosys;clin_size_long_diam_mm
a.jpg;male;40;Nevus;4,5
photos/b.jpg;mal;50;Nevus;large
C;femal;60;Nevus;1,0
gone.jpg;female;70;Nevus;2
a.jpg;female;70;Nevus;2
"""


@pytest.fixture
def inspect(tmp_path):
    def run(content, names=(), **options):
        path = tmp_path / "values"
        path.write_bytes(content)
        return inspect_sheet("values.csv", path, names=names, **options)

    return run


def test_columns_problems_and_names_are_told_at_once(inspect):
    report = inspect(SHEET.encode(), ["a.jpg", "b.jpg", "C.png", "d.jpg"])
    assert report.rows == 5
    columns = {column.column: (column.use, column.name, column.suggested) for column in report.columns}
    assert columns["filename"] == ("filename", "filename", "")
    assert columns["gender"] == ("field", "sex", "")
    assert columns["diagnosys"] == ("unstructured", "diagnosys", "diagnosis")
    assert columns["Alter"] == ("unstructured", "Alter", "")
    found = {group["column"]: (group["code"], group["count"], group["lines"]) for group in report.problems}
    assert found["gender"][1:] == (2, [3, 4])
    assert found["clin_size_long_diam_mm"][1:] == (1, [3])
    assert found["filename"] == ("duplicate_filename", 1, [6])
    assert report.problem_count == 4
    assert any("decimal points" in note for note in report.notes)
    assert report.rows_without_file == ("gone.jpg",)
    assert report.files_without_row == ("d.jpg",)


def test_rows_that_contradict_each_other_are_told_on_both_lines(inspect):
    report = inspect(b"filename,patient_id,lesion_id\na.jpg,P1,L1\nb.jpg,P2,L1\n", ["a.jpg", "b.jpg"])
    (group,) = report.problems
    assert (group["column"], group["lines"]) == ("lesion_id", [2, 3])


def test_a_file_that_is_no_table_is_one_problem(inspect):
    report = inspect(b"", ["a.jpg"])
    assert (report.problem_count, report.problems[0]["code"]) == (1, "empty")
    assert inspect(b"age,sex\n4,male\n").problems[0]["code"] == "no_filename_column"
    assert inspect(b"PK\x03\x04 no workbook").problem_count == 1


def test_a_number_of_rows_beyond_the_bounds_is_refused(inspect):
    content = b"filename\n" + b"".join(b"%d.jpg\n" % number for number in range(6))
    report = inspect(content, limits=TableLimits(rows=5))
    assert [group["code"] for group in report.problems] == ["too_many_rows"]
