"""How files are grouped into items."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.grouping import Rule, group_paths


def grouped(rule, *paths):
    groups = group_paths(Rule.of(rule), paths, "scan")
    return [(group.title, [(file.path, file.socket) for file in group.files]) for group in groups]


def titles(rule, *paths):
    return [title for title, _ in grouped(rule, *paths)]


def test_every_image_is_an_item():
    assert titles({}, "P1/a.mha", "P1/b.mha") == ["", ""]


def test_a_folder_is_an_item_and_what_all_lie_in_names_nothing():
    assert titles({"by": "folder"}, "all/P1/a.mha", "all/P1/b.mha", "all/P2/a.mha") == ["P1", "P2"]
    assert titles({"by": "folder"}, "P1/a.mha", "P1/b.mha") == ["P1"]
    assert titles({"by": "folder"}, "all/P1/CT/a.mha", "all/P1/MR/a.mha", "all/P2/CT/a.mha") == [
        "P1/CT",
        "P1/MR",
        "P2/CT",
    ]
    assert titles({"by": "folder", "depth": 1}, "all/P1/CT/a.mha", "all/P1/MR/a.mha", "all/P2/CT/a.mha") == ["P1", "P2"]


def test_what_lies_in_no_folder_is_an_item_each():
    assert titles({"by": "folder"}, "a.mha", "b.mha", "P1/c.mha") == ["", "", "P1"]


def test_a_star_names_the_item():
    rule = {"by": "pattern", "pattern": "*_t?.nii.gz".replace("?", "*"), "sockets": {"*_t2*": "t2"}}
    assert grouped(rule, "x/P1_t1.nii.gz", "y/P1_t2.nii.gz", "P2_t1.nii.gz", "other.png") == [
        ("P1", [("x/P1_t1.nii.gz", "scan"), ("y/P1_t2.nii.gz", "t2")]),
        ("P2", [("P2_t1.nii.gz", "scan")]),
        ("", [("other.png", "scan")]),
    ]


def test_the_first_pattern_that_fits_decides_by_name_or_path():
    rule = {"by": "folder", "sockets": {"*mask*": "mask", "P1/*": "first"}}
    assert grouped(rule, "P1/a.mha", "P1/MASK.mha", "P2/a.mha") == [
        ("P1", [("P1/a.mha", "first"), ("P1/MASK.mha", "mask")]),
        ("P2", [("P2/a.mha", "scan")]),
    ]


@pytest.mark.parametrize(
    "rule",
    [
        [],
        {"by": "magic"},
        {"by": "folder", "depth": -1},
        {"by": "folder", "depth": True},
        {"by": "pattern"},
        {"by": "pattern", "pattern": "no star"},
        {"by": "pattern", "pattern": "*" * 6},
        {"sockets": {"": "mask"}},
        {"sockets": {"*": 3}},
        {"sockets": []},
        {"colour": "blue"},
    ],
)
def test_rules_that_are_none(rule):
    with pytest.raises(Refused) as refused:
        Rule.of(rule)
    assert refused.value.remedy


_PARTS = st.text("ab_.", min_size=1, max_size=4).filter(lambda part: part.strip("."))
_PATHS = st.lists(st.lists(_PARTS, min_size=1, max_size=4).map("/".join), max_size=12)


@given(
    _PATHS, st.sampled_from([{}, {"by": "folder"}, {"by": "folder", "depth": 1}, {"by": "pattern", "pattern": "*_*"}])
)
def test_every_file_is_in_one_item_and_titles_differ(paths, rule):
    groups = group_paths(Rule.of(rule), paths, "scan")
    assert sorted(file.place for group in groups for file in group.files) == list(range(len(paths)))
    named = [group.title for group in groups if group.title]
    assert len(named) == len(set(named))
    assert Rule.of(Rule.of(rule).to_json()) == Rule.of(rule)
