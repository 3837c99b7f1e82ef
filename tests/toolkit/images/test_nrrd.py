"""NRRD is read as SimpleITK reads it where it is right, and refused where it lies."""

import gzip

import nrrd as pynrrd
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.readers.nrrd import NrrdReader
from medtheca.toolkit.images.volume import IDENTITY, Geometry
from tests.generators import volumes as make
from tests.generators.images import damage
from tests.plugins.thoroughness import examples
from tests.samples import needs_samples, sample_dir

MEMORY = 50_000_000
READER = NrrdReader()
ENCODINGS = ("raw", "gzip", "bzip2", "ascii", "hex")
PLAIN = {"space": None, "space_directions": None, "space_origin": None}


def read(files, memory=MEMORY):
    return READER.read(files, memory=memory)


def refusal(files, memory=MEMORY):
    with pytest.raises(Refused) as refused:
        read(files, memory)
    return refused.value


def read_nrrd(folder, voxels, **options):
    """Ours, checked against SimpleITK."""
    files = make.keep(folder, a_nrrd=make.nrrd(voxels, **options))
    volume = read(files)
    make.assert_same(volume, files.path("a.nrrd"))
    return volume


@pytest.mark.parametrize("kind", make.TYPES)
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("encoding", ["raw", "gzip"])
def test_every_type_of_voxel_is_read(tmp_path, kind, big, encoding):
    voxels = make.draw(kind=kind)
    volume = read_nrrd(tmp_path, voxels, big=big, encoding=encoding)
    assert np.array_equal(volume.voxels, voxels)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kind", ["uint8", "int16", "float32"])
def test_every_encoding_gives_the_same(tmp_path, encoding, kind):
    voxels = make.draw(kind=kind)
    files = make.keep(tmp_path, a_nrrd=make.nrrd(voxels, encoding=encoding, big=True))
    assert np.array_equal(read(files).voxels, voxels)
    if encoding != "hex":  # which pynrrd does not read
        other, _ = pynrrd.read(str(files.path("a.nrrd")), index_order="C")
        assert np.array_equal(other, voxels[0])


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5])
def test_every_version_is_read(tmp_path, version):
    assert read(make.keep(tmp_path, a_nrrd=make.nrrd(make.draw(), version=version))).width == 5
    assert refusal(make.keep(tmp_path, a_nrrd=make.nrrd(make.draw(), version=6))).code == "corrupt"


@pytest.mark.parametrize("space", ["left-posterior-superior", "LPS", "RAS", "right-anterior-superior", "LAS"])
@pytest.mark.parametrize("left_handed", [False, True])
def test_spaces_become_lps(tmp_path, space, left_handed):
    volume = read_nrrd(tmp_path, make.draw(), space=space, direction=make.tilt(left_handed=left_handed))
    assert volume.notes == ()


@pytest.mark.parametrize("space", ["scanner-xyz", "3D-right-handed", None])
def test_spaces_without_a_patient_are_noted(tmp_path, space):
    fields = {"space_dimension": 3} if space is None else {}
    volume = read_nrrd(tmp_path, make.draw(), space=space, direction=make.tilt(), **fields)
    assert "does not say how" in volume.notes[0]


def test_units_of_space_become_millimetres(tmp_path):
    data = make.nrrd(make.draw(), space_units='"cm" "cm" "cm"')
    geometry = read(make.keep(tmp_path, a_nrrd=data)).geometry
    assert geometry == Geometry((5.0, 20.0, 32.5), (-105.0, 202.5, 30.0))
    odd = make.nrrd(make.draw(), space_units='"inch" "inch" "inch"')
    assert "unit" in read(make.keep(tmp_path, a_nrrd=odd)).notes[0]


@pytest.mark.parametrize("centerings", [None, "cell cell cell", "node node node", "??? ??? ???"])
def test_spacings_without_a_space(tmp_path, centerings):
    fields = PLAIN | {"spacings": "2 3 4", "axis_mins": "10 20 30", "centerings": centerings}
    read_nrrd(tmp_path, make.draw(), **fields)


def test_what_the_file_does_not_say_is_not_known(tmp_path):
    for fields in (PLAIN, PLAIN | {"spacings": "nan nan nan"}):
        assert read(make.keep(tmp_path, a_nrrd=make.nrrd(make.draw(), **fields))).geometry == Geometry()
    volume = read(make.keep(tmp_path, a_nrrd=make.nrrd(make.draw(), space_origin=None)))
    assert (volume.geometry.origin, volume.geometry.direction) == (None, IDENTITY)


