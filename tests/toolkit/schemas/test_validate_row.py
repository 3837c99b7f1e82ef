import json

import pytest

from medtheca.toolkit.schemas import DERMATOLOGY, merge_row, public_metadata, row_of_values, validate_row

NEVUS = "Benign:Benign melanocytic proliferations:Nevus"


def read(**cells):
    return validate_row(cells, pack=DERMATOLOGY)


def codes(result):
    return {(problem.field, problem.code) for problem in result.problems}


def accepted(**cells):
    result = read(**cells)
    assert result.problems == []
    return result.values


def test_every_problem_of_a_row_is_reported_at_once():
    result = read(
        age="-1", sex="mal", diagnosis="nevis", anatom_site="Scalpp", melanocytic="si", mel_thick_mm="1.234",
        fitzpatrick_skin_type="iv", dermoscopic_type="contact polarized", concomitant_biopsy="true",
    )  # fmt: skip
    assert codes(result) == {
        ("age", "below_minimum"),
        ("sex", "unknown_value"),
        ("diagnosis", "unknown_value"),
        ("anatom_site", "unknown_value"),
        ("melanocytic", "not_boolean"),
        ("mel_thick_mm", "too_many_decimals"),
        ("fitzpatrick_skin_type", "unknown_value"),
        ("dermoscopic_type", "missing_field"),
        ("concomitant_biopsy", "missing_field"),
    }
    assert all(problem.remedy for problem in result.problems)


def test_what_could_be_read_is_there_beside_the_problems():
    assert read(age="53", sex="mal").values == {"age": 53, "age_approx": 55}


@pytest.mark.parametrize(
    ("cell", "age", "shown"),
    [("0", 0, 0), ("2", 2, 0), ("3", 3, 5), ("53", 53, 55), ("84.0", 84, 85), ("85+", 85, 85), (" 7 ", 7, 5)],
)
def test_age_is_kept_exactly_and_shown_in_fives(cell, age, shown):
    assert accepted(age=cell) == {"age": age, "age_approx": shown}


def test_an_age_above_85_is_stored_as_85_and_said():
    result = read(age="101")
    assert result.values["age"] == 85
    assert [note.message for note in result.notes] == ["age 101 is stored as 85."]


@pytest.mark.parametrize("cell", ["5.5", "five", "5.", "1e1", "٣", "9" * 5000, "86+", "0x5"])
def test_what_is_no_whole_number_is_no_age(cell):
    result = read(age=cell)
    assert codes(result) == {("age", "not_integer")}
    assert len(result.problems[0].message) < 150


def test_an_offset_in_days_cannot_be_a_date():
    assert accepted(acquisition_day="-14") == {"acquisition_day": -14}
    assert codes(read(acquisition_day="20170301")) == {("acquisition_day", "above_maximum")}
    # What a spreadsheet program makes of 1 January 2000.
    assert codes(read(acquisition_day="36526")) == {("acquisition_day", "above_maximum")}


@pytest.mark.parametrize(
    ("cell", "stored"),
    [("5", "5.00"), ("0.50", "0.50"), ("2cm", "20.00"), ("200um", "0.20"), ("5 MM", "5.00"), (".5", "0.50"),
     ("1e2", "100.00"), ("-0", "0.00"), ("999.99", "999.99"), ("5.550", "5.55"), ("0e10", "0.00")],
)  # fmt: skip
def test_a_size_is_stored_in_millimetres_with_two_places(cell, stored):
    assert accepted(clin_size_long_diam_mm=cell) == {"clin_size_long_diam_mm": stored}


def test_a_size_with_a_unit_is_rounded_and_said():
    result = read(clin_size_long_diam_mm="5.25mm")
    assert result.values == {"clin_size_long_diam_mm": "5.20"}
    assert result.notes[0].message == "clin_size_long_diam_mm '5.25mm' is rounded to 5.2 mm."
    assert read(clin_size_long_diam_mm="5.2mm").notes == []


