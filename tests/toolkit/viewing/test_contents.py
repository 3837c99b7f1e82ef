"""View content, key bindings and addresses of viewers: their rules, and what is shown where nothing is said."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medtheca.toolkit.sockets.kinds import KINDS
from medtheca.toolkit.viewing.addresses import address_faults, address_for
from medtheca.toolkit.viewing.arranging import Slot, arrange, default_layout
from medtheca.toolkit.viewing.bindings import binding_faults
from medtheca.toolkit.viewing.contents import ALONE, ANNOTATIONS, LABELS, NOT_SHOWN, content_faults
from medtheca.toolkit.viewing.protocols import VIEWPORTS, protocol_faults, viewport_names

TWO = [{"viewport_name": "main"}, {"viewport_name": "secondary"}]
KIND_OF = {
    "ct": "IMG",
    "earlier": "IMG",
    "series": "DCMIS",
    "lungs": "SEG",
    "heat": "HMAP",
    "note": "STR",
    "points": "MPOI",
    "report": "PDF",
    "chart": "CHART",
    "film": "MP4",
    "table": "CSV",
    "surface": "OBJ",
}
SLOTS = st.lists(
    st.sampled_from(sorted(KINDS)).flatmap(
        lambda kind: st.integers(0, 3).map(lambda n: Slot(f"{kind.lower()}-{n}", kind))
    ),
    max_size=40,
    unique_by=lambda slot: slot.slug,
)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"main": ["ct", "lungs", "heat", "note", "points"]},
        {"main": ["ct"], "secondary": ["earlier"], "tertiary": ["report"]},
        {"main": ["lungs"]},
        {"vigintenary": ["series"]},
    ],
)
def test_content_that_keeps_the_rules(content):
    assert content_faults(content, kinds=KIND_OF) == []


@pytest.mark.parametrize(
    ("content", "place", "code"),
    [
        ([], "", "no_object"),
        ({"middle": ["ct"]}, "middle", "unknown_viewport"),
        ({"main": []}, "main", "no_list"),
        ({"main": "ct"}, "main", "no_list"),
        ({"main": ["ct", 1]}, "main[1]", "no_slug"),
        ({"main": ["ct", "c t"]}, "main[1]", "no_slug"),
        ({"main": ["ct", "ct"]}, "main[1]", "socket_twice"),
        ({"main": ["cta"]}, "main[0]", "unknown_socket"),
        ({"main": ["ct", "earlier"]}, "main", "several_images"),
        ({"main": ["ct", "series"]}, "main", "several_images"),
        ({"main": ["ct", "chart"]}, "main", "needs_viewport"),
        ({"main": ["film", "note"]}, "main", "needs_viewport"),
        ({"main": ["table"]}, "main", "not_shown"),
        ({"main": ["surface"]}, "main", "not_shown"),
    ],
)
def test_content_that_breaks_a_rule_is_told_where(content, place, code):
    (fault,) = content_faults(content, kinds=KIND_OF)
    assert (fault.place, fault.code) == (place, code)
    assert fault.remedy


def test_viewports_of_content_are_those_of_the_protocol():
    assert content_faults({"main": ["ct"], "secondary": ["earlier"]}, protocol=TWO) == []
    assert content_faults({}, protocol=TWO) == []
    (missing,) = content_faults({"main": ["ct"]}, protocol=TWO)
    assert (missing.code, missing.place) == ("viewport_empty", "secondary")
    (strange,) = content_faults({"main": ["ct"], "secondary": ["ct"], "tertiary": ["ct"]}, protocol=TWO)
    assert (strange.code, strange.place) == ("viewport_not_there", "tertiary")
    overview = {"viewport_name": "overview", "specialized_view": "minimap", "parent_id": "main"}
    assert content_faults({"main": ["ct"]}, protocol=[TWO[0], overview]) == []


def test_kinds_are_what_the_contract_says():
    assert set(ALONE) == {"CHART", "PDF", "JPEG", "PNG", "MP4"}
    assert set(NOT_SHOWN) == {"CSV", "ZIP", "OBJ", "NEWCK", "BIOM"}
    assert len(ANNOTATIONS) == 16
    assert not set(ANNOTATIONS) & set(LABELS)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_whatever_comes_is_judged(value):
    for fault in [*content_faults(value, kinds=KIND_OF, protocol=TWO), *binding_faults(value)]:
        json.dumps([fault.place, fault.message, fault.remedy], ensure_ascii=False).encode()


@given(SLOTS)
def test_an_item_arranges_itself_by_the_rules(slots):
    shown = default_layout(slots)
    kinds = {slot.slug: slot.kind for slot in slots}
    assert protocol_faults(shown.protocol) == []
    assert content_faults(shown.content, kinds=kinds) == []
    assert set(shown.content) <= set(viewport_names(shown.protocol))
    placed = [slug for slugs in shown.content.values() for slug in slugs]
    assert sorted([*placed, *shown.left_out]) == sorted(kinds)
    if len(shown.content) < len(VIEWPORTS):
        hidden = {*NOT_SHOWN, "JSON", "ATRG", "SQREG"}
        assert {kinds[slug] for slug in shown.left_out} <= hidden


@given(SLOTS, st.lists(st.sampled_from(VIEWPORTS[1:]), unique=True, max_size=5))
def test_a_protocol_without_content_is_filled_by_the_rules(slots, names):
    protocol = [{"viewport_name": name} for name in ("main", *names)]
    shown = arrange(slots, protocol=protocol)
    assert shown.protocol == protocol
    assert content_faults(shown.content, kinds={slot.slug: slot.kind for slot in slots}) == []
    assert set(shown.content) <= {"main", *names}


def test_the_first_image_is_main_and_overlays_lie_over_the_image_of_their_name():
    slots = [
        Slot("score", "FLT"),
        Slot("mr-t1", "IMG"),
        Slot("mr-t2", "IMG"),
        Slot("mr-t2-lesions", "SEG"),
        Slot("heart", "SEG"),
        Slot("report", "PDF"),
        Slot("raw", "ZIP"),
    ]
    shown = default_layout(slots)
    assert shown.content == {
        "main": ["mr-t1", "heart", "score"],
        "secondary": ["mr-t2", "mr-t2-lesions"],
        "tertiary": ["report"],
    }
    assert shown.left_out == ("raw",)


def test_an_overlay_without_an_image_is_shown_as_one():
    assert default_layout([Slot("lungs", "SEG"), Slot("note", "STR")]).content == {"main": ["lungs", "note"]}


def test_nothing_to_show_is_an_empty_main_panel():
    shown = default_layout([])
    assert (viewport_names(shown.protocol), shown.content) == (("main",), {})


def test_content_passes_over_what_an_item_lacks():
    content = {"secondary": ["lungs"], "main": ["ct", "heat"]}
    shown = arrange([Slot("ct", "IMG"), Slot("note", "STR")], protocol=TWO, content=content)
    assert (shown.content, shown.left_out) == ({"main": ["ct"]}, ("note",))
    without = arrange([Slot("ct", "IMG")], content=content)
    assert viewport_names(without.protocol) == ("main", "secondary")


@pytest.mark.parametrize(
    ("bindings", "code"),
    [
        ({}, "no_list"),
        ([1], "no_object"),
        ([{"key": "i"}], "missing"),
        ([{"key": "i", "command": ""}], "wrong_value"),
        ([{"key": "i", "command": "a\x00"}], "wrong_value"),
        ([{"key": "i", "command": "invert", "where": "x"}], "unknown_key"),
        ([{"key": "i", "command": "invert"}] * 501, "no_list"),
    ],
)
def test_key_bindings_that_break_a_rule(bindings, code):
    assert [fault.code for fault in binding_faults(bindings)] == [code]


@pytest.mark.parametrize(
    ("pattern", "codes"),
    [
        ("https://v.example/{path}", []),
        ("http://localhost:3000/?i={item}", []),
        ("http://v.example/{item}", ["not_https"]),
        ("javascript:alert({item})", ["no_address"]),
        ("https://v.example/", ["nothing_shown"]),
        ("https://v.example/{itm}/{item}", ["unknown_placeholder"]),
        ("https://v.example/{item", ["open_brace", "nothing_shown"]),
        ("https://{item}.example/", ["no_address"]),
        ("https://user@v.example/{item}", ["no_address"]),
        ("https://v.example:port/{item}", ["no_address"]),
        ("https://v.example/{item} ", ["no_address"]),
        ('https://v.example/{item}"', ["no_address"]),
        ("//v.example/{item}", ["no_address"]),
        ("https://v.example/{item}" + "a" * 2000, ["no_address"]),
    ],
)
def test_addresses_of_viewers(pattern, codes):
    assert [fault.code for fault in address_faults(pattern)] == codes


@given(st.text())
def test_what_is_put_into_an_address_stays_within_its_place(text):
    made = address_for("https://v.example/?i={item}&c={config}", {"item": text, "config": "1"})
    assert made.startswith("https://v.example/?i=")
    assert made.count("&") == 1
    assert "#" not in made
