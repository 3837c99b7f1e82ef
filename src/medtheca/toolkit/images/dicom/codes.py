"""Facts in the standard's codes, and what kinds of object there are that are not images."""

from pydicom import config
from pydicom.uid import UID

from medtheca.toolkit.images import terms
from medtheca.toolkit.images.devices import device_facts
from medtheca.toolkit.images.dicom.headers import Header, Item
from medtheca.toolkit.images.facts import Code, Facts, Laterality
from medtheca.toolkit.images.terms import find_body_part, find_stain

STORAGE = "1.2.840.10008.5.1.4.1.1."
DICOMDIR = "1.2.840.10008.1.3.10"
MODALITIES = frozenset(terms.MODALITIES)
BODY_PARTS = terms.BODY_PARTS
MOST_POWER = 1000.0
"""What an objective may magnify at most; more is no magnification."""
_SLIDES = frozenset((f"{STORAGE}77.1.6", f"{STORAGE}77.1.9"))

# What is kept and not shown as a picture, by the end of its SOP class; longer ends are looked for first.
_DOCUMENTS = {
    "4.2": ("dicom-spectroscopy", "MR spectroscopy"),
    "8": ("dicom-overlay", "Standalone overlay"),
    "9": ("dicom-waveform", "Waveform or curve"),
    "10": ("dicom-lut", "Standalone look-up table"),
    "11": ("dicom-presentation-state", "Presentation state"),
    "66": ("dicom-raw", "Raw data"),
    "66.1": ("dicom-registration", "Spatial registration"),
    "66.2": ("dicom-fiducials", "Spatial fiducials"),
    "66.3": ("dicom-registration", "Deformable spatial registration"),
    "66.4": ("dicom-seg", "Segmentation"),
    "66.5": ("dicom-surface", "Surface segmentation"),
    "66.6": ("dicom-tractography", "Tractography results"),
    "66.7": ("dicom-seg", "Label map segmentation"),
    "67": ("dicom-real-world-values", "Real-world value mapping"),
    "68": ("dicom-surface", "Surface scan"),
    "77.1.5.3": ("dicom-stereometry", "Stereometric relationship"),
    "78": ("dicom-measurements", "Ophthalmic measurements"),
    "79": ("dicom-sr", "Structured report"),
    "80": ("dicom-measurements", "Visual field measurements"),
    "88": ("dicom-sr", "Structured report"),
    "88.59": ("dicom-key-objects", "Key object selection"),
    "90": ("dicom-assessment", "Content assessment results"),
    "91": ("dicom-annotations", "Microscopy annotations"),
    "104.1": ("dicom-pdf", "PDF document"),
    "104.2": ("dicom-cda", "Clinical document (CDA)"),
    "104.3": ("dicom-stl", "3D model (STL)"),
    "104.4": ("dicom-obj", "3D model (OBJ)"),
    "104.5": ("dicom-mtl", "Material of a 3D model (MTL)"),
    "129": ("dicom-waveform", "PET curve"),
    "131": ("dicom-structured-display", "Structured display"),
    "200": ("dicom-protocol", "Acquisition protocol"),
    "201": ("dicom-inventory", "Inventory"),
    "481.3": ("dicom-rtstruct", "Radiotherapy structure set"),
    "481.4": ("dicom-rtrecord", "Radiotherapy treatment record"),
    "481.5": ("dicom-rtplan", "Radiotherapy plan"),
    "481.6": ("dicom-rtrecord", "Radiotherapy treatment record"),
    "481.7": ("dicom-rtrecord", "Radiotherapy treatment summary"),
    "481.8": ("dicom-rtplan", "Radiotherapy ion plan"),
    "481.9": ("dicom-rtrecord", "Radiotherapy ion treatment record"),
    "481": ("dicom-rt", "Radiotherapy object"),
}
_RT_IMAGES = frozenset(f"{STORAGE}481.{number}" for number in (1, 2, 23, 24))
_BY_MODALITY = {
    "SEG": "66.4",
    "RTSTRUCT": "481.3",
    "RTPLAN": "481.5",
    "RTRECORD": "481.4",
    "SR": "88",
    "KO": "88.59",
    "PR": "11",
    "REG": "66.1",
    "ECG": "9",
}


