import pytest

from medtheca.toolkit.schemas import TableError, TableLimits, read_table

PLAIN = "filename,age,note\na.jpg,53,naïve\nb.jpg,,\n"


def problems(data, **options):
    with pytest.raises(TableError) as caught:
        read_table(data if isinstance(data, bytes) else data.encode(), **options)
    return [(problem.line, problem.code) for problem in caught.value.problems]


def cells(table):
    return [(row.line, row.filename, dict(row.cells)) for row in table.rows]


@pytest.mark.parametrize(
    ("codec", "name"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"),
     ("utf-16-be", "UTF-16"), ("cp1252", "Windows-1252")],
)  # fmt: skip
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_common_encoding_line_end_and_delimiter(codec, name, newline, delimiter):
    text = PLAIN.replace("\n", newline).replace(",", delimiter)
    table = read_table(text.encode(codec))
    assert (table.encoding, table.delimiter) == (name, delimiter)
    assert table.columns == ("filename", "age", "note")
    assert cells(table) == [(2, "a.jpg", {"age": "53", "note": "naïve"}), (3, "b.jpg", {"age": "", "note": ""})]
    assert bool(table.notes) is (name == "Windows-1252")


def test_a_marked_utf_16_of_the_other_order():
    table = read_table(b"\xfe\xff" + PLAIN.encode("utf-16-be"))
    assert table.rows[0].cells["note"] == "naïve"


@pytest.mark.parametrize("data", [b"", b"\n\n \n", b"\xef\xbb\xbf", b",,\n"])
def test_a_file_with_nothing_in_it(data):
    assert problems(data) == [(0, "empty")]


@pytest.mark.parametrize("data", [b"PK\x03\x04 workbook", b"\xd0\xcf\x11\xe0 old workbook"])
def test_a_workbook_is_recognised(data):
    assert problems(data) == [(0, "not_text")]


def test_bytes_that_are_no_text():
    assert problems(b"filename\n\x81\x8d.jpg\n") == [(0, "bad_encoding")]
    assert problems(b"filename\na\x00.jpg\n") == [(0, "nul")]
    assert problems(b"\xff\xfef\x00i\x00l\x00e\x00\x0a") == [(0, "bad_encoding")]


def test_lines_keep_the_numbers_of_the_file():
    text = '\n\nfilename,note\n\na.jpg,"two\nlines"\n , \nb.jpg,x\n'
    assert [(row.line, row.filename) for row in read_table(text.encode()).rows] == [(5, "a.jpg"), (8, "b.jpg")]


def test_the_delimiter_line_of_spreadsheet_programs():
    table = read_table(b"sep=;\r\nfilename;age\r\na,b.jpg;5\r\n")
    assert cells(table) == [(3, "a,b.jpg", {"age": "5"})]


def test_delimiters_inside_quotes_do_not_count():
    table = read_table(b'"file,name,of,image";filename\nx;a.jpg\n')
    assert table.delimiter == ";"


@pytest.mark.parametrize(
    ("header", "found"),
    [("age,filename", "filename"), ("image_id,age", "image_id"), ("Isic ID,age", "Isic ID"),
     ("image_id,File-Name", "File-Name"), ("isic_id,image", "image")],
)  # fmt: skip
def test_the_column_that_names_the_image(header, found):
    table = read_table(f"{header}\nx,y\n".encode())
    assert table.filename_column == found
    assert found not in table.rows[0].cells


def test_the_column_that_names_the_image_can_be_given():
    table = read_table(b"picture,filename\nx,y\n", filename_column="picture")
    assert cells(table) == [(2, "x", {"filename": "y"})]
    assert problems(b"filename\nx\n", filename_column="picture") == [(1, "no_filename_column")]


def test_every_fault_of_the_header_is_reported():
    data = f"age,age,sex,sex,sex,{'x' * 300}\n"
    assert problems(data) == [
        (1, "duplicate_column"),
        (1, "duplicate_column"),
        (1, "column_name_too_long"),
        (1, "no_filename_column"),
    ]


def test_a_missing_name_column_says_what_there_is_and_what_is_known():
    with pytest.raises(TableError) as caught:
        read_table(b"picture,age\nx,5\n")
    assert "'picture', 'age'" in str(caught.value)
    assert "'filename'" in str(caught.value)
    assert "image_id" in str(caught.value)


def test_every_fault_of_the_rows_is_reported_in_order():
    data = "filename,age\na.jpg,5,over\n,6\nb.jpg,7\nb.jpg,8\ncafé.jpg,1\ncafe\u0301.jpg,2\n"
    assert problems(data) == [
        (2, "too_many_cells"),
        (3, "no_filename"),
        (5, "duplicate_filename"),
        (7, "duplicate_filename"),
    ]


def test_empty_cells_and_columns_at_the_end_are_no_fault():
    table = read_table(b"filename,age,,\na.jpg,5,,\nb.jpg\nc.jpg,6,,,,\n")
    assert table.columns == ("filename", "age")
    assert [dict(row.cells) for row in table.rows] == [{"age": "5"}, {"age": ""}, {"age": "6"}]
    assert table.notes == (
        "Rows with fewer cells than the header, the missing ones counted as blank: 1 (first: line 3).",
    )


def test_a_value_without_a_column_name():
    assert problems("filename,,age\na.jpg,,1\nb.jpg,x,1\n") == [(3, "nameless_column")]


@pytest.mark.parametrize("data", ['filename\n"a.jpg', 'filename\n"a"b.jpg\n'])
def test_broken_quotes_name_their_line(data):
    assert problems(data) == [(2, "bad_csv")]


def test_a_cell_that_nobody_would_write():
    data = f"filename,note\na.jpg,{'x' * 10_001}\nb.jpg,{'y' * 10_000}\n"
    assert problems(data) == [(2, "cell_too_long")]
    assert problems(f"filename\n{'x' * 200_000}\n") == [(2, "bad_csv")]


def test_limits_of_size_rows_and_columns():
    limits = TableLimits(size=30, rows=2, columns=2)
    assert len(read_table(b"filename\na\nb\n", limits=limits).rows) == 2
    assert problems(b"filename\na\nb\nc\n", limits=limits) == [(4, "too_many_rows")]
    assert problems(b"filename,a,b\n", limits=limits) == [(1, "too_many_columns")]
    assert problems(b"filename\n" + b"x" * 30, limits=limits) == [(0, "too_big")]


def test_a_hostile_file_of_faults_is_told_in_part_and_counted():
    with pytest.raises(TableError) as caught:
        read_table(b"filename,age\n" + b",1\n" * 5_000)
    assert (len(caught.value.problems), caught.value.count) == (1_000, 5_000)
    assert "(4,999 more problems)" in str(caught.value)
