"""TIFF: values and spacing as independent readers see them (tifffile, Pillow, SimpleITK), and lies refused."""

import imagecodecs
import numpy as np
import pytest
import SimpleITK
import tifffile
from PIL import Image

from medtheca.toolkit.images.volume import Volume
from tests.generators import slides as make
from tests.samples import needs_samples, sample_dir
from tests.toolkit.images.tiff_common import GREY, PICTURE, read, refuse, write


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "float16", "float32", "float64"]
)
def test_values_of_every_kind_come_as_they_are(tmp_path, dtype, order):
    values = (np.arange(70 * 50).reshape(50, 70) * 7 % 251 - (100 if dtype[0] == "i" else 0)).astype(dtype)
    volume = read(write(tmp_path / "a.tif", values, byteorder=order))
    assert volume.colour == "grey"
    assert volume.dimensions == 2
    assert volume.voxels.dtype == (np.float32 if dtype == "float16" else values.dtype)
    assert np.array_equal(volume.voxels[0, 0], values)


@pytest.mark.parametrize("tile", [None, (64, 32)])
@pytest.mark.parametrize(
    ("compression", "dtype", "predictor"),
    [
        ("lzw", "uint8", False), ("lzw", "uint16", True), ("deflate", "uint8", True), ("deflate", "float32", True),
        ("adobe_deflate", "uint32", True), ("packbits", "uint8", False), ("zstd", "uint16", True),
        ("lzma", "uint16", False), ("jpeg2000", "uint16", False), ("deflate", "float64", True),
    ],
)  # fmt: skip
def test_every_compression_gives_what_tifffile_gives(tmp_path, compression, dtype, predictor, tile):
    values = (GREY.astype(np.int64) * 3).astype(dtype)
    path = write(tmp_path / "a.tif", values, compression=compression, predictor=predictor, tile=tile, rowsperstrip=16)
    assert np.array_equal(read(path).voxels[0, 0], values)
    assert np.array_equal(tifffile.imread(path), values)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("compression", [None, "deflate", "webp"])
def test_colours_come_by_pixel_and_by_plane(tmp_path, planar, compression):
    if compression == "webp" and planar == "separate":
        planar = "contig"  # WebP has no planes.
    data = PICTURE if planar == "contig" else np.ascontiguousarray(np.moveaxis(PICTURE, 2, 0))
    options = {"compressionargs": {"lossless": True, "level": 100}} if compression == "webp" else {}
    path = write(tmp_path / "a.tif", data, photometric="rgb", planarconfig=planar, compression=compression, **options)
    volume = read(path)
    assert volume.colour == "rgb"
    assert np.array_equal(volume.voxels[0, 0], PICTURE)


def test_jpeg_is_decoded_as_pillow_does(tmp_path):
    for photometric in ("rgb", "ycbcr"):
        path = tmp_path / f"{photometric}.tif"
        Image.fromarray(PICTURE).save(path, compression="jpeg", quality=90)
        assert np.abs(read(path).voxels[0, 0].astype(int) - np.asarray(Image.open(path))).max() <= 2


@pytest.mark.parametrize("compression", [None, "group3", "group4", "tiff_ccitt", "packbits"])
def test_black_and_white_is_stretched_and_inverted_as_said(tmp_path, compression):
    picture = Image.fromarray(GREY).convert("1")
    picture.save(tmp_path / "a.tif", compression=compression)
    volume = read(tmp_path / "a.tif")
    shown = 255 - volume.voxels[0, 0] if volume.facts.inverted else volume.voxels[0, 0]
    assert np.array_equal(shown, np.asarray(picture) * np.uint8(255))


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_packed_samples_are_unpacked(tmp_path, bits):
    values = (np.arange(40 * 31).reshape(31, 40) * 13 % (1 << bits)).astype(np.uint16)
    path = tmp_path / "a.tif"
    packed = imagecodecs.packints_encode(values, bits, runlen=40)
    tags = {
        256: (make.LONG, 40), 257: (make.LONG, 31), 258: (make.SHORT, bits), 259: (make.SHORT, 1),
        262: (make.SHORT, 1), 277: (make.SHORT, 1), 278: (make.LONG, 31),
    }  # fmt: skip
    path.write_bytes(make.tiff([(tags, [bytes(packed)])]))
    assert np.array_equal(read(path).voxels[0, 0], values)
    assert np.array_equal(tifffile.imread(path), values)


