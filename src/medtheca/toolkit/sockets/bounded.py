"""Validation against schemas that somebody else wrote: no network, no expression that never ends, no endless work.

A schema may refer to itself, and offer choices of choices: what a value of a few bytes costs grows without bounds. So
steps are counted, regular expressions are matched by RE2 in linear time, and `$ref` stays within the schema.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import re2
from jsonschema import Draft3Validator, Draft4Validator, Draft6Validator, Draft7Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from jsonschema_specifications import REGISTRY
from referencing.exceptions import Unresolvable

from medtheca.toolkit.errors import Refused

MOST_STEPS = 200_000
"""Rules that are applied to a value, besides `STEPS_A_NODE` for each value within it. It takes half a second."""

STEPS_A_NODE = 50

DRAFTS: dict[str, type[Validator]] = {
    "http://json-schema.org/draft-03/schema": Draft3Validator,
    "http://json-schema.org/draft-04/schema": Draft4Validator,
    "http://json-schema.org/draft-06/schema": Draft6Validator,
    "http://json-schema.org/draft-07/schema": Draft7Validator,
}

Schema = Mapping[str, Any] | bool
_Rule = Callable[..., Iterable[ValidationError] | None]
_steps_left: ContextVar[int] = ContextVar("steps_left")


def errors_of(schema: Schema, value: Any, *, nodes: int) -> Iterator[ValidationError]:
    """What of a schema a value of so many nodes breaks. Raises `Refused` where that cannot be told with reason."""
    validator = _bounded(draft_of(schema))(schema, registry=REGISTRY)
    token = _steps_left.set(MOST_STEPS + STEPS_A_NODE * nodes)
    try:
        yield from validator.iter_errors(value)
    except RecursionError:
        raise _endless() from None
    except Unresolvable as error:
        raise Refused("invalid_schema", f"The schema refers to {error.ref}, which is not in it.", "") from None
    finally:
        _steps_left.reset(token)


def draft_of(schema: Schema) -> type[Validator]:
    """The draft in which a schema says that it is written, 7 where it says nothing. Raises `Refused` for others."""
    said = schema.get("$schema") if isinstance(schema, Mapping) else None
    if said is None:
        return Draft7Validator
    found = DRAFTS.get(said.rstrip("#")) if isinstance(said, str) else None
    if found is None:
        known = ", ".join(DRAFTS)
        raise Refused(
            "invalid_schema", f"$schema is {str(said)[:80]}, which is not known here.", f"Write one of {known}."
        )
    return found


@lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> Any:
    """An expression as RE2 understands it. Raises `Refused`, for look-around and back-references too."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(pattern, options=options)
    except re2.error as error:
        words = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        remedy = "Write it without look-around and back-references, as RE2 takes it."
        raise Refused("invalid_schema", f"The pattern {pattern[:80]} cannot be used: {words}.", remedy) from None


def _endless() -> Refused:
    remedy = "Have the schema of the socket made simpler, or make the value smaller."
    return Refused("too_complex", "Whether the value obeys the schema takes too long to find out.", remedy)


def _counted(rule: _Rule, cost: int) -> _Rule:
    def check(validator: Validator, wanted: Any, instance: Any, schema: Any) -> Iterable[ValidationError] | None:
        left = _steps_left.get() - cost
        if left < 0:
            raise _endless()
        _steps_left.set(left)
        return rule(validator, wanted, instance, schema)

    return check


def _pattern(validator: Validator, wanted: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not compile_pattern(wanted).search(instance):
        yield ValidationError(f"{instance!r} does not match {wanted!r}")


def _pattern_properties(
    validator: Any, wanted: Mapping[str, Any], instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    for pattern, subschema in wanted.items():
        compiled = compile_pattern(pattern)
        for name, item in instance.items():
            if compiled.search(name):
                yield from validator.descend(item, subschema, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, wanted: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    patterns = [compile_pattern(pattern) for pattern in schema.get("patternProperties", {})]
    known = schema.get("properties", {})
    extra = [name for name in instance if name not in known and not any(one.search(name) for one in patterns)]
    if validator.is_type(wanted, "object"):
        for name in extra:
            yield from validator.descend(instance[name], wanted, path=name)
    elif wanted is False and extra:
        yield ValidationError(f"Additional properties are not allowed ({', '.join(extra)[:200]})")


def _unique_items(validator: Validator, wanted: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    """In one pass; the library compares each with each where items are objects."""
    if wanted and validator.is_type(instance, "array"):
        texts = {json.dumps(item, sort_keys=True) for item in instance}
        if len(texts) < len(instance):
            yield ValidationError("The items are not all different")


_OURS: dict[str, _Rule] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
}


def _bounded(draft: type[Validator]) -> type[Validator]:
    if draft not in _made:
        rules: dict[str, _Rule] = {**draft.VALIDATORS, **_OURS}
        # To find what is referred to takes about ten times as long as to apply a rule.
        make: Callable[..., type[Validator]] = extend
        _made[draft] = make(draft, {name: _counted(rule, 10 if name == "$ref" else 1) for name, rule in rules.items()})
    return _made[draft]


_made: dict[type[Validator], type[Validator]] = {}
