"""MetaImage is read as SimpleITK reads it where it is right, and refused where it lies."""

import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.readers.metaimage import MetaImageReader
from tests.generators import volumes as make
from tests.generators.images import damage
from tests.plugins.thoroughness import examples
from tests.samples import needs_samples, sample_dir

MEMORY = 50_000_000
READER = MetaImageReader()


def read(files, memory=MEMORY):
    return READER.read(files, memory=memory)


def refusal(files, memory=MEMORY):
    with pytest.raises(Refused) as refused:
        read(files, memory)
    return refused.value


def read_mha(folder, voxels, **options):
    """Ours, checked against SimpleITK."""
    files = make.keep(folder, a_mha=make.mha(voxels, **options))
    volume = read(files)
    make.assert_same(volume, files.path("a.mha"))
    return volume


@pytest.mark.parametrize("kind", make.TYPES)
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_every_type_of_voxel_is_read(tmp_path, kind, big, packed):
    voxels = make.draw(kind=kind)
    volume = read_mha(tmp_path, voxels, big=big, packed=packed)
    assert np.array_equal(volume.voxels, voxels)
    assert volume.dimensions == 3


@pytest.mark.parametrize("left_handed", [False, True])
def test_oblique_directions_stay_as_they_are(tmp_path, left_handed):
    tilt = make.tilt(left_handed=left_handed)
    volume = read_mha(tmp_path, make.draw(), direction=tilt)
    assert np.array_equal(np.reshape(volume.geometry.direction, (3, 3)), tilt)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
@pytest.mark.parametrize(("kind", "colours"), [("uint8", True), ("float32", False)])
def test_several_samples_are_colours_or_vectors(tmp_path, channels, kind, colours):
    volume = read_mha(tmp_path, make.draw(kind=kind, channels=channels), packed=True)
    colour = {3: "rgb", 4: "rgba"}.get(channels, "vector") if colours else "vector"
    assert volume.colour == ("grey" if channels == 1 else colour)


def test_pictures_have_two_dimensions(tmp_path):
    direction = np.diag([-1.0, 1.0, 1.0])
    volume = read_mha(tmp_path, make.draw((7, 6, 1)), count=2, direction=direction)
    assert (volume.dimensions, volume.voxels.shape) == (2, (1, 1, 6, 7))


def test_time_is_the_fourth_axis(tmp_path):
    volume = read_mha(tmp_path, make.draw(times=4), count=4, spacing=(1, 2, 3, 0.75), direction=make.tilt())
    assert (volume.timepoints, volume.time_step) == (4, 0.75)
    assert read_mha(tmp_path, make.draw(times=4), count=4).time_step is None


def test_long_has_four_bytes_as_with_itk(tmp_path):
    read_mha(tmp_path, make.draw(kind="int32"), ElementType="MET_LONG")
    files = make.keep(tmp_path, a_mha=make.mha(make.draw(kind="int64"), ElementType="MET_LONG"))
    assert refusal(files).code == "corrupt"


@pytest.mark.parametrize("kind", ["uint8", "int16", "float32"])
def test_voxels_in_ascii(tmp_path, kind):
    read_mha(tmp_path, make.draw(kind=kind), ascii_=True)


@pytest.mark.parametrize(
    "fields",
    [
        {"Offset": None, "Position": "1 2 3"},
        {"Offset": None, "Origin": "1 2 3"},
        {"TransformMatrix": None, "Rotation": "0 1 0 0 0 1 1 0 0"},
        {"TransformMatrix": None, "Orientation": "0 1 0 0 0 1 1 0 0"},
        {"ElementSpacing": None, "ElementSize": "4 5 6"},
        {"ElementSize": "4 5 6"},
        {"BinaryDataByteOrderMSB": None, "ElementByteOrderMSB": "False"},
        {"ObjectType": None},
        {"HeaderSize": 0},
        {"DimSize": "  5   4 3 "},
    ],
)
def test_other_names_of_fields(tmp_path, fields):
    read_mha(tmp_path, make.draw(), **fields)


