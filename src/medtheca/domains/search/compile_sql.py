"""A tree of the query language becomes a condition of SQL. Visibility is not its matter: see `queries.find`.

SQL has three truths and a tree has two. Negations are moved down to the leaves, where a leaf that is unknown counts as
no; above them there is only AND and OR, which never make yes of unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, Case, Exists, OuterRef, Q, Value, When

from medtheca.domains.access.models import Placement
from medtheca.domains.access.queries import open_public_placements
from medtheca.domains.search.duplicates import group_named, number_alike
from medtheca.domains.search.naming import Acquaintance, Asker, Listings, cohorts_named, meaning_of
from medtheca.domains.search.sql_leaves import (
    STRUCTURED,
    counted_between,
    equals,
    is_structured,
    lies_between,
    looks_like,
    present,
)
from medtheca.domains.search.texts import kept_saying, shown_saying
from medtheca.toolkit.bitmaps.archive import ALIKE_FIELDS
from medtheca.toolkit.querylang import (
    FIELDS,
    And,
    Equals,
    Everything,
    Leaf,
    Node,
    Not,
    Nothing,
    Or,
    Present,
    Range,
    Subtree,
    Wildcard,
    Words,
)

_TERMS_A_WORD = 60


def compile_tree(node: Node, *, asker: Asker, listings: Listings | None = None) -> Q:
    """The condition on `Image` that is true of the images of which the tree says yes.

    `listings` is needed for trees that name collections.
    """
    answer = _Compiler(asker, listings, Acquaintance(asker, listings)).answer(node, negated=False)
    if isinstance(answer, Q):
        return answer
    return Q() if answer else Q(pk__in=[])


# A condition, or what is known without asking.
_Answer = Q | bool


@dataclass(frozen=True, slots=True)
class _Compiler:
    asker: Asker
    listings: Listings | None
    known: Acquaintance

    def answer(self, node: Node, *, negated: bool) -> _Answer:
        match node:
            case Everything() | Nothing():
                return isinstance(node, Nothing) is negated
            case Not(part):
                return self.answer(part, negated=not negated)
            case And() | Or():
                return self.joined(node, negated=negated)
            case _:
                found = self.leaf(node)
                return _negated(found) if negated else found

    def joined(self, node: And | Or, *, negated: bool) -> _Answer:
        """Not all of them is any of them not, and the other way round."""
        if isinstance(node, And) is negated:
            return _any(self.answer(part, negated=negated) for part in node.parts)
        contained, rest = ([], node.parts) if negated else _contained_together(node.parts)
        return _all([*contained, *(self.answer(part, negated=negated) for part in rest)])

    def leaf(self, leaf: Leaf) -> _Answer:
        """A condition that is true, false or unknown; unknown is no."""
        match leaf:
            case Words(text):
                return self.has_words(text)
            case Equals():
                return self.equals(leaf)
            case Subtree():
                return Q(**{f"{STRUCTURED}__contains": {f"{leaf.field.name}_{leaf.level}": leaf.term}})
            case Wildcard():
                return looks_like(leaf)
            case Range():
                return self.alike(leaf) if leaf.field.name in ALIKE_FIELDS else lies_between(leaf)
            case Present(field):
                return present(field)

    def equals(self, leaf: Equals) -> _Answer:
        if leaf.field.name == "public":
            shown = Exists(open_public_placements().filter(image=OuterRef("pk")))
            return Q(shown) if leaf.value else ~Q(shown)
        if leaf.field.name == "cohort":
            cohorts = cohorts_named(self.asker, str(leaf.value))
            return Q(accession__cohort__in=cohorts) if cohorts else False
        if leaf.field.name == "collection":
            return self.listed_in(str(leaf.value))
        if leaf.field.name == "duplicate_group":
            return Q(pk__in=group_named(self.asker, str(leaf.value)))
        return self.alike(leaf) if leaf.field.name in ALIKE_FIELDS else equals(leaf)

    def alike(self, leaf: Equals | Range) -> _Answer:
        """Near-duplicates are counted among what the asker sees."""
        return counted_between(number_alike(self.asker, exact=leaf.field.name == "exact_duplicates"), leaf)

    def listed_in(self, name: str) -> _Answer:
        if self.listings is None:
            raise LookupError("This query names a collection, and nobody said where collections are found.")
        return _hang_in(self.listings.named(self.asker, name))

    def has_words(self, text: str) -> _Answer:
        """Whether an id, a term, or a text that the asker may know of says so."""
        meaning = meaning_of(text)
        found: list[_Answer] = [Q(public_id__startswith=meaning.prefix)] if meaning.prefix else []
        found += _has_terms(meaning.terms)
        if meaning.subject is not None:
            found.append(equals(meaning.subject))
        if cohorts := self.known.cohorts_saying(meaning.words):
            found.append(Q(accession__cohort__in=cohorts))
        found.append(_hang_in(self.known.listings_saying(meaning.words)))
        found += [shown_saying(meaning.words), kept_saying(meaning.words, self.known.cohorts)]
        return _any(found)


def _hang_in(scopes: Sequence[int]) -> _Answer:
    if not scopes:
        return False
    return Q(Exists(Placement.objects.filter(image=OuterRef("pk"), scope__in=list(scopes))))


def _contained_together(parts: Iterable[Node]) -> tuple[list[Q], Sequence[Node]]:
    """One look into the index for all values that must be there together, and the other parts."""
    wanted: dict[str, Any] = {}
    rest: list[Node] = []
    for part in parts:
        match part:
            case Equals(field, str() | bool()) if is_structured(field) and field.name not in wanted:
                wanted[field.name] = part.value
            case Subtree() if (column := f"{part.field.name}_{part.level}") not in wanted:
                wanted[column] = part.term
            case _:
                rest.append(part)
    return ([Q(**{f"{STRUCTURED}__contains": wanted})] if wanted else []), rest


def _has_terms(terms: Mapping[str, Sequence[str]]) -> Iterator[_Answer]:
    few = sum(map(len, terms.values())) <= _TERMS_A_WORD
    for column, found in terms.items():
        if not is_structured(FIELDS[column]):
            yield from (equals(Equals(FIELDS[column], term)) for term in found)
        elif few:
            yield from (Q(**{f"{STRUCTURED}__contains": {column: term}}) for term in found)
        else:
            # So many terms are no use to the index: every value is looked at, level by level.
            yield Q(**{f"{STRUCTURED}__{column}__in": list(found)})


def _all(answers: Iterable[_Answer]) -> _Answer:
    joined = Q()
    for answer in answers:
        if answer is False:
            return False
        if isinstance(answer, Q):
            joined &= answer
    return joined or True


def _any(answers: Iterable[_Answer]) -> _Answer:
    joined = Q()
    for answer in answers:
        if answer is True:
            return True
        if isinstance(answer, Q):
            joined |= answer
    return joined or False


def _negated(answer: _Answer) -> _Answer:
    if isinstance(answer, bool):
        return not answer
    # `NOT unknown` is unknown, and its image would be lost.
    return Q(Case(When(answer, then=Value(False)), default=Value(True), output_field=BooleanField()))
