"""What there is to know of one file for grouping: whose companion it is, or where in which series it lies."""

import re
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

from medtheca.toolkit.deidentify.stripped import Buffer
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.dicom import codes
from medtheca.toolkit.images.dicom.formats import read_format
from medtheca.toolkit.images.dicom.headers import Header, read_header
from medtheca.toolkit.images.dicom.planes import read_planes
from medtheca.toolkit.images.dicom.structure import looks_like_dicom
from medtheca.toolkit.images.identify import identify
from medtheca.toolkit.images.readers.reading import DEFAULT_MEMORY

Description = dict[str, Any]

_HEAD = 65_536
_MOST_COMPANIONS = 10_000
_LONGEST_NAME = 255
_DATA_FILE = re.compile(r"^\s*ElementDataFile\s*=\s*(.*?)\s*$", re.MULTILINE | re.IGNORECASE)
_NRRD_DATA_FILE = re.compile(r"^data ?file:\s*(.*?)\s*$", re.MULTILINE | re.IGNORECASE)
_HAMAMATSU = re.compile(r"\s*\[\s*(Uncompressed )?Virtual Microscope Specimen\s*\]", re.IGNORECASE)
_HAMAMATSU_FILE = re.compile(
    r"^\s*(?:ImageFile|MapFile|OptimisationFile|MacroImage)[^=\n]*=\s*(.*?)\s*$", re.MULTILINE | re.IGNORECASE
)
_DATA = (".raw", ".zraw", ".dat")


def describe_file(data: Buffer, name: str) -> Description:
    """A description of a file for `group_files`, in plain JSON. `name` is its path within the upload, with `/`.

    Never refuses: what is wrong with the file is in the description as `problem` (code, message, remedy).
    """
    described: Description = {"name": name, "format": identify(data)}
    suffix = PurePosixPath(name).suffix.lower()
    try:
        if described["format"] == "dicom" or (described["format"] in {None, "text"} and looks_like_dicom(data[:132])):
            described |= {"format": "dicom", "dicom": _describe_dicom(data, name)}
        elif described["format"] == "mha":
            described |= _describe_metaimage(data)
        elif described["format"] == "nrrd":
            described |= _describe_nrrd(data)
        elif suffix == ".mrxs":
            described |= {"format": "mrxs", "folder": PurePosixPath(name).stem}
        elif _HAMAMATSU.match(_text(data)):
            described |= _describe_hamamatsu(data)
        elif suffix in _DATA and described["format"] in {None, "gzip", "text"}:
            described["format"] = "data"
    except Refused as refusal:
        described["problem"] = _problem(refusal.code, refusal.message, refusal.remedy)
    return described


def _problem(code: str, message: str, remedy: str) -> Description:
    return {"code": code, "message": message, "remedy": remedy}


def _text(data: Buffer) -> str:
    return bytes(data[:_HEAD]).decode("latin-1")


def _companion(value: str) -> str:
    """A name in a header as one that can be among the upload's files: never a path to elsewhere."""
    # Whatever a format's standard says, programs write the bytes of the file's name, which nearly always are UTF-8.
    with suppress(UnicodeDecodeError):
        value = value.encode("latin-1").decode("utf-8")
    plain = value.replace("\\", "/").removeprefix("./")
    if not plain or len(plain) > _LONGEST_NAME or plain.startswith("/") or ":" in plain or ".." in plain.split("/"):
        raise Refused(
            "missing_file",
            f"Its header names {value[:100]!r} for its data, which cannot be a file that came with it.",
            "Write the name of the data file alone into the header, and upload both together.",
        )
    return plain


def _describe_metaimage(data: Buffer) -> Description:
    text = _text(data)
    found = _DATA_FILE.search(text)
    if found is None or found[1].upper() == "LOCAL":
        return {}
    if found[1].upper().startswith("LIST") or "%" in found[1]:
        raise Refused(
            "unsupported_variant",
            "Its header lists several data files (LIST or a pattern), which are not read.",
            "Write it as .mha, or with one data file.",
        )
    return {"companions": [_companion(found[1])], "required": True}


def _describe_nrrd(data: Buffer) -> Description:
    head = _text(data)
    found = _NRRD_DATA_FILE.search(head.split("\n\n")[0].replace("\r", ""))
    if found is None:
        return {}
    if found[1].upper().startswith("LIST") or "%" in found[1]:
        raise Refused(
            "unsupported_variant",
            "Its header lists several data files (LIST or a pattern), which are not read.",
            "Write it as one .nrrd file.",
        )
    return {"companions": [_companion(found[1])], "required": True}


def _describe_hamamatsu(data: Buffer) -> Description:
    text = _text(data)
    match = _HAMAMATSU.match(text)
    names = [found[1] for found in _HAMAMATSU_FILE.finditer(text) if found[1]]
    if len(names) > _MOST_COMPANIONS:
        raise Refused("corrupt", "Its header lists too many files.", "Export the slide anew.")
    companions = list(dict.fromkeys(_companion(name) for name in names))
    return {"format": "vmu" if match and match[1] else "vms", "companions": companions, "required": True}


def _describe_dicom(data: Buffer, name: str) -> Description:
    if PurePosixPath(name).name.upper() == "DICOMDIR":
        return {"kind": "index"}
    header, _ = read_header(data, memory=DEFAULT_MEMORY)
    described: Description = {
        "kind": _kind(header),
        "study": header.text("StudyInstanceUID"),
        "series": header.text("SeriesInstanceUID"),
        "sop_class": header.sop_class,
        "instance": header.text("SOPInstanceUID"),
    }
    if described["kind"] == "image":
        form, frames = read_format(header), header.frames
        described |= {
            "rows": form.rows,
            "columns": form.columns,
            "photometric": form.photometric,
            "frames": frames,
        }
        if frames == 1:
            plane = read_planes(header)[0]
            described |= {
                "position": plane.position and list(plane.position),
                "orientation": plane.orientation and list(plane.orientation),
                "spacing": plane.spacing and list(plane.spacing),
                "keys": plane.keys,
            }
    return described


def _kind(header: Header) -> str:
    if header.sop_class == codes.DICOMDIR or "DirectoryRecordSequence" in header:
        return "index"
    if codes.is_slide(header):
        return "slide"
    return "document" if codes.document_kind(header) else "image"