@pytest.mark.parametrize(
    ("cell", "code"),
    [("-1", "below_minimum"), ("1000", "above_maximum"), ("1e100", "above_maximum"), ("nan", "not_number"),
     ("sNaN", "not_number"), ("inf", "not_number"), ("1,5", "not_number"), ("mm", "not_number"),
     ("5 inch", "not_number"), ("0.001", "too_many_decimals"), ("1" * 5000, "not_number"),
     ("nanmm", "not_number"), ("1e400mm", "not_number"), ("-2mm", "below_minimum")],
)  # fmt: skip
def test_what_is_no_size_is_refused_with_its_reason(cell, code):
    assert codes(read(clin_size_long_diam_mm=cell)) == {("clin_size_long_diam_mm", code)}


@pytest.mark.parametrize("cell", ["1", "on", "T", "true", "Y", "YES"])
def test_words_for_true(cell):
    assert accepted(melanocytic=cell) == {"melanocytic": True}


@pytest.mark.parametrize("cell", ["0", "off", "F", "FALSE", "n", "no"])
def test_words_for_false(cell):
    assert accepted(melanocytic=cell) == {"melanocytic": False}


@pytest.mark.parametrize("cell", ["2", "-1", "1.0", "0.0", "ja", "si", "x", "tr", "none"])
def test_other_words_are_neither(cell):
    assert codes(read(melanocytic=cell)) == {("melanocytic", "not_boolean")}


@pytest.mark.parametrize("cell", ["Nevus", NEVUS, f" {NEVUS} "])
def test_a_diagnosis_may_be_a_term_or_its_path(cell):
    assert accepted(diagnosis=cell) == {
        "diagnosis_1": "Benign",
        "diagnosis_2": "Benign melanocytic proliferations",
        "diagnosis_3": "Nevus",
    }


def test_an_unknown_term_is_answered_with_near_ones():
    (problem,) = read(diagnosis="nevus").problems
    assert problem.message == "Unknown diagnosis 'nevus'. Did you mean 'Nevus', 'Blue nevus' or 'Nevus, Reed'?"
    (problem,) = read(sex="femal").problems
    assert problem.message == "Unknown sex 'femal'. Did you mean 'female' or 'male'?"
    assert problem.remedy == "Use one of: male, female."


def test_a_huge_unknown_value_is_cut_short_in_the_message():
    (problem,) = read(diagnosis="x" * 9000).problems
    assert len(problem.message) < 150


def test_levels_are_joined_and_give_way_to_the_single_column():
    levels = {"anatom_site_1": "Trunk", "anatom_site_2": "Lateral trunk", "anatom_site_3": ""}
    assert accepted(**levels) == {"anatom_site_1": "Trunk", "anatom_site_2": "Lateral trunk"}
    assert accepted(**levels, anatom_site="Scalp")["anatom_site_1"] == "Head and neck"
    gap = read(anatom_site_1="Trunk", anatom_site_3="Axilla")
    assert codes(gap) == {("anatom_site", "unknown_value")}


def test_unknown_columns_are_unstructured_and_reserved_ones_are_nothing():
    result = read(filename="a.jpg", isic_id="ISIC_0000000", hairy=" yes ", blurry="", anatom_site_general="torso")
    assert result.values == {}
    assert result.unstructured == {"hairy": " yes ", "anatom_site_general": "torso"}


@pytest.mark.parametrize("name", ["mel_mitotic_index", "mel_thick_mm", "mel_ulcer"])
def test_melanoma_fields_need_a_melanoma_even_when_they_say_no(name):
    cell = {"mel_mitotic_index": "0/mm^2", "mel_thick_mm": "0", "mel_ulcer": "false"}[name]
    assert codes(read(**{name: cell})) == {(name, "missing_field")}
    assert codes(read(**{name: cell}, diagnosis="Nevus")) == {(name, "incompatible_fields")}
    for melanoma in ("Melanoma, NOS", "Collision - At least one malignant proliferation"):
        assert name in accepted(**{name: cell}, diagnosis=melanoma)


def test_a_field_that_needs_an_unreadable_one_is_not_blamed():
    assert codes(read(mel_ulcer="true", diagnosis="melanom")) == {("diagnosis", "unknown_value")}


