"""NIfTI is read as SimpleITK and nibabel read it where it is right, and refused where it lies."""

import gzip

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.readers.nifti import NiftiReader
from medtheca.toolkit.images.volume import IDENTITY
from tests.generators import volumes as make
from tests.generators.images import damage
from tests.plugins.thoroughness import examples
from tests.samples import needs_samples, sample_dir

MEMORY = 50_000_000
READER = NiftiReader()
TO_LPS = np.diag([-1.0, -1.0, 1.0])
GRID = make.affine(direction=make.tilt())
PLACED = {"sform": GRID, "sform_code": 1}


def read(files, memory=MEMORY):
    return READER.read(files, memory=memory)


def refusal(files, memory=MEMORY):
    with pytest.raises(Refused) as refused:
        read(files, memory)
    return refused.value


def read_nii(folder, voxels, *, close=False, **options):
    """Ours, checked against SimpleITK."""
    files = make.keep(folder, a_nii=make.nifti(voxels, **options))
    volume = read(files)
    make.assert_same(volume, files.path("a.nii"), close=close)
    return volume


def grid_of(volume):
    """RAS of the indices, as nibabel has it."""
    matrix = np.eye(4)
    matrix[:3, :3] = TO_LPS @ np.reshape(volume.geometry.direction, (3, 3)) * volume.geometry.spacing
    matrix[:3, 3] = TO_LPS @ volume.geometry.origin
    return matrix


@pytest.mark.parametrize("kind", make.TYPES)
@pytest.mark.parametrize("big", [False, True])
def test_every_type_of_voxel_is_read(tmp_path, kind, big):
    voxels = make.draw(kind=kind)
    volume = read_nii(tmp_path, voxels, big=big, **PLACED)
    assert np.array_equal(volume.voxels, voxels)
    assert (volume.dimensions, volume.rescaled, volume.notes) == (3, False, ())


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_both_versions_are_read_compressed_or_not(tmp_path, version, big, packed):
    voxels = make.draw()
    data = make.nifti(voxels, version=version, big=big, **PLACED)
    files = make.keep(tmp_path, a_nii=data)
    other = nibabel.load(files.path("a.nii"))
    assert type(other).__name__ == f"Nifti{version}Image"
    volume = read(make.keep(tmp_path, b=gzip.compress(data) if packed else data))
    assert np.array_equal(volume.voxels[0], np.asarray(other.dataobj).T)
    np.testing.assert_allclose(grid_of(volume), other.affine, atol=1e-5)


@pytest.mark.parametrize("left_handed", [False, True])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("form", ["sform", "qform"])
def test_oblique_directions_stay_as_they_are(tmp_path, form, seed, left_handed):
    tilt = make.tilt(seed, left_handed=left_handed)
    volume = read_nii(tmp_path, make.draw(), **{form: make.affine(direction=tilt), f"{form}_code": 1})
    assert np.linalg.det(np.reshape(volume.geometry.direction, (3, 3))) * np.linalg.det(tilt) > 0


@pytest.mark.parametrize("turn", [np.diag([1.0, -1, -1]), np.diag([-1.0, 1, -1]), np.diag([-1.0, -1, 1])])
def test_half_turns(tmp_path, turn):
    read_nii(tmp_path, make.draw(), qform=make.affine(direction=turn), qform_code=1)


@pytest.mark.parametrize(
    ("codes", "two"),
    [((1, 1), 1), ((1, 2), 1), ((1, 4), 1), ((2, 4), 1), ((2, 1), 1), ((0, 4), 0), ((4, 2), 1), ((3, 0), 0)],
)
def test_of_two_places_the_scanners_is_taken(tmp_path, codes, two):
    other = make.affine(origin=(1, 2, 3), direction=np.diag([-1.0, 1, 1]))
    forms = {"qform": GRID, "qform_code": codes[0], "sform": other, "sform_code": codes[1]}
    volume = read_nii(tmp_path, make.draw(), **forms)
    assert len(volume.notes) == two


