"""Fields and trees: what may be named, and how parts are joined."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from medtheca.toolkit.querylang import (
    FIELDS,
    And,
    Bound,
    Equals,
    Everything,
    Not,
    Nothing,
    Or,
    Range,
    Subtree,
    Wildcard,
    Words,
    all_of,
    any_of,
    find_field,
    leaves_of,
    none_of,
)
from medtheca.toolkit.schemas import DERMATOLOGY

MALE = Equals(FIELDS["sex"], "male")
OLD = Range(FIELDS["age_approx"], Bound(Decimal(60), inclusive=True), None)
WORD = Words("nevus")


def test_every_searchable_column_of_isic_can_be_named() -> None:
    wanted = {"isic_id", "public", "copyright_license", "age_approx"}
    wanted |= {column.name for column in DERMATOLOGY.search_columns}
    assert wanted == {name for name, field in FIELDS.items() if field.isic}


def test_the_exact_age_and_days_cannot_be_named() -> None:
    assert find_field("age") is None
    assert find_field("acquisition_day") is None


def test_a_licence_has_three_names() -> None:
    assert find_field("license") is find_field("licence") is find_field("copyright_license")


def test_a_level_of_a_tree_has_the_terms_of_that_level() -> None:
    first, third = FIELDS["diagnosis_1"].vocabulary, FIELDS["diagnosis_3"].vocabulary
    assert first is not None
    assert first.values == ("Benign", "Indeterminate", "Malignant")
    assert third is not None
    assert "Nevus" in third.members


def test_parts_are_joined_flat() -> None:
    assert all_of(all_of(MALE, OLD), WORD) == And((MALE, OLD, WORD))
    assert any_of(MALE, any_of(OLD, WORD)) == Or((MALE, OLD, WORD))
    assert all_of(MALE) == any_of(MALE) == MALE
    assert none_of(none_of(MALE)) == MALE


def test_everything_and_nothing_vanish_from_what_they_do_not_change() -> None:
    assert all_of() == all_of(Everything()) == Everything()
    assert any_of() == any_of(Nothing()) == Nothing()
    assert all_of(MALE, Everything()) == any_of(MALE, Nothing()) == MALE
    assert all_of(MALE, Nothing()) == none_of(Everything()) == Nothing()
    assert any_of(MALE, Everything()) == none_of(Nothing()) == Everything()


def test_leaves_come_from_left_to_right() -> None:
    assert list(leaves_of(all_of(MALE, none_of(any_of(OLD, WORD))))) == [MALE, OLD, WORD]


@pytest.mark.parametrize(
    ("pieces", "text", "matched"),
    [
        (("mel", ""), "melanoma", True),
        (("", "oma"), "melanoma", True),
        (("", "ano", ""), "melanoma", True),
        (("me", "la", "ma"), "melanoma", True),
        (("mela", "lanoma"), "melanoma", False),
        (("ab", "ba"), "aba", False),
        (("", "a", "a", ""), "a", False),
        (("Mel", ""), "melanoma", False),
    ],
)
def test_pieces_match_in_order_without_sharing_letters(pieces: tuple[str, ...], text: str, matched: bool) -> None:  # noqa: FBT001
    assert Wildcard(FIELDS["sex"], pieces).matches(text) is matched


def test_a_tree_takes_no_value_that_its_field_has_not() -> None:
    today = Bound(datetime(2024, 1, 1, tzinfo=UTC), inclusive=True)
    wrong = [
        lambda: Equals(FIELDS["sex"], True),
        lambda: Equals(FIELDS["melanocytic"], "true"),
        lambda: Equals(FIELDS["diagnosis"], "Nevus"),
        lambda: Equals(FIELDS["created"], "2024"),
        lambda: Wildcard(FIELDS["age_approx"], ("1", "")),
        lambda: Wildcard(FIELDS["sex"], ("", "")),
        lambda: Wildcard(FIELDS["sex"], ("male",)),
        lambda: Range(FIELDS["sex"], today, None),
        lambda: Range(FIELDS["age_approx"], None, None),
        lambda: Range(FIELDS["created"], None, today),
        lambda: Subtree(FIELDS["diagnosis_3"], "Nevus"),
        lambda: Words("  "),
        lambda: And((MALE,)),
        lambda: Or((MALE, Or((OLD, WORD)))),
        lambda: Not(Not(MALE)),
    ]
    for make in wrong:
        with pytest.raises(ValueError, match=r"\w"):
            make()
