"""Hanging protocols: every rule, told by viewport and key; panels that fill the whole; whatever comes, no crash."""

import json

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from medtheca.toolkit.viewing.faults import LARGEST, read_json
from medtheca.toolkit.viewing.layouts import grid, layout
from medtheca.toolkit.viewing.pictures import svg_icon
from medtheca.toolkit.viewing.protocols import (
    FLAGS,
    KEYS,
    ORIENTATIONS,
    SPECIALIZED,
    VIEWPORTS,
    protocol_faults,
    viewport_names,
)

MAIN = {"viewport_name": "main"}
SECOND = {"viewport_name": "secondary"}

# Grand Challenge's schema, as its documentation words it: what it refuses is refused here too, and the other way round.
SCHEMA = {
    "type": "array",
    "minItems": 1,
    "uniqueItems": True,
    "contains": {"type": "object", "properties": {"viewport_name": {"const": "main"}}, "required": ["viewport_name"]},
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["viewport_name"],
        "properties": {
            "viewport_name": {"type": "string"},
            "specialized_view": {"enum": list(SPECIALIZED)},
            **{key: {"type": "integer"} for key in ("x", "y", "w", "h", "order")},
            **{key: {"type": "boolean"} for key in FLAGS},
            "label": {"type": "string", "pattern": "^[a-zA-Z0-9 -]*$"},
            "orientation": {"enum": list(ORIENTATIONS)},
            "parent_id": {"type": "string", "pattern": "."},
            "opacity": {"type": "number", "minimum": 0, "maximum": 1},
            "relative_start_position": {"type": "number", "minimum": 0, "maximum": 1},
            "slice_plane_indicator": {"type": "string", "pattern": "."},
            "slice_plane_indicator_fade_ms": {"type": "number", "minimum": 0},
        },
        "allOf": [
            {
                "if": {
                    "properties": {"specialized_view": {"enum": ["minimap", "3D-sideview"]}},
                    "required": ["specialized_view"],
                },
                "then": {"properties": {"viewport_name": {"pattern": "^[a-zA-Z0-9_]+$"}}},
                "else": {"properties": {"viewport_name": {"enum": list(VIEWPORTS)}}},
            },
            {
                "if": {
                    "properties": {"specialized_view": {"enum": [one for one in SPECIALIZED if one != "clientside"]}},
                    "required": ["specialized_view"],
                },
                "then": {"required": ["parent_id"]},
            },
            {
                "if": {"properties": {"specialized_view": {"const": "3D-sideview"}}, "required": ["specialized_view"]},
                "then": {"required": ["orientation"]},
            },
        ],
    },
}
ORACLE = jsonschema.Draft7Validator(SCHEMA)


def right_by_grand_challenge(protocol):
    """The schema, and the rules of its form."""
    if not ORACLE.is_valid(protocol):
        return False
    names = [one["viewport_name"] for one in protocol]
    placed = [key in one for one in protocol for key in "xywh"]
    return (
        len(set(names)) == len(names)
        and (all(placed) or not any(placed))
        and all(_related(one, names) for one in protocol)
    )


def _related(one, names):
    if "slice_plane_indicator" in one and (
        one["slice_plane_indicator"] not in names or one["slice_plane_indicator"] == one["viewport_name"]
    ):
        return False
    if "parent_id" not in one:
        return True
    moves = one.get("draggable") is True or one.get("specialized_view") in set(SPECIALIZED) - {"clientside"}
    return one["parent_id"] in names and one["parent_id"] != one["viewport_name"] and moves


NAMES = st.sampled_from([*VIEWPORTS[:4], "overview", "no good", ""])
VALUES = {
    "specialized_view": st.sampled_from([*SPECIALIZED, "other"]),
    **dict.fromkeys(("x", "y", "order"), st.integers(-3, 6) | st.just(1.0) | st.just(0.5) | st.booleans()),
    **dict.fromkeys(("w", "h"), st.integers(1, 6) | st.just("1")),
    **dict.fromkeys(FLAGS, st.booleans() | st.just(1)),
    "label": st.sampled_from(["Left knee-2", "", "naïve", "a\n"]),
    "orientation": st.sampled_from([*ORIENTATIONS, "oblique"]),
    "parent_id": NAMES,
    "opacity": st.sampled_from([0, 0.5, 1, 1.5, -0.1, True, "1"]),
    "relative_start_position": st.sampled_from([0, 0.5, 1, 2]),
    "slice_plane_indicator": NAMES,
    "slice_plane_indicator_fade_ms": st.sampled_from([0, 250, 2.5, -1]),
    "unknown": st.none(),
}
# Few keys at a time: with all of them nothing would ever be right.
VIEWPORT = st.lists(st.sampled_from(sorted(VALUES)), max_size=4, unique=True).flatmap(
    lambda keys: st.fixed_dictionaries({"viewport_name": NAMES, **{key: VALUES[key] for key in keys}})
)
PLACED = st.builds(
    lambda x, y, w, h: {"x": x, "y": y, "w": w, "h": h}, *[st.integers(0, 5)] * 2, *[st.integers(1, 5)] * 2
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(VIEWPORT, max_size=4))
@example([])
@example([MAIN, MAIN])
@example([{**MAIN, "label": "a\n"}])
def test_what_grand_challenge_takes_is_taken_and_nothing_else(protocol):
    # Its pattern ends with a dollar sign, which lets a line break pass; nobody wants that in a corner of a picture.
    if any(isinstance(one.get("label"), str) and one["label"].endswith("\n") for one in protocol):
        assert protocol_faults(protocol)
        return
    assert (protocol_faults(protocol) == []) == right_by_grand_challenge(protocol)