def test_two_places_that_agree_are_not_worth_a_note(tmp_path):
    forms = {"qform": GRID, "qform_code": 1, "sform": GRID, "sform_code": 1}
    assert read_nii(tmp_path, make.draw(), **forms).notes == ()


def test_a_file_may_say_no_place(tmp_path):
    volume = read_nii(tmp_path, make.draw(), pixdim__1=0.5, pixdim__2=2, pixdim__3=3)
    assert (volume.geometry.spacing, volume.geometry.origin) == ((0.5, 2.0, 3.0), None)
    assert volume.geometry.direction == IDENTITY
    assert "does not say" in volume.notes[0]


def test_a_shear_is_refused_and_never_straightened(tmp_path):
    sheared = GRID.copy()
    sheared[:3, 1] += 0.3 * sheared[:3, 0]
    data = make.nifti(make.draw(), sform=sheared, sform_code=1)
    assert refusal(make.keep(tmp_path, a_nii=data)).code == "unsupported_variant"
    volume = read_nii(tmp_path, make.draw(), sform=sheared, sform_code=1, qform=GRID, qform_code=1)
    assert "sheared" in volume.notes[0]


def test_two_spacings_are_noted(tmp_path):
    volume = read(make.keep(tmp_path, a_nii=make.nifti(make.draw(), pixdim__2=7, **PLACED)))
    np.testing.assert_allclose(volume.geometry.spacing, (0.5, 2.0, 3.25), rtol=1e-6)
    assert "two spacings" in volume.notes[0]


@pytest.mark.parametrize(("unit", "millimetres"), [(0, 1), (1, 1000), (2, 1), (3, 0.001), (5, 1)])
@pytest.mark.parametrize("form", ["sform", "qform"])
def test_units_of_space(tmp_path, unit, millimetres, form):
    data = make.nifti(make.draw(), xyzt_units=unit, **{form: GRID, f"{form}_code": 1})
    volume = read(make.keep(tmp_path, a_nii=data))
    np.testing.assert_allclose(volume.geometry.spacing, np.array([0.5, 2.0, 3.25]) * millimetres, rtol=1e-6)
    np.testing.assert_allclose(volume.geometry.origin, np.array([10.5, -20.25, 3]) * millimetres, rtol=1e-6)
    assert bool(volume.notes) == (unit == 5)


@pytest.mark.parametrize(
    ("unit", "seconds"), [(8, 1500), (16, 1.5), (24, 0.0015), (0, None), (32, None), (40, None), (48, None)]
)
def test_units_of_time(tmp_path, unit, seconds):
    voxels = make.draw(times=4)
    files = make.keep(tmp_path, a_nii=make.nifti(voxels, count=4, xyzt_units=2 | unit, pixdim__4=1500, **PLACED))
    volume = read(files)
    make.assert_same(volume, files.path("a.nii"))
    assert (volume.dimensions, volume.timepoints) == (4, 4)
    assert volume.time_step == (None if seconds is None else pytest.approx(seconds))


def test_pictures_have_two_dimensions(tmp_path):
    flat = make.affine(direction=np.diag([-1.0, 1, 1]))
    volume = read_nii(tmp_path, make.draw((7, 6, 1)), count=2, sform=flat, sform_code=1)
    assert (volume.dimensions, volume.voxels.shape) == (2, (1, 1, 6, 7))


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize(("slope", "intercept"), [(2, -1024), (0.25, 0), (1, 0.5), (-1, 0), (1, -1000)])
def test_real_world_values(tmp_path, kind, slope, intercept):
    voxels = make.draw(kind=kind)
    data = make.nifti(voxels, scl_slope=slope, scl_inter=intercept, **PLACED)
    files = make.keep(tmp_path, a_nii=data)
    volume = read(files)
    exact = np.asarray(nibabel.load(files.path("a.nii")).dataobj).T
    np.testing.assert_allclose(volume.voxels[0], exact, rtol=1e-6)
    assert volume.rescaled
    whole = kind[0] != "f" and float(slope).is_integer() and float(intercept).is_integer()
    assert (volume.voxels.dtype.kind in "iu") == whole
    if whole:
        assert np.array_equal(volume.voxels[0], voxels[0].astype(object) * slope + intercept)


