"""The table of PS3.15 as data: its counts, so that nothing falls out of it, and the choices it leaves."""

from collections import Counter

import pytest
from pydicom.datadict import dictionary_has_tag, dictionary_keyword

from medtheca.toolkit.confidentiality.profile import EDITION, Profile
from medtheca.toolkit.confidentiality.table import ACTIONS, COLUMNS, TABLE, action_of, look_up, resolve
from medtheca.toolkit.images.dicom.codes import STORAGE

CT, ENHANCED_CT, SR = STORAGE + "2", STORAGE + "2.1", STORAGE + "88.33"


def test_the_edition_has_so_many_rows_of_each_action():
    assert EDITION == "DICOM PS3.15 2026c"
    assert len(TABLE) == 656
    assert Counter(row.basic for row in TABLE.values()) == {
        "X": 416, "D": 93, "U": 55, "Z": 42, "X/D": 23, "X/Z": 11, "X/Z/D": 8, "Z/D": 6, "X/Z/U*": 2,
    }  # fmt: skip


def test_each_option_has_so_many_rows():
    counts = {column: Counter(row.options.get(column, "") for row in TABLE.values()) for column in COLUMNS}
    assert {column: (count["K"], count["C"]) for column, count in counts.items()} == {
        "uids": (60, 0), "device": (48, 11), "institution": (10, 0), "patient": (14, 5), "full_dates": (169, 0),
        "modified_dates": (0, 169), "descriptors": (0, 139), "structured": (0, 4), "graphics": (0, 4),
    }  # fmt: skip


def test_rows_are_well_formed_and_named_as_the_dictionary_names_them():
    patterns = [tag for tag in TABLE if "x" in tag or tag == "private"]
    assert patterns == ["50xxxxxx", "60xx3000", "60xx4000", "private"]
    for tag, row in TABLE.items():
        assert row.basic in ACTIONS
        assert set(row.options.values()) <= {"K", "C"}
        if tag not in patterns and dictionary_has_tag(int(tag, 16)):
            assert row.keyword == dictionary_keyword(int(tag, 16))


@pytest.mark.parametrize(
    ("keyword", "basic"),
    [("PatientName", "Z"), ("PatientBirthDate", "Z"), ("PatientID", "Z/D"), ("StudyInstanceUID", "U"),
     ("StudyDate", "Z"), ("InstitutionName", "X/Z/D"), ("ContentSequence", "D"),
     ("SourceImageSequence", "X/Z/U*"), ("PatientAge", "X")],
)  # fmt: skip
def test_well_known_rows(keyword, basic):
    found = [row.basic for row in TABLE.values() if row.keyword == keyword]
    assert found == [basic]


@pytest.mark.parametrize("action", sorted(ACTIONS))
@pytest.mark.parametrize("kind", [1, 2, 3])
def test_every_choice_is_decided(action, kind):
    assert resolve(action, kind) in {"X", "Z", "D", "U", "K", "C"}


def decide(tag, sop_class, *, nested=False, **options):
    return action_of(tag, look_up(tag), Profile(**options).columns, sop_class=sop_class, nested=nested)


def test_a_choice_goes_by_the_type_in_the_object():
    content_date, serial, patient_id = 0x00080023, 0x00181000, 0x00100020
    assert decide(content_date, CT) == "Z"  # type 2C
    assert decide(content_date, ENHANCED_CT) == "D"  # type 1
    assert decide(serial, CT) == "X"  # type 3
    assert decide(serial, ENHANCED_CT) == "D"  # type 1
    assert decide(patient_id, SR) == "Z"


def test_a_choice_in_an_unknown_object_is_the_strictest():
    assert decide(0x00080023, "1.2.3") == "Z"
    assert decide(0x00181000, "1.2.3") == "X"
    assert decide(0x00082112, "1.2.3") == "X"


def test_an_option_stands_before_the_profile():
    assert decide(0x00080020, CT, retain_longitudinal=True) == "C"
    assert decide(0x00081030, CT, clean_descriptors=True) == "C"
    assert decide(0x00081030, CT) == "X"
    assert decide(0x0040A730, SR, clean_structured=True) == "C"
    assert decide(0x0040A730, SR) == "D"
