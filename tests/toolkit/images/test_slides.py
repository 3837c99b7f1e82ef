"""Whole slides: what OpenSlide reads is what the container holds, and nothing beside the levels ever comes out."""

import io
import re

import numpy as np
import openslide
import pytest
import tifffile
from PIL import Image

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.case_folders import limits_for
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.readers import slides
from medtheca.toolkit.images.readers.tiff import TiffReader
from medtheca.toolkit.renditions import pyramid
from medtheca.toolkit.tiles.index import tile_bytes
from tests.generators import slides as make
from tests.samples import needs_samples, sample_dir

MEMORY = 1_000_000_000
PICTURE = make.tissue(1024, 512)
MAKERS = {
    "aperio": ("aperio", 0.251, 40, "Aperio", None),
    "aperio-rgb": ("aperio", 0.251, 40, "Aperio", None),
    "hamamatsu-ndpi": ("hamamatsu", 0.5, 20, "Hamamatsu", "NanoZoomer S60"),
    "hamamatsu-vms": ("hamamatsu", 0.5, 20, "Hamamatsu", None),
    "hamamatsu-vmu": ("hamamatsu", 0.5, 20, "Hamamatsu", None),
    "leica": ("leica", 0.5, 20, "Leica", "Leica SCN400"),
    "ventana": ("ventana", 0.465, 20, "Ventana", "VENTANA DP 200"),
    "mirax": ("mirax", 0.5, 20, "3DHISTECH", None),
    "dicom": ("dicom", 0.5, None, "Leica Biosystems", "Aperio GT450"),
    "generic": ("generic", 0.5, None, None, None),
}


@pytest.fixture(scope="module")
def containers(tmp_path_factory):
    return make.write_all(tmp_path_factory.mktemp("slides"), PICTURE)


def read(folder, names):
    files = Files(folder, tuple(names))
    vendor = slides.detect(files)
    if names[0].lower().endswith((".vms", ".vmu", ".mrxs", ".dcm")):
        return slides.open_slide(files, vendor)
    return TiffReader().read(files, memory=MEMORY)


def shows_marker(pixels):
    """Whether anything is drawn in the colour of label and macro."""
    red, green, blue = (pixels[..., i].astype(int) for i in range(3))
    return bool(((red > 200) & (green < 80) & (blue > 200)).any())


@pytest.mark.parametrize("maker", MAKERS)
def test_slide_shows_the_tissue_and_its_scale(containers, maker):
    slide = read(*containers[maker])
    vendor, microns, power, manufacturer, model = MAKERS[maker]
    offset = 100 if maker == "leica" else 0
    shown = slide.region(0, offset, offset, 1024, 512).astype(int)
    assert np.abs(shown - PICTURE).mean() < 2
    assert slide.vendor == vendor
    assert slide.microns_per_pixel == pytest.approx((microns, microns), rel=1e-3)
    assert (slide.facts.magnification, slide.facts.manufacturer, slide.facts.model) == (power, manufacturer, model)
    slide.close()


@pytest.mark.parametrize("maker", MAKERS)
def test_nothing_made_of_a_slide_shows_label_or_macro_or_words(containers, maker, tmp_path):
    slide = read(*containers[maker])
    for number, level in enumerate(slide.levels):
        assert not shows_marker(slide.region(number, 0, 0, level.width, level.height))
    path = tmp_path / "p.tif"
    with path.open("wb+") as file:
        made = pyramid.write(slide, file)
        for number, level in enumerate(made.index.levels):
            for at in range(level.columns * level.rows):
                row, column = divmod(at, level.columns)
                tile = tile_bytes(file.fileno(), made.index, number, column, row)
                assert not shows_marker(np.asarray(Image.open(io.BytesIO(tile)).convert("RGB")))
    assert not shows_marker(np.asarray(made.overview(1024)))
    written = path.read_bytes()
    assert all(word not in written for word in (b"Canary", b"Aperio", b"NanoZoomer", b"2020"))
    told = f"{slide.facts} {slide.vendor} {slide.levels}"
    assert "Canary" not in told
    assert not [name for name in dir(slide) if "assoc" in name.lower() or "properties" in name.lower()]
    slide.close()


