"""Items of an archive as the rows of a spreadsheet, and back: what columns are, and what cells say.

A cell that says what is there already changes nothing, however a spreadsheet program has rounded or guarded it. So
whatever was exported can be imported again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from medtheca.toolkit.schemas.table import normalise_column
from medtheca.toolkit.sockets.cells import read_cell
from medtheca.toolkit.suggest import close_matches

CLEAR = "[clear]"
"""A cell that takes out what is there; a blank one keeps it."""

LONGEST_CELL = 32_767
"""Characters that a cell of a workbook can hold."""

_DIGITS = 15
_PREFIX = "socket:"
_GUARDED = ("=", "+", "-", "@", "\t", "\r")
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?|[+-]?\d{1,3}(?:\.\d{3})+,\d+")
_TEXTS = ("STR", "CHOI")


class Use(StrEnum):
    """What a column is for."""

    ID = "id"
    TITLE = "title"
    SOCKET = "socket"
    LEFT_OUT = "left_out"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: how it is used, the slug of its socket, and of an unknown one the slugs that may be meant."""

    name: str
    use: Use
    slug: str = ""
    suggested: tuple[str, ...] = ()


def head_of(slugs: Iterable[str]) -> tuple[str, ...]:
    """The first row of a sheet: id, title and the sockets.

    >>> head_of(["score", "title"])
    ('id', 'title', 'score', 'socket:title')
    """
    return ("id", "title", *(f"{_PREFIX}{slug}" if slug in (Use.ID, Use.TITLE) else slug for slug in slugs))


def plan_columns(
    names: Sequence[str], *, sockets: Mapping[str, str], chosen: Mapping[str, str] | None = None
) -> list[Column]:
    """What each column is: `id`, `title`, or a socket by its slug or title, case, blanks and hyphens not counted.

    `sockets` are titles by slug, the ones that win last. `chosen` says for columns by name which socket they are, or
    with an empty text that they are left out.

    >>> plan_columns(["ID", "Lung volume", "scorre"], sockets={"score": "Score", "lung-volume": "Lung volume"})[1:]
    [Column(name='Lung volume', use=<Use.SOCKET: 'socket'>, slug='lung-volume', suggested=()), \
Column(name='scorre', use=<Use.UNKNOWN: 'unknown'>, slug='', suggested=('score',))]
    """
    said = chosen or {}
    known = {normalise_column(title): slug for slug, title in sockets.items()}
    known |= {normalise_column(slug): slug for slug in sockets}
    return [_column(name, sockets, known, said) for name in names]


def _column(name: str, sockets: Mapping[str, str], known: Mapping[str, str], chosen: Mapping[str, str]) -> Column:
    if name in chosen:
        slug = chosen[name]
        if slug in sockets:
            return Column(name, Use.SOCKET, slug)
        # One that is not there is a slip, and no wish to leave the column out.
        return _unknown(name, slug, known) if slug else Column(name, Use.LEFT_OUT)
    plain = normalise_column(name)
    if plain in (Use.ID, Use.TITLE):
        return Column(name, Use(plain))
    slug = name.strip().removeprefix(_PREFIX)
    slug = slug if slug in sockets else known.get(normalise_column(slug), "")
    if slug:
        return Column(name, Use.SOCKET, slug)
    return _unknown(name, plain, known)


def _unknown(name: str, said: str, known: Mapping[str, str]) -> Column:
    near = close_matches(normalise_column(said), list(known))
    return Column(name, Use.UNKNOWN, suggested=tuple(dict.fromkeys(known[one] for one in near)))


def cell_text(written: str, *, longest: int = LONGEST_CELL) -> str:
    """A text as a cell can hold it; of a longer one only how long it is, which keeps it when it comes back.

    >>> cell_text("x" * 40_000)
    '[40,000 characters, more than a cell holds]'
    """
    return written if len(written) <= longest else _stands_for(written)


def _stands_for(written: str) -> str:
    return f"[{len(written):,} characters, more than a cell holds]"


def says(cell: str, written: str | float, *, rounded: bool = False, decimal_comma: bool = False) -> bool:
    """Whether a cell says what `cells.write_cell` wrote.

    `rounded`: the cell comes out of a workbook, whose numbers have fifteen digits.

    >>> says("0.3", 0.1 + 0.2), says("0.3", 0.1 + 0.2, rounded=True), says("'=1", "=1"), says("0,5", 0.5)
    (False, True, True, False)
    """
    if isinstance(written, str):
        # The second is of texts that are nothing but line ends: their guard is left.
        return _plain(cell) in (_plain(written), _plain(f"'{written}")) or cell == _stands_for(written)
    try:
        number: float = int(cell)
    except ValueError:
        try:
            number = float(_with_point(cell) if decimal_comma else cell)
        except ValueError:
            return False
    if number == written:
        return True
    return rounded and _may_be_rounded(number, written) and _digits(number) in _roundings(written)


def _may_be_rounded(number: float, written: float) -> bool:
    """Not a whole number that has more digits than a workbook's numbers: it is a text there, and was changed."""
    is_whole = isinstance(number, int) and isinstance(written, int)
    return not is_whole or len(str(abs(number)).rstrip("0")) <= _DIGITS


def _digits(number: float) -> str:
    try:
        return format(float(number), f".{_DIGITS}g")
    except OverflowError:
        return str(number)


def _roundings(written: float) -> tuple[str, str]:
    """The digits that a workbook's reader shows of a number: at once, or of the sixteen with which one is written."""
    try:
        return _digits(written), _digits(float(format(float(written), ".16g")))
    except OverflowError:
        return _digits(written), ""


def read_sheet_cell(kind: str, cell: str, *, decimal_comma: bool = False) -> Any:
    """What a cell says for a kind of socket. Raises `Refused`.

    >>> read_sheet_cell("FLT", "0,5", decimal_comma=True), read_sheet_cell("STR", "'-0.5")
    (0.5, '-0.5')
    """
    if kind in _TEXTS:
        return unguarded_text(cell)
    if kind in ("FLT", "INT") and decimal_comma:
        return read_cell(kind, _with_point(cell))
    return read_cell(kind, cell)


def unguarded_text(cell: str) -> str:
    """A text without the apostrophe that kept a spreadsheet program from running it.

    >>> unguarded_text("'=1+1"), unguarded_text("'s-Gravenhage")
    ('=1+1', "'s-Gravenhage")
    """
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_GUARDED) else cell


def _with_point(cell: str) -> str:
    return cell.replace(".", "").replace(",", ".") if _COMMA.fullmatch(cell) else cell


def _plain(text: str) -> str:
    """A text without what is lost on its way: blanks at its ends, kinds of line ends, letters that nobody sees."""
    one_way = _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return unguarded_text(one_way).strip()
