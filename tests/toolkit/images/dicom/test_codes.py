"""Facts in the standard's codes, objects that are no images, and suspicions of text in the pixels."""

import re

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes as dictionary
from pydicom.uid import UID_dictionary

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.dicom.burned_in import needs_review_for_text
from medtheca.toolkit.images.dicom.codes import BODY_PARTS, MODALITIES, document_kind, is_slide, read_facts
from medtheca.toolkit.images.dicom.headers import read_header
from medtheca.toolkit.images.readers.dicom import DicomReader
from medtheca.toolkit.images.terms import MODALITIES as MEANINGS
from medtheca.toolkit.images.terms import STAINS
from tests.generators import dicoms as make

MEMORY = 50_000_000


def header(**attributes):
    pixels = make.phantom()
    return read_header(make.dicom(pixels, **attributes), memory=MEMORY)[0]


def bodiless(**attributes):
    return read_header(make.write(make.dataset(**attributes)), memory=MEMORY)[0]


def test_codes_of_body_parts_are_those_of_the_standard():
    known = {}
    for keyword in dictionary.CID4.dir():
        code = getattr(dictionary.CID4, keyword)
        known[code.value] = code.meaning
    for term, code in BODY_PARTS.items():
        assert code.scheme == "SCT", term
        assert code.value in known, term
        words, ours = (set(re.findall(r"[a-z]+", text.lower())) for text in (known[code.value], code.meaning))
        # Hollow organs are called after the way in there: Endo-renal is the kidney.
        assert ours & words or "endo" in words, term


def test_modalities_hold_every_acquisition_modality_of_the_standard():
    ours = {getattr(dictionary.CID29, keyword).value for keyword in dictionary.CID29.dir()}
    assert ours <= MODALITIES


@pytest.mark.parametrize(
    ("attributes", "value"),
    [
        ({"BodyPartExamined": "CHEST"}, "816094009"),
        ({"BodyPartExamined": "Whole body"}, "38266002"),
        ({"BodyPartExamined": "L-SPINE"}, "122496007"),
        ({"BodyPartExamined": "Mary Canary"}, None),
        ({}, None),
    ],
)
def test_body_part(attributes, value):
    part = read_facts(header(**attributes)).body_part
    assert (part and part.value) == value


def test_coded_region_goes_before_the_word_and_its_meaning_is_ours():
    region = make.item(CodeValue="10200004", CodingSchemeDesignator="SCT", CodeMeaning="Mary Canary's liver")
    part = read_facts(header(BodyPartExamined="HEAD", AnatomicRegionSequence=[region])).body_part
    assert (part.value, part.meaning) == ("10200004", "Liver")
    old = make.item(CodeValue="T-04000", CodingSchemeDesignator="SRT", CodeMeaning="Breast")
    assert read_facts(header(AnatomicRegionSequence=[old])).body_part.value == "76752008"


@pytest.mark.parametrize(
    ("attributes", "side"),
    [({"ImageLaterality": "L"}, "L"), ({"Laterality": "R"}, "R"), ({"Laterality": "X"}, None), ({}, None)],
)
def test_laterality(attributes, side):
    assert read_facts(header(**attributes)).laterality == side


def test_stains_are_those_of_the_standard():
    known = {
        code.value: code.meaning
        for keyword in dictionary.CID8112.dir()
        if (code := getattr(dictionary.CID8112, keyword))
    }
    assert {value: code.meaning for value, code in STAINS.items()} == known
    assert {code.scheme for code in STAINS.values()} == {"SCT"}


def test_modalities_have_the_meanings_of_the_standard():
    for keyword in dictionary.CID33.dir():
        code = getattr(dictionary.CID33, keyword)
        assert MEANINGS[code.value] == code.meaning


def coded(value, meaning):
    return [items(CodeValue=value, CodingSchemeDesignator="SCT", CodeMeaning=meaning)]


def items(**attributes):
    made = Dataset()
    for keyword, value in attributes.items():
        make.put(made, keyword, value)
    return made


def test_stains_and_objective_of_a_specimen():
    used = [
        items(ConceptCodeSequence=coded("127790008", "Staining")),
        items(ConceptCodeSequence=coded("12710003", "Mary Canary")),
        items(ConceptCodeSequence=coded("C-22919", "Water soluble eosin stain")),
        items(ConceptCodeSequence=coded("12710003", "Hematoxylin stain")),
    ]
    specimen = items(
        SpecimenPreparationSequence=[items(SpecimenPreparationStepContentItemSequence=used)],
        PrimaryAnatomicStructureSequence=coded("12738006", "Mary Canary"),
    )
    paths = [items(OpticalPathIdentifier="1"), items(ObjectiveLensPower="40")]
    facts = read_facts(header(SpecimenDescriptionSequence=[specimen], OpticalPathSequence=paths))
    assert [code.meaning for code in facts.stain] == ["hematoxylin stain", "water soluble eosin stain"]
    assert (facts.magnification, facts.body_part.meaning) == (40.0, "Brain")
    assert "Canary" not in str(facts)


@pytest.mark.parametrize("power", ["0", "-20", "1e9"])
def test_an_objective_that_cannot_be_is_left_out(power):
    assert read_facts(header(OpticalPathSequence=[items(ObjectiveLensPower=power)])).magnification is None


def test_laterality_of_frames():
    groups = [
        make.group(FrameAnatomySequence={"FrameLaterality": "B"}),
        make.group(FrameContentSequence={"StackID": "1"}),
    ]
    data = make.enhanced(make.phantom((2, 5, 6)), groups)
    assert read_facts(read_header(data, memory=MEMORY)[0]).laterality == "B"


