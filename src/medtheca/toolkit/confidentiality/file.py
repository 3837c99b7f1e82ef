"""One DICOM file without identity."""

import io
import warnings
from typing import Any, Literal

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.sequence import Sequence
from pydicom.uid import UID

from medtheca.toolkit.confidentiality.keyed import Keyed
from medtheca.toolkit.confidentiality.pixels import CleanPixels, clean_pixels
from medtheca.toolkit.confidentiality.profile import METHOD, Deidentified, Profile
from medtheca.toolkit.confidentiality.walk import Walk
from medtheca.toolkit.deidentify.faults import corrupt, unsupported
from medtheca.toolkit.deidentify.stripped import Buffer
from medtheca.toolkit.images.dicom import codes, headers
from medtheca.toolkit.images.dicom.formats import read_format
from medtheca.toolkit.images.dicom.headers import Header
from medtheca.toolkit.images.dicom.structure import (
    DEFLATED,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    Layout,
    read_layout,
)

IMPLEMENTATION = "2.25.193526604735823694216183447290486021419"
"""The class UID of what writes these files (PS3.7 D.3.3.2)."""
IMPLEMENTATION_VERSION = "MEDTHECA_DEID_1"
DEFAULT_MEMORY = 2_000_000_000

# Objects that are no images and whose whole content the rules know, by the ends of their SOP classes.
_REPORTS = "88."
_OTHERS = frozenset(("66.4", "66.7", "481.2", "481.3"))
_UNDEFINED = 0xFFFFFFFF


def deidentify(
    data: Buffer, *, profile: Profile, key: bytes, patient: str | None, memory: int = DEFAULT_MEMORY
) -> Deidentified:
    """The file by the basic profile of PS3.15 and the options chosen, as a new file; pixels are copied, not decoded.

    `key` is the secret of one contributor, 16 bytes at least: files of the same key keep their references to each
    other. `patient` says whose file it is, so that all of one patient move by the same days; where it is None, the
    file's own Patient ID does.

    Raises:
        Refused: as `read_layout` and `read_format`; `unsupported_variant` for DICOMDIR, for kinds of objects whose
            content is not known here, for labels and overviews of slides, and for reports unless the profile has
            `clean_structured`.
    """
    layout = read_layout(data, memory=memory)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = _read(layout)
        sop_class = str(_value(source, "SOPClassUID")).strip(" \0")
        _refuse(source, sop_class, profile)
        walk = Walk(
            profile,
            Keyed(key),
            patient=patient or _patient_of(source),
            sop_class=sop_class,
            little=layout.encoding.little,
        )
        made = walk.clean(source)
        _declare(made, profile)
        pixels = _pixels(layout, source, walk)
        return Deidentified(_write(made, layout, pixels), walk.report())


def warm_up() -> None:
    """Do everything once, so that nothing is left to load behind the fence, where there is no file system."""
    headers.warm_up()
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = f"{codes.STORAGE}88.33", "2.25.1"
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = True, False
    write_dataset(out, made)
    profile = Profile(retain_longitudinal=True, clean_descriptors=True, clean_structured=True)
    deidentify(bytes(128) + b"DICM" + out.getvalue(), profile=profile, key=bytes(16), patient="")


def _read(layout: Layout) -> Dataset:
    try:
        return read_dataset(
            io.BytesIO(layout.body[layout.start : layout.end]),
            is_implicit_VR=layout.encoding.implicit,
            is_little_endian=layout.encoding.little,
        )
    except MemoryError:
        raise
    except Exception as error:
        raise corrupt("its header cannot be read") from error


def _value(source: Dataset, keyword: str) -> Any:
    try:
        return source[keyword].value if keyword in source else ""
    except Exception as error:
        raise corrupt(f"its {keyword} cannot be read") from error


def _patient_of(source: Dataset) -> str:
    """Whose file it is, by itself: without an id, each study is of somebody else."""
    return str(_value(source, "PatientID")).strip() or f"study {_value(source, 'StudyInstanceUID')}"