@pytest.mark.parametrize(("slope", "intercept"), [(0, 5), (1, 0), (np.nan, 3), (np.inf, 3)])
def test_no_slope_is_no_rescaling(tmp_path, slope, intercept):
    data = make.nifti(make.draw(), scl_slope=slope, scl_inter=intercept, **PLACED)
    volume = read(make.keep(tmp_path, a_nii=data))
    assert not volume.rescaled
    assert np.array_equal(volume.voxels, make.draw())


def test_whole_values_stay_in_the_smallest_type_that_holds_them(tmp_path):
    voxels = np.arange(60, dtype=np.uint16).reshape(1, 3, 4, 5)
    volume = read(make.keep(tmp_path, a_nii=make.nifti(voxels, scl_slope=1, scl_inter=-1024, **PLACED)))
    assert volume.voxels.dtype == np.int16
    assert volume.voxels.min() == -1024


@pytest.mark.parametrize("channels", [3, 4])
def test_colours(tmp_path, channels):
    voxels = make.draw(kind="uint8", channels=channels)
    files = make.keep(tmp_path, a_nii=make.colour_nifti(voxels, GRID, scl_slope=2, scl_inter=3))
    volume = read(files)
    assert np.array_equal(volume.voxels, voxels)
    assert (volume.colour, volume.rescaled) == ({3: "rgb", 4: "rgba"}[channels], False)
    plain = make.keep(tmp_path, b_nii=make.colour_nifti(voxels, GRID))
    make.assert_same(read(plain), plain.path("b.nii"))


@pytest.mark.parametrize("intent", [1006, 1007])
@pytest.mark.parametrize("big", [False, True])
def test_vectors(tmp_path, intent, big):
    voxels = make.draw(kind="float32", channels=3)
    volume = read_nii(tmp_path, voxels, intent_code=intent, big=big, **PLACED)
    turned = voxels * np.float32([-1, -1, 1]) if intent == 1006 else voxels
    assert np.array_equal(volume.voxels, turned)
    assert volume.colour == "vector"


def test_vectors_in_time(tmp_path):
    voxels = make.draw(kind="float32", channels=3, times=2)
    volume = read(make.keep(tmp_path, a_nii=make.nifti(voxels, intent_code=1007, **PLACED)))
    assert np.array_equal(volume.voxels, voxels)
    assert volume.dimensions == 4


@pytest.mark.parametrize(("intent", "channels", "colour"), [(2003, 3, "rgb"), (2004, 4, "rgba")])
def test_colours_on_a_fifth_axis(tmp_path, intent, channels, colour):
    voxels = make.draw(kind="uint8", channels=channels)
    volume = read(make.keep(tmp_path, a_nii=make.nifti(voxels, intent_code=intent, **PLACED)))
    assert np.array_equal(volume.voxels, voxels)
    assert volume.colour == colour


def test_values_to_show_are_a_window(tmp_path):
    (window,) = read(make.keep(tmp_path, a_nii=make.nifti(make.draw(), cal_min=-100, cal_max=300, **PLACED))).windows
    assert (window.centre, window.width) == (100, 400)


def test_texts_are_not_kept(tmp_path):
    data = make.nifti(make.draw(), intent_name=b"Canary", **PLACED)
    assert data.count(b"Canary") == 4
    assert "Canary" not in repr(read(make.keep(tmp_path, a_nii=data)))


def test_extensions_are_passed_over(tmp_path):
    image = nibabel.Nifti1Image(make.draw()[0].T, GRID)
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", make.CANARY.encode() * 100))
    volume = read(make.keep(tmp_path, a_nii=image.to_bytes()))
    assert np.array_equal(volume.voxels, make.draw())
    assert "Canary" not in repr(volume)


