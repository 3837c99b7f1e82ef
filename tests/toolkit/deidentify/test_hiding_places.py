"""Places of a JPEG or PNG that no decoder looks at and that are no metadata by name: words there go too."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from medtheca.toolkit.deidentify.jpeg import strip_jpeg
from medtheca.toolkit.deidentify.png import strip_png
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.examine import examine
from tests.generators import images as make

WORDS = b"JANE DOE, BORN 1970, WARD 3"
PIXELS = np.random.default_rng(1).integers(0, 255, (64, 80, 3), dtype=np.uint8)


def jpeg(**options):
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "JPEG", **options)
    return file.getvalue()


def segment(marker, payload):
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def put(data, at, words):
    return data[:at] + words + data[at:]


BASELINE, PROGRESSIVE, RESTARTS = jpeg(), jpeg(progressive=True), jpeg(restart_marker_blocks=2)
FRAME, END = BASELINE.index(b"\xff\xc0"), len(BASELINE) - 2
SCAN = BASELINE.index(b"\xff\xda")
SCAN_HEADER = BASELINE[SCAN + 4 : SCAN + 14]
RESTART = RESTARTS.index(b"\xff\xd0", RESTARTS.index(b"\xff\xda"))
SECOND_SCAN = PROGRESSIVE.index(b"\xff\xda", PROGRESSIVE.index(b"\xff\xda") + 2)
TABLE_BETWEEN_SCANS = PROGRESSIVE.rfind(b"\xff\xc4", 0, SECOND_SCAN)
HUFFMAN = segment(0xC4, b"\x03" + bytes([0] * 5 + [len(WORDS)] + [0] * 10) + WORDS)
QUANTISER = segment(0xDB, b"\x03" + WORDS.ljust(64, b"x"))
USED_AND_UNUSED = BASELINE.index(b"\xff\xc4")

DROPPED = {
    "DNL at the end": put(BASELINE, END, segment(0xDC, WORDS)),
    "DNL before the frame": put(BASELINE, FRAME, segment(0xDC, WORDS)),
    "Huffman table that no scan names": put(BASELINE, FRAME, HUFFMAN),
    "Huffman table behind the last scan": put(BASELINE, END, HUFFMAN),
    "Huffman table that is replaced before it is used": put(
        BASELINE, USED_AND_UNUSED, segment(0xC4, b"\x00" + HUFFMAN[5:])
    ),
    "Huffman table in one segment with a used one": (
        BASELINE[:USED_AND_UNUSED]
        + segment(
            0xC4,
            HUFFMAN[4:] + BASELINE[USED_AND_UNUSED + 4 :][: int.from_bytes(BASELINE[USED_AND_UNUSED + 2 :][:2]) - 2],
        )
        + BASELINE[USED_AND_UNUSED + 2 + int.from_bytes(BASELINE[USED_AND_UNUSED + 2 :][:2]) :]
    ),
    "quantiser that no component names": put(BASELINE, FRAME, QUANTISER),
    "quantiser between scans": put(PROGRESSIVE, TABLE_BETWEEN_SCANS, QUANTISER),
    "stray bytes between segments": put(BASELINE, FRAME, WORDS),
}
DROPPED |= {
    f"segment {marker:02x} behind the scan": put(BASELINE, END, segment(marker, WORDS))
    for marker in (0x02, 0xBF, 0xC8, 0xDE, 0xDF, 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xEF, 0xF0, 0xF7, 0xFD, 0xFE)
}
REFUSED = {
    "quantiser that is too long": put(BASELINE, FRAME, segment(0xDB, WORDS)),
    "Huffman table that is too long": put(BASELINE, FRAME, segment(0xC4, bytes(17) + WORDS)),
    "empty table": put(BASELINE, FRAME, segment(0xC4, b"")),
    "restart interval that is too long": put(BASELINE, FRAME, segment(0xDD, b"\0\0" + WORDS)),
    "scan header that is too long": (
        BASELINE[:SCAN] + segment(0xDA, SCAN_HEADER + WORDS) + BASELINE[SCAN + 4 + len(SCAN_HEADER) :]
    ),
}
# Only decoding finds these.
REFUSED_BY_DECODING = {
    "behind the last pixel": put(BASELINE, END, WORDS),
    "behind the last pixel, after a restart": put(BASELINE, END, b"\xff\xd0" + WORDS),
    "behind the last pixel of the last of several scans": put(PROGRESSIVE, len(PROGRESSIVE) - 2, WORDS),
    "behind the last pixel of the first of several scans": put(PROGRESSIVE, TABLE_BETWEEN_SCANS, WORDS),
    "before a restart": put(RESTARTS, RESTART, WORDS),
    "after a restart": put(RESTARTS, RESTART + 2, WORDS),
}


def published(data):
    """What would be served to all."""
    _, parts = examine(memoryview(data), {})
    return parts.get("public", data)


def pixels_of(data):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


@pytest.mark.parametrize("place", DROPPED)
def test_a_jpeg_goes_without_what_no_pixel_needs(place):
    data = DROPPED[place]
    assert WORDS in data
    public = bytes(strip_jpeg(data).data)
    assert WORDS not in public
    assert np.array_equal(pixels_of(public), pixels_of(PROGRESSIVE if "between scans" in place else BASELINE))
    assert WORDS not in published(data)
    assert strip_jpeg(public).removed == ()


@pytest.mark.parametrize("place", REFUSED)
def test_a_jpeg_whose_coding_has_room_for_words_is_refused(place):
    with pytest.raises(Refused):
        strip_jpeg(REFUSED[place])


@pytest.mark.parametrize("place", REFUSED_BY_DECODING)
def test_words_between_coded_pixels_are_refused(place):
    assert WORDS in REFUSED_BY_DECODING[place]
    with pytest.raises(Refused):
        published(REFUSED_BY_DECODING[place])


@pytest.mark.parametrize("kind", make.jpegs())
def test_used_tables_stay_as_they_are(kind):
    plain = strip_jpeg(make.jpegs()[kind])
    assert "unused tables" not in {item.kind for item in plain.removed}


# -- PNG


def chunk(name, payload):
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))


def png(image, **options):
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


HEADER = 8 + 25
PALETTES = {
    f"{mode}, {length} bytes": (mode, (WORDS * 40)[:length])
    for mode in ("RGB", "RGBA", "L")
    for length in (27, 28, 999)
}


@pytest.mark.parametrize("kind", PALETTES)
def test_a_palette_that_no_pixel_names_is_dropped(kind):
    mode, palette = PALETTES[kind]
    image = Image.fromarray(PIXELS).convert(mode)
    data = put(png(image), HEADER, chunk(b"PLTE", palette))
    public = bytes(strip_png(data).data)
    assert WORDS[:20] not in public
    assert np.array_equal(pixels_of(public), np.asarray(image))


def test_entries_that_no_pixel_can_name_are_cut_off():
    image = Image.fromarray(PIXELS).quantize(16)
    data = png(image, bits=4)
    at = data.index(b"PLTE") - 4
    surplus = data[:at] + chunk(b"PLTE", data[at + 8 : at + 8 + 48] + WORDS) + data[at + 12 + 48 :]
    assert bytes(strip_png(surplus).data) == data
    assert strip_png(data).data is data


@pytest.mark.parametrize("length", [0, 4, 3 * 257])
def test_a_palette_of_an_impossible_length_is_refused(length):
    data = png(Image.fromarray(PIXELS).quantize(256))
    at = data.index(b"PLTE") - 4
    size = int.from_bytes(data[at : at + 4], "big")
    with pytest.raises(Refused):
        strip_png(data[:at] + chunk(b"PLTE", bytes(length)) + data[at + 12 + size :])