def test_maker_and_modality():
    facts = read_facts(header(Manufacturer="SIEMENS ", ManufacturerModelName="Skyra\x07_fit", Modality="MR"))
    assert (facts.manufacturer, facts.model, facts.modality) == ("SIEMENS", "Skyra_fit", "MR")
    unknown = read_facts(header(Manufacturer="SIEMENS Mary Canary", ManufacturerModelName="Skyra 66075"))
    assert (unknown.manufacturer, unknown.model) == (None, None)
    assert unknown.stated == ("SIEMENS Mary Canary", "Skyra 66075")
    assert read_facts(header(Modality="CANARY")).modality is None


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        ("66.4", "dicom-seg"),
        ("66.1", "dicom-registration"),
        ("66", "dicom-raw"),
        ("481.3", "dicom-rtstruct"),
        ("481.5", "dicom-rtplan"),
        ("88.22", "dicom-sr"),
        ("88.59", "dicom-key-objects"),
        ("104.1", "dicom-pdf"),
        ("104.2", "dicom-cda"),
        ("104.3", "dicom-stl"),
        ("11.1", "dicom-presentation-state"),
        ("9.1.1", "dicom-waveform"),
        ("4.2", "dicom-spectroscopy"),
    ],
)
def test_documents_are_told_by_their_class(tmp_path, end, kind):
    made = make.dataset(SOPClassUID=make.STORAGE + end, Modality="OT")
    document = DicomReader().read(make.keep(tmp_path, make.write(made)), memory=MEMORY)
    assert document.kind == kind
    assert document.title


def test_every_image_class_of_the_standard_is_an_image():
    odd = {"66.7"}
    for uid, entry in UID_dictionary.items():
        if entry[1] == "SOP Class" and "Image Storage" in entry[0] and uid.startswith(make.STORAGE):
            found = header(SOPClassUID=uid)
            assert document_kind(found) is None or uid.removeprefix(make.STORAGE) in odd, entry[0]


def test_dose_is_no_document():
    assert document_kind(header(SOPClassUID=make.STORAGE + "481.2")) is None


def test_slides_are_left_to_others(tmp_path):
    data = make.dicom(make.phantom(), SOPClassUID=make.STORAGE + "77.1.6", Modality="SM")
    assert is_slide(read_header(data, memory=MEMORY)[0])
    with pytest.raises(Refused) as refused:
        DicomReader().read(make.keep(tmp_path, data), memory=MEMORY)
    assert refused.value.code == "unsupported_variant"


def test_dicomdir_is_never_followed(tmp_path):
    made = make.dataset(
        SOPClassUID="1.2.840.10008.1.3.10", DirectoryRecordSequence=[make.item(ReferencedFileID="../../etc/passwd")]
    )
    with pytest.raises(Refused) as refused:
        DicomReader().read(make.keep(tmp_path, make.write(made)), memory=MEMORY)
    assert refused.value.code == "unsupported_variant"
    assert "passwd" not in str(refused.value)


@pytest.mark.parametrize(
    ("attributes", "suspected"),
    [
        ({"Modality": "CT"}, False),
        ({"Modality": "CT", "BurnedInAnnotation": "YES"}, True),
        ({"Modality": "US"}, True),
        ({"Modality": "US", "BurnedInAnnotation": "NO"}, True),
        ({"Modality": "XA"}, True),
        ({"Modality": "ES"}, True),
        ({"Modality": "RF"}, True),
        ({"Modality": "OT"}, True),
        ({"Modality": "CT", "SOPClassUID": make.SC}, True),
        ({"Modality": "CT", "SOPClassUID": make.STORAGE + "7.4"}, True),
        ({"Modality": "CT", "SOPClassUID": make.STORAGE + "6.1"}, True),
        ({"Modality": "CT", "SOPClassUID": make.STORAGE + "77.1.1"}, True),
        ({"Modality": "CT", "ConversionType": "WSD"}, True),
        ({"Modality": "BMD"}, True),
        ({"Modality": "EC"}, True),
        ({"Modality": "CT", "ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, True),
        ({"Modality": "CT", "ImageType": ["ORIGINAL", "PRIMARY", "OTHER", "CT_SOM5 PROT"]}, True),
        ({"Modality": "CT", "ImageType": ["DERIVED", "SECONDARY", "DOSE_INFO"]}, True),
        ({"Modality": "CT", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"]}, False),
        ({"Modality": "MR", "SOPClassUID": make.MR, "BurnedInAnnotation": "NO"}, False),
    ],
)
def test_text_in_the_pixels_is_suspected(tmp_path, attributes, suspected):
    pixels = make.phantom()
    data = make.dicom(pixels, **attributes)
    found, why = needs_review_for_text(read_header(data, memory=MEMORY)[0])
    assert found == suspected
    assert bool(why) == suspected
    volume = DicomReader().read(make.keep(tmp_path, data), memory=MEMORY)
    assert volume.text_suspected == why
    assert len(why) <= 200
    assert np.array_equal(volume.voxels[0, 0], pixels)


def test_objects_without_pixels_and_class_are_not_taken_for_documents():
    assert document_kind(bodiless(SOPClassUID="1.2.3.4", Modality="OT")) == (
        "dicom-other",
        "DICOM object without pixels",
    )
    assert document_kind(bodiless(SOPClassUID=make.CT)) is None