def test_palette_and_inks_become_rgb(tmp_path):
    palette = Image.fromarray(PICTURE).quantize(40)
    palette.save(tmp_path / "p.tif")
    assert np.array_equal(read(tmp_path / "p.tif").voxels[0, 0], np.asarray(palette.convert("RGB")))
    inks = Image.fromarray(PICTURE).convert("CMYK")
    inks.save(tmp_path / "c.tif")
    assert np.array_equal(read(tmp_path / "c.tif").voxels[0, 0], np.asarray(inks.convert("RGB")))


def test_white_is_zero_stays_so_and_is_said(tmp_path):
    volume = read(write(tmp_path / "a.tif", GREY, photometric="miniswhite"))
    assert volume.facts.inverted
    assert np.array_equal(volume.voxels[0, 0], GREY)


def test_alpha_is_kept_apart(tmp_path):
    alpha = np.tile(np.linspace(1, 255, 150).astype(np.uint8), (110, 1))
    straight = np.dstack([PICTURE, alpha])
    path = write(tmp_path / "u.tif", straight, photometric="rgb", extrasamples=["unassalpha"])
    assert np.array_equal(read(path).voxels[0, 0], straight)
    multiplied = np.dstack([(PICTURE.astype(int) * alpha[:, :, None] + 127) // 255, alpha]).astype(np.uint8)
    volume = read(write(tmp_path / "a.tif", multiplied, photometric="rgb", extrasamples=["assocalpha"]))
    assert volume.colour == "rgba"
    opaque = alpha > 200
    assert np.abs(volume.voxels[0, 0, :, :, :3].astype(int) - PICTURE)[opaque].max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_picture_is_turned_as_its_tag_says(tmp_path, orientation):
    path = write(
        tmp_path / "a.tif", PICTURE, photometric="rgb", resolution=(100, 50), resolutionunit="CENTIMETER",
        extratags=[(274, 3, 1, orientation, True)],
    )  # fmt: skip
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }  # fmt: skip
    picture = Image.fromarray(PICTURE)
    expected = picture if orientation == 1 else picture.transpose(turns[orientation])
    volume = read(path)
    assert np.array_equal(volume.voxels[0, 0], np.asarray(expected))
    assert volume.geometry.spacing == pytest.approx((0.1, 0.2, 1.0) if orientation < 5 else (0.2, 0.1, 1.0))


@pytest.mark.parametrize(
    ("unit", "spacing"), [("INCH", (0.254, 0.508, 1.0)), ("CENTIMETER", (0.1, 0.2, 1.0)), ("NONE", None)]
)
def test_spacing_needs_a_unit(tmp_path, unit, spacing):
    path = write(tmp_path / "a.tif", GREY, resolution=(100, 50), resolutionunit=unit)
    found = read(path).geometry.spacing
    assert found == (pytest.approx(spacing) if spacing else None)
    if unit == "CENTIMETER":
        assert found[:2] == pytest.approx(SimpleITK.ReadImage(path).GetSpacing()[:2])


def test_equal_pages_are_slices_and_different_ones_are_refused(tmp_path):
    stack = np.stack([GREY, GREY // 2, GREY // 3])
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        for page in stack:
            file.write(page, metadata=None)
        file.write(GREY[::4, ::4], subfiletype=1, metadata=None)
    volume = read(path)
    assert np.array_equal(volume.voxels[0], stack)
    assert volume.geometry.spacing is None
    with tifffile.TiffWriter(path, append=True) as file:
        file.write(GREY[:50], metadata=None)
    assert refuse(path) == "unsupported_variant"


@pytest.mark.parametrize("axes", ["TZCYX", "CTZYX", "ZCTYX"])
def test_ome_axes_are_put_in_order(tmp_path, axes):
    sizes = {"T": 2, "Z": 3, "C": 4, "Y": 20, "X": 30}
    values = np.arange(2 * 3 * 4 * 600, dtype=np.uint16).reshape([sizes[axis] for axis in axes])
    path = tmp_path / "a.ome.tif"
    told = {
        "axes": axes,
        "PhysicalSizeX": 0.5,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 250,
        "PhysicalSizeYUnit": "nm",
    }
    told |= {"PhysicalSizeZ": 0.002, "PhysicalSizeZUnit": "mm", "TimeIncrement": 2, "TimeIncrementUnit": "min"}
    tifffile.imwrite(path, values, ome=True, metadata=told, photometric="minisblack")
    volume = read(path)
    assert np.array_equal(volume.voxels, values.transpose([axes.index(axis) for axis in "TZYXC"]))
    assert volume.geometry.spacing == pytest.approx((0.0005, 0.00025, 0.002))
    assert (volume.colour, volume.time_step, volume.dimensions) == ("vector", 120, 4)


def test_imagej_hyperstack_is_put_in_order(tmp_path):
    values = np.arange(2 * 3 * 4 * 600, dtype=np.uint16).reshape(2, 3, 4, 20, 30)
    path = tmp_path / "a.tif"
    told = {"axes": "TZCYX", "spacing": 2.0, "unit": "um", "finterval": 0.5}
    tifffile.imwrite(path, values, imagej=True, metadata=told, resolution=(4, 2))
    volume = read(path)
    assert np.array_equal(volume.voxels, values.transpose(0, 1, 3, 4, 2))
    assert volume.geometry.spacing == pytest.approx((0.00025, 0.0005, 0.002))
    assert volume.time_step == 0.5


def _ome(path, change):
    tifffile.imwrite(path, np.stack([GREY, GREY]), ome=True, metadata={"axes": "ZYX"})
    words = tifffile.tiffcomment(path)
    tifffile.tiffcomment(path, change(words).encode())
    return path


def test_ome_that_names_other_files_needs_them(tmp_path):
    def elsewhere(words):
        return words.replace(
            'PlaneCount="2"/>', 'PlaneCount="2"><UUID FileName="../b.tif">urn:uuid:1</UUID></TiffData>'
        )

    path = _ome(tmp_path / "a.ome.tif", elsewhere)
    assert refuse(path) == "missing_file"
    other = tmp_path / "b.tif"
    write(other, np.stack([GREY // 2, GREY // 3]), photometric="minisblack")
    path = _ome(tmp_path / "a.ome.tif", lambda words: elsewhere(words).replace("../b.tif", "b.tif"))
    assert refuse(path) == "missing_file"
    assert np.array_equal(read(path, "b.tif").voxels[0], np.stack([GREY // 2, GREY // 3]))


def _write_two_images(path, names, change=str):
    """Two OME images of 8-bit colour in one file: the marker's and the tissue's."""
    with tifffile.TiffWriter(path, ome=True) as file:
        for name, picture in zip(names, (make.marked(), PICTURE), strict=True):
            file.write(picture, photometric="rgb", metadata={"axes": "YXS", "Name": name})
    tifffile.tiffcomment(path, change(tifffile.tiffcomment(path)).encode())
    return path


def test_label_beside_an_ome_image_is_never_taken_for_it(tmp_path):
    volume = read(_write_two_images(tmp_path / "a.ome.tif", ("label image", "Image 2")))
    assert np.array_equal(volume.voxels[0, 0], PICTURE)
    assert refuse(_write_two_images(tmp_path / "b.ome.tif", ("one", "two"))) == "unsupported_variant"
    unsaid = _write_two_images(tmp_path / "c.ome.tif", ("label", "two"), lambda words: words.replace('IFD="1"', ""))
    assert refuse(unsaid) == "unsupported_variant"


def test_one_plane_of_another_file_is_read_from_there(tmp_path):
    """Also where the file itself holds what could pass for a slide."""
    (tmp_path / "a.tif").write_bytes(make.generic(PICTURE))
    words = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels '
        'DimensionOrder="XYZCT" SizeX="150" SizeY="110" SizeZ="1" SizeC="1" SizeT="1" Type="uint8">'
        '<TiffData IFD="0" PlaneCount="1">'
        '<UUID FileName="b.tif">urn:uuid:1</UUID></TiffData></Pixels></Image></OME>'
    )
    path = tmp_path / "c.ome.tif"
    path.write_bytes(make.generic(PICTURE, more={270: (make.ASCII, words)}, levels=2))
    write(tmp_path / "b.tif", GREY)
    assert np.array_equal(read(path, "b.tif").voxels[0, 0], GREY)


def test_ome_with_entities_is_refused(tmp_path):
    bomb = '<!DOCTYPE OME [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    path = _ome(tmp_path / "a.ome.tif", lambda words: words.replace("<OME", bomb + "<OME", 1))
    assert refuse(path) == "corrupt"


def test_ome_that_promises_more_planes_is_refused(tmp_path):
    path = _ome(tmp_path / "a.ome.tif", lambda words: words.replace('SizeZ="2"', 'SizeZ="900000000"'))
    assert refuse(path) == "corrupt"
    path = _ome(tmp_path / "b.ome.tif", lambda words: words.replace('SizeZ="2"', 'SizeZ="3"'))
    assert refuse(path) == "truncated"


def test_deep_pyramid_gives_its_values_or_is_refused(tmp_path):
    deep = np.arange(600 * 500, dtype=np.uint16).reshape(500, 600)
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(deep, subifds=1, tile=(64, 64), metadata=None)
        file.write(deep[::2, ::2], tile=(64, 64), subfiletype=1, metadata=None)
    volume = read(path)
    assert isinstance(volume, Volume)
    assert np.array_equal(volume.voxels[0, 0], deep)
    assert refuse(path, memory=500_000) == "too_many_pixels"


def test_pyramid_below_a_page_becomes_a_slide(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        file.write(PICTURE, subifds=1, tile=(32, 32), photometric="rgb", metadata=None)
        file.write(make.shrunk(PICTURE, 2), tile=(32, 32), photometric="rgb", subfiletype=1, metadata=None)
    slide = read(path)
    assert [(level.width, level.height) for level in slide.levels] == [(150, 110), (75, 55)]
    assert np.array_equal(slide.region(1, 0, 0, 75, 55), make.shrunk(PICTURE, 2))
    assert np.array_equal(slide.region(0, 140, 100, 20, 20)[:10, :10], PICTURE[100:, 140:])
    assert (slide.region(0, 140, 100, 20, 20)[10:] == 255).all()


@needs_samples
@pytest.mark.parametrize("name", ["tiff/rgb_geotiff.tiff", "tiff/sample.tif"])
def test_sample_pictures_agree_with_tifffile_and_simpleitk(name):
    path = sample_dir() / name
    volume = read(path)
    assert np.array_equal(volume.voxels[0, 0], tifffile.imread(path))
    assert np.array_equal(volume.voxels[0, 0], SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path)))


@needs_samples
@pytest.mark.parametrize("name", ["tiff/boxes.tiff", "tiff/valid_tiff.tif"])
def test_sample_pyramids_agree_with_tifffile_on_every_level(name):
    path = sample_dir() / name
    slide = read(path)
    for number, level in enumerate(slide.levels):
        assert np.array_equal(slide.region(number, 0, 0, level.width, level.height), tifffile.imread(path, key=number))


@needs_samples
def test_sample_of_ome_is_five_slices_of_three_channels():
    path = sample_dir() / "ome-tiff" / "multi-channel-z-series.ome.tif"
    volume = read(path)
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        expected = series.asarray()
        axes = series.axes
    assert np.array_equal(volume.voxels[0], expected.transpose([axes.index(axis) for axis in "ZYXC"]))