def test_compressed_in_several_members(tmp_path):
    data = make.nifti(make.draw((50, 40, 30)), **PLACED)
    parts = [data[at : at + 10_000] for at in range(0, len(data), 10_000)]
    volume = read(make.keep(tmp_path, a_nii=b"".join(map(gzip.compress, parts))))
    assert np.array_equal(volume.voxels, make.draw((50, 40, 30)))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"sizeof_hdr": 347}, "corrupt"),
        ({"magic": b"ni1"}, "missing_file"),
        ({"magic": b"n+2"}, "corrupt"),
        ({"magic": b""}, "corrupt"),
        ({"dim__0": 0}, "corrupt"),
        ({"dim__0": 8}, "corrupt"),
        ({"dim__0": 1}, "unsupported_variant"),
        ({"dim__1": 0}, "corrupt"),
        ({"dim__1": -5}, "corrupt"),
        ({"dim__1": 6}, "truncated"),
        ({"dim__1": 4}, "corrupt"),
        ({"dim__0": 6, "dim__6": 2}, "unsupported_variant"),
        ({"dim__0": 5, "dim__5": 2}, "unsupported_variant"),
        ({"datatype": 32, "bitpix": 64}, "unsupported_variant"),
        ({"datatype": 1536, "bitpix": 128}, "unsupported_variant"),
        ({"datatype": 1, "bitpix": 1}, "unsupported_variant"),
        ({"datatype": 8}, "corrupt"),
        ({"datatype": 8, "bitpix": 32}, "truncated"),
        ({"datatype": 2, "bitpix": 8}, "corrupt"),
        ({"vox_offset": 100}, "corrupt"),
        ({"vox_offset": 352.5}, "corrupt"),
        ({"vox_offset": -352}, "corrupt"),
        ({"vox_offset": np.nan}, "corrupt"),
        ({"vox_offset": 1e30}, "corrupt"),
        ({"vox_offset": 400}, "truncated"),
        ({"srow_x__0": np.nan}, "corrupt"),
        ({"srow_x__3": np.inf}, "corrupt"),
        ({"srow_x__3": 1e30}, "corrupt"),
        ({"srow_x": 0, "srow_y": 0, "srow_z": 0}, "corrupt"),
        ({"sform_code": 0, "pixdim__2": np.nan}, "corrupt"),
        ({"sform_code": 0, "pixdim__2": 0}, "corrupt"),
        ({"sform_code": 0, "pixdim__2": np.inf}, "corrupt"),
        ({"sform_code": 0, "qform_code": 1, "quatern_b": 2}, "corrupt"),
        ({"sform_code": 0, "qform_code": 1, "quatern_b": np.nan}, "corrupt"),
        ({"sform_code": 0, "qform_code": 1, "qoffset_x": np.nan}, "corrupt"),
        ({"scl_slope": 2, "scl_inter": np.nan}, "corrupt"),
        ({"intent_code": 3001}, "unsupported_variant"),
    ],
)
def test_lying_headers_are_refused(tmp_path, fields, code):
    refused = refusal(make.keep(tmp_path, a_nii=make.nifti(make.draw(), **(PLACED | fields))))
    assert refused.code == code
    assert "Canary" not in str(refused)


def test_a_signalling_nan_is_refused_without_a_warning(tmp_path):
    data = bytearray(make.nifti(make.draw(), **PLACED))
    data[280:284] = b"\x01\x00\x80\x7f"  # srow_x[0]
    assert refusal(make.keep(tmp_path, a_nii=bytes(data))).code == "corrupt"


def test_slopes_do_not_lead_out_of_range(tmp_path):
    data = make.nifti(make.draw(kind="float32"), scl_slope=3e38, scl_inter=0, **PLACED)
    assert refusal(make.keep(tmp_path, a_nii=data)).code == "corrupt"


@pytest.mark.parametrize("sizes", [(2**60, 1, 1), (2**60, 2**60, 2**60), (2**31, 2, 1)])
@pytest.mark.parametrize("packed", [False, True])
def test_sizes_beyond_all_memory(tmp_path, sizes, packed):
    fields = {f"dim__{axis}": size for axis, size in enumerate(sizes, 1)}
    data = make.nifti(make.draw(), version=2, **(PLACED | fields))
    files = make.keep(tmp_path, a_nii=gzip.compress(data) if packed else data)
    code, taken = make.read_within(READER, files, memory=10**9, room=200_000_000)
    assert code == "too_many_pixels"
    assert taken < 20_000_000