@pytest.mark.parametrize(
    ("kind", "text"), [("float32", b"1e39 "), ("uint8", b"256 "), ("int8", b"1.0 "), ("int8", b"1_0 ")]
)
def test_numbers_that_are_none_of_the_type(tmp_path, kind, text):
    header, payload = make.metaimage(make.draw(kind=kind), ascii_=True)
    changed = text + payload.partition(b" ")[2]
    assert refusal(make.keep(tmp_path, a_mha=header + changed)).code == "corrupt"


def test_what_the_file_does_not_say_is_not_known(tmp_path):
    volume = read(make.keep(tmp_path, a_mha=make.mha(make.draw(), ElementSpacing=None, Offset=None)))
    assert (volume.geometry.spacing, volume.geometry.origin) == (None, None)


def test_facts_and_windows_are_taken_and_texts_are_not(tmp_path):
    fields = {"Modality": "MET_MOD_CT", "WindowCenter": "[40,50]", "WindowWidth": "[400,350]", "Laterality": "L"}
    volume = read(make.keep(tmp_path, a_mha=make.mha(make.draw(), PatientName=make.CANARY, **fields)))
    assert (volume.facts.modality, volume.facts.laterality) == ("CT", "L")
    assert [(window.centre, window.width) for window in volume.windows] == [(40, 400), (50, 350)]
    assert "Canary" not in repr(volume)
    odd = read(make.keep(tmp_path, a_mha=make.mha(make.draw(), WindowCenter=make.CANARY, Modality=make.CANARY)))
    assert (odd.windows, odd.facts.modality) == ((), None)
    assert "Canary" not in repr(odd)


@pytest.mark.parametrize(("packed", "suffix"), [(False, "raw"), (True, "zraw")])
@pytest.mark.parametrize("folder", ["", "scans__"])
def test_voxels_in_a_second_file(tmp_path, packed, suffix, folder):
    header, payload = make.metaimage(make.draw(), packed=packed, data_file=f"b.{suffix}")
    files = make.keep(tmp_path, **{f"{folder}a_mhd": header, f"{folder}b_{suffix}": payload})
    make.assert_same(read(files), files.path(files.main))


@pytest.mark.parametrize("header_size", [-1, 9])
def test_bytes_before_the_voxels(tmp_path, header_size):
    header, payload = make.metaimage(make.draw(), data_file="b.raw", HeaderSize=header_size)
    files = make.keep(tmp_path, a_mhd=header, b_raw=b"x" * 9 + payload)
    make.assert_same(read(files), files.path("a.mhd"))


def test_header_size_does_not_point_into_the_header(tmp_path):
    assert refusal(make.keep(tmp_path, a_mha=make.mha(make.draw(), HeaderSize=20))).code == "corrupt"
    assert refusal(make.keep(tmp_path, a_mha=make.mha(make.draw(), HeaderSize=-2))).code == "corrupt"
    packed = make.mha(make.draw(), HeaderSize=-1, packed=True)
    assert refusal(make.keep(tmp_path, a_mha=packed)).code == "unsupported_variant"


