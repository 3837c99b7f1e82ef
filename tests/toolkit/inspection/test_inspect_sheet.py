"""What a spreadsheet would meet."""

from medtheca.toolkit.inspection import inspect_sheet

SHEET = """filename;gender;Alter;diagnosys;site
a.jpg;male;40;Nevus;1
photos/b.jpg;mal;50;Nevus;2
C;mal;60;Nevus;3
gone.jpg;female;70;Nevus;4
"""


def test_columns_problems_and_names_are_told_at_once():
    report = inspect_sheet("values.csv", SHEET.encode(), names=["a.jpg", "b.jpg", "C.png", "d.jpg"])
    assert report.rows == 4
    columns = {column.column: (column.field, column.how) for column in report.columns}
    assert columns["filename"] == ("filename", "exact")
    assert columns["gender"] == ("sex", "synonym")
    assert columns["diagnosys"] == ("diagnosis", "did-you-mean")
    assert columns["Alter"] == (None, "unstructured")
    (group,) = (group for group in report.problems if group.column == "sex")
    assert (group.count, group.lines) == (2, ["line 3", "line 4"])
    assert "male" in group.remedy
    assert report.rows_without_file == ("gone.jpg",)
    assert report.files_without_row == ("d.jpg",)


def test_a_file_that_is_no_table_is_one_problem():
    report = inspect_sheet("values.csv", b"", names=["a.jpg"])
    assert (report.problem_count, report.problems[0].code) == (1, "empty")


def test_a_number_of_rows_beyond_the_bounds_is_refused():
    from medtheca.toolkit.schemas import TableLimits

    content = b"filename\n" + b"".join(b"%d.jpg\n" % number for number in range(6))
    report = inspect_sheet("values.csv", content, names=[], limits=TableLimits(rows=5))
    assert [group.code for group in report.problems] == ["too_many_rows"]
