"""Photographs, TIFF, slides and volumes with identifiers wherever their formats have room for words."""

import gzip
import io
import struct
import zlib

import nibabel
import numpy as np
import tifffile
from PIL import Image, TiffImagePlugin

from tests.canary.canaries import Minting
from tests.generators import images, octs, slides, volumes

EXIF_TEXTS = (
    0x010D,
    0x010E,
    0x010F,
    0x0110,
    0x0131,
    0x013B,
    0x013C,
    0x8298,
    0xA420,
    0xA430,
    0xA431,
    0xA433,
    0xA434,
    0xA435,
)
XP = (0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F)
TIFF_TEXTS = (269, 270, 271, 272, 285, 305, 315, 316, 333, 337, 33432, 50706, 50708, 65000, 65001, 65535)
TIFF_BYTES = (700, 33723, 34377, 37724, 50740, 51000)


def exif(canaries, *, thumbnail=True):
    """EXIF with every text, GPS, a maker's note, dates, and a preview that has EXIF and a comment itself."""
    block = Image.Exif()
    for tag in EXIF_TEXTS:
        block[tag] = canaries.word()
    for tag in XP:
        block[tag] = canaries.word().encode("utf-16-le")
    block[0x0132] = f"{canaries.date():%Y:%m:%d} 11:22:33"
    inner = block.get_ifd(0x8769)
    inner[0x9003] = inner[0x9004] = f"{canaries.date():%Y:%m:%d} 11:22:33"
    inner[0x927C] = canaries.word().encode() + canaries.word().encode("utf-16-be") + canaries.word().encode()[::-1]
    inner[0x9286] = b"UNICODE\0" + canaries.word().encode("utf-16-le")
    inner[0xA005] = 0
    gps = block.get_ifd(0x8825)
    gps[1], gps[2] = "N", tuple(TiffImagePlugin.IFDRational(471123, 10000) for _ in range(3))
    gps[27], gps[28], gps[29] = canaries.word().encode(), canaries.word().encode(), f"{canaries.date():%Y:%m:%d}"
    preview = b""
    if thumbnail:
        preview = images.insert(images.jpeg(size=(16, 16)), images.segment(0xFE, canaries.word().encode()))
    return b"Exif\0\0" + block.tobytes().removeprefix(b"Exif\0\0") + preview


def xmp(canaries):
    import base64

    words = "".join(f"<dc:{n}>{canaries.word()}</dc:{n}>" for n in ("title", "creator", "rights", "subject"))
    hidden = base64.b64encode(b"." + canaries.word().encode() + b"..").decode()
    return f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{words}<b>{hidden}</b><d>{canaries.date()}</d></x:xmpmeta>".encode()


def iptc(canaries):
    sets = b"".join(
        b"\x1c\x02" + bytes((n,)) + struct.pack(">H", 9) + canaries.word().encode() for n in range(5, 125, 5)
    )
    return b"8BIM\x04\x04\0\0" + struct.pack(">I", len(sets)) + sets


def profile(canaries):
    """sRGB that says other things of itself, in as many bytes."""
    made = images.srgb_profile()
    for said in ("sRGB built-in", "No copyright, use freely"):
        text = " ".join(canaries.word() for _ in range(len(said) // 10 or 1)).ljust(len(said))[: len(said)]
        made = made.replace(said.encode("utf-16-be"), text.encode("utf-16-be"))
    return made


def segments(canaries):
    yield images.segment(0xE1, exif(canaries))
    yield images.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(canaries))
    yield images.segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + canaries.word().encode("utf-16-be"))
    yield images.segment(0xED, b"Photoshop 3.0\0" + iptc(canaries))
    yield images.segment(0xE0, b"JFXX\0\x10" + images.jpeg(size=(8, 8)) + canaries.word().encode())
    yield images.segment(0xE2, b"MPF\0MM\0*\0\0\0\x08" + canaries.word().encode())
    yield from images.icc_chunks(profile(canaries))
    for number in range(3, 16):
        if number != 14:
            yield images.segment(0xE0 + number, canaries.word().encode() + canaries.word().encode("utf-16-le"))
    for _ in range(3):
        yield images.segment(0xFE, canaries.word().encode())


def jpeg(canaries, plain):
    """A JPEG with all of it before the picture, and another picture, a ZIP and words behind."""
    second = images.insert(images.jpeg(seed=1), images.segment(0xE1, exif(canaries)))
    behind = second + b"PK\x03\x04" + canaries.word().encode() + canaries.word().encode("utf-16-le")
    return images.insert(plain, *segments(canaries)) + behind


def png(canaries, plain):
    words = lambda: canaries.word().encode()  # noqa: E731 - read as what it is
    chunk, packed = images.chunk, zlib.compress
    chunks = [images.profile_chunk(profile(canaries), words()), chunk(b"eXIf", exif(canaries)[6:])]
    for name in (
        b"Title",
        b"Author",
        b"Description",
        b"Copyright",
        b"Software",
        b"Source",
        b"Comment",
        b"Creation Time",
    ):
        chunks += [
            chunk(b"tEXt", name + b"\0" + words()),
            chunk(b"zTXt", name + b"\0\0" + packed(words())),
            chunk(b"iTXt", name + b"\0\0\0de\0" + words() + b"\0" + words()),
            chunk(b"iTXt", name + b"\0\1\0de\0\0" + packed(words())),
        ]
    day = canaries.date()
    chunks += [
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(canaries)),
        chunk(b"tIME", struct.pack(">HBBBBB", day.year, day.month, day.day, 11, 22, 33)),
        *(chunk(name, words()) for name in (b"prIv", b"vpAg", b"oFFs", b"sPLT", b"dSIG", b"caBX")),
    ]
    last = [chunk(b"tEXt", b"Late\0" + words())]
    return images.with_chunks(plain, *chunks, last=last) + words() + images.jpeg(size=(8, 8))


