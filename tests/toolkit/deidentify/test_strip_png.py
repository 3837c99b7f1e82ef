"""A PNG's public copy has the same pixels and nothing else, shown with Pillow and with pypng, which share no code."""

import io
import zlib

import numpy as np
import png
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from medtheca.toolkit.deidentify.png import strip_png
from medtheca.toolkit.deidentify.png_chunks import parse_png
from medtheca.toolkit.errors import Refused
from tests.generators import images as make
from tests.plugins.thoroughness import examples

PLAIN = {name: data for name, (data, _) in make.pngs().items()}
KINDS = {
    name: make.with_chunks(data, make.exif_chunk(), *make.text_chunks(), last=make.text_chunks()) + make.zip_trailer()
    for name, data in PLAIN.items()
}
GREY = PLAIN["grey 8 bit"]


def by_pillow(data):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA") if image.mode == "P" else image)


def by_pypng(data):
    width, height, rows, info = png.Reader(bytes=bytes(data)).asDirect()
    return np.vstack([np.array(row) for row in rows]).reshape(height, width, info["planes"])


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_are_the_same_to_both_decoders(kind):
    public = bytes(strip_png(KINDS[kind]).data)
    assert np.array_equal(by_pillow(public), by_pillow(PLAIN[kind]))
    assert np.array_equal(by_pypng(public), by_pypng(PLAIN[kind]))


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_was_added_is_gone_and_nothing_else(kind):
    assert len(make.find_traces(KINDS[kind])) >= 5
    assert bytes(strip_png(KINDS[kind]).data) == PLAIN[kind]


@pytest.mark.parametrize("kind", ["grey 8 bit", "RGB 16 bit, interlaced", "palette 4 bit with transparency"])
def test_no_reader_sees_metadata(kind):
    public = bytes(strip_png(KINDS[kind]).data)
    with Image.open(io.BytesIO(public)) as image:
        image.load()
        assert dict(image.getexif()) == {}
        assert image.text == {}
    names = {name for name, _ in png.Reader(bytes=public).chunks()}
    assert names <= {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}


def test_a_file_without_metadata_is_its_own_copy():
    assert strip_png(GREY).data is GREY


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_alone_survives(orientation):
    stripped = strip_png(make.with_chunks(GREY, make.exif_chunk(orientation)))
    assert stripped.orientation == orientation
    assert make.find_traces(stripped.data) == []
    assert strip_png(stripped.data).data is stripped.data
    with Image.open(io.BytesIO(stripped.data)) as image:
        assert dict(image.getexif()) == ({0x112: orientation} if orientation > 1 else {})


def test_display_chunks_stay():
    kept = [
        make.chunk(b"gAMA", (45455).to_bytes(4, "big")),
        make.chunk(b"cHRM", bytes(32)),
        make.chunk(b"sRGB", b"\0"),
        make.chunk(b"cICP", b"\1\2\0\1"),
        make.chunk(b"pHYs", bytes(9)),
    ]
    data = make.with_chunks(GREY, *kept)
    assert strip_png(data).data is data


def test_a_display_chunk_of_another_length_goes():
    assert bytes(strip_png(make.with_chunks(GREY, make.chunk(b"gAMA", make.CANARY.encode()))).data) == GREY


def test_colour_profile_stays_and_its_name_goes():
    profile = make.srgb_profile()
    stripped = strip_png(make.with_chunks(PLAIN["RGB 8 bit"], make.profile_chunk(profile)))
    assert stripped.icc == profile
    assert [item.kind for item in stripped.removed] == ["icc wrapping"]
    assert make.find_traces(stripped.data) == []
    with Image.open(io.BytesIO(stripped.data)) as image:
        assert image.info["icc_profile"] == profile
    assert strip_png(stripped.data).data is stripped.data


@pytest.mark.parametrize("content", [make.CANARY.encode() * 20, make.srgb_profile()[:-100]])
def test_what_is_no_profile_goes(content):
    assert bytes(strip_png(make.with_chunks(GREY, make.profile_chunk(content))).data) == GREY


