"""JPEG and PNG files of every odd kind, made when needed. Secrets are planted where files can carry them."""

import base64
import io
import struct
import zlib

import numpy as np
import png
import simplejpeg
from PIL import Image, ImageCms, TiffImagePlugin

CANARY = "Mary Canary 1947-03-29"
BASE64_CANARY = base64.b64encode(b"..." + CANARY.encode() + b"...").decode()
# The secret as it may be spelt in a file: UTF-8, UTF-16 both ways, Base64, and the place where she lives.
TRACES = (
    CANARY.encode(),
    CANARY.encode("utf-16-le"),
    CANARY.encode("utf-16-be"),
    base64.b64encode(CANARY.encode())[:24],
    BASE64_CANARY.encode(),
    struct.pack(">II", 471123, 10000),
    struct.pack("<II", 471123, 10000),
)


def find_traces(data):
    """The planted secrets that can still be found, also inside what zlib can unpack."""
    found = [trace for trace in TRACES if trace in bytes(data)]
    for at in range(len(data) - 2):
        if data[at] == 0x78 and data[at + 1] in (0x01, 0x5E, 0x9C, 0xDA):
            try:
                unpacked = zlib.decompressobj().decompress(bytes(data[at:]))
            except zlib.error:
                continue
            found += [trace for trace in TRACES if trace in unpacked]
    return found


def draw(width=83, height=61, seed=0):
    """A picture with slopes, an edge and some noise: (height, width, 3), uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    spot = (x - width / 2) ** 2 + (y - height / 2.5) ** 2 < (min(width, height) / 3) ** 2
    picture = np.stack([200 - 60 * spot + x * 20 / width, 150 - 90 * spot, 130 - 70 * spot + y * 30 / height], 2)
    return np.clip(picture + rng.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)


def damage(data, edits):
    """The bytes with edits made: each is a place (taken round), a value, and `set`, `cut` or `add`."""
    damaged = bytearray(data)
    for place, value, how in edits:
        at = place % len(damaged)
        damaged[at : at + (how != "add")] = b"" if how == "cut" else bytes((value,))
    return bytes(damaged)


# --- JPEG


def jpeg(mode="RGB", size=(83, 61), *, quality=90, seed=0, **options):
    """A plain JPEG by Pillow; options are Pillow's."""
    file = io.BytesIO()
    Image.fromarray(draw(*size, seed=seed)).convert(mode).save(file, "JPEG", quality=quality, **options)
    return file.getvalue()


def segment(marker, payload):
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def insert(data, *segments, at=2):
    """The JPEG with these segments after its start marker."""
    return data[:at] + b"".join(segments) + data[at:]


def exif(orientation=1, *, order=">"):
    """An EXIF block with names, GPS, a maker note, a preview that is a JPEG itself, and an orientation."""
    block = Image.Exif()
    block.endian = order
    block[0x0112] = orientation
    block[0x010F] = CANARY
    block[0x9C9D] = CANARY.encode("utf-16-le")
    block.get_ifd(0x8825)[1] = "N"
    block.get_ifd(0x8825)[2] = tuple(TiffImagePlugin.IFDRational(471123, 10000) for _ in range(3))
    block.get_ifd(0x8769)[0x927C] = BASE64_CANARY.encode()
    return b"Exif\x00\x00" + block.tobytes().removeprefix(b"Exif\x00\x00") + jpeg(size=(16, 16))


def exif_segment(orientation=1, *, order=">"):
    return segment(0xE1, exif(orientation, order=order))


def xmp_segment():
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{CANARY}<b>{BASE64_CANARY}</b></x:xmpmeta>"
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + xmp.encode())


def extended_xmp_segment():
    return segment(0xE1, b"http://ns.adobe.com/xmp/extension/\x00" + CANARY.encode("utf-16-be"))


def iptc_segment():
    return segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + b"\x1c\x02\x50" + CANARY.encode())


def comment_segment():
    return segment(0xFE, CANARY.encode("utf-16-le"))


def preview_segment():
    return segment(0xE0, b"JFXX\x00\x10" + jpeg(size=(8, 8)) + CANARY.encode())


def mpf_segment():
    return segment(0xE2, b"MPF\x00MM\x00*\x00\x00\x00\x08" + CANARY.encode())


def every_secret(orientation=1):
    return (
        exif_segment(orientation),
        xmp_segment(),
        extended_xmp_segment(),
        iptc_segment(),
        comment_segment(),
        preview_segment(),
        mpf_segment(),
        segment(0xEB, CANARY.encode()),
        segment(0xE2, b"FPXR\x00" + CANARY.encode()),
    )