def tiff(canaries, pixels):
    """Text tags, private ones, XMP, IPTC, EXIF; a page that nothing refers to; words behind the end."""
    tags = [(code, "s", 0, canaries.word(), True) for code in TIFF_TEXTS if code not in {270, 305}]
    tags += [(code, 7, None, xmp(canaries) + iptc(canaries), True) for code in TIFF_BYTES]
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        options = {"description": canaries.word(), "software": canaries.word(), "metadata": None, "rowsperstrip": 8}
        writer.write(pixels, extratags=tags, datetime=f"{canaries.date():%Y:%m:%d} 11:22:33", **options)
        at = file.tell()
        orphan = np.frombuffer((canaries.word() * 40).encode(), np.uint8)[:256].reshape(16, 16)
        writer.write(orphan, description=canaries.word(), metadata=None, subfiletype=1)
    data = bytearray(file.getvalue())
    with tifffile.TiffFile(io.BytesIO(data)) as opened:
        first = opened.pages.first
        link = first.offset + 2 + 12 * len(first.tags)
    data[link : link + 4] = bytes(4)
    assert at < len(data)
    return bytes(data) + canaries.word().encode() + canaries.word().encode("utf-16-le")


def nifti(canaries, voxels, *, version=1):
    """Header texts, extensions of several kinds, words between header and voxels and behind them."""
    kind = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image
    image = kind(voxels[0].T, volumes.affine())
    for _ in range(20):
        for code in (0, 2, 4, 6, 30, 40):
            content = canaries.word().encode() + b" " + str(canaries.date()).encode() + b" " + xmp(canaries)
            image.header.extensions.append(nibabel.nifti1.Nifti1Extension(code, content) if code != 2 else
                nibabel.nifti1.Nifti1Extension(44, content))  # fmt: skip
    image.header["descrip"] = f"{canaries.word()} {canaries.date()}".encode()
    image.header["aux_file"] = image.header["intent_name"] = canaries.word().encode()
    if version == 1:
        image.header["db_name"], image.header["data_type"] = canaries.word().encode(), canaries.word().encode()
    return image.to_bytes()


def metaimage(canaries, voxels):
    fields = {"Comment": canaries.word(), "Name": canaries.word(), "ID": 7, "Modality": "MET_MOD_MR"}
    fields |= {f"Patient{n}": f"{canaries.word()} {canaries.date()}" for n in range(60)}
    fields |= {f"Tag_{n:04x}_0010": canaries.word() for n in range(60)}
    return volumes.mha(voxels, **fields)


def nrrd(canaries, voxels):
    data = volumes.nrrd(voxels, content=canaries.word())
    at = data.index(b"name of patient:=")
    more = "".join(
        f"# {canaries.word()}\nkey {canaries.word()}:={canaries.word()} {canaries.date()}\n" for _ in range(60)
    )
    return (data[:at] + more.encode() + data[at:]).replace(volumes.CANARY.encode(), canaries.word().encode())


def oct_blocks(canaries):
    """What Topcon's devices say of a patient, of who looked, and a thumbnail's worth of anything."""
    yield octs.patient(" ".join(canaries.word() for _ in range(20)))
    names = (
        "@PATIENTEXT_INFO",
        "@CAPTURE_INFO",
        "@REPORT_INFO",
        "@CONTOUR_INFO",
        "@IMG_FUNDUS",
        "@IMG_OBS",
        "@USER_INFO",
    )
    for name in names:
        content = " ".join(canaries.word() for _ in range(10)) + f" {canaries.date()} {canaries.date():%Y%m%d}"
        yield octs.block(name, content.encode() + canaries.word().encode("utf-16-le"))


SLIDE_TEXTS = (269, 285, 305, 315, 316, 333, 337, 33432, 65000, 65001, 65449)
SLIDE_BYTES = (33723, 34377, 37724, 51000)


def mark_slides(monkeypatch, canaries):
    """Let what the generators of slides write have identifiers.

    Where they plant one word, in every page's tags, in comments of every JPEG, tiles among them, and in key files.
    """
    page, jpeg, write = slides.page, slides.jpeg, slides._write

    def marked_page(*arguments, **options):
        tags, pieces = page(*arguments, **options)
        texts = {tag: (slides.ASCII, f"{canaries.word()} {canaries.date()}") for tag in SLIDE_TEXTS}
        texts |= {tag: (slides.UNDEFINED, xmp(canaries) + iptc(canaries)) for tag in SLIDE_BYTES}
        texts[306] = (slides.ASCII, f"{canaries.date():%Y:%m:%d} 11:22:33")
        return texts | tags, pieces

    def marked_jpeg(*arguments, **options):
        segments = images.segment(0xFE, canaries.word().encode()), images.segment(0xE1, exif(canaries, thumbnail=False))
        return images.insert(jpeg(*arguments, **options), *segments)

    def marked_write(folder, files):
        lines = "".join(f"Patient{n}={canaries.word()} {canaries.date()}\r\n" for n in range(20)).encode()
        keys = (".vms", ".vmu", ".ini")
        return write(folder, {name: data + lines * name.endswith(keys) for name, data in files.items()})

    monkeypatch.setattr(slides, "CANARY", Minting(canaries))
    monkeypatch.setattr(slides, "page", marked_page)
    monkeypatch.setattr(slides, "jpeg", marked_jpeg)
    monkeypatch.setattr(slides, "_write", marked_write)


def packed(data):
    return gzip.compress(data, mtime=0)
