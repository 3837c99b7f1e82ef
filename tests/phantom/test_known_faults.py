"""What panimg, SimpleITK, libvips and others do to images without a word: each fault by its name, and that we do right.

Whole images, through what the sandbox runs. The faults of DICOM are in `tests/toolkit/images/dicom/test_panimg_faults`;
what readers refuse (lies about sizes, paths, bombs) in the tests of each reader, and at random in `tests/damage`.
"""

import gzip
import io

import nibabel
import numpy as np
import pytest
import SimpleITK
import tifffile
from PIL import Image

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.examine import examine
from medtheca.toolkit.images.grouping import describe_file, group_files
from tests.generators import dicoms, images, octs, slides, volumes
from tests.phantom.checks import convert

VOXELS = volumes.draw((7, 6, 5))
PICTURE = slides.tissue(512, 256)


@pytest.fixture
def take_in(tmp_path):
    """Files by name, the main one first, as one image: its report, and the files made of it."""

    def take(files):
        folder = tmp_path / "case"
        folder.mkdir()
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return convert(folder, next(iter(files)), tmp_path / "made")

    return take


@pytest.fixture
def refused(take_in):
    def code_of(files):
        with pytest.raises(Refused) as caught:
            take_in(files)
        assert caught.value.message
        assert caught.value.remedy
        return caught.value.code

    return code_of


def voxels_of(made):
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(made["public"])))


def placed(voxels, **options):
    return volumes.nifti(voxels, sform=volumes.affine(), sform_code=1, **options)


# --- volumes


@pytest.mark.parametrize("packed", [False, True], ids=["nii", "nii.gz"])
@pytest.mark.parametrize("share", [0.002, 0.51, 0.99])
def test_truncated_nifti_is_not_filled_up(refused, packed, share):
    voxels = volumes.draw((40, 40, 20))
    whole = placed(voxels)
    keep = int(len(gzip.compress(whole)) * share) if packed else 352 + int(voxels.nbytes * share)
    data = gzip.compress(whole)[:keep] if packed else whole[:keep]
    assert refused({"a.nii.gz" if packed else "a.nii": data}) == "truncated"


@pytest.mark.parametrize("name", ["A.NII", "A.NII.GZ", "scan", "scan.txt"])
def test_nifti_is_told_by_its_content_whatever_it_is_called(take_in, name):
    data = placed(VOXELS)
    _, made = take_in({name: gzip.compress(data) if name.endswith("GZ") else data})
    assert np.array_equal(voxels_of(made), VOXELS[0])


def test_nifti_2_is_read(take_in):
    _, made = take_in({"a.nii": placed(VOXELS, version=2)})
    assert np.array_equal(voxels_of(made), VOXELS[0])


def test_complex_nifti_does_not_become_a_vector(refused):
    image = nibabel.Nifti1Image(np.ones((4, 5, 6), np.complex64), np.eye(4))
    assert refused({"a.nii": image.to_bytes()}) == "unsupported_variant"


@pytest.mark.parametrize("channels", [2, 5])
def test_metaimage_of_any_number_of_channels_is_read_and_ends_nothing(take_in, channels):
    voxels = volumes.draw((7, 6, 5), channels=channels)
    report, made = take_in({"a.mha": volumes.mha(voxels)})
    assert (report["channels"], report["colour_space"]) == (channels, "vector")
    assert np.array_equal(voxels_of(made), voxels[0])


@pytest.mark.parametrize("field", [{"WindowCenter": "abc"}, {"SomethingNew": "x y z"}, {"WindowWidth": "1e999"}])
def test_metaimage_with_odd_fields_is_read_without_them(take_in, field):
    report, made = take_in({"a.mha": volumes.mha(VOXELS, **field)})
    assert report["geometry"]["windows"] == []
    assert np.array_equal(voxels_of(made), VOXELS[0])


@pytest.mark.parametrize("path", ["/etc/passwd", "../a.raw", "C:\\a.raw", "file:///etc/passwd"])
def test_mhd_that_points_at_a_file_of_the_system_is_refused(refused, path):
    header, _ = volumes.metaimage(VOXELS, data_file=path)
    assert refused({"a.mhd": header}) == "missing_file"