@pytest.mark.parametrize("wrap", [zlib.compress, lambda data: make.bomb(data, 0)])
def test_zlib_and_gzip_without_a_length(tmp_path, wrap):
    voxels = make.draw()
    header, payload = make.metaimage(voxels, CompressedData=True)
    volume = read(make.keep(tmp_path, a_mha=header + wrap(payload)))
    assert np.array_equal(volume.voxels, voxels)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("/etc/passwd", "missing_file"),
        ("../b.raw", "missing_file"),
        ("x/../../b.raw", "missing_file"),
        ("C:\\b.raw", "missing_file"),
        ("..\\b.raw", "missing_file"),
        ("other.raw", "missing_file"),
        ("file:///etc/passwd", "missing_file"),
        ("", "corrupt"),
        ("LIST", "unsupported_variant"),
        ("LIST 2D", "unsupported_variant"),
        ("b%03d.raw 1 3 1", "unsupported_variant"),
    ],
)
def test_voxels_elsewhere_are_not_looked_for(tmp_path, name, code):
    header, payload = make.metaimage(make.draw(), data_file=name)
    assert refusal(make.keep(tmp_path, a_mhd=header, b_raw=payload)).code == code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ObjectType": "Mesh"}, "unsupported_variant"),
        ({"NDims": 5}, "unsupported_variant"),
        ({"NDims": 1}, "unsupported_variant"),
        ({"NDims": None}, "corrupt"),
        ({"NDims": "three"}, "corrupt"),
        ({"DimSize": "5 4"}, "corrupt"),
        ({"DimSize": "5 4 0"}, "corrupt"),
        ({"DimSize": "5 4 -3"}, "corrupt"),
        ({"DimSize": "5 4 2.5"}, "corrupt"),
        ({"DimSize": "5 4 " + "9" * 5000}, "corrupt"),
        ({"DimSize": f"{2**60} 4 3"}, "truncated"),
        ({"DimSize": f"{2**60} {2**60} {2**60}"}, "truncated"),
        ({"DimSize": "5 4 2"}, "corrupt"),
        ({"DimSize": "5 4 4"}, "truncated"),
        ({"ElementNumberOfChannels": 0}, "corrupt"),
        ({"ElementNumberOfChannels": 2**40}, "corrupt"),
        ({"ElementType": "MET_OTHER"}, "unsupported_variant"),
        ({"ElementType": "MET_INT"}, "truncated"),
        ({"ElementType": "MET_UCHAR"}, "corrupt"),
        ({"ElementSpacing": "1 nan 1"}, "corrupt"),
        ({"ElementSpacing": "1 inf 1"}, "corrupt"),
        ({"ElementSpacing": "1 1e999 1"}, "corrupt"),
        ({"ElementSpacing": "1 0 1"}, "corrupt"),
        ({"ElementSpacing": "1 -1 1"}, "corrupt"),
        ({"ElementSpacing": "1 1_0 1"}, "corrupt"),
        ({"Offset": "1 nan 1"}, "corrupt"),
        ({"Position": "7 8 9"}, "corrupt"),
        ({"TransformMatrix": "1 0 0 0.5 0.5 0 0 0 1"}, "unsupported_variant"),
        ({"TransformMatrix": "2 0 0 0 1 0 0 0 1"}, "unsupported_variant"),
        ({"TransformMatrix": "0 0 0 0 0 0 0 0 0"}, "unsupported_variant"),
        ({"TransformMatrix": "1 0 0 0.1 0.99499 0 0 0 1"}, "unsupported_variant"),
        ({"TransformMatrix": "nan 0 0 0 1 0 0 0 1"}, "corrupt"),
        ({"BinaryData": "perhaps"}, "corrupt"),
        ({"ElementByteOrderMSB": "True"}, "corrupt"),
        ({"ElementToIntensityFunctionSlope": "2"}, "unsupported_variant"),
        ({"CompressedData": True}, "corrupt"),
    ],
)
def test_lying_headers_are_refused(tmp_path, fields, code):
    refused = refusal(make.keep(tmp_path, a_mha=make.mha(make.draw(), **fields)))
    assert refused.code == code
    assert "Canary" not in str(refused)


def test_a_field_may_be_said_once(tmp_path):
    data = make.mha(make.draw()).replace(b"NDims", b"ElementType = MET_INT\nNDims")
    assert refusal(make.keep(tmp_path, a_mha=data)).code == "corrupt"


def test_axes_of_space_and_time_do_not_mix(tmp_path):
    matrix = np.eye(4)[[3, 0, 1, 2]]
    data = make.mha(make.draw(times=2), count=4, TransformMatrix=make.join(matrix))
    assert refusal(make.keep(tmp_path, a_mha=data)).code == "unsupported_variant"