def test_pictures_have_two_dimensions(tmp_path):
    fields = {"dimension": 2, "sizes": "7 6", "space_dimension": 2, "space_directions": "(0,2) (-3,0)", "kinds": None}
    voxels = make.draw((7, 6, 1))
    volume = read_nrrd(tmp_path, voxels, space=None, space_origin="(1,2)", **fields)
    assert (volume.dimensions, volume.voxels.shape) == (2, (1, 1, 6, 7))
    fields |= {"space_directions": "(0,2,0) (-3,0,0)", "space_dimension": None}
    slanted = make.nrrd(voxels, space_origin="(1,2,3)", **fields)
    assert refusal(make.keep(tmp_path, a_nrrd=slanted)).code == "unsupported_variant"


@pytest.mark.parametrize(
    ("kind", "voxels", "colour"),
    [
        ("RGB-color", make.draw(kind="uint8", channels=3), "rgb"),
        ("RGBA-color", make.draw(kind="uint8", channels=4), "rgba"),
        ("vector", make.draw(kind="uint8", channels=3), "rgb"),
        ("vector", make.draw(kind="float32", channels=3), "vector"),
        ("3-vector", make.draw(kind="float64", channels=3), "vector"),
        ("covariant-vector", make.draw(kind="float32", channels=3), "vector"),
        ("list", make.draw(kind="uint8", channels=3), "vector"),
        ("list", make.draw(kind="int16", channels=6), "vector"),
    ],
)
@pytest.mark.parametrize("last", [False, True])
def test_samples_may_be_the_first_axis_or_the_last(tmp_path, kind, voxels, colour, last):
    fields = {"kinds": f"{kind} domain domain domain"}
    stored = voxels
    if last:
        fields = {
            "kinds": f"domain domain domain {kind}",
            "sizes": f"5 4 3 {voxels.shape[4]}",
            "space_directions": "(0.5,0,0) (0,2,0) (0,0,3.25) none",
        }
        stored = np.moveaxis(voxels, -1, 0).copy()[..., 0, :, :, :]
    data = make.nrrd(voxels, **fields)
    header = data[: data.index(b"\n\n") + 2]
    files = make.keep(tmp_path, a_nrrd=header + make.encode(stored, "raw"))
    volume = read(files)
    make.assert_same(volume, files.path("a.nrrd"))
    assert volume.colour == colour
    assert np.array_equal(volume.voxels, voxels)


@pytest.mark.parametrize("kinds", ["space space space time", "domain domain domain domain", None])
def test_time_is_an_axis_of_its_own(tmp_path, kinds):
    voxels = make.draw(times=4)
    fields = PLAIN | {"dimension": 4, "sizes": "5 4 3 4", "spacings": "1 2 3 1.5", "kinds": kinds}
    volume = read_nrrd(tmp_path, voxels, **fields)
    assert (volume.timepoints, volume.time_step) == (4, None)
    timed = make.nrrd(voxels, units='"mm" "mm" "mm" "ms"', **fields)
    assert read(make.keep(tmp_path, a_nrrd=timed)).time_step == 0.0015


def test_time_may_be_the_fastest_axis(tmp_path):
    voxels = make.draw(times=4)
    directions = "none (0.5,0,0) (0,2,0) (0,0,3.25)"
    fields = {"dimension": 4, "sizes": "4 5 4 3", "space_directions": directions, "kinds": "time space space space"}
    data = make.nrrd(voxels, **fields)
    header = data[: data.index(b"\n\n") + 2]
    volume = read(make.keep(tmp_path, a_nrrd=header + np.moveaxis(voxels, 0, -1).tobytes()))
    assert np.array_equal(volume.voxels, voxels)
    assert volume.geometry.spacing == (0.5, 2.0, 3.25)


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
def test_bytes_and_lines_before_the_voxels(tmp_path, encoding):
    voxels = make.draw()
    data = make.nrrd(voxels, encoding=encoding, line_skip=2, byte_skip=3)
    at = data.index(b"\n\n") + 2
    octets = b"abc" + make.encode(voxels, "raw")
    payload = b"one\ntwo\n" + (gzip.compress(octets) if encoding == "gzip" else octets)
    volume = read(make.keep(tmp_path, a_nrrd=data[:at] + payload))
    assert np.array_equal(volume.voxels, voxels)
    last = make.nrrd(voxels, byteskip=-1)
    at = last.index(b"\n\n") + 2
    volume = read(make.keep(tmp_path, a_nrrd=last[:at] + b"anything" + last[at:]))
    assert np.array_equal(volume.voxels, voxels)


