"""Where the numbers are in a file that say how large it is: what a liar would change."""

import re
import struct
import zlib

LIES = (
    0,
    1,
    -1,
    2,
    3,
    7,
    255,
    2**15,
    2**16 - 1,
    2**16,
    10**9,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**40,
    2**60,
    2**63 - 1,
    -(2**63),
)
TEXT_LIES = (*map(str, LIES), "nan", "inf", "1e300", "1e-300", "-0.5", "", "9" * 400, "0x10", "1 1 1 1 1 1", "\u0661")
_NUMBER = re.compile(rb"-?\d+(\.\d+)?")
_DICOM_TAGS = (
    (0x28, 0x10), (0x28, 0x11), (0x28, 0x08), (0x28, 0x100), (0x28, 0x101), (0x28, 0x102), (0x28, 0x103), (0x28, 0x02),
    (0x28, 0x06), (0x28, 0x04), (0x28, 0x30), (0x28, 0x1052), (0x28, 0x1053), (0x20, 0x32), (0x20, 0x37), (0x20, 0x13),
    (0x08, 0x18), (0x08, 0x16), (0x08, 0x60), (0x02, 0x10), (0x7FE0, 0x10), (0x7FE0, 0x01), (0x5200, 0x9229),
    (0x5200, 0x9230), (0x28, 0x9110), (0x20, 0x9113), (0x48, 0x06), (0x48, 0x07), (0xFFFE, 0xE000), (0xFFFE, 0xE0DD),
)  # fmt: skip


def overwrite(data, at, form, value):
    """The bytes with a number put in, cut to what the form holds."""
    size = struct.calcsize(form)
    if form[-1] in "fd":
        packed = struct.pack(form, float(value))
    else:
        order = "little" if form[0] == "<" else "big"
        packed = (value % (1 << 8 * size)).to_bytes(size, order)
    return data[:at] + packed + data[at + size :] if 0 <= at <= len(data) - size else data


def lie_in_text(rng, data, *, most=8192):
    """One number among the words of a header, replaced; some headers are as long as their file."""
    found = list(_NUMBER.finditer(data[:most].partition(b"\n\n")[0] or data[:most]))
    if not found:
        return data
    one = rng.choice(found)
    return data[: one.start()] + rng.choice(TEXT_LIES).encode() + data[one.end() :]


def lie_in_nifti(rng, data):
    big = data[:2] == b"\0\0"
    order = ">" if big else "<"
    first = int.from_bytes(data[:4], "big" if big else "little") == 348
    if first:
        fields = [(40 + 2 * place, "h") for place in range(8)]
        fields += [(70, "h"), (72, "h"), (108, "f"), (112, "f"), (116, "f"), (252, "h"), (254, "h"), (0, "i")]
        fields += [(76 + 4 * place, "f") for place in range(8)] + [(256 + 4 * place, "f") for place in range(18)]
    else:
        fields = [(16 + 8 * place, "q") for place in range(8)]
        fields += [(12, "h"), (14, "h"), (168, "q"), (176, "d"), (184, "d"), (344, "i"), (348, "i"), (0, "i")]
        fields += [(104 + 8 * place, "d") for place in range(8)]
    at, kind = rng.choice(fields)
    value = rng.choice([*LIES, float("nan"), float("inf"), 1e30]) if kind in "fd" else rng.choice(LIES)
    return overwrite(data, at, order + kind, value)


def lie_in_dicom(rng, data):
    """The length, kind or value of an element; big-endian tags are found too."""
    order = rng.choice("<<<>")
    places = []
    for tag in _DICOM_TAGS:
        at = data.find(struct.pack(order + "HH", *tag), 128)
        while at >= 0 and len(places) < 400:
            places.append(at)
            at = data.find(struct.pack(order + "HH", *tag), at + 4)
    if not places:
        return data
    at = rng.choice(places)
    form = order + rng.choice("HIHI")
    return overwrite(data, at + rng.choice((4, 6, 8, 8, 12)), form, rng.choice(LIES))


def lie_in_tiff(rng, data):
    """Type, count or value of an entry of a directory, or where the next directory is."""
    order = "<" if data[:2] == b"II" else ">"
    is_big = data[2:4] in {b"+\0", b"\0+"}
    word, width, entry = ("Q", 8, 20) if is_big else ("I", 4, 12)
    at = 8 if is_big else 4
    fields, seen = [(at, order + word)], set()
    while len(seen) < 20:
        link = struct.unpack_from(order + word, data, at)[0] if at + width <= len(data) else 0
        if not 0 < link <= len(data) - width or link in seen:
            break
        seen.add(link)
        head = "Q" if is_big else "H"
        count = struct.unpack_from(order + head, data, link)[0]
        fields.append((link, order + head))
        start = link + struct.calcsize(head)
        for place in range(min(count, 60)):
            here = start + place * entry
            fields += [(here, order + "H"), (here + 2, order + "H"), (here + 4, order + word)]
            fields += [(here + 4 + width, order + each) for each in "HIHI"]
        at = start + count * entry
        fields.append((at, order + word))
    where, form = rng.choice(fields)
    return overwrite(data, where, form, rng.choice(LIES))


def lie_in_jpeg(rng, data):
    """The length of a segment, or what a frame's or a scan's header says; within other files too."""
    places = [one.start() for one in re.finditer(rb"\xff[\xc0-\xcf\xda\xdb\xdd\xe0-\xee]", data)]
    if not places:
        return data
    at = rng.choice(places[:60])
    return overwrite(data, at + rng.choice((2, 5, 7, 9, 10, 11)), rng.choice((">H", ">H", "<B")), rng.choice(LIES))


def lie_in_jpeg_2000(rng, data):
    """Sizes of picture, tiles and components (SIZ), levels (COD), and lengths of tile parts (SOT)."""
    places = [one.start() for one in re.finditer(rb"\xff[\x51\x52\x5c\x90\x93]", data)]
    if not places:
        return data
    at = rng.choice(places[:40])
    return overwrite(data, at + rng.randrange(2, 42), rng.choice((">I", ">H", "<B")), rng.choice(LIES))


def lie_in_png(rng, data):
    """A length, or a byte of a chunk whose checksum is then made right."""
    at, chunks = 8, []
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        chunks.append((at, size))
        at += 12 + size
    at, size = rng.choice([*chunks, *chunks[:1] * 3])
    if rng.random() < 0.3 or not size:
        return overwrite(data, at, ">I", rng.choice(LIES))
    body = bytearray(data[at + 4 : at + 8 + size])
    place = rng.randrange(4, len(body))
    form = rng.choice((">I", "<B"))
    body = overwrite(bytes(body), place if form == "<B" else 4 * (place // 4), form, rng.choice(LIES))
    return data[: at + 4] + body + struct.pack(">I", zlib.crc32(body)) + data[at + 8 + size :]


def lie_in_oct(rng, data):
    """A number near the beginning of a block."""
    places = [one.start() for one in re.finditer(rb"@[A-Z_0-9]{6,}", data)]
    at = rng.choice(places) + rng.randrange(-1, 64)
    return overwrite(data, at, rng.choice(("<I", "<I", "<H", "<Q")), rng.choice(LIES))


def lie_anywhere(rng, data, place):
    """A number at a place that is a multiple of its size, of either order."""
    size, kind = rng.choice(((2, "H"), (4, "I"), (8, "Q")))
    return overwrite(data, place // size * size, rng.choice("<>") + kind, rng.choice(LIES))