@pytest.mark.parametrize("rgb", [False, True])
def test_copied_tiles_are_the_slides_own_pixels(containers, rgb, tmp_path):
    slide = read(*containers["aperio-rgb" if rgb else "aperio"])
    assert slide.jpeg_tiles.ycbcr is not rgb
    path = tmp_path / "p.tif"
    with path.open("wb") as file:
        assert pyramid.write(slide, file).copied
    with openslide.OpenSlide(path) as copy:
        shown = np.asarray(copy.read_region((0, 0), 0, (1024, 512)).convert("RGB"))
    assert np.array_equal(shown, slide.region(0, 0, 0, 1024, 512))
    assert np.array_equal(tifffile.imread(path), shown)
    slide.close()


def test_tile_that_carries_words_is_copied_without_them(tmp_path):
    page = make.page(PICTURE, description="Aperio Image Library v1.0\r\n1024x512 [0,0 1024x512] (64x64) JPEG/RGB Q=90")
    secret = b"\xff\xfe" + (2 + len(make.CANARY)).to_bytes(2, "big") + make.CANARY.encode()
    page[1][0] = page[1][0][:2] + secret + page[1][0][2:]
    (tmp_path / "a.svs").write_bytes(make.tiff([page]))
    slide = read(tmp_path, ["a.svs"])
    assert b"Canary" not in slide.jpeg_tiles.source.at(0)
    assert slide.jpeg_tiles.source.at(1).startswith(b"\xff\xd8")


def test_tile_of_another_size_is_refused(tmp_path):
    page = make.page(PICTURE, description="Aperio Image Library v1.0\r\n1024x512 [0,0 1024x512] (64x64) JPEG/RGB Q=90")
    page[1][5] = make.jpeg(make.marked(32, 32))
    (tmp_path / "a.svs").write_bytes(make.tiff([page]))
    slide = read(tmp_path, ["a.svs"])
    with pytest.raises(Refused) as refused, (tmp_path / "p.tif").open("wb") as file:
        pyramid.write(slide, file)
    assert refused.value.code == "corrupt"


def test_label_that_poses_as_a_level_is_refused(tmp_path):
    words = "Aperio Image Library v1.0\r\n1024x512 [0,0 1024x512] (64x64) JPEG/RGB Q=90"
    label = make.page(make.marked(128, 256), description=words + " -> 128x256")
    (tmp_path / "a.svs").write_bytes(make.tiff([make.page(PICTURE, description=words), label]))
    with pytest.raises(Refused) as refused:
        read(tmp_path, ["a.svs"])
    assert refused.value.code == "corrupt"


