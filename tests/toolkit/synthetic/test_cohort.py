"""The invented cohort keeps the rules of its fields, is the same every time, and shows many different things."""

import csv
import io
import zipfile
from collections import Counter, defaultdict

import numpy as np
import pytest
from PIL import Image

from medtheca.toolkit.schemas import DERMATOLOGY, validate_row
from medtheca.toolkit.synthetic import as_zip_and_csv, draw_lesion, synthetic_cohort
from medtheca.toolkit.synthetic.cases import invent_picture, invent_pictures
from medtheca.toolkit.synthetic.kinds import KINDS
from medtheca.toolkit.unpack import open_member, scan

SMALL = (120, 90)


@pytest.fixture(scope="module")
def rows():
    return [picture.metadata() for picture in invent_pictures(2000, seed=5)]


def test_every_row_is_valid_with_nothing_left_over(rows):
    for row in rows:
        result = validate_row(row, pack=DERMATOLOGY)
        assert result.ok, result.problems
        assert not result.unstructured
        assert row["image_manipulation"] == "synthetic"


def test_a_lesion_has_one_patient_and_keeps_its_diagnosis_and_site(rows):
    told = defaultdict(set)
    for row in rows:
        told[row["lesion_id"]].add(
            (row["patient_id"], row["diagnosis"], row["anatom_site"], row["fitzpatrick_skin_type"])
        )
    assert all(len(stories) == 1 for stories in told.values())
    assert len(rows) > len(told) > len({row["patient_id"] for row in rows})


def test_a_biopsy_means_histopathology_and_thickness_an_invasive_melanoma(rows):
    seen = Counter()
    for row in rows:
        if row["concomitant_biopsy"] == "true":
            seen["biopsy"] += 1
            assert row["diagnosis_confirm_type"] == "histopathology"
        if row["mel_thick_mm"]:
            seen["thickness"] += 1
            assert "Melanoma Invasive" in row["diagnosis"]
        if row["diagnosis"].startswith("Malignant"):
            assert row["diagnosis_confirm_type"] == "histopathology"
    assert seen["biopsy"] > 100
    assert seen["thickness"] > 20


def test_three_hundred_pictures_show_every_kind_and_both_sexes():
    rows = [picture.metadata() for picture in invent_pictures(300, seed=2017)]
    assert {row["diagnosis"] for row in rows} == {kind.diagnosis for kind in KINDS}
    assert {row["fitzpatrick_skin_type"] for row in rows} == {"I", "II", "III", "IV", "V", "VI"}
    assert {row["sex"] for row in rows} == {"female", "male"}
    assert all(20 <= int(row["age"]) <= 85 for row in rows)
    assert 0.1 < sum(row["diagnosis"].startswith("Malignant") for row in rows) / 300 < 0.5


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.diagnosis.rpartition(":")[2])
def test_every_kind_can_be_seen_against_its_skin(kind):
    seed = next(seed for seed in range(3000) if invent_picture(seed).lesion.kind is kind)
    drawn = draw_lesion(seed, size=(240, 180))
    assert drawn.metadata["diagnosis"] == kind.diagnosis
    pixels = np.asarray(Image.open(io.BytesIO(drawn.jpeg)).convert("RGB"), np.float32)
    assert pixels.shape == (180, 240, 3)
    middle = pixels[75:105, 105:135].mean(axis=(0, 1))
    around = np.median(np.concatenate([pixels[8:20, 60:180], pixels[160:172, 60:180]]), axis=(0, 1))
    assert np.abs(middle - around).max() > 10


def test_the_same_seed_is_the_same_picture_and_another_is_not():
    assert draw_lesion(7, size=SMALL) == draw_lesion(7, size=SMALL)
    pictures = {draw_lesion(seed, size=SMALL).jpeg for seed in range(30)}
    assert len(pictures) == 30


def test_a_cohort_is_drawn_only_as_far_as_it_is_read():
    cohort = synthetic_cohort(1_000, size=SMALL)
    name, jpeg, row = next(cohort)
    assert name == "synthetic_00001.jpg"
    assert jpeg.startswith(b"\xff\xd8")
    assert row["diagnosis"]


def test_zip_and_csv_agree_and_come_out_the_same_twice():
    first, second = io.BytesIO(), io.BytesIO()
    table = as_zip_and_csv(first, 12, size=SMALL)
    assert as_zip_and_csv(second, 12, size=SMALL) == table
    assert first.getvalue() == second.getvalue()
    members = list(scan(first).files())
    read = list(csv.DictReader(io.StringIO(table)))
    assert [member.name for member in members] == [row["filename"] for row in read]
    assert len(members) == 12
    with zipfile.ZipFile(first) as archive:
        assert archive.testzip() is None
    assert b"".join(open_member(first, members[0])).startswith(b"\xff\xd8")


def test_no_two_rows_of_a_cohort_carry_a_name_twice():
    names = [name for name, _, _ in synthetic_cohort(20, size=(64, 64))]
    assert len(set(names)) == 20
