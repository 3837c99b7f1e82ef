"""Queries as filters change them: what is chosen changes, and what else was written stays."""

import pytest

from medtheca.toolkit.querylang import (
    FIELDS,
    Equals,
    Everything,
    Subtree,
    choice_of,
    parse,
    range_of,
    to_text,
    toggled,
    with_choice,
    without_part,
    without_range,
)

SEX, DIAGNOSIS, AGE = FIELDS["sex"], FIELDS["diagnosis"], FIELDS["age_approx"]
BENIGN, MALIGNANT = Subtree(DIAGNOSIS, "Benign"), Subtree(DIAGNOSIS, "Malignant")
NEVI = Subtree(DIAGNOSIS, "Benign:Benign melanocytic proliferations")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", []),
        ("sex:male", ["male"]),
        ("nevus sex:(male OR female)", ["male", "female"]),
        ("-sex:male", []),
        ("sex:male OR nevus", []),
        ("sex:male OR melanocytic:true", []),
        ("sex:*", []),
        ("sex:male sex:female", ["male"]),
    ],
)
def test_a_choice_is_a_part_that_names_values_of_one_field(text, values):
    assert [leaf.value for leaf in choice_of(parse(text), SEX)] == values


def test_another_choice_stands_where_the_first_stood_and_none_leaves_no_trace():
    tree = parse("nevus sex:male -age_approx:20")
    both = with_choice(tree, SEX, [Equals(SEX, "male"), Equals(SEX, "female")])
    assert to_text(both) == "nevus AND (sex:male OR sex:female) AND -age_approx:20"
    assert to_text(with_choice(both, SEX, [])) == "nevus AND -age_approx:20"
    assert with_choice(parse("sex:male"), SEX, []) == Everything()
    assert to_text(with_choice(parse("nevus OR scar"), SEX, [Equals(SEX, "male")])) == "(nevus OR scar) AND sex:male"


def test_a_value_is_put_in_and_taken_out():
    male, female = Equals(SEX, "male"), Equals(SEX, "female")
    assert toggled([male], female) == [male, female]
    assert toggled([male, female], male) == [female]


def test_a_branch_takes_the_place_of_those_above_and_below_it():
    assert toggled([BENIGN, MALIGNANT], NEVI) == [MALIGNANT, NEVI]
    assert toggled([NEVI, MALIGNANT], BENIGN) == [MALIGNANT, BENIGN]
    assert toggled([NEVI], NEVI) == [BENIGN]
    assert toggled([BENIGN], BENIGN) == []


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("age_approx:[20 TO 40] AND nevus", "nevus"),
        ("age_approx:>60", ""),
        ("nevus age_approx:50", "nevus"),
        ("nevus -age_approx:50", None),
        ("age_approx:20 OR age_approx:30", None),
    ],
)
def test_a_range_is_found_and_taken_out(text, rest):
    tree = parse(text)
    assert (range_of(tree, AGE) is None) == (rest is None)
    assert without_range(tree, AGE) == (tree if rest is None else parse(rest))


def test_a_part_is_taken_out_once():
    tree = parse("nevus nevus sex:male")
    assert to_text(without_part(tree, tree.parts[0])) == "nevus AND sex:male"
