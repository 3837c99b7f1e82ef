"""Values that are no JSON, charts, and schemas that people write: none of them holds up a process."""

import pytest

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.sockets.bounded import MOST_STEPS
from medtheca.toolkit.sockets.examples import example_of
from medtheca.toolkit.sockets.json_text import DEEPEST, count_nodes, parse_json
from medtheca.toolkit.sockets.own_schemas import check_schema
from medtheca.toolkit.sockets.values import LARGEST_IN_DATABASE, check_value

CHART = example_of("CHART")


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("nan"), "invalid_value"),
        ([float("inf")], "invalid_value"),
        (2**63, "invalid_value"),
        ({"a": "\0"}, "invalid_value"),
        ({"\0": 1}, "invalid_value"),
        ("\ud800", "invalid_value"),
        ({1, 2}, "invalid_value"),
        (nested(DEEPEST), "too_deep"),
        (nested(100_000), "too_deep"),
    ],
    ids=range(9),
)
def test_what_cannot_be_kept_is_refused(value, code):
    with pytest.raises(Refused) as refused:
        check_value("JSON", value)
    assert refused.value.code == code


def test_values_may_be_as_deep_as_is_said():
    check_value("JSON", nested(DEEPEST - 1))
    assert count_nodes({"a": [1, 2], "b": {}}) == 5


def test_a_value_in_the_database_has_an_end():
    text = "a" * LARGEST_IN_DATABASE
    check_value("STR", text)
    with pytest.raises(Refused, match="larger than 1 MB"):
        check_value("STR", text, stored=True)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"a": 1,}', "line 1, column"),
        (b'{\n"a": x}', "line 2, column 6"),
        (b"\xff", "not UTF-8"),
        (b"[NaN]", "NaN is no number"),
        (b"[" * 100_000, "nested more than"),
        (b"1" * 10_000, "cannot be read|can be read"),
        (b"", "line 1, column 1"),
    ],
)
def test_bytes_that_are_no_json(data, words):
    with pytest.raises(Refused, match=words):
        parse_json(data)


def test_charts_are_vega_lite_5():
    check_value("CHART", CHART)
    many = {**CHART, "data": {"values": [{"week": n, "volume": n} for n in range(50_000)]}}
    check_value("CHART", many)
    layered = {"data": {"values": []}, "layer": [{"mark": "line"}, {"mark": {"type": "rule", "color": "red"}}]}
    check_value("CHART", layered)
    with pytest.raises(Refused, match='mark is "lnie"') as refused:
        check_value("CHART", {**CHART, "mark": "lnie"})
    assert refused.value.remedy == "Did you mean 'line'?"
    with pytest.raises(Refused, match=r"encoding\.x\.type"):
        check_value("CHART", {**CHART, "encoding": {"x": {"field": "a", "type": "odinal"}}})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"$schema": "https://vega.github.io/schema/vega/v5.json"}, "charts are of Vega-Lite 5"),
        ({"$schema": "https://vega.github.io/schema/vega-lite/v4.json"}, "charts are of Vega-Lite 5"),
        ({"data": {"url": "https://example.org/a.csv"}}, "loads none"),
        ({"data": None, "layer": [{"mark": "line", "data": {"url": "a.csv"}}]}, "loads none"),
        ({"mark": None}, "mark"),
    ],
)
def test_other_charts_are_refused(change, words):
    with pytest.raises(Refused, match=words):
        check_value("CHART", {**CHART, **change})
    with pytest.raises(Refused, match="no object"):
        check_value("CHART", [CHART])


def test_a_hostile_chart_is_given_up():
    spec = {"mark": "lnie"}
    for _ in range(15):
        spec = {"facet": {"field": "a"}, "spec": spec}
    with pytest.raises(Refused):
        check_value("CHART", {"data": {"values": []}, **spec})


def doubling(levels):
    """A schema of a few lines that asks 2 to the power of `levels` questions."""
    names = {f"a{n}": {"anyOf": [{"$ref": f"#/definitions/a{n + 1}"}] * 2} for n in range(levels)}
    return {"definitions": {**names, f"a{levels}": {"const": 1}}, "$ref": "#/definitions/a0"}


def test_a_schema_that_never_ends_is_given_up():
    assert MOST_STEPS < 2**30
    for schema in (
        doubling(30),
        {"$ref": "#"},
        {"definitions": {"a": {"$ref": "#/definitions/a"}}, "$ref": "#/definitions/a"},
    ):
        check_schema(schema)
        with pytest.raises(Refused) as refused:
            check_value("STR", "x", schema=schema)
        assert refused.value.code == "too_complex"
    check_value("INT", 1, schema=doubling(3))


def test_patterns_take_no_time_and_mean_what_they_say():
    hard = {"pattern": "^(a+)+$", "type": "string"}
    check_schema(hard)
    check_value("STR", "a" * 50, schema=hard)
    with pytest.raises(Refused, match="has to match"):
        check_value("STR", "a" * 50 + "!", schema=hard)
    names = {"patternProperties": {"^x_": {"type": "integer"}}, "additionalProperties": False}
    check_value("JSON", {"x_1": 1}, schema=names)
    for wrong in ({"x_1": "1"}, {"y": 1}):
        with pytest.raises(Refused):
            check_value("JSON", wrong, schema=names)
    typed = {"properties": {"a": {}}, "additionalProperties": {"type": "integer"}}
    check_value("JSON", {"a": "x", "b": 1}, schema=typed)
    with pytest.raises(Refused, match="b is"):
        check_value("JSON", {"a": "x", "b": "y"}, schema=typed)


def test_unique_items_are_compared_in_one_pass():
    schema = {"uniqueItems": True}
    check_value("JSON", [{"a": n} for n in range(20_000)], schema=schema)
    check_value("JSON", [1, True, "1"], schema=schema)
    with pytest.raises(Refused, match="the same item twice"):
        check_value("JSON", [{"a": 1, "b": 2}, {"b": 2, "a": 1}], schema=schema)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ([], "is an object"),
        ({"type": "strings"}, "Did you mean 'string'"),
        ({"minimum": "1"}, "minimum is"),
        ({"$ref": "http://127.0.0.1:1/a.json"}, "nothing is fetched"),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "nothing is fetched"),
        ({"$ref": "#/definitions/none"}, "which is not in it"),
        ({"properties": {"a": {"pattern": "(?<!a)b"}}}, "cannot be used"),
        ({"patternProperties": {"(": {}}}, "cannot be used|pattern"),
        ({"description": "a" * 70_000}, "more than 65,536 characters"),
        ({"$schema": "https://json-schema.org/draft/2019-09/schema"}, "not known here"),
    ],
)
def test_schemas_that_cannot_be_used(schema, words):
    with pytest.raises(Refused, match=words):
        check_schema(schema)


@pytest.mark.parametrize("draft", ["draft-03", "draft-04", "draft-06", "draft-07"])
def test_schemas_of_all_drafts_of_grand_challenge(draft):
    schema = {
        "$schema": f"http://json-schema.org/{draft}/schema#",
        "type": "object",
        "properties": {"a": {"type": "integer"}},
    }
    check_schema(schema)
    check_value("JSON", {"a": 1}, schema=schema)
    with pytest.raises(Refused, match="a is"):
        check_value("JSON", {"a": "b"}, schema=schema)


def test_a_boolean_has_no_meaning_of_a_number():
    for kind, value in (("INT", True), ("FLT", False), ("BOOL", 1)):
        with pytest.raises(Refused):
            check_value(kind, value)
    check_value("INT", 3.0)