@pytest.mark.parametrize("maker", ["aperio", "leica", "ventana", "hamamatsu-ndpi"])
def test_scanners_file_that_is_damaged_is_not_read_as_a_plain_picture(containers, maker, tmp_path):
    folder, (name,) = containers[maker]
    whole = (folder / name).read_bytes()
    for copy in (name, "picture.tif"):
        for size in (len(whole) // 3, len(whole) - 40):
            (tmp_path / copy).write_bytes(whole[:size])
            with pytest.raises(Refused):
                read(tmp_path, [copy])


def test_plain_tiff_called_a_slide_is_refused(tmp_path):
    (tmp_path / "label.bif").write_bytes(make.tiff([make.page(make.marked(), tiled=False)]))
    with pytest.raises(Refused) as refused:
        read(tmp_path, ["label.bif"])
    assert refused.value.code == "unsupported_variant"


@pytest.mark.parametrize("maker", ["mirax", "hamamatsu-vms", "hamamatsu-vmu"])
def test_slide_whose_files_did_not_all_come_is_refused(containers, maker):
    folder, names = containers[maker]
    files = Files(folder, tuple(names[:-1]))
    with pytest.raises(Refused) as refused:
        slides.open_slide(files, slides.detect(files))
    assert refused.value.code == "missing_file"


def test_slide_that_names_a_file_elsewhere_is_refused(tmp_path):
    names = make.write_mirax(tmp_path, PICTURE, index="../../../etc/passwd")
    with pytest.raises(Refused) as refused:
        read(tmp_path, names)
    assert refused.value.code == "missing_file"


@pytest.mark.parametrize(("was", "becomes"), [("PixelOrder=RGB", "PixelOrder=R"), ("BitsPerPixel=36", "Bits=36")])
def test_vmu_that_would_end_openslide_is_refused_before(tmp_path, was, becomes):
    names = make.write_vmu(tmp_path, PICTURE)
    keys = (tmp_path / names[0]).read_text()
    (tmp_path / names[0]).write_text(keys.replace(was, becomes))
    with pytest.raises(Refused) as refused:
        read(tmp_path, names)
    assert refused.value.code == "unsupported_variant"


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("IMAGENUMBER_X=", "IMAGENUMBER_X=2147483647 "),
        ("FILE_COUNT=1", "FILE_COUNT=2147483647"),
        ("HIER_0_COUNT=2", "HIER_0_COUNT=-1"),
        ("HIER_COUNT=1", "HIER_COUNT=1000000"),
        ("CameraImageDivisionsPerSide=1", "CameraImageDivisionsPerSide=3"),
        ("CameraImageDivisionsPerSide=1", "CameraImageDivisionsPerSide=0"),
        ("IMAGENUMBER_Y=", "IMAGENUMBER_Y=65535"),
        ("OVERLAP_Y=0", "OVERLAP_Y=nan"),
        ("OVERLAP_X=0", "OVERLAP_X=128.0"),
        ("DIGITIZER_WIDTH=", "DIGITIZER_WIDTH=-128"),
    ],
)
def test_mirax_that_counts_more_than_there_is_is_refused_before(tmp_path, was, becomes):
    names = make.write_mirax(tmp_path, PICTURE)
    keys = tmp_path / "m" / "Slidedat.ini"
    said = keys.read_text()
    assert was in said
    keys.write_text(re.sub(f"{was}\\S*", becomes.strip(), said, count=1))
    with pytest.raises(Refused) as refused:
        read(tmp_path, names)
    assert refused.value.code == "corrupt"


@pytest.mark.parametrize("becomes", ["NoJpegRows=1000000000", "NoJpegRows=100000", "NoJpegRows=-1", "NoJpegRows="])
def test_vms_that_counts_more_than_there_is_is_refused_before(tmp_path, becomes):
    names = make.write_vms(tmp_path, PICTURE)
    keys = tmp_path / names[0]
    keys.write_text(keys.read_text().replace("NoJpegRows=1", becomes))
    with pytest.raises(Refused) as refused:
        read(tmp_path, names)
    assert refused.value.code == "corrupt"


def test_dicom_slide_whose_offset_table_points_elsewhere_is_refused_before(tmp_path):
    names = make.write_dicom(tmp_path, PICTURE)
    data = bytearray((tmp_path / names[0]).read_bytes())
    at = data.index(b"\xe0\x7f\x10\x00OB") + 12 + 8
    data[at : at + 4] = (65535).to_bytes(4, "little")
    (tmp_path / names[0]).write_bytes(data)
    with pytest.raises(Refused) as refused:
        read(tmp_path, names)
    assert refused.value.code == "corrupt"


@pytest.mark.parametrize("suffix", [".nii", ".tif", ".mrxs.x", ""])
def test_key_files_by_another_name_are_looked_at_no_less(tmp_path, suffix):
    """They are told by their content: neither OpenSlide's thread nor its crash is behind a suffix."""
    for write, was, becomes in (
        (make.write_vms, "NoLayers", "NoLayers"),
        (make.write_vmu, "BitsPerPixel=36", "BitsPerPixel=3"),
    ):
        folder = tmp_path / write.__name__
        folder.mkdir()
        main, *others = write(folder, PICTURE)
        (folder / f"other{suffix}").write_text((folder / main).read_text().replace(was, becomes))
        with pytest.raises(Refused) as refused:
            read(folder, [f"other{suffix}", *others])
        assert refused.value.code == "unsupported_variant"


def test_ndpi_by_another_name_is_asked_for_its_own(tmp_path):
    """Without its table of places OpenSlide looks for them in a thread, which `case_folders` allows by the suffix."""
    (tmp_path / "a.tif").write_bytes(make.hamamatsu(PICTURE))
    with pytest.raises(Refused) as refused:
        read(tmp_path, ["a.tif"])
    assert refused.value.code == "unsupported_variant"
    (tmp_path / "a.tif").rename(tmp_path / "a.NDPI")
    read(tmp_path, ["a.NDPI"]).close()
    assert limits_for(1, "a.NDPI").threads
    assert not limits_for(1, "a.tif").threads