def zip_trailer():
    return b"PK\x03\x04" + CANARY.encode() + b"\xff\xd9" + b"PK\x05\x06" + bytes(18)


def icc_chunks(profile, *, size=200, order=None):
    """A profile cut into APP2 segments; `order` lists the numbers as they stand in the file."""
    parts = [profile[at : at + size] for at in range(0, len(profile), size)]
    numbers = order or range(1, len(parts) + 1)
    return [segment(0xE2, b"ICC_PROFILE\x00" + bytes((n, len(parts))) + parts[n - 1]) for n in numbers]


def ycck():
    """Four components with Adobe's transform 2: the CMYK file's own data, read as YCCK."""
    data = bytearray(jpeg("CMYK"))
    data[data.index(b"Adobe") + 11] = 2
    return bytes(data)


def jpegs():
    """Every kind of JPEG by name, all with secrets."""
    rgb = draw()
    plain = {
        "baseline 4:2:0": jpeg(subsampling=2),
        "baseline 4:2:2": jpeg(subsampling=1),
        "baseline 4:4:4": jpeg(subsampling=0),
        "baseline 4:1:1": simplejpeg.encode_jpeg(rgb, 90, "RGB", "411"),
        "baseline 4:4:0": simplejpeg.encode_jpeg(rgb, 90, "RGB", "440"),
        "progressive": jpeg(progressive=True),
        "progressive grey": jpeg("L", progressive=True),
        "progressive CMYK": jpeg("CMYK", progressive=True),
        "grey": jpeg("L"),
        "CMYK": jpeg("CMYK"),
        "YCCK": ycck(),
        "RGB without transform": jpeg(keep_rgb=True),
        "restart markers": jpeg(restart_marker_blocks=1),
        "restart markers, progressive": jpeg(restart_marker_rows=1, progressive=True),
        "optimised": jpeg(optimize=True),
        "one pixel": jpeg(size=(1, 1)),
        "7 by 13": jpeg(size=(7, 13)),
        "17 by 1": jpeg(size=(17, 1)),
        "quality 100": jpeg(quality=100, subsampling=0),
    }
    kinds = {name: insert(data, *every_secret()) for name, data in plain.items()}
    second = insert(jpeg(seed=1), exif_segment())
    base = kinds["baseline 4:2:0"]
    kinds["second picture behind"] = base + second
    kinds["two pictures of a stereo camera"] = insert(stereo(), *every_secret()[:5])
    kinds["ZIP behind"] = base + zip_trailer()
    kinds["film behind"] = base + b"\x00\x00\x00\x18ftypmp42" + CANARY.encode()
    kinds["fill bytes"] = base[:2] + b"\xff\xff" + base[2:-2] + b"\xff\xff\xff" + base[-2:]
    kinds["comment between scans"] = insert_between_scans(kinds["progressive"])
    return kinds


def stereo():
    """Two pictures in one file by the rules of MPF, as phones and stereo cameras write it."""
    file = io.BytesIO()
    second = Image.fromarray(draw(seed=1))
    Image.fromarray(draw()).save(file, "MPO", save_all=True, append_images=[second])
    return file.getvalue()


def insert_between_scans(data):
    first = data.index(b"\xff\xda", data.index(b"\xff\xc2"))
    at = data.index(b"\xff\xc4", first)
    return insert(data, comment_segment(), exif_segment(6), at=at)


# --- PNG


def chunk(name, payload):
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))


def text_chunks():
    """Text in all three chunks, EXIF, a date, a histogram, a private chunk."""
    return [
        chunk(b"tEXt", b"Author\x00" + CANARY.encode()),
        chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(CANARY.encode() * 3)),
        chunk(b"iTXt", b"Title\x00\x00\x00de\x00\x00" + BASE64_CANARY.encode()),
        chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x01\x00\x00\x00" + zlib.compress(CANARY.encode())),
        chunk(b"tIME", struct.pack(">HBBBBB", 1947, 3, 29, 1, 2, 3)),
        chunk(b"prIv", CANARY.encode("utf-16-le")),
    ]


def with_chunks(data, *chunks, last=()):
    """The PNG with these chunks after its header, and others before its end."""
    return data[:33] + b"".join(chunks) + data[33:-12] + b"".join(last) + data[-12:]


def exif_chunk(orientation=1):
    return chunk(b"eXIf", exif(orientation).removeprefix(b"Exif\x00\x00"))


def profile_chunk(profile, name=TRACES[0]):
    return chunk(b"iCCP", name + b"\x00\x00" + zlib.compress(profile))


