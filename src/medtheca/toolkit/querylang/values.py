"""What stands behind the colon of a field, one function a kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import NoReturn

from medtheca.toolkit.querylang.fields import SearchField, ValueKind
from medtheca.toolkit.querylang.literals import (
    MOST_STARS,
    QUOTED,
    RUN,
    UNQUOTED,
    Period,
    pieces_of,
    quote,
    read_number,
    read_period,
)
from medtheca.toolkit.querylang.scanner import Scanner
from medtheca.toolkit.querylang.tree import Bound, Equals, Leaf, Present, Range, Subtree, Wildcard
from medtheca.toolkit.schemas.parsing import FALSE_WORDS, TRUE_WORDS

_COMPARISON = re.compile(r">=|<=|>|<")
# ISIC's language asks for no space between a value and the next term where the value ends by itself.
_NEXT = r"-?\s*[A-Za-z_][A-Za-z0-9_]*\s*:"
_BOOL = re.compile(rf"(?:true|false|\*)(?=[\s)]|\Z|{_NEXT})")
_STAR = re.compile(rf"\*(?=[\s)]|\Z|{_NEXT})")
_TO = re.compile(r"\s*TO\s*")
_AFTER = re.compile(r"[\s)]|\Z")
_AFTER_NUMBER = re.compile(rf"[\s)]|\Z|{_NEXT}")


_ReadEnd = Callable[[Scanner, SearchField], Decimal | Period]


def read_value(scanner: Scanner, field: SearchField) -> Leaf:
    """The leaf that a field and the value here make. Raises `QueryError`."""
    return _READERS[field.kind](scanner, field)


def _read_keyword(scanner: Scanner, field: SearchField) -> Leaf:
    start = scanner.at
    pieces = _read_text(scanner, field)
    length = scanner.at - start
    if len(pieces) > 1:
        return _wildcard(scanner, field, pieces, at=start, length=length)
    if field.by_name and not pieces[0].strip():
        scanner.fail("no_value", f"{field.name} has no value here.", _by_name(field), at=start, length=length)
    value = field.stored_value(pieces[0])
    if value is None:
        _fail_unknown(scanner, field, pieces[0], at=start, length=length)
    return Equals(field, value)


def _read_term(scanner: Scanner, field: SearchField) -> Leaf:
    start = scanner.at
    pieces = _read_text(scanner, field)
    length = scanner.at - start
    if len(pieces) > 1:
        return _wildcard(scanner, field, pieces, at=start, length=length)
    assert field.vocabulary is not None
    path = field.vocabulary.resolve(pieces[0])
    if path is None:
        _fail_unknown(scanner, field, pieces[0], at=start, length=length)
    return Subtree(field, path)


def _by_name(field: SearchField) -> str:
    if field.name == "duplicate_group":
        return "Write duplicate_group:ISIC_0000042, the public id of an image."
    return f'Write {field.name}:12 or {field.name}:"its name".'


def _wildcard(scanner: Scanner, field: SearchField, pieces: tuple[str, ...], *, at: int, length: int) -> Leaf:
    if field.by_name:
        message = f"A {field.name} is asked for by its id or its whole name."
        scanner.fail("no_stars", message, _by_name(field), at=at, length=length, expected="an id or a name")
    if not any(pieces):
        return Present(field)
    if len(pieces) > MOST_STARS + 1:
        scanner.fail("too_many_stars", f"More than {MOST_STARS} stars in one value.", at=at, length=length)
    return Wildcard(field, pieces)


def _fail_unknown(scanner: Scanner, field: SearchField, text: str, *, at: int, length: int) -> NoReturn:
    suggestions = [_as_written(near) for near in field.vocabulary.suggest(text)] if field.vocabulary else []
    remedy = "" if suggestions else f"Write {field.name}:* for any value."
    message = f"{text[:60]} is no value of {field.name}."
    scanner.fail(
        "unknown_value",
        message,
        remedy,
        at=at,
        length=length,
        expected=f"a value of {field.name}",
        suggestions=suggestions,
    )


def _as_written(value: str) -> str:
    return value if UNQUOTED.fullmatch(value) else quote(value)


def _read_text(scanner: Scanner, field: SearchField) -> tuple[str, ...]:
    """The pieces between the stars of a text, in quotes or without."""
    if scanner.next == '"':
        quoted = scanner.take(QUOTED)
        if quoted is None:
            scanner.fail("open_quote", "These quotes are not closed.", 'Put " at the end.', expected='"')
        return pieces_of(quoted[1])
    start = scanner.at
    if scanner.next in {"[", "{", "<", ">"}:
        message = f"{field.name} is no number and no date, and has no ranges."
        scanner.fail("no_range", message, f"Write {field.name}:(one OR other), or put the value in quotes.")
    match = scanner.take(UNQUOTED)
    if match is None or not scanner.looking_at(_AFTER):
        run = RUN.match(scanner.text, start)
        length = len(run[0]) if run else 1
        written = run[0] if run else scanner.next
        if "," in written and all(UNQUOTED.fullmatch(part) for part in written.split(",")):
            options = " OR ".join(written.split(","))
            scanner.fail(
                "listed",
                "Values are not listed by commas.",
                "Put OR between them, in brackets.",
                length=length,
                at=start,
                expected="one value",
                suggestions=[f"({options})"],
            )
        # Of what a bracket follows, nobody knows how far it was meant to go.
        whole = run is not None and scanner.text[run.end() : run.end() + 1] != "("
        scanner.fail(
            "needs_quotes",
            f"{scanner.next or written} cannot stand in a value without quotes.",
            "Put the value in quotes.",
            at=start,
            length=length,
            expected="letters, digits, - or _",
            suggestions=[quote(written)] if whole else [],
        )
    return pieces_of(match[0])


def _read_bool(scanner: Scanner, field: SearchField) -> Leaf:
    match = scanner.take(_BOOL)
    if match is None:
        found = scanner.looking_at(RUN)
        word = found[0].lower() if found else ""
        suggestions = ["true"] if word in TRUE_WORDS else ["false"] if word in FALSE_WORDS else []
        scanner.fail(
            "bad_bool",
            f"{field.name} takes true, false or *.",
            "Small letters without quotes.",
            length=len(word),
            expected="true, false or *",
            suggestions=suggestions,
        )
    return Present(field) if match[0] == "*" else Equals(field, match[0] == "true")


def _read_number_value(scanner: Scanner, field: SearchField) -> Leaf:
    found = _read_ordered(scanner, field, read_number)
    if found is not None:
        return found
    number = read_number(scanner, field)
    if not scanner.looking_at(_AFTER_NUMBER):
        scanner.fail("bad_number", f"{scanner.next} is in no number.", expected="a space")
    return Equals(field, number)


def _read_date_value(scanner: Scanner, field: SearchField) -> Leaf:
    found = _read_ordered(scanner, field, read_period)
    if found is not None:
        return found
    period = read_period(scanner, field)
    if not scanner.looking_at(_AFTER):
        remedy = f"Write {field.name}:2024, {field.name}:2024-06 or {field.name}:2024-06-30."
        scanner.fail("bad_date", f"{scanner.next} is in no date.", remedy, expected="a space")
    return Range(field, _low(period, inclusive=True), _high(period, inclusive=True))


def _low(end: Decimal | Period, *, inclusive: bool) -> Bound:
    if isinstance(end, Period):
        # `> 2024` is after the year.
        return Bound(end.start if inclusive else end.end, inclusive=True)
    return Bound(end, inclusive)


def _high(end: Decimal | Period, *, inclusive: bool) -> Bound:
    if isinstance(end, Period):
        # `<= 2024` is until its end.
        return Bound(end.end if inclusive else end.start, inclusive=False)
    return Bound(end, inclusive)


def _read_ordered(scanner: Scanner, field: SearchField, read: _ReadEnd) -> Leaf | None:
    """`*`, a comparison or a range; None where there is something else."""
    if scanner.take(_STAR):
        return Present(field)
    sign = scanner.take(_COMPARISON)
    if sign is None:
        return _read_range(scanner, field, read) if scanner.next in {"[", "{"} else None
    scanner.skip_space()
    end, inclusive = read(scanner, field), len(sign[0]) == 2
    if not scanner.looking_at(_AFTER):
        scanner.fail("unexpected", f"{scanner.next} is not expected here.", expected="a space")
    if sign[0][0] == ">":
        return Range(field, _low(end, inclusive=inclusive), None)
    return Range(field, None, _high(end, inclusive=inclusive))


def _read_range(scanner: Scanner, field: SearchField, read: _ReadEnd) -> Leaf:
    opening, start = scanner.next, scanner.at
    scanner.at += 1
    scanner.skip_space()
    low = None if scanner.take_text("*") else read(scanner, field)
    if not scanner.take(_TO):
        _fail_between(scanner, field)
    high = None if scanner.take_text("*") else read(scanner, field)
    scanner.skip_space()
    closing = scanner.next
    if closing not in {"]", "}"}:
        message = f"The {opening} in column {start + 1} is not closed."
        scanner.fail("bad_range", message, "Put ] or } at the end.", expected="] or }")
    scanner.at += 1
    if low is None and high is None:
        return Present(field)
    return Range(
        field,
        None if low is None else _low(low, inclusive=opening == "["),
        None if high is None else _high(high, inclusive=closing == "]"),
    )


def _fail_between(scanner: Scanner, field: SearchField) -> NoReturn:
    scanner.skip_space()
    found = scanner.text[scanner.at : scanner.at + 2]
    small = found.lower() == "to"
    scanner.fail(
        "bad_range",
        "TO stands between the ends of a range.",
        f"Write {field.name}:[low TO high]; * is an open end.",
        length=2 if small else 1,
        expected="TO",
        suggestions=["TO"] if small else [],
    )


_READERS: dict[ValueKind, Callable[[Scanner, SearchField], Leaf]] = {
    ValueKind.KEYWORD: _read_keyword,
    ValueKind.HIERARCHY: _read_term,
    ValueKind.BOOL: _read_bool,
    ValueKind.NUMBER: _read_number_value,
    ValueKind.DATE: _read_date_value,
}