def test_volumes_that_memory_does_not_hold_are_refused_unread(tmp_path):
    data = make.mha(make.draw((50, 40, 30)), packed=True)
    assert refusal(make.keep(tmp_path, a_mha=data), memory=119_999).code == "too_many_pixels"
    assert read(make.keep(tmp_path, a_mha=data), memory=120_000).width == 50


@pytest.mark.parametrize("options", [{}, {"packed": True}, {"ascii_": True}])
def test_cut_anywhere_it_is_refused(tmp_path, options):
    data = make.mha(make.draw(kind="uint8"), **options)
    for end in range(len(data)):
        assert refusal(make.keep(tmp_path, a_mha=data[:end])).code in {"truncated", "corrupt"}


def test_padding_is_noted_and_more_is_refused(tmp_path):
    data = make.mha(make.draw(kind="uint8"))
    assert "3 bytes" in read(make.keep(tmp_path, a_mha=data + b"\0" * 3)).notes[0]
    assert refusal(make.keep(tmp_path, a_mha=data + bytes(20))).code == "corrupt"


@settings(max_examples=examples(400), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    packed=st.booleans(),
    edits=st.lists(
        st.tuples(st.integers(0, 600), st.integers(0, 255), st.sampled_from(["set", "cut", "add"])), min_size=1
    ),
)
def test_damage_is_refused_or_harmless(tmp_path, packed, edits):
    data = make.mha(make.draw(), packed=packed)
    files = make.keep(tmp_path, a_mha=damage(data, edits))
    try:
        volume = read(files)
    except Refused:
        return
    assert volume.voxels.nbytes <= MEMORY


@pytest.mark.parametrize("size", [2**31, 2**40, 2**60])
def test_no_memory_is_taken_for_what_is_not_there(tmp_path, size):
    header, _ = make.metaimage(make.draw(kind="uint8"), packed=True, DimSize=f"{size} 1 1", CompressedDataSize=None)
    files = make.keep(tmp_path, a_mha=header + make.bomb(b"", 1 << 24, wbits=15))
    code, taken = make.read_within(READER, files, memory=2**62, room=200_000_000)
    assert code == "truncated"
    assert taken < 20_000_000


def test_a_bomb_is_not_unpacked(tmp_path):
    header, payload = make.metaimage(make.draw(kind="uint8"), packed=True, CompressedDataSize=None)
    files = make.keep(tmp_path, a_mha=header + make.bomb(zlib.decompress(payload), 1 << 31, wbits=15))
    code, taken = make.read_within(READER, files, memory=MEMORY, room=100_000_000)
    assert code == "corrupt"
    assert taken < 20_000_000


def test_reading_loads_no_module(tmp_path):
    files = make.keep(tmp_path, a_mha=make.mha(make.draw(), packed=True, big=True))
    code, _ = make.read_within(READER, files, memory=MEMORY, room=100_000_000)
    assert code == "(1, 3, 4, 5)"


REAL = sorted([*sample_dir().glob("mha/*"), *sample_dir().glob("mhd/*.mhd")])


@needs_samples
@pytest.mark.parametrize("path", REAL, ids=[path.name for path in REAL])
def test_real_files(path):
    others = [other.name for other in path.parent.glob(f"{path.stem}.*") if other != path]
    make.assert_same(read(Files(path.parent, (path.name, *others))), path)


@needs_samples
def test_there_are_real_files():
    assert len(REAL) >= 10


def test_a_data_file_is_found_whatever_the_case_of_its_letters_where_that_is_clear(tmp_path):
    header, data = make.metaimage(make.draw(), data_file="Brain.RAW")
    (tmp_path / "a.mhd").write_bytes(header)
    (tmp_path / "brain.raw").write_bytes(data)
    assert np.array_equal(read(Files(tmp_path, ("a.mhd", "brain.raw"))).voxels, make.draw())
    (tmp_path / "BRAIN.raw").write_bytes(data)
    assert refusal(Files(tmp_path, ("a.mhd", "brain.raw", "BRAIN.raw"))).code == "missing_file"
