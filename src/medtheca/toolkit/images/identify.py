"""Which format bytes are in, by content alone: a name proves nothing."""

import re

from medtheca.toolkit.deidentify.stripped import Buffer

_MAGIC = (
    ("jpeg", 0, b"\xff\xd8\xff"),
    ("png", 0, b"\x89PNG\r\n\x1a\n"),
    ("dicom", 128, b"DICM"),
    ("tiff", 0, b"II*\x00"),
    ("tiff", 0, b"MM\x00*"),
    ("tiff", 0, b"II+\x00"),
    ("tiff", 0, b"MM\x00+"),
    ("gif", 0, b"GIF87a"),
    ("gif", 0, b"GIF89a"),
    ("webp", 8, b"WEBP"),
    ("heif", 4, b"ftyphei"),
    ("heif", 4, b"ftypmif1"),
    ("heif", 4, b"ftypavif"),
    ("video", 4, b"ftyp"),
    ("jpeg2000", 0, b"\x00\x00\x00\x0cjP  "),
    ("jpeg2000", 0, b"\xff\x4f\xff\x51"),
    ("jpegxl", 0, b"\x00\x00\x00\x0cJXL "),
    ("jpegxl", 0, b"\xff\x0a"),
    ("psd", 0, b"8BPS"),
    ("nifti", 344, b"n+1\x00"),
    ("nifti", 344, b"ni1\x00"),
    ("nifti", 4, b"n+2\x00\r\n\x1a\n"),
    ("nrrd", 0, b"NRRD000"),
    ("oct", 0, b"FOCT"),
    ("pdf", 0, b"%PDF-"),
    ("zip", 0, b"PK\x03\x04"),
    ("zip", 0, b"PK\x05\x06"),
    ("gzip", 0, b"\x1f\x8b"),
    ("7z", 0, b"7z\xbc\xaf\x27\x1c"),
    ("rar", 0, b"Rar!\x1a\x07"),
)
# File size, four reserved zeros, offset of the pixels, then a header whose length begins with a small number.
_BMP = re.compile(rb"BM.{4}\0{4}.{4}[\x0c-\x7c]\0{3}", re.DOTALL)
_MHA = re.compile(rb"\s*(ObjectType|NDims)\s*=")
_HTML = re.compile(rb"\s*<(!doctype html|html|head|body)", re.IGNORECASE)
_SVG = re.compile(rb"<svg[\s>]")
_XML = re.compile(rb"\s*<\?xml")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_HEAD = 4096

FORMAT_WORDS = {
    "jpeg": "a JPEG picture",
    "png": "a PNG picture",
    "dicom": "a DICOM file",
    "tiff": "a TIFF picture or a slide",
    "gif": "a GIF picture",
    "webp": "a WebP picture",
    "heif": "a HEIF or AVIF picture",
    "video": "a film",
    "jpeg2000": "a JPEG 2000 picture",
    "jpegxl": "a JPEG XL picture",
    "psd": "a Photoshop document",
    "nifti": "a NIfTI volume",
    "nrrd": "an NRRD volume",
    "mha": "a MetaImage volume",
    "oct": "an OCT volume of Topcon",
    "pdf": "a PDF document",
    "zip": "a ZIP archive",
    "gzip": "a gzip file",
    "7z": "a 7z archive",
    "rar": "a RAR archive",
    "bmp": "a BMP picture",
    "html": "a web page",
    "svg": "an SVG drawing",
    "xml": "an XML file",
    "text": "a text file",
}


def identify(data: Buffer) -> str | None:
    """The format of a file, one of the keys of `FORMAT_WORDS`; None where it is not known.

    >>> identify(b"%PDF-1.7 ...")
    'pdf'
    >>> identify(b"not really a picture")
    'text'
    """
    head = bytes(data[:_HEAD])
    for name, at, magic in _MAGIC:
        if head[at : at + len(magic)] == magic:
            return name
    for name, pattern in (("bmp", _BMP), ("mha", _MHA), ("html", _HTML)):
        if pattern.match(head):
            return name
    if _SVG.search(head):
        return "svg"
    if _XML.match(head):
        return "xml"
    return "text" if _is_text(head) else None


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return bool(head) and not _CONTROL.search(head)