@pytest.mark.parametrize(
    ("name", "cell", "good", "bad"),
    [
        ("rcm_case_id", "7", "RCM: mosaic", "dermoscopic"),
        ("dermoscopic_type", "contact polarized", "dermoscopic", "clinical: overview"),
        ("tbp_tile_type", "2D", "TBP tile: overview", "RCM: tile"),
    ],
)
def test_fields_of_one_image_type_need_it(name, cell, good, bad):
    assert codes(read(**{name: cell})) == {(name, "missing_field")}
    result = read(**{name: cell}, image_type=bad)
    assert codes(result) == {(name, "incompatible_fields")}
    assert result.problems[0].related == ("image_type",)
    assert bad in result.problems[0].message
    assert accepted(**{name: cell}, image_type=good) == {name: cell, "image_type": good}


def test_a_biopsy_needs_histopathology_only_when_there_was_one():
    assert codes(read(concomitant_biopsy="yes")) == {("concomitant_biopsy", "missing_field")}
    other = read(concomitant_biopsy="yes", diagnosis_confirm_type="serial imaging showing no change")
    assert codes(other) == {("concomitant_biopsy", "incompatible_fields")}
    assert accepted(concomitant_biopsy="no") == {"concomitant_biopsy": False}
    accepted(concomitant_biopsy="yes", diagnosis_confirm_type="Histopathology")


def test_no_cell_may_be_the_word_that_will_erase():
    assert codes(read(patient_id="[clear]", note="[clear]")) == {
        ("patient_id", "reserved_word"),
        ("note", "reserved_word"),
    }


@pytest.mark.parametrize("cell", ["a\x00b", "a\x1bb", "a\ud800b"])
def test_damaged_characters_are_refused_everywhere(cell):
    assert codes(read(patient_id=cell, note=cell)) == {
        ("patient_id", "bad_character"),
        ("note", "bad_character"),
    }


def test_identifiers_have_a_limit():
    assert accepted(patient_id="x" * 255) == {"patient_id": "x" * 255}
    assert codes(read(patient_id="x" * 256)) == {("patient_id", "too_long")}


def test_stored_values_become_the_row_that_gives_them_again():
    values = validate_row(DERMATOLOGY.example, pack=DERMATOLOGY).values
    stored = json.loads(json.dumps(values))
    assert validate_row(row_of_values(stored, pack=DERMATOLOGY), pack=DERMATOLOGY).values == values


def test_a_new_row_lies_over_stored_values():
    stored = accepted(diagnosis="Nevus", age="40", melanocytic="true")
    merged = merge_row(stored, {"age": "", "diagnosis_1": "Malignant"}, pack=DERMATOLOGY)
    assert merged == {"age": "40", "melanocytic": "true", "diagnosis": "Malignant"}


def test_public_metadata_has_the_published_shape_and_no_private_value():
    values = accepted(
        age="53", sex="male", anatom_site="Trunk", diagnosis="Melanoma, NOS", mel_thick_mm="0.5",
        image_type="RCM: tile", rcm_case_id="R-1", patient_id="John-1", lesion_id="mole", melanocytic="true",
    )  # fmt: skip
    shape = public_metadata(
        values,
        pack=DERMATOLOGY,
        pixels_x=1024,
        pixels_y=768,
        public_ids={"patient_id": "IP_1234567", "lesion_id": "IL_7654321"},
    )
    assert shape == {
        "acquisition": {"pixels_x": 1024, "pixels_y": 768, "image_type": "RCM: tile"},
        "clinical": {
            "age_approx": 55,
            "sex": "male",
            "anatom_site_1": "Trunk",
            "diagnosis_1": "Malignant",
            "diagnosis_2": "Malignant melanocytic proliferations (Melanoma)",
            "diagnosis_3": "Melanoma, NOS",
            "melanocytic": True,
            "mel_thick_mm": "0.50",
            "patient_id": "IP_1234567",
            "lesion_id": "IL_7654321",
        },
    }
    text = json.dumps(shape)
    assert not any(private in text for private in ("53", "R-1", "John-1", "mole"))


def test_public_metadata_takes_no_stranger_among_the_ids():
    with pytest.raises(ValueError, match="Not an identifier of dermatology: age"):
        public_metadata({}, pack=DERMATOLOGY, public_ids={"age": "53"})
