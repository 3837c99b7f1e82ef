"""Items found by what they hold: a line of words and conditions, a condition for each column, and any order.

    score > 0.5 has:overlay -has:report title:P001 "no contrast"

Everything said must hold. A socket is named by its slug or its title, in quotes where that has spaces.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from django.db.models import F, FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import OrderBy

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.archives.models import Archive, Item, ItemValue
from medtheca.domains.sockets.models import Socket
from medtheca.toolkit.suggest import did_you_mean

LONGEST_QUERY = 1000
_MOST_CONDITIONS = 20
_OPERATORS: dict[str, str] = {"=": "exact", "!=": "exact", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_WORD = r'"[^"]*"|[^\s"]+'
_NAME = r'"[^"]+"|[^\s"=!<>:]+'
_TERM = re.compile(
    rf"\s*(?P<no>-)?(?:(?P<name>{_NAME})(?:\s*(?P<op>>=|<=|!=|=|>|<)\s*(?P<operand>{_WORD})|:(?P<said>{_WORD}))"
    rf"|(?P<word>{_WORD}))"
)
_RANGE = re.compile(r"(?P<low>\S+)\s*\.\.\s*(?P<high>\S+)")
_COMPARED = re.compile(r"(?P<op>>=|<=|!=|=|>|<)\s*(?P<operand>.+)", re.DOTALL)
_HELP = "Write score > 0.5, has:overlay, title:P001, or words, in quotes where they have signs."


Comparing = Literal[">", ">=", "<", "<="]
Column = Literal["title", "created", "number"]
_COMPARING: dict[str, Comparing] = {">": ">", ">=": ">=", "<": "<", "<=": "<="}
_COLUMNS: dict[str, Column] = {"title": "title", "created": "created", "number": "number"}


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold of an item, or, `negated`, must not.

    Of a value: that there is one (`has`), that its number or text compares so (an operator), or that its text has the
    words (`says`). Without a socket: that the title has the words (`title`), or title or any value has (`says`).
    """

    kind: Literal["has", "says", "title", "="] | Comparing
    socket: Socket | None = None
    text: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """By what items are sorted: a socket's values, or the `title`, `created` or `number` of the item."""

    by: Socket | Column = "number"
    descending: bool = False


def sockets_in(archive: Archive) -> list[Socket]:
    """Sockets that items of the archive have values in, images first, then by title: the columns of its table."""
    # Asked of each socket that there can be: there are few, and an index answers with the first value of each, which
    # the order is for. Whether there is any (EXISTS) would be asked by reading all values of the archive.
    held = ItemValue.objects.filter(archive=archive, socket=OuterRef("pk"), item__trashed__isnull=True)
    first = held.order_by("archive", "socket", "text").values("pk")[:1]
    usable = Socket.objects.filter(Q(scope__isnull=True) | Q(scope=archive.scope_id))
    found = usable.alias(first_held=Subquery(first)).filter(first_held__isnull=False)
    return sorted(found, key=lambda one: (not one.kind_details.is_image, one.title.casefold(), one.pk))


def read_query(text: str, *, archive: Archive) -> list[Condition]:
    """The conditions that a line says. Raises `Invalid`, with what would be right."""
    if len(text) > LONGEST_QUERY:
        raise _wrong(f"The line has {len(text):,} characters; {LONGEST_QUERY:,} is the most.")
    terms = list(_terms(text.replace("\x00", " ")))
    if len(terms) > _MOST_CONDITIONS:
        raise _wrong(f"The line says {len(terms)} things; {_MOST_CONDITIONS} is the most.")
    sockets = _Sockets(archive, terms)
    return [_condition(term, sockets) for term in terms]


def read_column(text: str, *, socket: Socket) -> Condition | list[Condition]:
    """What a column's own box says: `> 0.5`, `1 .. 2`, `*` for any value, `-` for none, or words. Raises `Invalid`."""
    said = text.strip().replace("\x00", "")
    if said in ("*", "-"):
        return Condition("has", socket, negated=said == "-")
    if (found := _RANGE.fullmatch(said)) is not None and _number(found["low"]) is not None:
        return [_compared(socket, ">=", found["low"]), _compared(socket, "<=", found["high"])]
    if (found := _COMPARED.fullmatch(said)) is not None:
        return _compared(socket, found["op"], _bare(found["operand"].strip()))
    if _number(said) is not None:
        return _compared(socket, "=", said)
    return Condition("says", socket, _bare(said))


def narrowed(items: QuerySet[Item], conditions: Iterable[Condition], *, archive: Archive) -> QuerySet[Item]:
    """Those of items of one archive of which all conditions hold."""
    for condition in conditions:
        met = _met(condition, archive)
        items = items.exclude(met) if condition.negated else items.filter(met)
    return items


