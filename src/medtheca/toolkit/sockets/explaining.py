"""What a rule of a JSON schema says of a value that breaks it, in words: the place, the rule, what would be right."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jsonschema.exceptions import SchemaError, ValidationError, best_match

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.suggest import did_you_mean

_TYPES = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}
_EXAMPLES = {"string": 'Put it into quotes: "…".', "boolean": "Write true or false.", "integer": "Such as 7."}
_COUNTS = {
    "minItems": ("item", "at least"),
    "maxItems": ("item", "at most"),
    "minLength": ("character", "at least"),
    "maxLength": ("character", "at most"),
    "minProperties": ("key", "at least"),
    "maxProperties": ("key", "at most"),
}
_BOUNDS = {
    "minimum": "has to be at least",
    "maximum": "may be at most",
    "exclusiveMinimum": "has to be more than",
    "exclusiveMaximum": "has to be less than",
    "multipleOf": "has to be a multiple of",
    "pattern": "has to match",
}
_MOST_CHOICES = 20
_Words = tuple[str, str]
"""What is wrong, and what would be right."""

Error = ValidationError | SchemaError


def require_none(errors: Iterable[ValidationError]) -> None:
    """Raise the error that tells most as `Refused`, in words; nothing where there is none."""
    error = best_match(iter(errors))
    if error is not None:
        raise Refused("invalid_value", *explain(error))


def explain(error: Error) -> _Words:
    """What an error means, with the place within the value and the rule; and what would be right."""
    rule = str(error.validator)
    words, remedy = _SAYING.get(rule, _something)(error)
    return f"{_place(error.absolute_path) or 'The value'} {words} (rule {rule}).", remedy


def _place(path: Iterable[str | int]) -> str:
    """Where in the value: `boxes[3].corners`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")[:200]


def _type(error: Error) -> _Words:
    wanted = error.validator_value
    names = wanted if isinstance(wanted, list) else [wanted]
    right = " or ".join(_TYPES.get(str(name), str(name)) for name in names)
    return f"is {_kind_of(error.instance)}, and has to be {right}", _EXAMPLES.get(str(names[0]), "")


def _required(error: Error) -> _Words:
    wanted: Any = error.validator_value
    if not isinstance(wanted, list):
        return _something(error)  # Draft 3 says it of each property.
    missing = [name for name in wanted if name not in _keys_of(error.instance)]
    near = [did_you_mean(name, missing) for name in _unknown(error)]
    return f"lacks {', '.join(missing)}", next(filter(None, near), f"It needs {', '.join(map(str, wanted))}.")


def _additional(error: Error) -> _Words:
    known, extra = list(_properties(error)), _unknown(error)
    near = did_you_mean(extra[0], known) if extra else ""
    words = f"has {', '.join(extra[:5])[:120]}, which is not known"
    return words, near or (f"It may have {', '.join(known)}." if known else "It may have nothing more.")


def _choice(error: Error) -> _Words:
    wanted: Any = error.validator_value
    choices = wanted if error.validator == "enum" else [wanted]
    more = " …" if len(choices) > _MOST_CHOICES else ""
    shown = ", ".join(_short(choice) for choice in choices[:_MOST_CHOICES]) + more
    texts = [choice for choice in choices if isinstance(choice, str)]
    near = did_you_mean(error.instance, texts) if isinstance(error.instance, str) else ""
    one = "has to be" if len(choices) == 1 else "has to be one of"
    return f"is {_short(error.instance)}, and {one} {shown}", near


def _count(error: Error) -> _Words:
    unit, bound = _COUNTS[str(error.validator)]
    found: Any = error.instance
    number = f"{len(found):,} {unit}{'' if len(found) == 1 else 's'}"
    other = {"min": "max", "max": "min"}[str(error.validator)[:3]] + str(error.validator)[3:]
    schema: Any = error.schema
    exactly = isinstance(schema, Mapping) and schema.get(other) == error.validator_value
    return f"has {number}, and {'exactly' if exactly else bound} {error.validator_value} are wanted", ""


def _bound(error: Error) -> _Words:
    return f"is {_short(error.instance)}, and {_BOUNDS[str(error.validator)]} {_short(error.validator_value)}", ""


def _unique(error: Error) -> _Words:
    return "has the same item twice", "Each may be there once."


def _any_of(error: Error) -> _Words:
    choices = list(dict.fromkeys(_choices_in(error)))
    if not choices:
        return _something(error)
    near = did_you_mean(error.instance, choices) if isinstance(error.instance, str) else ""
    return f"is {_short(error.instance)}, which is none of what it may be", near or f"Such as {', '.join(choices[:8])}."


def _something(error: Error) -> _Words:
    return f"is {_short(error.instance)}, which does not fit", "Compare it with the schema of the socket."


_SAYING: dict[str, Callable[[Error], _Words]] = {
    "type": _type,
    "required": _required,
    "additionalProperties": _additional,
    "enum": _choice,
    "const": _choice,
    "uniqueItems": _unique,
    "anyOf": _any_of,
    "oneOf": _any_of,
    **dict.fromkeys(_COUNTS, _count),
    **dict.fromkeys(_BOUNDS, _bound),
}


def _choices_in(error: Error) -> list[str]:
    """The words among which there was a choice, where what was found is a single thing."""
    if isinstance(error.instance, dict | list):
        return []
    found: list[str] = []
    for one in error.context or ():
        if one.validator in {"enum", "const"}:
            wanted: Any = one.validator_value
            found += [choice for choice in (wanted if one.validator == "enum" else [wanted]) if isinstance(choice, str)]
        else:
            found += _choices_in(one)
    return found


def _properties(error: Error) -> Mapping[str, Any]:
    schema: Any = error.schema
    return schema.get("properties", {}) if isinstance(schema, Mapping) else {}


def _keys_of(value: Any) -> list[str]:
    return list(value) if isinstance(value, dict) else []


def _unknown(error: Error) -> list[str]:
    known = _properties(error)
    return [name for name in _keys_of(error.instance) if name not in known]


def _kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return _TYPES["object" if isinstance(value, dict) else "array"]
    return _short(value)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:59]}…"