def test_detached_nrrd_is_read(take_in):
    header, _, data = volumes.nrrd(VOXELS).partition(b"\n\n")
    _, made = take_in({"a.nhdr": header + b"\ndata file: a.raw\n\n", "a.raw": data})
    assert np.array_equal(voxels_of(made), VOXELS[0])


@pytest.mark.parametrize(("side", "letter"), [(0, "R"), (1, "L")])
def test_oct_keeps_its_side_and_gets_no_size_that_nobody_measured(take_in, side, letter):
    report, made = take_in({"a.fds": octs.fds(VOXELS[0].astype(np.uint16), octs.captured(side))})
    assert report["facts"]["laterality"] == letter
    assert report["spacing"] is None
    assert voxels_of(made).shape == (5, 6, 7)


# --- pictures


def examined(data):
    return examine(memoryview(data), {})


def shown(data):
    """The web picture that is made of a photograph, or the photograph itself."""
    _, parts = examined(data)
    return np.asarray(Image.open(io.BytesIO(parts.get("web") or parts.get("public") or data)).convert("RGB")).astype(
        int
    )


@pytest.mark.parametrize("make", [images.jpeg, lambda: images.write_png(images.draw())], ids=["jpeg", "png"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_truncated_photograph_is_not_filled_up_with_grey(make, share):
    data = make()
    with pytest.raises(Refused) as caught:
        examined(data[: int(len(data) * share)])
    assert caught.value.code in {"truncated", "corrupt"}


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_exif_orientation_is_not_ignored(orientation):
    data = images.insert(images.jpeg(size=(1200, 800)), images.segment(0xE1, images.exif(orientation)))
    report, parts = examined(data)
    thumbnail = Image.open(io.BytesIO(parts["thumbnail"]))
    upright = np.asarray(Image.fromarray(np.asarray(Image.open(io.BytesIO(images.jpeg(size=(1200, 800)))))))
    turned = np.rot90(upright, {3: 2, 6: -1, 8: 1}[orientation])
    small = Image.fromarray(np.ascontiguousarray(turned)).resize(thumbnail.size, Image.Resampling.BOX)
    assert thumbnail.size == ((171, 256) if orientation != 3 else (256, 171))
    assert (report["upright_width"], report["upright_height"]) == turned.shape[1::-1]
    assert np.abs(np.asarray(thumbnail).astype(int) - np.asarray(small).astype(int)).mean() < 3


def test_cmyk_is_not_shown_as_rgba():
    data = images.jpeg("CMYK", size=(1100, 700))
    report, _ = examined(data)
    assert report["colour_space"] == "CMYK"
    rgb = np.asarray(Image.open(io.BytesIO(data)).convert("RGB").resize((1024, 652)))
    assert np.abs(shown(data)[:650] - rgb[:650].astype(int)).mean() < 12


def test_palette_png_is_not_stored_as_indices():
    picture = Image.fromarray(images.draw(300, 200)).quantize(16)
    file = io.BytesIO()
    picture.save(file, "PNG")
    report, parts = examined(file.getvalue())
    assert report["channels"] == 3
    thumbnail = np.asarray(Image.open(io.BytesIO(parts["thumbnail"])).convert("RGB")).astype(int)
    expected = np.asarray(picture.convert("RGB").resize(thumbnail.shape[1::-1], Image.Resampling.BOX)).astype(int)
    assert np.abs(thumbnail - expected).mean() < 6


def test_rgb_png_of_16_bits_keeps_them():
    high = images.draw(40, 30).astype(np.uint16) * 256
    reports = [examined(images.write_png(high + low, bitdepth=16))[0] for low in (0, 1)]
    assert {report["bits"] for report in reports} == {16}
    assert reports[0]["pixel_hash"] != reports[1]["pixel_hash"]


@pytest.mark.parametrize("mode", ["LA", "1", "I;16", "PA"])
def test_png_of_a_rare_mode_ends_nothing(mode):
    picture = Image.fromarray(images.draw(300, 200))
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    else:
        picture = (
            picture.convert("L").convert(mode) if mode != "PA" else picture.quantize(8).convert("PA").convert("LA")
        )
    file = io.BytesIO()
    picture.save(file, "PNG")
    report, parts = examined(file.getvalue())
    assert (report["width"], report["height"]) == (300, 200)
    assert parts["thumbnail"]


# --- TIFF and slides


def tiff(data, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, data, **({"metadata": None} | options))
    return file.getvalue()


@pytest.mark.parametrize("unit", [None, "none", "centimeter"])
def test_tiff_without_a_resolution_is_read_and_gets_none_made_up(take_in, unit):
    options = {} if unit is None else {"resolution": (100.0, 50.0), "resolutionunit": unit}
    values = PICTURE[:60, :80, 0]
    report, made = take_in({"a.tif": tiff(values, **options)})
    assert np.array_equal(voxels_of(made).reshape(60, 80), values)
    assert (report["spacing"] or [None])[:2] == ([0.1, 0.2] if unit == "centimeter" else [None])


@pytest.mark.parametrize(
    ("values", "photometric"),
    [(PICTURE[:60, :80, 0].astype(np.uint16) * 257, "minisblack"), (np.dstack([PICTURE, PICTURE[..., :1]]), "rgb")],
    ids=["16 bits", "RGBA"],
)
def test_tiff_of_16_bits_or_with_alpha_is_read(take_in, values, photometric):
    extra = {"extrasamples": ["unassalpha"]} if values.ndim == 3 else {}
    _, made = take_in({"a.tif": tiff(values, photometric=photometric, **extra)})
    assert np.array_equal(voxels_of(made).reshape(values.shape), values)


def test_ome_stack_is_read_as_a_stack(take_in):
    stack = np.stack([PICTURE[:50, :70, channel] for channel in range(3)])
    said = {"axes": "ZYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.25, "PhysicalSizeZ": 2.0}
    report, made = take_in({"a.ome.tif": tiff(stack, ome=True, metadata=said, photometric="minisblack")})
    assert report["depth"] == 3
    np.testing.assert_allclose(report["spacing"], (0.0005, 0.00025, 0.002))
    assert np.array_equal(voxels_of(made), stack)


def test_undecodable_tiff_is_not_passed_through_as_it_is(refused):
    data = bytearray(tiff(PICTURE, photometric="rgb", compression="jpeg"))
    start = data.rindex(b"\xff\xda") + 20
    data[start : start + 2000] = bytes(2000)
    assert refused({"a.tif": bytes(data)}) in {"corrupt", "truncated"}


@pytest.mark.parametrize(
    ("maker", "millimetres"),
    [
        ("aperio", 0.000251), ("hamamatsu-ndpi", 0.0005), ("hamamatsu-vms", 0.0005), ("hamamatsu-vmu", 0.0005),
        ("leica", 0.0005), ("ventana", 0.000465), ("mirax", 0.0005),
    ],
)  # fmt: skip
def test_slide_is_no_label_no_stub_no_macro_and_has_its_scale(tmp_path, maker, millimetres):
    (tmp_path / "slides").mkdir()
    folder, names = slides.write_all(tmp_path / "slides", PICTURE)[maker]
    report, made = convert(folder, names[0], tmp_path / "made")
    assert report["kind"] == "slide"
    assert report["width"] >= PICTURE.shape[1]
    np.testing.assert_allclose(report["spacing"][:2], (millimetres, millimetres), rtol=0.02)
    with tifffile.TiffFile(made["public"]) as file:
        finest = file.pages[0].asarray()
    at = 100 if maker == "leica" else 0  # on a larger canvas
    shown_ = finest[at : at + PICTURE.shape[0], at : at + PICTURE.shape[1]].astype(int)
    assert np.abs(shown_ - PICTURE).mean() < 4


def test_vms_is_one_slide_and_not_four_pictures(tmp_path):
    names = slides.write_vms(tmp_path, PICTURE)
    groups = group_files([describe_file((tmp_path / name).read_bytes(), name) for name in names])
    assert [sorted(group.names) for group in groups] == [sorted(names)]


def test_one_odd_file_does_not_take_the_others_of_an_upload_with_it():
    files = {
        "a.mha": volumes.mha(volumes.draw(channels=2)),
        "b.nii": placed(VOXELS)[:400],
        "c.dcm": dicoms.dicom(dicoms.phantom()),
    }
    groups = group_files([describe_file(data, name) for name, data in files.items()])
    assert [group.names for group in groups] == [(name,) for name in files]
