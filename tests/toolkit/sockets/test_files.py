"""Files by their names and bytes: each kind takes what is whole and refuses what is cut off, another or a trap."""

import io
import json
import sqlite3
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.ranges.readers import MemoryRanges
from medtheca.toolkit.sockets.files import check_file
from medtheca.toolkit.sockets.kinds import KINDS
from medtheca.toolkit.sockets.newick import DEEPEST, check_trees
from medtheca.toolkit.synthetic.cohort import draw_lesion

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\nstartxref\n9\n%%EOF\n"
OBJ = b"# a triangle\no Face\nv 0 0 0\nv 1 0 0 # second\nv 0 1 0.5\nvn 0 0 1\nf 1//1 2//1 -1//1\n"
BIOM = {
    "id": None,
    "format": "Biological Observation Matrix 1.0.0",
    "format_url": "http://biom-format.org",
    "type": "OTU table",
    "generated_by": "test",
    "date": "2026-01-01T00:00:00",
    "rows": [{"id": "a", "metadata": None}, {"id": "b", "metadata": None}],
    "columns": [{"id": "s", "metadata": None}],
    "matrix_type": "sparse",
    "shape": [2, 1],
    "data": [[0, 0, 5], [1, 0, 2]],
}


def png():
    file = io.BytesIO()
    Image.fromarray(np.arange(300, dtype=np.uint8).reshape(15, 20)).save(file, "PNG")
    return file.getvalue()


def sqlite(tmp_path):
    path = tmp_path / "a.sqreg"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE a (b)")
    database.close()
    return path.read_bytes()


def packed(files, **options):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def box(name, data=b""):
    return struct.pack(">I4s", 8 + len(data), name) + data


def hdf5(size):
    """The superblock of HDF5, version 0, of a file that says how long it is."""
    head = b"\x89HDF\r\n\x1a\n" + bytes([0, 0, 0, 0, 0, 8, 8, 0]) + struct.pack("<HHI", 4, 16, 0)
    return (head + struct.pack("<QQQQ", 0, 2**64 - 1, size, 2**64 - 1)).ljust(96, b"\0")


MP4 = box(b"ftyp", b"isom\0\0\2\0") + box(b"moov", b"\0" * 20) + box(b"mdat", b"\0" * 50)


@pytest.fixture
def whole(tmp_path):
    return {
        "PDF": PDF,
        "SQREG": sqlite(tmp_path),
        "JPEG": draw_lesion(1, size=(60, 45)).jpeg,
        "PNG": png(),
        "OBJ": OBJ,
        "MP4": MP4,
        "NEWCK": b"((A:1,B:2)ab:0.5,C)root;\n",
        "BIOM": json.dumps(BIOM).encode(),
        "CSV": b'\xef\xbb\xbfa;b\r\n1;"x;y"\r\n',
        "ZIP": packed({"a/b.txt": b"text", "__MACOSX/._b": b"x", "inner.zip": b"PK"}),
        "STR": b'"A text"',
        "MPOI": b'{"type": "Multiple points", "version": {"major": 1, "minor": 0}, "points": []}',
    }


def check(kind, data, filename=None, **options):
    check_file(kind, MemoryRanges(data), filename=filename or f"a{KINDS[kind].extension}", **options)


def code_of(kind, data, filename=None, **options):
    with pytest.raises(Refused) as refused:
        check(kind, data, filename, **options)
    return refused.value.code


def test_what_is_whole_is_taken(whole):
    for kind, data in whole.items():
        check(kind, data)
        for suffix in KINDS[kind].suffixes:
            check(kind, data, f"A.{suffix[1:].upper()}")


def test_every_kind_of_file_is_tried(whole):
    assert {kind.code for kind in KINDS.values() if kind.family == "file"} <= set(whole)


def test_names_and_empty_files(whole):
    for kind, data in whole.items():
        assert code_of(kind, data, "a.exe") == "wrong_extension"
        assert code_of(kind, data, "a") == "wrong_extension"
        assert code_of(kind, b"") == "empty"


