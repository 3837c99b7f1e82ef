"""What may come next in a query: names of fields, and values that the asker's images have, with their numbers."""

from __future__ import annotations

from dataclasses import dataclass

from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.access import visible_cohorts
from medtheca.domains.search.facets import COUNTED, count_values
from medtheca.domains.search.naming import Asker, Listings
from medtheca.domains.search.queries import Wanted
from medtheca.toolkit.querylang import FIELDS, NAME_ALIASES, Everything, SearchField, ValueKind
from medtheca.toolkit.schemas.vocabulary import SEPARATOR

MOST = 20


@dataclass(frozen=True, slots=True)
class Completion:
    """A value as it is stored, of a hierarchy its path, and how many images have it; None where nobody counted."""

    value: str
    number: int | None


def complete_fields(text: str, *, most: int = MOST) -> list[SearchField]:
    """Fields whose name or label has the text in it: those that begin with it first.

    >>> [field.name for field in complete_fields("diag")][:2]
    ['diagnosis', 'diagnosis_1']
    """
    wanted = text.casefold()
    aliases = {name: [alias for alias, meant in NAME_ALIASES.items() if meant == name] for name in FIELDS}
    begun, within = [], []
    for field in FIELDS.values():
        names = [field.name, *aliases[field.name]]
        if any(name.startswith(wanted) for name in names):
            begun.append(field)
        elif any(wanted in name for name in names) or wanted in field.label.casefold():
            within.append(field)
    return [*begun, *within][:most]


def complete_values(
    name: str,
    text: str,
    *,
    asker: Asker,
    wanted: Wanted | None = None,
    listings: Listings | None = None,
    most: int = MOST,
) -> list[Completion]:
    """Values of a field with the text in them, the most frequent first; those that begin with it before others.

    Counted are images that the asker sees and that `wanted` finds, if it is given. Of cohorts these are the names of
    the asker's own. Nothing for a field that is not counted by.
    """
    field = FIELDS.get(NAME_ALIASES.get(name, name))
    lowered = text.casefold()
    if field is None:
        return []
    if field.name == "cohort":
        mine = visible_cohorts(asker if isinstance(asker, User) else None)
        names = mine.filter(name__icontains=text).order_by("name").values_list("name", flat=True).distinct()
        return [Completion(found, None) for found in names[:most]]
    if field not in COUNTED and field.kind is not ValueKind.HIERARCHY:
        return []
    counted = count_values(wanted or Everything(), (field.name,), asker=asker, listings=listings)[field.name].values
    found = [(value, number) for value, number in counted.items() if any(lowered in n for n in _names(field, value))]
    found.sort(key=lambda one: (not any(n.startswith(lowered) for n in _names(field, one[0])), -one[1], one[0]))
    return [Completion(value, number) for value, number in found[:most]]


def _names(field: SearchField, value: str) -> list[str]:
    if field.kind is ValueKind.HIERARCHY:
        return [value.rsplit(SEPARATOR, 1)[-1].casefold()]
    return [name.casefold() for name in field.names_of(value)]
