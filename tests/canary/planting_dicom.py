"""A DICOM file with an identifier in every attribute that can hold one, at every depth and around the data set."""

import io

import pydicom
from pydicom.datadict import DicomDictionary
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from tests.generators import dicoms as make

TEXTS = frozenset(("PN", "LO", "SH", "ST", "LT", "UT", "UC", "UR", "AE", "CS"))
# By these the file is read, or the pixels.
NEEDED = frozenset(
    [
        "SOPClassUID",
        "SpecificCharacterSet",
        "PhotometricInterpretation",
        "Modality",
        "NumberOfFrames",
        "ImageType",
        "Rows",
        "Columns",
        "PixelRepresentation",
        "PlanarConfiguration",
        "SOPInstanceUID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "PresentationLUTShape",
        "RescaleType",
        "VOILUTFunction",
        "DirectoryRecordSequence",
        "SpecimenLabelInImage",
        "CodingSchemeDesignator",
        "ValueType",
        "URNCodeValue",
        "CodeValue",
        "LongCodeValue",
        "Laterality",
        "ImageLaterality",
        "DimensionOrganizationType",
        "DoseUnits",
    ]
)
# Sequences that the table does not name, so that the walk must go into them.
WAY_DOWN = (
    "SharedFunctionalGroupsSequence",
    "DerivationImageSequence",
    "SourceInstanceSequence",
    "MultienergyCTAcquisitionSequence",
    "CTXRayDetailsSequence",
    "OpticalPathSequence",
)
CHARACTER_SETS = {
    "ISO_IR 100": "Müller^Jörg",
    "ISO_IR 101": "Dvořák^Zdeněk",
    "ISO_IR 109": "Ġużeppi^Ħal",
    "ISO_IR 110": "Jānis^Bērziņš",
    "ISO_IR 144": "Люксембург^Анна",
    "ISO_IR 127": "قباني^لنزار",
    "ISO_IR 126": "Διονυσιος^Ζωή",
    "ISO_IR 138": "שרון^דבורה",
    "ISO_IR 148": "Çavuşoğlu^Şule",
    "ISO_IR 13": "ﾔﾏﾀﾞ^ﾀﾛｳ",
    "ISO_IR 166": "นามสกุล^ชื่อ",
    "ISO 2022 IR 87": "山田^太郎",
    "ISO 2022 IR 149": "김희중^길동",
    "ISO 2022 IR 58": "张^小东",
    "GB18030": "王^小东",
    "GBK": "李^小雨",
    "ISO_IR 192": "Ωmega^王",
}


def fill(dataset, canaries, *, without=frozenset()):
    """Plant in every attribute of the dictionary that holds words, a UID or a date; retired ones too."""
    for tag, (vr, _, _, _, keyword) in DicomDictionary.items():
        group = tag >> 16
        if not keyword or keyword in NEEDED | without or group < 8 or group in {0x7FE0, 0xFFFE} or tag & 0xFFFF == 0:
            continue
        if group >> 8 in {0x50, 0x60}:
            continue
        value = value_for(vr, canaries)
        if value is not None:
            dataset.add(DataElement(tag, vr, value, already_converted=vr in {"CS", "AE", "DT", "DA"}))
    return dataset


def fill_file(path, canaries):
    """Plant words and names in a file that is there, beside what it is read by; and a block of a maker."""
    made = pydicom.dcmread(path)
    for tag, (vr, _, _, _, keyword) in DicomDictionary.items():
        words = vr in {"PN", "LO", "SH", "ST", "LT", "UT"} and 0x0008 <= tag >> 16 < 0x0028
        if words and keyword not in NEEDED:
            made.add(DataElement(tag, vr, value_for(vr, canaries)))
    private(made, canaries, 0x0009)
    made.save_as(path)


def value_for(vr, canaries):
    if vr == "PN":
        return canaries.name()
    if vr in TEXTS:
        return canaries.word()
    if vr == "UI":
        return canaries.uid()
    if vr == "DA":
        return f"{canaries.date():%Y%m%d}"
    if vr == "DT":
        return f"{canaries.date():%Y%m%d}112233"
    return canaries.word().encode() + b"\0" if vr in {"OB", "UN"} else None


def private(dataset, canaries, group):
    """A block of a maker, with words of all kinds, and a sequence in it."""
    creator = canaries.word()
    dataset.add_new(Tag(group, 0x0010), "LO", creator)
    for number, vr in enumerate(("LO", "PN", "LT", "UT", "SH", "UI", "DA")):
        value = canaries.uid() if vr == "UI" else f"{canaries.date():%Y%m%d}" if vr == "DA" else canaries.word()
        dataset.add_new(Tag(group, 0x1000 + number), vr, value)
    dataset.add_new(Tag(group, 0x1020), "UN", canaries.word().encode() + b" ")
    inner = Dataset()
    inner.PatientName, inner.StudyDescription = canaries.name(), canaries.word()
    inner.add_new(Tag(group, 0x0010), "LO", creator)
    inner.add_new(Tag(group, 0x1001), "LO", canaries.word())
    dataset.add_new(Tag(group, 0x1021), "SQ", Sequence([inner]))