def document_kind(header: Header) -> tuple[str, str] | None:
    """A short name and a title for what is no image; None for images."""
    sop_class = header.sop_class
    if sop_class in _RT_IMAGES:
        return None
    end = sop_class.removeprefix(STORAGE) if sop_class.startswith(STORAGE) else ""
    if not end:
        end = _BY_MODALITY.get(header.text("Modality") or "", "")
    while end:
        if end in _DOCUMENTS:
            return _DOCUMENTS[end]
        end = end.rpartition(".")[0]
    if header.pixels is not None or is_image_class(sop_class) or "Rows" in header or not sop_class:
        return None
    return "dicom-other", "DICOM object without pixels"


def is_image_class(sop_class: str) -> bool:
    """Whether the standard says that objects of this class have pixels."""
    return "Image Storage" in UID(sop_class, validation_mode=config.IGNORE).name


def is_slide(header: Header) -> bool:
    """Whether this is one level of a whole-slide image, to be read tile by tile and not whole."""
    return header.sop_class in _SLIDES


def read_facts(header: Header) -> Facts:
    """Modality, part of the body, side, objective, stains, maker: in standard codes where there are some."""
    modality = (header.text("Modality") or "").upper()
    return Facts(
        modality=modality if modality in MODALITIES else None,
        body_part=_body_part(header),
        laterality=_laterality(header),
        magnification=_magnification(header),
        stain=_stains(header),
        **device_facts(header.text("Manufacturer"), header.text("ManufacturerModelName")),
        inverted=(header.text("PhotometricInterpretation") or "").upper() == "MONOCHROME1",
    )


def _anatomies(header: Header) -> list[Item]:
    groups = [header.item("SharedFunctionalGroupsSequence"), header.item("PerFrameFunctionalGroupsSequence")]
    return [
        frame for group in groups if group is not None and (frame := group.item("FrameAnatomySequence")) is not None
    ]


def _body_part(header: Header) -> Code | None:
    specimens = header.items("SpecimenDescriptionSequence")
    for item in (header, *_anatomies(header), *specimens):
        for sequence in ("AnatomicRegionSequence", "PrimaryAnatomicStructureSequence"):
            region = item.item(sequence)
            if region is not None:
                code = find_body_part(region.text("CodeValue"), region.text("CodeMeaning"))
                if code is not None:
                    return code
    return find_body_part(header.text("BodyPartExamined"))


_SIDES: dict[str | None, Laterality] = {"R": "R", "L": "L", "B": "B", "U": "U"}


def _laterality(header: Header) -> Laterality | None:
    frames = (item.text("FrameLaterality") for item in _anatomies(header))
    for found in (header.text("ImageLaterality"), *frames, header.text("Laterality")):
        if found in _SIDES:
            return _SIDES[found]
    return None


def _magnification(header: Header) -> float | None:
    """Of the first optical path that says it."""
    powers = (path.number("ObjectiveLensPower") for path in header.items("OpticalPathSequence"))
    return next((power for power in powers if power is not None and 0 < power <= MOST_POWER), None)


def _stains(header: Header) -> tuple[Code, ...]:
    """Whatever of CID 8112 was used on the specimens, in the order of the steps of their preparation."""
    found = [
        find_stain(used.text("CodeValue"), used.text("CodeMeaning"))
        for specimen in header.items("SpecimenDescriptionSequence")
        for step in specimen.items("SpecimenPreparationSequence")
        for content in step.items("SpecimenPreparationStepContentItemSequence")
        for used in content.items("ConceptCodeSequence")
    ]
    return tuple(dict.fromkeys(code for code in found if code is not None))