def write_png(samples, **options):
    """A PNG by pypng; samples are (height, width, channels), options pypng's."""
    height, width, channels = samples.shape
    options = {"greyscale": channels < 3, "alpha": channels in (2, 4), "interlace": False} | options
    file = io.BytesIO()
    png.Writer(width, height, **options).write(file, samples.reshape(height, -1).tolist())
    return file.getvalue()


def pngs():
    """Every kind of PNG by name with the pixels it must give: name → (file, samples as the reader shows them)."""
    rng = np.random.default_rng(5)
    kinds = {}
    for interlace in (False, True):
        tail = ", interlaced" if interlace else ""
        for channels, name in ((1, "grey"), (2, "grey and alpha"), (3, "RGB"), (4, "RGB and alpha")):
            for bits in (1, 2, 4, 8, 16) if channels == 1 else (8, 16):
                samples = rng.integers(0, 1 << bits, (19, 23, channels)).astype(np.uint16 if bits > 8 else np.uint8)
                scaled = samples * np.uint8(255 // ((1 << bits) - 1)) if bits < 8 else samples
                kinds[f"{name} {bits} bit{tail}"] = (
                    write_png(samples, bitdepth=bits, interlace=interlace),
                    scaled,
                )
        for bits in (1, 2, 4, 8):
            palette = rng.integers(0, 256, (1 << bits, 3))
            indices = rng.integers(0, 1 << bits, (19, 23, 1))
            colours = palette.astype(np.uint8)[indices[:, :, 0]]
            options = {"bitdepth": bits, "greyscale": None, "interlace": interlace}
            kinds[f"palette {bits} bit{tail}"] = (
                write_png(indices, palette=[tuple(c) for c in palette.tolist()], **options),
                colours,
            )
            alphas = rng.integers(0, 256, (1 << bits, 1))
            rgba = np.hstack([palette, alphas])
            kinds[f"palette {bits} bit with transparency{tail}"] = (
                write_png(indices, palette=[tuple(c) for c in rgba.tolist()], **options),
                rgba.astype(np.uint8)[indices[:, :, 0]],
            )
    return kinds | _transparent_colours(rng)


def _transparent_colours(rng):
    kinds = {}
    for bits, channels in ((2, 1), (8, 1), (16, 1), (8, 3), (16, 3)):
        samples = rng.integers(0, 1 << bits, (9, 11, channels)).astype(np.uint16 if bits > 8 else np.uint8)
        key = tuple(int(v) for v in samples[3, 4])
        full = 65535 if bits > 8 else 255
        alpha = np.where((samples == samples[3, 4]).all(2, keepdims=True), 0, full).astype(samples.dtype)
        scaled = samples * np.uint8(255 // ((1 << bits) - 1)) if bits < 8 else samples
        data = write_png(samples, bitdepth=bits, transparent=key if channels == 3 else key[0])
        kinds[f"{channels} channels of {bits} bit, one colour transparent"] = (
            data,
            np.concatenate([scaled, alpha], 2),
        )
    return kinds


def huge_png(width=40_000, height=30_000):
    """1.2 thousand million pixels of one bit, all zero, in about 146 kB."""
    packer = zlib.compressobj(9)
    row = bytes(1 + -(-width // 8))
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


# --- colour profiles


def srgb_profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile():
    """sRGB with the primaries of red and green exchanged: a file's red is shown green."""
    data = bytearray(srgb_profile())
    count = int.from_bytes(data[128:132], "big")
    entries = {bytes(data[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data)


def cmyk_profile():
    """A printer's profile in which cyan ink is red: one look-up table of two steps an ink, to Lab."""
    table = bytearray()
    for inks in np.ndindex(2, 2, 2, 2):
        cyan, magenta, yellow, black = inks
        light = max(0, 255 - 125 * cyan - 60 * magenta - 20 * yellow - 200 * black)
        table += bytes((light, 128 + 80 * cyan, 128 + 60 * cyan))
    identity = b"".join(struct.pack(">i", 65536 * (row == column)) for row in range(3) for column in range(3))
    curves = bytes(range(256))
    lut = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + identity + curves * 4 + bytes(table) + curves * 3
    name = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"inks\0" + bytes(78)
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": lut, b"desc": name, b"wtpt": white})


def _profile(kind, space, connection, tags):
    directory, body, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        directory += struct.pack(">4sII", name, at + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = at + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"none", 0x02400000, kind, space, connection) + bytes(12) + b"acsp"
    header += bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header + bytes(128 - len(header)) + directory + body