def in_order(items: QuerySet[Item], order: Order, *, archive: Archive) -> QuerySet[Item]:
    """Items in an order in which each has its place; those without a value come last."""
    if isinstance(order.by, Socket):
        # The archive is that of the items: with it an index has all of the socket's values together.
        own = Q(values__socket=order.by, values__archive=archive)
        items = items.annotate(sorted_by=FilteredRelation("values", condition=own))
        keys = [_sided(f"sorted_by__{name}", descending=order.descending) for name in ("number", "text")]
        return items.order_by(*keys, "number")
    if order.by == "number":
        return items.order_by("-number" if order.descending else "number")
    return items.order_by(_sided(order.by, descending=order.descending), "number")


def read_order(text: str, *, sockets: Sequence[Socket]) -> Order:
    """An order by its name in an address: `title`, `-created`, or a socket's slug. Raises `Invalid`."""
    descending, name = text.startswith("-"), text.removeprefix("-")
    if name in _COLUMNS:
        return Order(_COLUMNS[name], descending)
    for socket in sockets:
        if socket.slug == name:
            return Order(socket, descending)
    known = ["title", "created", *(socket.slug for socket in sockets)]
    raise _wrong(f"Items cannot be sorted by {name[:60]}.", field="sort", remedy=did_you_mean(name, known))


def _sided(name: str, *, descending: bool) -> OrderBy:
    return F(name).desc(nulls_last=True) if descending else F(name).asc(nulls_last=True)


def _met(condition: Condition, archive: Archive) -> Q:
    if condition.kind == "title":
        return Q(title__icontains=condition.text)
    # Items of all the values that are meant, and not a look at each item's: an index has them together.
    held = ItemValue.objects.filter(archive=archive)
    if condition.socket is None:
        return Q(title__icontains=condition.text) | Q(pk__in=held.filter(text__icontains=condition.text).values("item"))
    held = held.filter(socket=condition.socket)
    if condition.kind == "says":
        held = held.filter(text__icontains=condition.text)
    elif condition.kind != "has":
        number = _number(condition.text)
        if number is not None:
            held = held.filter(**{f"number__{_OPERATORS[condition.kind]}": number})
        else:
            held = held.filter(text__iexact=condition.text)
    return Q(pk__in=held.values("item"))


def _terms(text: str) -> Iterator[re.Match[str]]:
    at = 0
    end = len(text.rstrip())
    while at < end:
        found = _TERM.match(text, at)
        if found is None:
            raise _wrong(f"This cannot be read: {text[at : at + 40].strip()}")
        yield found
        at = found.end()


class _Sockets:
    """Sockets by slug and title, read once for a whole line."""

    def __init__(self, archive: Archive, terms: Sequence[re.Match[str]]) -> None:
        self._by_name: dict[str, Socket] = {}
        if any(term["name"] is not None and _bare(term["name"]).casefold() != "title" for term in terms):
            usable = Socket.objects.filter(Q(scope__isnull=True) | Q(scope=archive.scope_id))
            # The archive's own come last, and win.
            for socket in usable.order_by(F("scope").asc(nulls_first=True)):
                self._by_name |= {socket.title.casefold(): socket, socket.slug.casefold(): socket}

    def named(self, name: str) -> Socket:
        """The socket. Raises `Invalid`."""
        found = self._by_name.get(name.casefold())
        if found is None:
            slugs = sorted({socket.slug for socket in self._by_name.values()})
            raise _wrong(f"There is no socket {name[:60]}.", remedy=did_you_mean(name, slugs) or _HELP)
        return found


def _condition(term: re.Match[str], sockets: _Sockets) -> Condition:
    negated = term["no"] is not None
    if term["word"] is not None:
        word = _bare(term["word"])
        if not word:
            raise _wrong("There is nothing between the quotes.")
        return Condition("says", None, word, negated)
    name = _bare(term["name"])
    if term["said"] is not None:
        said = _bare(term["said"])
        if name.casefold() == "has":
            return Condition("has", sockets.named(said), negated=negated)
        if name.casefold() == "title":
            return Condition("title", None, said, negated)
        return Condition("says", sockets.named(name), said, negated)
    operand = _bare(term["operand"])
    if name.casefold() == "title" and term["op"] in ("=", "!="):
        return Condition("title", None, operand, negated != (term["op"] == "!="))
    found = _compared(sockets.named(name), term["op"], operand)
    return Condition(found.kind, found.socket, found.text, found.negated != negated)


def _compared(socket: Socket, operator: str, operand: str) -> Condition:
    if operator in ("=", "!="):
        return Condition("=", socket, operand, negated=operator == "!=")
    if _number(operand) is None:
        raise _wrong(
            f"{socket.title} {operator} {operand[:40]} compares with what is no number.",
            remedy=f"Write a number, such as {socket.slug} {operator} 0.5.",
        )
    return Condition(_COMPARING[operator], socket, operand)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _bare(word: str) -> str:
    return word[1:-1] if len(word) > 1 and word.startswith('"') and word.endswith('"') else word


def _wrong(message: str, *, field: str = "q", remedy: str = _HELP) -> Invalid:
    return Invalid("The items cannot be searched so.", problems=[Problem(field, message, remedy=remedy)])