@pytest.mark.parametrize("folder", ["", "scans__"])
def test_a_header_on_its_own_finds_its_data_file(tmp_path, folder):
    voxels = make.draw()
    header = make.nrrd(voxels, data_file="b.raw")
    header = header[: header.index(b"\n\n") + 1]
    octets = make.encode(voxels, "raw")
    files = make.keep(tmp_path, **{f"{folder}a_nhdr": header, f"{folder}b_raw": octets})
    make.assert_same(read(files), files.path(files.main))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("/etc/passwd", "missing_file"),
        ("../b.raw", "missing_file"),
        ("x/../../b.raw", "missing_file"),
        ("..\\b.raw", "missing_file"),
        ("http://example.org/b.raw", "missing_file"),
        ("other.raw", "missing_file"),
        ("LIST", "unsupported_variant"),
        ("LIST 2", "unsupported_variant"),
        ("b%03d.raw 1 3 1", "unsupported_variant"),
        ("", "corrupt"),
    ],
)
def test_voxels_elsewhere_are_not_looked_for(tmp_path, name, code):
    header = make.nrrd(make.draw(), data_file=name)
    assert refusal(make.keep(tmp_path, a_nhdr=header, b_raw=b"x" * 120)).code == code


def test_texts_are_not_kept(tmp_path):
    data = make.nrrd(make.draw(), content=make.CANARY, labels=f'"{make.CANARY}" "" ""')
    assert make.CANARY.encode() in data
    assert "Canary" not in repr(read(make.keep(tmp_path, a_nrrd=data)))


def test_keys_may_have_colons_in_them(tmp_path):
    data = make.nrrd(make.draw()).replace(b"name of patient:=", b"0008|0060: type:=a: b :=")
    assert read(make.keep(tmp_path, a_nrrd=data)).width == 5
    lines = make.nrrd(make.draw())
    at = lines.index(b"\n\n") + 2
    windows = lines[:at].replace(b"\n", b"\r\n") + lines[at:]
    assert read(make.keep(tmp_path, a_nrrd=windows)).width == 5


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"type": None}, "corrupt"),
        ({"type": "block"}, "unsupported_variant"),
        ({"type": "int"}, "truncated"),
        ({"type": "uchar"}, "corrupt"),
        ({"dimension": 0}, "corrupt"),
        ({"dimension": 17}, "corrupt"),
        ({"dimension": 4}, "corrupt"),
        ({"sizes": "5 4 0"}, "corrupt"),
        ({"sizes": "5 4 -3"}, "corrupt"),
        ({"sizes": "5 4 " + "9" * 5000}, "corrupt"),
        ({"sizes": "5 4 2"}, "corrupt"),
        ({"sizes": "5 4 4"}, "truncated"),
        ({"sizes": f"{2**20} 4 3"}, "truncated"),
        ({"sizes": f"{2**60} 4 3"}, "too_many_pixels"),
        ({"sizes": f"{2**60} {2**60} {2**60}"}, "too_many_pixels"),
        ({"endian": None}, "corrupt"),
        ({"endian": "middle"}, "corrupt"),
        ({"space": "RAST"}, "unsupported_variant"),
        ({"space": None}, "corrupt"),
        ({"space_dimension": "3"}, "corrupt"),
        ({"space_directions": "(1,0,0) (0,1,0)"}, "corrupt"),
        ({"space_directions": "(1,0,0) (0,1,0) (0,0,nan)"}, "corrupt"),
        ({"space_directions": "(1,0,0) (0,1,0) (0,0,inf)"}, "corrupt"),
        ({"space_directions": "(1,0,0) (0,1,0) (0,0,0)"}, "corrupt"),
        ({"space_directions": "(1,0,0) (0,1,0) (0,0)"}, "corrupt"),
        ({"space_directions": "(1,0,0) (0,1,0) none"}, "unsupported_variant"),
        ({"space_directions": "(1,0,0) (0.2,1,0) (0,0,1)"}, "unsupported_variant"),
        ({"space_origin": "(1,2)"}, "corrupt"),
        ({"space_origin": "(1,2,nan)"}, "corrupt"),
        ({"spacings": "1 1 1"}, "corrupt"),
        ({"kinds": "domain domain"}, "corrupt"),
        ({"kinds": "domain domain complex"}, "unsupported_variant"),
        ({"kinds": "domain domain vector"}, "corrupt"),
        ({"kinds": "domain domain 3D-symmetric-matrix"}, "unsupported_variant"),
        ({"byte_skip": -2}, "corrupt"),
        ({"line_skip": -1}, "corrupt"),
        ({"line_skip": 500}, "truncated"),
        ({"byte_skip": 2**60}, "truncated"),
        ({"unheard_of": "1"}, "corrupt"),
        (PLAIN | {"spacings": "1 0 1"}, "corrupt"),
        (PLAIN | {"spacings": "1 -1 1"}, "corrupt"),
        (PLAIN | {"spacings": "1 inf 1"}, "corrupt"),
        (PLAIN | {"kinds": "domain list list"}, "unsupported_variant"),
    ],
)
def test_lying_headers_are_refused(tmp_path, fields, code):
    refused = refusal(make.keep(tmp_path, a_nrrd=make.nrrd(make.draw(), **fields)))
    assert refused.code == code
    assert "Canary" not in str(refused)


