"""Schemas of values: whatever they allow passes, and no single change that breaks a rule does."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.sockets.examples import example_of, right_for, wrong_for
from medtheca.toolkit.sockets.kinds import ALWAYS_FILE, IMAGE_KINDS, JSON_KINDS, KINDS, MANY, kind_named, super_kind
from medtheca.toolkit.sockets.schemas import SEVERAL, WORDS, schema_of
from medtheca.toolkit.sockets.values import check_value
from tests.plugins.thoroughness import examples

WITH_SCHEMA = [code for code in JSON_KINDS if code not in ("CHART", "JSON")]
NUMBERS = st.one_of(st.integers(-(10**6), 10**6), st.floats(-1e6, 1e6))
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=10)


def numbers(schema):
    if "multipleOf" in schema:
        return st.integers(0, 1000)
    return st.floats(schema["minimum"], schema["maximum"]) if "maximum" in schema else NUMBERS


def lists(schema):
    return st.lists(values(schema["items"]), min_size=schema.get("minItems", 0), max_size=schema.get("maxItems", 3))


def objects(schema):
    required = schema["required"]
    known = {name: values(one) for name, one in schema["properties"].items()}
    optional = {name: one for name, one in known.items() if name not in required}
    return st.fixed_dictionaries({name: known[name] for name in required}, optional=optional)


DRAWN = {
    "string": lambda _: TEXTS,
    "boolean": lambda _: st.booleans(),
    "integer": lambda _: st.integers(-(2**63), 2**63 - 1),
    "number": numbers,
    "array": lists,
    "object": objects,
}


def values(schema):
    """Values that a schema allows, of the rules that ours have."""
    return st.sampled_from(schema["enum"]) if "enum" in schema else DRAWN[schema["type"]](schema)


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def changed(value, path, new):
    if not path:
        return new
    made = copy.deepcopy(value)
    at(made, path[:-1])[path[-1]] = new
    return made


def mutations(value, path):
    """Single changes at a place that no schema of ours survives, whatever the kind."""
    found = at(value, path)
    yield changed(value, path, None)
    if isinstance(found, dict):
        yield changed(value, path, {**found, "surplus": 1})
    elif isinstance(found, str):
        yield changed(value, path, 7)
    elif isinstance(found, bool):
        yield changed(value, path, "true")
    elif isinstance(found, list):
        yield changed(value, path, {"0": found})
    else:
        yield changed(value, path, str(found))


@pytest.mark.parametrize("kind", WITH_SCHEMA)
@settings(deadline=None, max_examples=examples(25))
@given(data=st.data())
def test_what_a_schema_allows_passes_and_one_mutation_fails(kind, data):
    value = data.draw(values(schema_of(kind)))
    check_value(kind, value)
    path = data.draw(st.sampled_from(list(places(value))))
    mutated = data.draw(st.sampled_from(list(mutations(value, path))))
    with pytest.raises(Refused) as refused:
        check_value(kind, mutated)
    assert refused.value.code == "invalid_value"
    assert "(rule " in refused.value.message


@pytest.mark.parametrize("kind", [kind for kind in WITH_SCHEMA if isinstance(example_of(kind), dict)])
def test_nothing_that_is_required_may_be_left_out_anywhere(kind):
    example = example_of(kind)
    check_value(kind, example)
    for path in places(example):
        found = at(example, path)
        for name in found if isinstance(found, dict) else ():
            less = changed(example, path, {key: item for key, item in found.items() if key != name})
            if name in {"name", "probability"}:
                check_value(kind, less)
            else:
                with pytest.raises(Refused, match=f"lacks {name}"):
                    check_value(kind, less)


@pytest.mark.parametrize("kind", [*WORDS, *SEVERAL])
def test_every_point_has_three_coordinates(kind):
    example = example_of(kind)
    for path in places(example):
        found = at(example, path)
        if isinstance(found, list) and all(isinstance(number, float) for number in found):
            for wrong in (found[:2], [*found, 1.0]):
                with pytest.raises(Refused, match="items, and exactly 3 are wanted"):
                    check_value(kind, changed(example, path, wrong))


@pytest.mark.parametrize("kind", JSON_KINDS)
def test_examples_say_what_is_right_and_what_is_not(kind):
    right = right_for(kind, None)
    check_value(kind, right)
    wrong = wrong_for(kind, None, right)
    if kind == "JSON":
        assert wrong is None
        return
    with pytest.raises(Refused) as refused:
        check_value(kind, wrong.value)
    assert (refused.value.message, refused.value.remedy) == (wrong.message, wrong.remedy)


def test_examples_obey_the_socket_s_own_schema():
    sides = {"enum": ["left", "right"]}
    assert right_for("CHOI", sides) == "left"
    assert wrong_for("STR", {"maxLength": 100_000}, "a").value == 42
    assert right_for("MCHO", {"items": {"enum": ["a", "b"]}}) == ["a"]
    assert right_for("FLT", {"maximum": 0.1}) is None
    assert right_for("FLT", {"maximum": 0.1}, None, 0.05) == 0.05


@pytest.mark.parametrize("kind", WITH_SCHEMA)
def test_schemas_are_schemas(kind):
    Draft7Validator.check_schema(schema_of(kind))


def test_version_is_of_whole_numbers_and_probability_between_0_and_1():
    point = example_of("POIN")
    for wrong in ({"major": -1, "minor": 0}, {"major": 1, "minor": 0.5}, {"major": 1}):
        with pytest.raises(Refused, match="version"):
            check_value("POIN", {**point, "version": wrong})
    check_value("POIN", {**point, "version": {"major": 1.0, "minor": 0}})
    for wrong in (-0.1, 1.1):
        with pytest.raises(Refused, match="probability"):
            check_value("POIN", {**point, "probability": wrong})


def test_there_are_all_kinds_of_grand_challenge():
    assert len(JSON_KINDS) == 25
    assert len(KINDS) == 40
    assert set(ALWAYS_FILE) == set(MANY) == set(SEVERAL)
    assert {kind.label for kind in KINDS.values() if kind.code in IMAGE_KINDS} == {
        "Image",
        "Segmentation",
        "Heat Map",
        "Displacement field",
        "DICOM Image Set",
    }
    assert (kind_named("Thumbnail jpg").code, kind_named("2dbb").code) == ("JPEG", "2DBB")
    assert super_kind("MPOI", store_in_database=False).value == "File"