def test_a_transfer_as_text_is_noticed(tmp_path):
    data = make.nifti(make.draw(), version=2, **PLACED).replace(b"\r\n\x1a\n", b"\n\n\x1a\n")
    assert refusal(make.keep(tmp_path, a_nii=data)).code == "corrupt"


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("version", [1, 2])
def test_cut_anywhere_it_is_refused(tmp_path, packed, version):
    data = make.nifti(make.draw(), version=version, **PLACED)
    data = gzip.compress(data) if packed else data
    for end in range(len(data)):
        assert refusal(make.keep(tmp_path, a_nii=data[:end])).code in {"truncated", "corrupt"}


def test_half_a_compressed_volume_is_no_volume(tmp_path):
    data = gzip.compress(make.nifti(make.draw((60, 50, 40)), **PLACED))
    assert refusal(make.keep(tmp_path, a_nii=data[: len(data) // 2])).code == "truncated"


@pytest.mark.parametrize("packed", [False, True])
def test_padding_is_noted_and_more_is_refused(tmp_path, packed):
    data = make.nifti(make.draw(), **PLACED)
    wrap = gzip.compress if packed else bytes
    assert "3 bytes" in read(make.keep(tmp_path, a_nii=wrap(data + b"\0" * 3))).notes[0]
    assert refusal(make.keep(tmp_path, a_nii=wrap(data + bytes(40)))).code == "corrupt"


@settings(max_examples=examples(500), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    version=st.sampled_from([1, 2]),
    packed=st.booleans(),
    edits=st.lists(st.tuples(st.integers(0, 560), st.integers(0, 255), st.sampled_from(["set", "cut", "add"]))),
)
def test_damage_is_refused_or_harmless(tmp_path, version, packed, edits):
    data = damage(make.nifti(make.draw(), version=version, **PLACED), edits)
    files = make.keep(tmp_path, a_nii=gzip.compress(data, 1) if packed else data)
    try:
        volume = read(files)
    except Refused:
        return
    assert volume.voxels.nbytes <= MEMORY
    assert all(spacing > 0 for spacing in volume.geometry.spacing)


@pytest.mark.parametrize("size", [1 << 28, 1 << 31])
def test_a_bomb_is_not_unpacked(tmp_path, size):
    files = make.keep(tmp_path, a_nii=make.bomb(make.nifti(make.draw(), **PLACED), size))
    code, taken = make.read_within(READER, files, memory=MEMORY, room=100_000_000)
    assert code == "corrupt"
    assert taken < 20_000_000


def test_a_bomb_whose_header_agrees_is_refused_for_its_size(tmp_path):
    fields = {"dim__1": 1024, "dim__2": 1024, "dim__3": 1024}
    files = make.keep(tmp_path, a_nii=make.bomb(make.nifti(make.draw(), **(PLACED | fields)), 1 << 31))
    code, taken = make.read_within(READER, files, memory=MEMORY, room=100_000_000)
    assert code == "too_many_pixels"
    assert taken < 20_000_000


def test_reading_loads_no_module(tmp_path):
    files = make.keep(tmp_path, a_nii=gzip.compress(make.nifti(make.draw(), scl_slope=0.5, scl_inter=1, **PLACED)))
    code, _ = make.read_within(READER, files, memory=MEMORY, room=100_000_000)
    assert code == "(1, 3, 4, 5)"


REAL = sorted([*sample_dir().glob("nii/*"), *sample_dir().glob("nii.gz/*")])


@needs_samples
@pytest.mark.parametrize("path", REAL, ids=[path.name for path in REAL])
def test_real_files(path):
    volume = read(Files(path.parent, (path.name,)))
    make.assert_same(volume, path, close=True)
    other = nibabel.load(path)
    np.testing.assert_allclose(volume.voxels, np.asarray(other.dataobj).T.reshape(volume.voxels.shape), rtol=1e-6)


@needs_samples
def test_there_are_real_files():
    assert len(REAL) >= 6
