"""One pass over a file: what is reported, made and refused."""

import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.examine import examine, warm_up
from tests.generators import images as make
from tests.samples import needs_samples, sample_dir


def run(data, **options):
    report, parts = examine(memoryview(data), options)
    assert json.loads(json.dumps(report)) == report
    assert set(parts) == {name for name in ("public", "thumbnail", "web") if report[name] == "part"}
    assert set(report["parts"]) == set(parts)
    for name, part in parts.items():
        said = report["parts"][name]
        with Image.open(io.BytesIO(part)) as image:
            assert image.get_format_mimetype() == said["media_type"]
            assert image.size == (said["width"], said["height"])
        assert len(part) == said["bytes"]
        assert report["recipes"][name]
    return report, parts


def test_a_photograph_is_reported_stripped_and_shown():
    report, parts = run(make.insert(make.jpeg(size=(640, 480)), *make.every_secret(6)))
    assert (report["format"], report["media_type"]) == ("jpeg", "image/jpeg")
    assert (report["width"], report["height"]) == (640, 480)
    assert (report["upright_width"], report["upright_height"], report["orientation"]) == (480, 640, 6)
    assert (report["colour_space"], report["bits"], report["channels"], report["alpha"]) == ("sRGB", 8, 3, False)
    assert {"kind": "comment", "bytes": len(make.comment_segment())} in report["removed"]
    assert len(report["pixel_hash"]) == 64
    assert len(report["perceptual_hash"]) == 16
    assert (report["public"], report["thumbnail"], report["web"]) == ("part", "part", "public")
    assert (report["parts"]["thumbnail"]["width"], report["parts"]["thumbnail"]["height"]) == (192, 256)
    assert report["recipes"]["thumbnail"].startswith("thumbnail-256/1 pillow-")
    for part in parts.values():
        assert make.find_traces(part) == []


def test_a_small_clean_picture_needs_nothing_made():
    report, parts = run(make.jpeg(size=(256, 200)))
    assert parts == {}
    assert (report["public"], report["thumbnail"], report["web"]) == ("original", "public", "public")
    assert report["removed"] == []


@pytest.mark.parametrize(
    ("size", "thumbnail", "web"),
    [
        ((256, 256), "public", "public"),
        ((257, 100), "part", "public"),
        ((1024, 40), "part", "public"),
        ((40, 1025), "part", "part"),
    ],
)
def test_renditions_are_made_by_size(size, thumbnail, web):
    report, _ = run(make.jpeg(size=size))
    assert (report["thumbnail"], report["web"]) == (thumbnail, web)


def test_what_browsers_show_wrong_gets_a_web_picture():
    small_cmyk, _ = run(make.jpeg("CMYK", size=(50, 40)))
    deep_grey, _ = run(make.pngs()["grey 16 bit"][0])
    turned_png, _ = run(make.with_chunks(make.pngs()["RGB 8 bit"][0], make.exif_chunk(6)))
    for report in (small_cmyk, deep_grey, turned_png):
        assert (report["thumbnail"], report["web"]) == ("part", "part")
    assert small_cmyk["colour_space"] == "CMYK"


def test_equal_pixels_in_other_wrapping_have_equal_hashes():
    plain, _ = run(make.jpeg())
    dressed, _ = run(make.insert(make.jpeg(), *make.every_secret()) + make.zip_trailer())
    assert plain["pixel_hash"] == dressed["pixel_hash"]
    assert plain["perceptual_hash"] == dressed["perceptual_hash"]


def test_the_perceptual_hash_is_of_the_picture_as_shown():
    upright = make.draw(120, 80)
    lying = np.ascontiguousarray(np.rot90(upright))  # Orientation 6 turns it back.
    one, _ = run(make.write_png(upright, greyscale=False))
    other, _ = run(make.with_chunks(make.write_png(lying, greyscale=False), make.exif_chunk(6)))
    assert one["perceptual_hash"] == other["perceptual_hash"]
    assert one["pixel_hash"] != other["pixel_hash"]