@pytest.mark.parametrize("write", [make.write_vms, make.write_vmu])
def test_words_that_are_not_utf_8_do_not_matter(tmp_path, write):
    names = write(tmp_path, PICTURE)
    keys = (tmp_path / names[0]).read_bytes()
    (tmp_path / names[0]).write_bytes(keys + b"Gr\xf6\xdfe=M\xfcller\n")
    slide = read(tmp_path, names)
    assert (slide.levels[0].width, slide.facts.manufacturer) == (1024, "Hamamatsu")
    slide.close()


def test_vms_whose_pictures_are_no_grid_is_refused_before(tmp_path):
    names = make.write_vms(tmp_path, PICTURE)
    for odd in (make.tissue(512, 480), make.tissue(768, 512)):
        (tmp_path / names[2]).write_bytes(make.jpeg(odd, sampling="4:2:2", restart=8))
        with pytest.raises(Refused) as refused:
            read(tmp_path, names)
        assert refused.value.code == "corrupt"


def test_dicom_label_is_never_the_slide(tmp_path):
    names = make.write_dicom(tmp_path, PICTURE)
    slide = read(tmp_path, names[::-1])
    assert (slide.levels[0].width, slide.levels[0].height) == (1024, 512)
    (tmp_path / "level.dcm").unlink()
    with pytest.raises(Refused):
        read(tmp_path, ["label.dcm"])


def test_transparent_background_is_white(containers):
    slide = read(*containers["leica"])
    assert (slide.region(0, 0, 0, 90, 90) == 255).all()


@needs_samples
@pytest.mark.parametrize(
    ("name", "size", "microns"),
    [
        ("svs/CMU-1-Small-Region.svs", (2220, 2967), 0.499),
        ("svs/small.svs", (16, 16), 0.499),
        ("dicom_wsi/sm_image.dcm", (50, 50), 0.499),
        ("dicom_wsi/boxes/boxes_0.dcm", (16, 16), 0.499),
        ("dicom_wsi/full_no_bot.dcm", (154, 290), 124.1778),
        ("wsi_synth/synth.bif", (1024, 1024), 0.465),
        ("wsi_synth/synth.scn", (1224, 1224), 0.5),
        ("wsi_synth/synth.ndpi", (1024, 1024), 0.5),
        ("wsi_synth/synth.svs", (1024, 1024), 0.499),
        ("wsi_synth/synth_generic.tiff", (1024, 1024), 0.5),
    ],
)
def test_sample_slides_have_their_size_and_scale(name, size, microns):
    path = sample_dir() / name
    slide = read(path.parent, [path.name])
    assert (slide.levels[0].width, slide.levels[0].height) == size
    assert slide.microns_per_pixel[0] == pytest.approx(microns)
    slide.close()


@needs_samples
@pytest.mark.parametrize("name", ["svs/CMU-1-Small-Region.svs", "wsi_synth/synth.svs", "wsi_synth/synth_generic.tiff"])
def test_sample_slides_agree_with_tifffile(name):
    path = sample_dir() / name
    slide = read(path.parent, [path.name])
    whole = tifffile.imread(path, key=0)
    assert np.array_equal(slide.region(0, 0, 0, whole.shape[1], whole.shape[0]), whole)


@needs_samples
def test_sample_slide_names_its_stains_and_organ_in_codes():
    folder = sample_dir() / "dicom_wsi"
    facts = slides.SlideReader().read(Files(folder, ("sm_image.dcm",)), memory=MEMORY).facts
    stains = [(code.value, code.scheme, code.meaning) for code in facts.stain]
    assert stains == [("12710003", "SCT", "hematoxylin stain"), ("36879007", "SCT", "water soluble eosin stain")]
    assert (facts.modality, facts.body_part.value, facts.magnification) == ("SM", "12738006", None)
    assert "S19-1" not in str(facts)


@needs_samples
def test_sample_slides_have_the_power_of_their_objective():
    folder = sample_dir() / "dicom_wsi" / "boxes"
    assert slides.SlideReader().read(Files(folder, ("boxes_0.dcm",)), memory=MEMORY).facts.magnification == 20.0
