"""Which files are images of the kinds that are read in a folder of their own, told from their first bytes."""

import re

from medtheca.toolkit.images.companions import BARE_DICOM
from medtheca.toolkit.images.identify import identify

REMEDY = "Send JPEG, PNG, TIFF, DICOM, NIfTI, NRRD, MetaImage, Topcon OCT or a whole slide."
"""What would be right instead of a file that nobody here can read."""

THREADED = (".vms", ".ndpi")
"""Suffixes of slides through which OpenSlide may look in a thread; so called, a case is allowed one."""

_FORMATS = frozenset({"dicom", "tiff", "nifti", "nrrd", "mha", "gzip", "oct"})
# NIfTI-1 says how long its header is (348), NIfTI-2 likewise (540), in either byte order.
_NIFTI_LENGTHS = (b"\x5c\x01\x00\x00", b"\x00\x00\x01\x5c", b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c")
_HAMAMATSU = re.compile(
    rb"(\xef\xbb\xbf)?\s*\[(Virtual Microscope Specimen|Uncompressed Virtual Microscope Specimen)\]"
)


def name_case(head: bytes, name: str) -> str | None:
    r"""The format of a case by the first bytes of its main file; `name` matters for MIRAX, whose main file is a JPEG.

    >>> name_case(b"NRRD0004", "x.nrrd"), name_case(b"\xff\xd8\xff", "slide.mrxs"), name_case(b"%PDF-", "a.pdf")
    ('nrrd', 'slide', None)
    """
    if name.lower().endswith(".mrxs") or _HAMAMATSU.match(head):
        return "slide"
    found = identify(head)
    if found in {"gzip", "nifti"} or head[:4] in _NIFTI_LENGTHS:
        return "nifti"
    if found in _FORMATS:
        return found
    return "dicom" if BARE_DICOM.match(head) else None


def is_case(head: bytes) -> bool:
    r"""Whether a file with these first bytes (4,096 are enough) is read as a case and not as a photograph.

    >>> is_case(b"NRRD0004"), is_case(b"\xff\xd8\xff"), is_case(b"some words")
    (True, False, False)
    """
    if identify(head) in _FORMATS or head[:4] in _NIFTI_LENGTHS:
        return True
    return bool(BARE_DICOM.match(head) or _HAMAMATSU.match(head))
