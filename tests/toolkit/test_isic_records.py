"""What another archive says of an image is taken as it is, or refused with a reason, and never guessed."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.isic_records import cells_of, differences, read_image, uses_of_columns
from medtheca.toolkit.schemas import DERMATOLOGY, RowReader, plan_columns, validate_row


def told(**changed):
    """An image as the ISIC Archive's API tells of it."""
    return {
        "isic_id": "ISIC_0000042",
        "public": True,
        "copyright_license": "CC-BY-NC",
        "attribution": "Hospital Clínic",
        "files": {"full": {"url": "https://content.example.org/x.jpg?Expires=1", "size": 12345}},
        "metadata": {
            "acquisition": {"pixels_x": 1024, "pixels_y": 768, "image_type": "dermoscopic"},
            "clinical": {"age_approx": 55, "sex": "male", "diagnosis_1": "Benign", "mel_thick_mm": None},
        },
        **changed,
    }


def test_an_image_is_read():
    image = read_image(told())
    assert (image.isic_id, image.licence, image.attribution) == ("ISIC_0000042", "CC-BY-NC-4.0", "Hospital Clínic")
    assert (image.size, image.sha256, image.is_public) == (12345, "", True)
    assert "Expires" not in str(image.said)
    assert "pixels_x" not in str(image.said)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"isic_id": None}, "odd_record"),
        ({"isic_id": "../../etc/passwd"}, "odd_record"),
        ({"isic_id": "a" * 65}, "odd_record"),
        ({"copyright_license": "GPL"}, "unknown_licence"),
        ({"copyright_license": None}, "unknown_licence"),
        ({"copyright_license": ["CC-0"]}, "unknown_licence"),
        ({"attribution": ""}, "no_attribution"),
        ({"attribution": None}, "no_attribution"),
        ({"attribution": "a\x00b"}, "no_attribution"),
        ({"attribution": "a" * 201}, "long_attribution"),
        ({"files": {}}, "no_file"),
        ({"files": []}, "odd_record"),
        ({"files": {"full": {"url": "u", "size": -1}}}, "odd_record"),
        ({"files": {"full": {"url": "u", "size": True}}}, "odd_record"),
        ({"files": {"full": {"url": "u", "sha256": "x"}}}, "odd_record"),
        ({"metadata": "much"}, "odd_record"),
        ({"metadata": {"clinical": [1]}}, "odd_record"),
    ],
)
def test_what_cannot_be_taken_over_is_refused(changed, code):
    with pytest.raises(Refused) as refusal:
        read_image(told(**changed))
    assert refusal.value.code == code
    assert refusal.value.remedy


@pytest.mark.parametrize("value", [None, [], 3, "image"])
def test_what_is_no_object_is_no_image(value):
    with pytest.raises(Refused):
        read_image(value)


def test_values_that_no_table_holds_are_named_and_the_others_stay():
    clinical = {"sex": "male", "nul": "a\x00", "half": "\ud800", "long": "x" * 10_001, "filename": "a.jpg", "a\tb": 1}
    image = read_image(told(metadata={"clinical": clinical}))
    assert image.said["metadata"] == {"clinical": {"sex": "male"}}
    assert set(image.dropped) == {"nul", "half", "long", "filename", "a\tb"}


def test_more_values_than_anybody_has_are_left():
    image = read_image(told(metadata={"clinical": {f"v{number}": number for number in range(400)}}))
    assert len(image.said["metadata"]["clinical"]) == 300
    assert len(image.dropped) == 100


def test_what_the_host_says_of_itself_becomes_columns_of_ours():
    clinical = {
        "age_approx": 55,
        "diagnosis_1": "Benign",
        "diagnosis_2": "Benign melanocytic proliferations",
        "diagnosis_3": "Nevus",
        "patient_id": "IP_0000001",
        "lesion_id": "IL_0000002",
        "melanocytic": True,
        "mel_thick_mm": "0.50",
        "hairy": False,
        "box": [1, 2],
    }
    assert cells_of(read_image(told(metadata={"clinical": clinical})), "x.org:8000") == {
        "origin_isic_id": "ISIC_0000042",
        "age": "55",
        "diagnosis": "Benign:Benign melanocytic proliferations:Nevus",
        "patient_id": "IP_0000001@x.org:8000",
        "lesion_id": "IL_0000002@x.org:8000",
        "melanocytic": "true",
        "mel_thick_mm": "0.50",
        "hairy": "false",
        "box": "[1, 2]",
    }


def test_columns_are_what_they_are_and_nothing_is_guessed_from_their_names():
    columns = ["origin_isic_id", "age", "diagnosis", "image", "gendre", "hairy"]
    uses = plan_columns(
        ["filename", *columns], pack=DERMATOLOGY, chosen={"filename": {"field": "filename"}, **uses_of_columns(columns)}
    )
    assert {use.name: use.use for use in uses} == {
        "filename": "filename",
        "origin_isic_id": "unstructured",
        "age": "field",
        "diagnosis": "field",
        "image": "unstructured",
        "gendre": "unstructured",
        "hairy": "unstructured",
    }


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({}, []),
        ({"files": {"full": {"url": "https://elsewhere/", "size": 12345}}}, []),
        ({"files": {"full": {"url": "u", "size": 12345, "sha256": "0" * 64}}}, []),
        ({"files": {"full": {"url": "u", "size": 1}}}, ["file"]),
        ({"copyright_license": "CC-0"}, ["licence"]),
        ({"attribution": "Somebody else"}, ["attribution"]),
        ({"metadata": {"acquisition": {"image_type": "dermoscopic"}}}, ["age_approx", "sex", "diagnosis_1"]),
    ],
)
def test_what_changed_at_the_host_is_named(changed, names):
    assert differences(read_image(told()).said, read_image(told(**changed)).said) == names


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=40) | st.sampled_from(sorted(DERMATOLOGY.by_name)), _JSON, max_size=12))
def test_whatever_a_host_says_is_a_row_that_can_be_checked(clinical):
    image = read_image(told(metadata={"clinical": clinical}))
    cells = cells_of(image, "x.org")
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(cells.values())
    written.getvalue().encode()
    uses = plan_columns(list(cells), pack=DERMATOLOGY, chosen=uses_of_columns(list(cells)))
    validate_row(RowReader(uses, pack=DERMATOLOGY).read(list(cells.values())).cells, pack=DERMATOLOGY)


@given(_JSON)
def test_nothing_that_a_host_says_is_more_than_refused(value):
    for given_value in (value, told(metadata=value), told(files=value), told(attribution=value), told(isic_id=value)):
        try:
            read_image(given_value)
        except Refused:
            continue