def _refuse(source: Dataset, sop_class: str, profile: Profile) -> None:
    if sop_class == codes.DICOMDIR or "DirectoryRecordSequence" in source:
        raise unsupported("It is the index of a disc (DICOMDIR).", "Send the files that it lists.")
    end = sop_class.removeprefix(codes.STORAGE)
    is_report = sop_class != end and end.startswith(_REPORTS)
    if not (codes.is_image_class(sop_class) or is_report or end in _OTHERS):
        raise unsupported(
            "Its kind of object (SOP class) is not one whose identifying content is known here.",
            "Send images, segmentations, structure sets or structured reports.",
        )
    if is_report and not profile.clean_structured:
        raise unsupported(
            "It is a structured report, of which nothing is left without the option to clean it.",
            "Choose the profile with cleaned structured content.",
        )
    found = _value(source, "ImageType") or ()
    kinds = {str(kind).strip() for kind in ([found] if isinstance(found, str) else found)}
    if {"LABEL", "OVERVIEW"} & kinds or str(_value(source, "SpecimenLabelInImage")).strip() == "YES":
        raise unsupported("It shows the label of a slide.", "Send the slide without its label and overview.")


def _declare(made: Dataset, profile: Profile) -> None:
    """What PS3.15 E.1.1 asks to be said of how it was done."""
    made.PatientIdentityRemoved = "YES"
    made.DeidentificationMethod = METHOD
    method = []
    for value, meaning in profile.codes:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
        method.append(code)
    made.DeidentificationMethodCodeSequence = Sequence(method)
    made.LongitudinalTemporalInformationModified = "MODIFIED" if profile.retain_longitudinal else "REMOVED"


def _pixels(layout: Layout, source: Dataset, walk: Walk) -> CleanPixels | None:
    if layout.pixels is None:
        return None
    header = Header(
        source,
        syntax=_native(layout) or layout.syntax,
        little=layout.encoding.little,
        pixels=layout.pixels,
        has_meta=layout.has_meta,
    )
    form = read_format(header)
    cleaned = clean_pixels(layout.body, form)
    for words in cleaned.taken:
        walk.note(f"{layout.pixels.tag:08X}", "PixelData", f"C ({words})")
    return cleaned


def _native(layout: Layout) -> str:
    """The transfer syntax to write if pixels are not coded; empty if they are.

    Of a file without pixels nobody has looked at what it says of its transfer syntax, so it is not repeated.
    """
    if layout.pixels is not None and layout.syntax not in {IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED}:
        return ""
    return EXPLICIT_LITTLE if layout.encoding.little else EXPLICIT_BIG


def _write(made: Dataset, layout: Layout, pixels: CleanPixels | None) -> bytes:
    syntax = _native(layout) or layout.syntax
    little = syntax != EXPLICIT_BIG
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = True, False
    out.write(bytes(128) + b"DICM")
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = made.SOPClassUID
    meta.MediaStorageSOPInstanceUID = UID(str(made.get("SOPInstanceUID") or "2.25.0"))
    meta.TransferSyntaxUID = UID(syntax)
    meta.ImplementationClassUID = UID(IMPLEMENTATION)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION
    write_file_meta_info(out, meta, enforce_standard=True)
    out.is_little_endian = little
    try:
        write_dataset(out, made)
    except MemoryError:
        raise
    except Exception as error:
        raise corrupt("its header holds values that cannot be written again") from error
    parts = [out.getvalue()]
    if pixels is not None and layout.pixels is not None:
        order: Literal["little", "big"] = "little" if little else "big"
        tag, vr = layout.pixels.tag, layout.pixels.vr
        long = {0x7FE00008: b"OF", 0x7FE00009: b"OD"}.get(tag)
        kind = b"OB" if pixels.coded else long or (b"OB" if vr == "OB" else b"OW")
        length = _UNDEFINED if pixels.coded else len(pixels.value)
        head = (tag >> 16).to_bytes(2, order) + (tag & 0xFFFF).to_bytes(2, order) + kind + b"\0\0"
        parts += [head + length.to_bytes(4, order), pixels.value]
    return b"".join(parts)
