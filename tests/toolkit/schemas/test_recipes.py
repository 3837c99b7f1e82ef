"""Recipes, and the whole ISIC 2017 challenge through its own."""

from collections import Counter

import pytest

from medtheca.toolkit.schemas import apply_recipe, find_pack, find_recipe, read_table, validate_row
from medtheca.toolkit.schemas.recipes import RECIPES
from tests.samples import needs_samples, sample_dir

ISIC_2017 = find_recipe("isic2017")


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_names_fields_and_values_of_its_pack(recipe):
    pack = find_pack(recipe.pack)
    assert set(recipe.columns.values()) - {"filename"} <= set(pack.by_name)
    assert set(recipe.values) | recipe.keep <= set(recipe.columns)
    rows = [{recipe.columns[column]: cell} for column, words in recipe.values.items() for cell in words.values()]
    for row in [*rows, recipe.constants]:
        assert validate_row(row, pack=pack).problems == []


def test_a_melanoma_and_a_lesion_that_is_none():
    melanoma = apply_recipe(ISIC_2017, {"age_approximate": "60", "sex": "female", "melanoma": "1.0"})
    assert melanoma.cells == {
        "image_type": "dermoscopic",
        "age": "60",
        "sex": "female",
        "melanoma": "1.0",
        "diagnosis": "Malignant:Malignant melanocytic proliferations (Melanoma):Melanoma, NOS",
    }
    assert apply_recipe(ISIC_2017, {"melanoma": "0.0"}).cells["diagnosis"] == "Benign"


@pytest.mark.parametrize("word", ["unknown", "N/A", "na", "NaN", "-"])
def test_words_for_not_known_are_absent_and_said(word):
    result = apply_recipe(ISIC_2017, {"sex": word})
    assert "sex" not in result.cells
    assert [note.message for note in result.notes] == [f"sex '{word}' counts as not given."]


def test_a_cell_that_the_recipe_does_not_know_is_a_problem():
    (problem,) = apply_recipe(ISIC_2017, {"melanoma": "0.5"}).problems
    assert (problem.field, problem.code) == ("diagnosis", "unknown_value")


def test_a_column_that_the_recipe_fills_cannot_stand_beside_it():
    (problem,) = apply_recipe(ISIC_2017, {"melanoma": "1.0", "diagnosis": "Nevus"}).problems
    assert (problem.field, problem.code) == ("diagnosis", "filled_by_recipe")


def test_an_unknown_recipe_is_named():
    with pytest.raises(LookupError, match="Did you mean 'isic2017'"):
        find_recipe("isic2016")


@needs_samples
@pytest.mark.parametrize(("part", "rows", "melanomas"), [("training", 2_000, 374), ("validation", 150, 30)])
def test_every_row_of_the_challenge_is_accepted(part, rows, melanomas):
    path = sample_dir() / "isic2017" / f"{part}.csv"
    if not path.exists():
        pytest.skip(f"no sample {path}")
    table = read_table(path.read_bytes(), filename_column=ISIC_2017.filename_column)
    diagnoses = Counter()
    ages = sexes = 0
    for row in table.rows:
        translated = apply_recipe(ISIC_2017, row.cells)
        result = validate_row(translated.cells, pack=find_pack(ISIC_2017.pack))
        assert translated.problems == result.problems == []
        assert result.unstructured == {"melanoma": row.cells["melanoma"]}
        diagnoses[result.values.get("diagnosis_3", result.values["diagnosis_1"])] += 1
        ages += "age_approx" in result.values
        sexes += "sex" in result.values
    assert len(table.rows) == rows
    assert diagnoses == {"Melanoma, NOS": melanomas, "Benign": rows - melanomas}
    assert ages == sum(row.cells["age_approximate"] != "unknown" for row in table.rows)
    assert sexes == sum(row.cells["sex"] != "unknown" for row in table.rows)