def overlays_and_curves(dataset, canaries):
    for group in (0x6000, 0x6002, 0x601E):
        dataset.add_new(Tag(group, 0x0022), "LO", canaries.word())
        dataset.add_new(Tag(group, 0x1500), "LO", canaries.word())
        dataset.add_new(Tag(group, 0x3000), "OW", canaries.word().encode() + b"\0")
        dataset.add_new(Tag(group, 0x4000), "LT", canaries.word())
    for group in (0x5000, 0x501E):
        dataset.add_new(Tag(group, 0x0022), "LO", canaries.word())
        dataset.add_new(Tag(group, 0x3000), "OW", canaries.word().encode() + b"\0")


def codes(canaries):
    """Items of code sequences: words beside a known code, and a code of a site's own."""
    return [
        make.item(CodeValue="69536005", CodingSchemeDesignator="SCT", CodeMeaning=canaries.word()),
        make.item(CodeValue=canaries.word(), CodingSchemeDesignator="99SITE", CodeMeaning=canaries.word()),
        make.item(CodeValue=canaries.word(), CodingSchemeDesignator="SCT", CodeMeaning=canaries.word()),
    ]


def slice_(canaries, pixels, *, syntax=make.EXPLICIT, without=frozenset(), depth=6, **attributes):
    """A CT slice full of identifiers: the file's bytes."""
    made = make.dataset(pixels, PatientName=None, PatientID=None, **attributes)
    # Of these, the explanations go with the picture; fill names them.
    made.WindowCenter, made.WindowWidth = 40, 400
    fill(made, canaries, without=without)
    level = made
    for keyword in WAY_DOWN[:depth]:
        item = fill(Dataset(), canaries, without=without)
        item.AnatomicRegionSequence = codes(canaries)
        private(item, canaries, 0x0029)
        setattr(level, keyword, [item])
        level = item
    for group in (0x0009, 0x0019, 0x0029, 0x7FE1):
        private(made, canaries, group)
    overlays_and_curves(made, canaries)
    data = write(made, canaries, pixels, syntax)
    trailing = make.element(0xFFFC, 0xFFFC, b"OB", canaries.word().encode() + b"\0") if syntax == make.EXPLICIT else b""
    return data + trailing


def write(made, canaries, pixels, syntax):
    """Preamble and file meta with identifiers too; group 7FE1 stands behind the pixels."""
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = True, False
    preamble = (canaries.word().encode() + canaries.word().encode("utf-16-le")).ljust(128, b"\0")
    out.write(preamble + b"DICM")
    meta = pydicom.dataset.FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = made.SOPClassUID, canaries.uid()
    meta.TransferSyntaxUID, meta.ImplementationClassUID = syntax, canaries.uid()
    meta.ImplementationVersionName = canaries.word()
    for keyword in ("SourceApplicationEntityTitle", "SendingApplicationEntityTitle", "ReceivingApplicationEntityTitle"):
        setattr(meta, keyword, canaries.word())
    meta.PrivateInformationCreatorUID = canaries.uid()
    meta.PrivateInformation = canaries.word().encode() + b"\0"
    write_file_meta_info(out, meta, enforce_standard=True)
    out.is_implicit_VR, out.is_little_endian = syntax == make.IMPLICIT, syntax != make.BIG
    made.PixelData = pixels.astype(pixels.dtype.newbyteorder(">" if syntax == make.BIG else "<")).tobytes()
    made["PixelData"].VR = "OW"
    write_dataset(out, made)
    return out.getvalue()


def report(canaries):
    """A structured report whose content items of every kind hold words."""
    concept = [make.item(CodeValue="121071", CodingSchemeDesignator="DCM", CodeMeaning=canaries.word())]

    def item(kind, **attributes):
        made = make.item(RelationshipType="CONTAINS", ValueType=kind, ConceptNameCodeSequence=concept, **attributes)
        made.ObservationDateTime = f"{canaries.date():%Y%m%d}101010"
        return made

    made = make.dataset(
        SOPClassUID=make.STORAGE + "88.33", Modality="SR", PatientName=canaries.name(), ValueType="CONTAINER"
    )
    made.ContentSequence = [
        *(item("TEXT", TextValue=canaries.word()) for _ in range(40)),
        *(item("PNAME", PersonName=canaries.name()) for _ in range(10)),
        *(item("UIDREF", UID=canaries.uid()) for _ in range(10)),
        *(item("DATE", Date=f"{canaries.date():%Y%m%d}") for _ in range(10)),
        *(item("CODE", ConceptCodeSequence=codes(canaries)) for _ in range(10)),
        item(
            "CONTAINER",
            ContentSequence=[item("TEXT", TextValue=canaries.word()), item("PNAME", PersonName=canaries.name())],
        ),
    ]
    made.VerifyingObserverSequence = [
        make.item(VerifyingObserverName=canaries.name(), VerifyingOrganization=canaries.word())
    ]
    return make.write(made)


def name_in(character_set, canaries, pixels):
    """A slice whose names are in a script, with a word that is the same in all: the file, and the bytes of the name."""
    name = CHARACTER_SETS[character_set]
    several = ["", character_set] if character_set.startswith("ISO 2022") else character_set
    inner = make.item(PatientName=f"{canaries.word()}={name}", OperatorsName=name)
    data = make.dicom(
        pixels,
        SpecificCharacterSet=several,
        PatientName=f"{canaries.word()}={name}={name}",
        ReferringPhysicianName=name,
        PatientComments=name,
        StudyDescription=name,
        DerivationImageSequence=[inner],
    )
    read = pydicom.dcmread(io.BytesIO(data))
    coded = {bytes(part) for part in read.get_item("ReferringPhysicianName").value.split(b"^")}
    return data, {part for part in coded if len(part) > 3}