def test_what_is_cut_off_or_another_is_refused(whole):
    for kind, data in whole.items():
        if kind not in ("CSV", "OBJ"):
            assert code_of(kind, data[: len(data) // 2]) in {
                "damaged",
                "invalid_json",
                "invalid_newick",
                "not_a_zip",
                "truncated_zip",
                "damaged_zip",
            }
        if kind != "CSV":
            assert code_of(kind, b"a,b\n1,2\n") in {
                "wrong_content",
                "invalid_json",
                "invalid_obj",
                "invalid_newick",
                "not_a_zip",
            }


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"a,b\n1,2,3\n", "uneven_rows"),
        (b"a,b\n\n1,2\n", None),
        (b"a\n1\n", None),
        (b"a,b\n1,\xff\n", "not_text"),
        (b'a,b\n1,"x\n', "invalid_csv"),
        (b"a,b\0\n", "not_text"),
        (b"\n\n", "invalid_csv"),
        (b"a" * (1 << 21), "not_text"),
    ],
    ids=range(8),
)
def test_tables(data, code):
    if code is None:
        check("CSV", data)
    else:
        assert code_of("CSV", data) == code


@pytest.mark.parametrize(
    "line", [b"f 1 2 4", b"f 1 2", b"f 0 1 2", b"f 1 2 -9", b"f a b c", b"v 0 0", b"v 0 nan 1", b"hello world"]
)
def test_surfaces_with_a_wrong_line(line):
    assert code_of("OBJ", OBJ + line + b"\n") == "invalid_obj"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(A,B", "semicolon"),
        ("(A,B;", r"a \( is never closed"),
        ("A,B;", "comma stands outside"),
        ("(A,B));", "closes nothing"),
        ("(A:x,B);", "x is no length"),
        ("(A:1:2,B);", "second length"),
        ("(A B,C);", "space"),
        ("('A,B);", "quote"),
        ("(A,B);;", "empty"),
        ("", "no tree"),
        ("(A,B)\n(C);", "Line 2"),
        ("(" * (DEEPEST + 1), "deep"),
    ],
)
def test_trees_that_are_none(text, words):
    with pytest.raises(Refused, match=words):
        check_trees(text)


def test_trees():
    check_trees("(A,B);\n(C,D)[&R note]x:1e-3;")
    check_trees("('it''s',B)'a b';")
    check_trees("A;")


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [1, 1]},
        {"rows": "ab"},
        {"matrix_type": "full"},
        {"data": [[2, 0, 1]]},
        {"data": [[0, 0]]},
        {"data": {}},
        {"matrix_type": "dense"},
    ],
)
def test_matrices_that_do_not_fit(change):
    assert code_of("BIOM", json.dumps(BIOM | change).encode()) == "invalid_biom"


def test_matrices():
    check("BIOM", json.dumps(BIOM | {"matrix_type": "dense", "data": [[1], [2]]}).encode())
    assert code_of("BIOM", json.dumps({"id": 1}).encode()) == "invalid_biom"
    check("BIOM", hdf5(96))
    assert code_of("BIOM", hdf5(97)) == "damaged"


def test_archives_with_traps():
    assert code_of("ZIP", packed({"../a.txt": b"a"})) == "unsafe_path"
    assert code_of("ZIP", packed({"/etc/passwd": b"a"})) == "unsafe_path"
    assert code_of("ZIP", packed({"a.bin": b"\0" * (50 << 20)}, compression=zipfile.ZIP_DEFLATED)) == "ratio_too_high"


def test_a_film_without_its_description_or_with_a_lie_about_its_length():
    assert code_of("MP4", box(b"ftyp", b"isom") + box(b"mdat", b"\0" * 9)) == "damaged"
    assert code_of("MP4", MP4[:-1]) == "damaged"
    assert code_of("MP4", MP4 + struct.pack(">I4s", 4, b"free")) == "damaged"
    check("MP4", MP4 + struct.pack(">I4s", 0, b"free") + b"\0" * 9)


def test_a_json_file_obeys_the_schema_of_its_socket():
    check("STR", b'"left"', schema={"enum": ["left"]})
    assert code_of("STR", b'"right"', schema={"enum": ["left"]}) == "invalid_value"
    assert code_of("STR", b"1") == "invalid_value"


def test_random_bytes_are_refused_in_words(whole):
    noise = np.random.default_rng(7).integers(0, 256, 5000, dtype=np.uint8).tobytes()
    for kind, data in whole.items():
        check_is_refused(kind, noise)
        # Past its first bytes, each file becomes noise.
        if kind not in ("PDF", "MP4"):
            check_is_refused(kind, data[:12] + noise)


def check_is_refused(kind, data):
    with pytest.raises(Refused) as refused:
        check(kind, data)
    assert refused.value.message.endswith(".")
