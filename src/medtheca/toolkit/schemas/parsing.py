"""A cell of a spreadsheet becomes a value of its field, one function a kind."""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.schemas.problems import quoted
from medtheca.toolkit.schemas.registry import Field, Kind
from medtheca.toolkit.suggest import as_question

# What a stored value may be. Decimals are text with a fixed number of places: a float loses some.
Value = str | int | bool

TRUE_WORDS = frozenset({"1", "on", "t", "true", "y", "yes"})
FALSE_WORDS = frozenset({"0", "off", "f", "false", "n", "no"})

LONGEST_NUMBER = 100
LONGEST_IDENTIFIER = 255
LONGEST_TEXT = 10_000

_DATE = re.compile(r"[0-9]{4}-([0-9]{2})-([0-9]{2})(?: [0-9:]+)?")
_INTEGER = re.compile(r"([+-]?[0-9]+(?:_[0-9]+)*)(?:\.0+)?")


def parse_cell(item: Field, cell: str) -> tuple[Value, str]:
    """Read a trimmed, non-empty cell. Returns the value and a remark on what was changed, mostly empty.

    Raises Refused. A hierarchy's value is its full path.
    """
    return _PARSERS[item.kind](item, cell.lower() if item.lower_case else cell)


def _parse_term(item: Field, cell: str) -> tuple[Value, str]:
    assert item.vocabulary is not None
    value = item.vocabulary.resolve(cell)
    if value is not None:
        return value, ""
    question = as_question(item.vocabulary.suggest(cell))
    if item.kind is Kind.HIERARCHY:
        remedy = f"Use a term of the {item.label.lower()} list or its full path; upper and lower case count."
    else:
        remedy = f"Use one of: {', '.join(item.vocabulary.values)}."
    raise Refused("unknown_value", f"Unknown {item.name} {quoted(cell)}. {question}".strip(), remedy)


def _parse_bool(item: Field, cell: str) -> tuple[Value, str]:
    word = cell.lower()
    if word not in TRUE_WORDS | FALSE_WORDS:
        message = f"{item.name} takes true or false, not {quoted(cell)}."
        raise Refused("not_boolean", message, "Write true or false, or leave the cell empty.")
    return word in TRUE_WORDS, ""


def _parse_integer(item: Field, cell: str) -> tuple[Value, str]:
    if item.clamp is not None and cell == f"{item.clamp}+":
        return item.clamp, ""
    match = _INTEGER.fullmatch(cell) if len(cell) <= LONGEST_NUMBER else None
    if match is None:
        _refuse_date(item, cell)
        message = f"{item.name} takes a whole number, not {quoted(cell)}."
        raise Refused("not_integer", message, f"Write {_range_in_words(item)}, in digits.")
    value = int(match[1])
    if item.clamp is not None and value > item.clamp:
        return item.clamp, f"{item.name} {value} is stored as {item.clamp}."
    _check_range(item, Decimal(value), cell)
    return value, ""


def _parse_decimal(item: Field, cell: str) -> tuple[Value, str]:
    _refuse_date(item, cell)
    number, remark = _measure(item, cell)
    if not number.is_finite():
        raise _not_a_number(item, cell)
    _check_range(item, number, cell)
    stored = number.quantize(Decimal(1).scaleb(-item.places))
    if stored != number:
        raise Refused(
            "too_many_decimals",
            f"{item.name} {quoted(cell)} has more than {item.places} decimal places.",
            f"Round it to {item.places} decimal places.",
        )
    # Adding nought turns -0 into 0.
    return str(stored + 0), remark


def _refuse_date(item: Field, cell: str) -> None:
    """Spreadsheet programs take 7.5 for the seventh of May and keep a date."""
    match = _DATE.fullmatch(cell)
    if match is not None:
        month, day = int(match[1]), int(match[2])
        message = f"{item.name} takes a number, and {quoted(cell)} is a date."
        typed = f"Perhaps {day}.{month} or {month}.{day} was typed and the spreadsheet program made a date of it."
        raise Refused("date_for_number", message, f"{typed} Write {_range_in_words(item)}, in a column of plain text.")


def _measure(item: Field, cell: str) -> tuple[Decimal, str]:
    """The number of a cell in the field's own unit, and a remark when a suffix made us round it."""
    suffix = next((unit for unit in item.units if cell.endswith(unit)), "")
    digits = cell.removesuffix(suffix).strip()
    try:
        if len(cell) > LONGEST_NUMBER:
            raise _not_a_number(item, cell)
        number = Decimal(digits)
        if not suffix or item.unit_places is None or not number.is_finite():
            return number, ""
        # In floats, as ISIC does: the same cell must give the same value in both archives.
        rounded = Decimal(str(round(float(digits) * item.units[suffix], item.unit_places)))
    except InvalidOperation:
        raise _not_a_number(item, cell) from None
    exact = number * Decimal(str(item.units[suffix]))
    remark = f"{item.name} {quoted(cell)} is rounded to {rounded} {item.unit}." if rounded != exact else ""
    return rounded, remark


def _parse_identifier(item: Field, cell: str) -> tuple[Value, str]:
    return _limit_length(item, cell, LONGEST_IDENTIFIER), ""


def _parse_text(item: Field, cell: str) -> tuple[Value, str]:
    return _limit_length(item, cell, LONGEST_TEXT), ""


def _limit_length(item: Field, cell: str, longest: int) -> str:
    if len(cell) > longest:
        message = f"{item.name} has {len(cell):,} characters; {longest:,} is the most."
        raise Refused("too_long", message, f"Shorten it to {longest:,} characters.")
    return cell


def _not_a_number(item: Field, cell: str) -> Refused:
    units = f", alone or followed by {' or '.join(item.units)}" if item.units else ""
    message = f"{item.name} takes a number, not {quoted(cell)}."
    return Refused("not_number", message, f"Write {_range_in_words(item)} in {item.unit or 'digits'}{units}.")


def _check_range(item: Field, value: Decimal, cell: str) -> None:
    remedy = f"Write {_range_in_words(item)}."
    if item.minimum is not None and value < Decimal(str(item.minimum)):
        message = f"{item.name} {quoted(cell)} is below {item.minimum:g}."
        raise Refused("below_minimum", message, remedy)
    if item.maximum is not None and value > Decimal(str(item.maximum)):
        message = f"{item.name} {quoted(cell)} is above {item.maximum:g}."
        raise Refused("above_maximum", message, remedy)


def _range_in_words(item: Field) -> str:
    noun = "a whole number" if item.kind is Kind.INTEGER else "a number"
    if item.minimum is not None and item.maximum is not None:
        return f"{noun} from {item.minimum:g} to {item.maximum:g}"
    return f"{noun} of {item.minimum:g} or more" if item.minimum is not None else noun


_PARSERS: dict[Kind, Callable[[Field, str], tuple[Value, str]]] = {
    Kind.ENUM: _parse_term,
    Kind.HIERARCHY: _parse_term,
    Kind.BOOL: _parse_bool,
    Kind.INTEGER: _parse_integer,
    Kind.DECIMAL: _parse_decimal,
    Kind.IDENTIFIER: _parse_identifier,
    Kind.TEXT: _parse_text,
}