@given(JSON)
@example([{"viewport_name": "\ud800", "\x00": 1}])
@example([{**MAIN, "x": 10**400, "y": float("inf"), "w": float("nan"), "h": 1}])
def test_whatever_comes_is_judged_in_words_that_an_answer_can_carry(value):
    for fault in protocol_faults(value):
        assert fault.message
        json.dumps([fault.place, fault.message, fault.remedy], ensure_ascii=False).encode()
        assert "\x00" not in fault.message + fault.place


@given(st.lists(PLACED, min_size=1, max_size=len(VIEWPORTS)))
def test_panels_fill_the_whole_and_nothing_beyond(places):
    protocol = [{"viewport_name": name, **place} for name, place in zip(VIEWPORTS, places, strict=False)]
    assert protocol_faults(protocol) == []
    panels = layout(protocol)
    assert {panel.name for panel in panels} == set(viewport_names(protocol))
    for low, size in (("x", "w"), ("y", "h")):
        assert min(getattr(panel, low) for panel in panels) == 0
        assert max(getattr(panel, low) + getattr(panel, size) for panel in panels) == pytest.approx(1)
        assert all(getattr(panel, size) > 0 for panel in panels)
    assert svg_icon(protocol).count("<rect ") == len(protocol)


@given(st.integers(1, len(VIEWPORTS)))
def test_a_grid_is_a_right_protocol_without_gaps(number):
    made = grid(VIEWPORTS[:number])
    assert protocol_faults(made) == []
    assert sum(panel.w * panel.h for panel in layout(made)) == pytest.approx(1)


def test_without_places_panels_are_columns_of_one_width_in_order():
    panels = layout([MAIN, SECOND, {"viewport_name": "tertiary"}])
    assert [(panel.name, round(panel.x, 3), round(panel.w, 3), panel.h) for panel in panels] == [
        ("main", 0, 0.333, 1),
        ("secondary", 0.333, 0.333, 1),
        ("tertiary", 0.667, 0.333, 1),
    ]


def test_what_has_the_lowest_order_is_drawn_last():
    here = {"x": 0, "y": 0, "w": 1, "h": 1}
    panels = layout([{**MAIN, **here, "order": 0}, {**SECOND, **here, "order": 3}])
    assert [panel.name for panel in panels] == ["secondary", "main"]


@pytest.mark.parametrize(
    ("protocol", "place", "message", "remedy"),
    [
        ({}, "", "A hanging protocol is a list of at least one viewport.", "viewport_name"),
        ([1], "[0]", "Viewport 1 is 1.", "object"),
        ([SECOND], "", "No viewport is called main.", "main"),
        ([{**MAIN, "x": 0}], "[0].y", "Viewport 1 (main): y, w and h are missing.", "Give every viewport"),
        ([{**MAIN, "x": 0.5, "y": 0, "w": 1, "h": 1}], "[0].x", "Viewport 1 (main): x is 0.5.", "whole number"),
        ([{**MAIN, "x": 0, "y": 0, "w": 0, "h": 1}], "[0].w", "Viewport 1 (main): w is 0.", "from 1"),
        ([MAIN, {"viewport_name": "second"}], "[1].viewport_name", 'viewport_name is "second"', "'secondary'"),
        ([{**MAIN, "opacity": 2}], "[0].opacity", "opacity is 2.", "from 0 to 1"),
        ([{**MAIN, "linkable": "yes"}], "[0].linkable", 'linkable is "yes".', "true or false"),
        ([{**MAIN, "label": "a_b"}], "[0].label", 'label is "a_b".', "hyphens"),
        ([MAIN, {**SECOND, "parent_id": "main"}], "[1].parent_id", "needs a viewport that can be dragged", "draggable"),
        ([MAIN, {**SECOND, "draggable": True, "parent_id": "mani"}], "[1].parent_id", "not in the protocol", "'main'"),
        ([MAIN, {**SECOND, "specialized_view": "minimap"}], "[1].parent_id", "parent_id is missing", "minimap"),
        ([{**MAIN, "slice_plane_indicator": "main"}], "[0].slice_plane_indicator", "the viewport itself", "another"),
    ],
)
def test_a_broken_rule_names_the_viewport_the_key_and_what_would_be_right(protocol, place, message, remedy):
    faults = [fault for fault in protocol_faults(protocol) if fault.place == place]
    assert len(faults) == 1, protocol_faults(protocol)
    assert message in faults[0].message
    assert remedy in faults[0].remedy


def test_a_minimap_may_have_a_name_of_its_own_and_others_may_not():
    minimap = {"viewport_name": "overview_1", "specialized_view": "minimap", "parent_id": "main"}
    assert protocol_faults([MAIN, minimap]) == []
    assert protocol_faults([MAIN, {**minimap, "specialized_view": "intensity-over-time-chart"}]) != []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, "nested"),
        ("[1, NaN]", "NaN is no number"),
        ("9" * 5000, "longer numbers"),
        ('{"a": 1, "a": 1}', "given twice"),
        (" " * (LARGEST + 1), "more than"),
        ("[" * 30 + "]" * 30, "nested"),
    ],
)
def test_text_that_is_no_json_is_told_in_words(text, words):
    read, fault = read_json(text)
    assert read is None
    assert words in fault.message or "deeper" in fault.message