def test_a_profile_is_named_and_says_the_colour_space():
    srgb, _ = run(make.insert(make.jpeg(), *make.icc_chunks(make.srgb_profile())))
    assert srgb["icc"].startswith("sRGB")
    assert srgb["colour_space"] == "sRGB"
    inks, _ = run(make.insert(make.jpeg("CMYK"), *make.icc_chunks(make.cmyk_profile())))
    assert (inks["icc"], inks["colour_space"]) == ("unnamed", "CMYK")  # its own words are not for all


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", "empty", "empty"),
        (b"Dear Sir, this is a letter.", "unsupported_format", "a text file"),
        (bytes(128) + b"DICM" + bytes(20), "unsupported_format", "a DICOM file"),
        (b"\x01\x02\x03", "unknown_format", "not that of any image format"),
        (make.jpeg()[:-2], "truncated", "coded picture is cut off"),
        (make.jpeg()[:500], "truncated", "cut off"),
        (make.write_png(make.draw(9, 9), greyscale=False)[:-20], "truncated", "IDAT chunk at byte 33"),
        (make.huge_png(), "too_many_pixels", "1,200 million"),
        (make.with_chunks(make.pngs()["grey 8 bit"][0], make.chunk(b"acTL", bytes(8))), "animated", "animation"),
    ],
)  # fmt: skip
def test_refusals_have_code_reason_and_remedy(data, code, words):
    with pytest.raises(Refused, match=words) as refusal:
        examine(memoryview(data), {})
    assert refusal.value.code == code
    assert refusal.value.remedy.endswith(".")


def test_the_allowance_can_be_set():
    with pytest.raises(Refused, match="million pixels"):
        run(make.jpeg(), memory=1000)


def test_nothing_is_kept_of_the_input():
    data = bytearray(make.jpeg(size=(300, 200)))
    view = memoryview(data)
    examine(view, {})
    view.release()
    data.clear()  # Fails while anything still looks into it.


BEHIND_THE_FENCE = """
import sys
from medtheca.toolkit.images.examine import examine, warm_up
from tests.generators import images as make
files = [*make.jpegs().values(), *(data for data, _ in make.pngs().values())]
files += [make.insert(make.jpeg(size=(1200, 900)), *make.icc_chunks(make.swapped_profile()))]
files += [make.insert(make.jpeg("CMYK"), *make.icc_chunks(make.cmyk_profile()))]
warm_up()
loaded = set(sys.modules)
def deny(event, args):
    if event in ("open", "import", "socket.__new__", "subprocess.Popen", "os.listdir"):
        raise RuntimeError(f"{event} {args}")
sys.addaudithook(deny)
for data in files:
    examine(memoryview(data), {})
print(len(files), sorted(set(sys.modules) - loaded))
"""


def test_after_warming_up_nothing_is_opened_or_loaded():
    command = [sys.executable, "-W", "error", "-c", BEHIND_THE_FENCE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    count, loaded = done.stdout.split(maxsplit=1)
    assert int(count) > 50
    assert loaded.strip() == "[]"


def test_warming_up_raises_nothing():
    warm_up()


@needs_samples
@pytest.mark.parametrize("folder", ["jpg", "jpeg", "png", "dermoscopy"])
def test_real_photographs_are_examined(folder):
    for path in sorted((sample_dir() / folder).iterdir()):
        report, _ = run(path.read_bytes())
        with Image.open(path) as image:
            assert image.size == (report["width"], report["height"])


@needs_samples
def test_challenge_images_need_no_further_copies():
    with zipfile.ZipFile(sample_dir() / "isic2017" / "validation.zip") as archive:
        for name in [name for name in archive.namelist() if name.endswith(".jpg")][:20]:
            report, parts = run(archive.read(name))
            assert parts == {}
            assert report["thumbnail"] == "public"
