"""Values as a query writes them: numbers with units, moments of any precision, quoted text with stars."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NoReturn

from medtheca.toolkit.querylang.fields import SearchField
from medtheca.toolkit.querylang.scanner import Scanner

MOST_STARS = 8
# Within what arithmetic of decimals keeps exact, units included.
MOST_DIGITS = 15
LARGEST_EXPONENT = 30
_LONGEST_NUMBER = 40

QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
UNQUOTED = re.compile(r"[A-Za-z0-9*_\-]+(?:\.[A-Za-z0-9*_\-]+)*")
# With something that needs no quotes: what was meant is likely to be all of it.
RUN = re.compile(r'[^\s()"\[\]{}]+')
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?")
_UNIT = re.compile(r"[A-Za-zµ]+")
_NEXT_TERM = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\s*:|TO[^A-Za-z]")
DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_ESCAPED = re.compile(r'\\(["\\*])|(\*)', re.DOTALL)
_NEEDS_ESCAPE = re.compile(r'["\\*]')


@dataclass(frozen=True, slots=True)
class Period:
    """What a date of some precision stands for: from the start on, before the end."""

    start: datetime
    end: datetime


def pieces_of(text: str) -> tuple[str, ...]:
    r"""The text between its stars; `\"`, `\\` and `\*` stand for the characters themselves.

    >>> pieces_of("abc*"), pieces_of(r"5\*3"), pieces_of("**")
    (('abc', ''), ('5*3',), ('', ''))
    """
    pieces, last = [""], 0
    for match in _ESCAPED.finditer(text):
        pieces[-1] += text[last : match.start()] + (match[1] or "")
        last = match.end()
        # Two stars say no more than one does.
        if match[2] and (len(pieces) == 1 or pieces[-1]):
            pieces.append("")
    pieces[-1] += text[last:]
    return tuple(pieces)


def quote(text: str) -> str:
    r"""A text in quotes, as `pieces_of` reads it.

    >>> print(quote('a "b" *'))
    "a \"b\" \*"
    """
    return f'"{escape(text)}"'


def escape(text: str) -> str:
    """A text without anything that has a meaning within quotes."""
    return _NEEDS_ESCAPE.sub(lambda match: "\\" + match[0], text)


def read_number(scanner: Scanner, field: SearchField) -> Decimal:
    """A number, with a unit of the field where it is written. Raises `QueryError`."""
    start = scanner.at
    match = scanner.take(_NUMBER)
    if match is None:
        _fail_number(scanner, field)
    if not _is_sane(match):
        scanner.fail("bad_number", "No value is so large or so exact.", at=start, length=len(match[0]))
    # Adding nought turns -0 into 0.
    number = Decimal(match[0]) + 0
    unit = None if scanner.looking_at(_NEXT_TERM) else scanner.looking_at(_UNIT)
    if unit is None:
        return number
    factor = field.units.get(unit[0])
    if factor is None:
        units = ", ".join(field.units)
        remedy = f"Units of {field.name} are {units}." if units else f"{field.name} takes numbers without a unit."
        scanner.fail("bad_unit", f"{unit[0]} is no unit of {field.name}.", remedy, length=len(unit[0]))
    scanner.at = unit.end()
    return number * Decimal(str(factor))


def _is_sane(match: re.Match[str]) -> bool:
    # A number of so many characters is not even looked at: an exponent alone could be too much for a decimal.
    if len(match[0]) > _LONGEST_NUMBER or len(match[1] or "") > 4:
        return False
    number = Decimal(match[0])
    return abs(number.adjusted()) <= LARGEST_EXPONENT and len(number.as_tuple().digits) <= MOST_DIGITS


def _fail_number(scanner: Scanner, field: SearchField) -> NoReturn:
    if scanner.next == '"':
        remedy = "Leave the quotes out."
    else:
        remedy = f"Write {field.name}:50, {field.name}:[20 TO 50], {field.name}:>=20 or {field.name}:* for any."
    found = scanner.looking_at(RUN)
    message = f"{field.name} takes a number{f', not {found[0][:40]}' if found else ''}."
    scanner.fail("bad_number", message, remedy, length=len(found[0]) if found else 1, expected="a number")


def read_period(scanner: Scanner, field: SearchField) -> Period:
    """A year, a month, a day or a moment, in quotes or without. Raises `QueryError`."""
    quoted = scanner.next == '"'
    start = scanner.at
    if quoted:
        scanner.at += 1
    match = scanner.take(DATE)
    if match is None or (quoted and not scanner.take_text('"')):
        found = RUN.match(scanner.text, start + quoted)
        message = f"{field.name} takes a date{f', not {found[0][:40]}' if found else ''}."
        remedy = f"Write {field.name}:2024, {field.name}:2024-06, {field.name}:[2024-01-01 TO 2024-06-30] or such."
        scanner.fail("bad_date", message, remedy, at=start, length=len(found[0]) if found else 1, expected="a date")
    try:
        return _period(match)
    except (ValueError, OverflowError):
        remedy = "Write year, month and day, such as 2024-06-30."
        scanner.fail("bad_date", f"There is no {match[0]}.", remedy, at=start, length=len(match[0]))


def _period(match: re.Match[str]) -> Period:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    start = datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), tzinfo=UTC)
    start = start.replace(second=int(second or 0), microsecond=int((fraction or "0").ljust(6, "0")))
    if zone and zone != "Z":
        # Reads a zone as Python does, which refuses those of more than a day.
        start = datetime.fromisoformat(f"{start:%Y-%m-%dT%H:%M:%S.%f}{zone}").astimezone(UTC)
    if day is None:
        following = (start.year + 1, 1) if month is None or start.month == 12 else (start.year, start.month + 1)
        return Period(start, start.replace(year=following[0], month=following[1]))
    if fraction:
        return Period(start, start + timedelta(microseconds=1))
    length = timedelta(seconds=1) if second else timedelta(minutes=1) if hour else timedelta(days=1)
    return Period(start, start + length)