def test_a_secret_behind_the_profile_goes():
    content = make.srgb_profile() + make.CANARY.encode()
    stripped = strip_png(make.with_chunks(GREY, make.profile_chunk(content, b"icc")))
    assert stripped.icc == make.srgb_profile()
    assert make.find_traces(stripped.data) == []


def pixels_of(data):
    layout = parse_png(data)
    return zlib.decompress(b"".join(bytes(layout.payload(c)) for c in layout.chunks if c.name == b"IDAT"))


def with_pixels(data, packed, *more):
    chunks = [make.chunk(b"IDAT", part) for part in (packed, *more)]
    return data[:33] + b"".join(chunks) + data[-12:]


@pytest.mark.parametrize("how", ["rows too many", "behind the stream", "in a chunk of its own"])
def test_a_secret_behind_the_pixels_goes(how):
    secret, pixels = make.CANARY.encode(), pixels_of(GREY)
    data = {
        "rows too many": with_pixels(GREY, zlib.compress(pixels + secret)),
        "behind the stream": with_pixels(GREY, zlib.compress(pixels) + secret),
        "in a chunk of its own": with_pixels(GREY, zlib.compress(pixels), secret),
    }[how]
    stripped = strip_png(data)
    assert make.find_traces(stripped.data) == []
    assert [(item.kind, item.bytes) for item in stripped.removed] == [("hidden behind pixels", len(secret))]
    assert np.array_equal(by_pypng(stripped.data), by_pypng(GREY))
    assert strip_png(stripped.data).removed == ()


def test_pixels_in_many_small_chunks_are_one_picture():
    packed = zlib.compress(pixels_of(GREY))
    data = with_pixels(GREY, *(packed[at : at + 7] for at in range(0, len(packed), 7)))
    assert strip_png(data).data is data


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (GREY[:-12], "truncated", "end chunk"),
        (GREY[:60], "truncated", "cut off"),
        (with_pixels(GREY, zlib.compress(pixels_of(GREY)[:-5])), "truncated", "of the"),
        (with_pixels(GREY, zlib.compress(pixels_of(GREY))[:-9]), "truncated", "stop before"),
        (with_pixels(GREY, b"nonsense"), "corrupt", "unpacked"),
        (with_pixels(GREY, zlib.compress(pixels_of(GREY))[:-1] + b"\0"), "corrupt", "unpacked"),
        (GREY[:33] + GREY[-12:], "corrupt", "no pixels"),
        (GREY[:30] + b"\0" + GREY[31:], "corrupt", "checksum of the IHDR"),
        (make.with_chunks(GREY, make.text_chunks()[0][:-1] + b"\0"), "corrupt", "checksum of the tEXt"),
        (make.with_chunks(GREY, make.chunk(b"ABCD", b"")), "unsupported_variant", "ABCD"),
        (make.with_chunks(GREY, make.chunk(b"acTL", bytes(8))), "animated", "still image"),
        (b"\x89PNG\r\n\x1a\n" + GREY[33:], "corrupt", "header"),
        (b"\x89PNG\r\n\x1a\n" + make.chunk(b"IHDR", bytes(13)) + GREY[33:], "corrupt", "size"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_with_its_reason(data, code, words):
    with pytest.raises(Refused, match=words) as refusal:
        strip_png(data)
    assert refusal.value.code == code


edits = st.lists(
    st.tuples(st.integers(0, 5000), st.integers(0, 255), st.sampled_from(["set", "cut", "add"])), max_size=4
)


def mend(data):
    """The file with its checksums put right, so that a change in a chunk reaches what lies behind them."""
    out, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        out += data[at:end] + zlib.crc32(data[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(out + data[at:])


@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(KINDS)), edits)
def test_a_damaged_file_is_refused_or_keeps_its_pixels(kind, changes):
    damaged = mend(make.damage(KINDS[kind], changes))
    try:
        stripped = strip_png(damaged)
    except Refused:
        return
    assert strip_png(stripped.data).removed == ()
    try:
        before = by_pypng(damaged)
    except Exception:  # noqa: BLE001 - pypng raises many kinds for files that are no PNG; those say nothing here
        return
    assert np.array_equal(before, by_pypng(stripped.data))