@pytest.mark.parametrize(
    ("encoding", "code"), [("zip", "unsupported_variant"), ("gz", "corrupt"), ("bz2", "corrupt"), ("hex", "truncated")]
)
def test_lying_encodings_are_refused(tmp_path, encoding, code):
    data = make.nrrd(make.draw((50, 4, 3))).replace(b"encoding: raw", f"encoding: {encoding}".encode())
    assert refusal(make.keep(tmp_path, a_nrrd=data)).code == code


def test_a_field_may_be_said_once(tmp_path):
    data = make.nrrd(make.draw()).replace(b"kinds", b"byteskip: 0\nbyte skip: 0\nkinds")
    assert refusal(make.keep(tmp_path, a_nrrd=data)).code == "corrupt"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_cut_anywhere_it_is_refused(tmp_path, encoding):
    data = make.nrrd(make.draw(kind="uint8"), encoding=encoding)
    for end in range(len(data) - (encoding == "hex")):  # whose line end is no digit
        assert refusal(make.keep(tmp_path, a_nrrd=data[:end])).code in {"truncated", "corrupt"}


@settings(max_examples=examples(400), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    encoding=st.sampled_from(ENCODINGS),
    edits=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255), st.sampled_from(["set", "cut", "add"]))),
)
def test_damage_is_refused_or_harmless(tmp_path, encoding, edits):
    data = make.nrrd(make.draw(), encoding=encoding)
    files = make.keep(tmp_path, a_nrrd=damage(data, edits))
    try:
        volume = read(files)
    except Refused:
        return
    assert volume.voxels.nbytes <= MEMORY


@pytest.mark.parametrize("size", [2**33, 2**60])
@pytest.mark.parametrize("encoding", ["gzip", "bzip2"])
def test_no_memory_is_taken_for_what_is_not_there(tmp_path, size, encoding):
    header = make.nrrd(make.draw(kind="uint8"), encoding=encoding, sizes=f"{size} 1 1")
    header = header[: header.index(b"\n\n") + 2]
    files = make.keep(tmp_path, a_nrrd=header + make.encode(make.draw(), encoding))
    code, taken = make.read_within(READER, files, memory=10**9, room=200_000_000)
    assert code == "too_many_pixels"
    assert taken < 20_000_000


def test_a_bomb_is_not_unpacked(tmp_path):
    voxels = make.draw(kind="uint8")
    header = make.nrrd(voxels, encoding="gzip")
    header = header[: header.index(b"\n\n") + 2]
    files = make.keep(tmp_path, a_nrrd=header + make.bomb(voxels.tobytes(), 1 << 31))
    code, taken = make.read_within(READER, files, memory=MEMORY, room=100_000_000)
    assert code == "corrupt"
    assert taken < 20_000_000


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_reading_loads_no_module(tmp_path, encoding):
    files = make.keep(tmp_path, a_nrrd=make.nrrd(make.draw(), encoding=encoding, big=True))
    code, _ = make.read_within(READER, files, memory=MEMORY, room=100_000_000)
    assert code == "(1, 3, 4, 5)"


REAL = sorted(sample_dir().glob("nrrd/*"))


@needs_samples
@pytest.mark.parametrize("path", REAL, ids=[path.name for path in REAL])
def test_real_files(path):
    make.assert_same(read(Files(path.parent, (path.name,))), path)


@needs_samples
def test_there_are_real_files():
    assert len(REAL) >= 4
