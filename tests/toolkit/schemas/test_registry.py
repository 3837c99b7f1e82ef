"""The registry holds together: what it names exists, and what it promises is so."""

import csv
import io

import pytest

from medtheca.toolkit.schemas import PACKS, Kind, Search, csv_template, data_dictionary, find_pack, validate_row
from medtheca.toolkit.schemas.packs.dermatology import ANATOM_SITE, DERMATOLOGY, DIAGNOSIS
from medtheca.toolkit.schemas.rules import BelongsToOne
from medtheca.toolkit.schemas.vocabulary import paths_of_outline

each_pack = pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)


@each_pack
def test_names_are_unique(pack):
    names = [item.name for item in pack.fields]
    columns = [column.name for item in pack.fields for column in item.columns]
    assert len(set(names)) == len(names)
    assert len(set(columns)) == len(columns)
    synonyms = [synonym for item in pack.fields for synonym in item.synonyms]
    assert len(set(synonyms)) == len(synonyms)
    assert not set(synonyms) & set(names)


@each_pack
def test_rules_name_fields_and_values_that_exist(pack):
    for rule in pack.row_rules:
        assert set(rule.fields) <= set(pack.by_name)
        assert set(rule.allowed) <= pack.by_name[rule.needs].vocabulary.members
    for rule in pack.batch_rules:
        named = {rule.child, rule.parent} if isinstance(rule, BelongsToOne) else {rule.case, rule.field}
        assert named <= set(pack.by_name)


@each_pack
def test_the_kind_of_a_field_fits_its_other_properties(pack):
    for item in pack.fields:
        assert (item.vocabulary is not None) == (item.kind in {Kind.ENUM, Kind.HIERARCHY})
        assert item.public is (item.kind is not Kind.IDENTIFIER and item.approximation is None)
        if item.lower_case and item.vocabulary is not None:
            assert all(value == value.lower() for value in item.vocabulary.values)
        assert set(item.search_aliases.values()) <= (item.vocabulary.members if item.vocabulary else set())


@each_pack
def test_the_template_is_a_spreadsheet_that_passes(pack):
    header, example = csv.reader(io.StringIO(csv_template(pack)))
    assert header == ["filename", *pack.by_name]
    result = validate_row(dict(zip(header, example, strict=True)), pack=pack)
    assert result.problems == []
    assert result.unstructured == {}


@each_pack
def test_the_dictionary_describes_every_field(pack):
    entries = data_dictionary(pack)
    assert [entry.name for entry in entries] == list(pack.by_name)
    assert all(entry.label and entry.description and entry.shown_as for entry in entries)


def test_the_trees_have_the_sizes_of_the_published_schema():
    assert (len(DIAGNOSIS.members), DIAGNOSIS.depth) == (418, 5)
    assert (len(ANATOM_SITE.members), ANATOM_SITE.depth) == (206, 5)


@pytest.mark.parametrize("tree", [DIAGNOSIS, ANATOM_SITE], ids=lambda tree: tree.name)
def test_every_term_of_a_tree_is_unique_and_stands_below_its_parent(tree):
    assert len(tree.values) == len(tree.terms)
    seen = set()
    for path in tree.values:
        parent = path.rpartition(":")[0]
        assert not parent or parent in seen
        seen.add(path)


@pytest.mark.parametrize("tree", [DIAGNOSIS, ANATOM_SITE], ids=lambda tree: tree.name)
def test_walking_down_a_tree_meets_every_path_once(tree):
    walked, waiting = [], tree.children()
    while waiting:
        path = waiting.pop()
        walked.append(path)
        waiting.extend(tree.children(path))
    assert sorted(walked) == sorted(tree.values)


def test_an_outline_that_skips_a_level_is_refused():
    with pytest.raises(ValueError, match="'Breast' is indented more than one level"):
        list(paths_of_outline(["Trunk", "    Breast"]))


def test_search_columns_are_those_of_the_published_query_language():
    """Less the fields that only older schemas have; `isic_id` and its kind belong to the image."""
    keywords = {
        "sex", "diagnosis_confirm_type", "image_type", "dermoscopic_type", "tbp_tile_type", "mel_mitotic_index",
        "anatom_site_special", "patient_id", "lesion_id", "rcm_case_id", "image_manipulation",
        "fitzpatrick_skin_type",
        *(f"diagnosis_{level}" for level in range(1, 6)), *(f"anatom_site_{level}" for level in range(1, 6)),
    }  # fmt: skip
    bools = {"personal_hx_mm", "family_hx_mm", "melanocytic", "mel_ulcer", "concomitant_biopsy"}
    numbers = {"clin_size_long_diam_mm", "mel_thick_mm", "age_approx"}
    found = {kind: set() for kind in Search}
    for column in DERMATOLOGY.search_columns:
        found[column.search].add(column.name)
    assert found[Search.KEYWORD] == keywords
    assert found[Search.BOOL] == bools
    assert found[Search.NUMBER] == numbers


def test_acquisition_holds_the_columns_that_the_published_api_has_there():
    columns = {name for name, column in DERMATOLOGY.columns.items() if column.group == "acquisition"}
    assert columns == {"image_type", "dermoscopic_type", "image_manipulation"}


def test_an_unknown_pack_is_named():
    with pytest.raises(LookupError, match="Did you mean 'dermatology'"):
        find_pack("dermatologie")
