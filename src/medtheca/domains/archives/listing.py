"""Archives in lists: found by words and by what they hold, with how many items somebody sees in each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Count, F, Func, Q, QuerySet

from medtheca.domains.archives.access import Asker, inside_archives, listed_archives, person_of
from medtheca.domains.archives.models import Archive

LISTS = ("modalities", "structures", "organizations", "keywords")
"""What archives are filtered by, as their fields are called."""

_MOST_WORDS = 10
_MOST_OFFERED = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of archives is narrowed to. `kept` maps a field of `LISTS` to a value that it must hold."""

    words: str = ""
    kept: dict[str, str] = field(default_factory=dict)
    mine: bool = False
    public: bool | None = None


def find_archives(asker: Asker, wanted: Wanted) -> QuerySet[Archive]:
    """Archives that lists show the asker and that are as wanted, the newest first. All words must be said somewhere."""
    archives = inside_archives(person_of(asker)) if wanted.mine else listed_archives(asker)
    for word in wanted.words.replace("\x00", " ").split()[:_MOST_WORDS]:
        said = Q(title__icontains=word) | Q(description__icontains=word) | Q(slug__icontains=word)
        archives = archives.filter(said | Q(keywords__icontains=word) | Q(organizations__icontains=word))
    for name, value in wanted.kept.items():
        if name in LISTS and value:
            archives = archives.filter(**{f"{name}__contains": [value]})
    if wanted.public is not None:
        archives = archives.filter(public=wanted.public)
    return archives.order_by("-created", "pk")


def offered_values(asker: Asker) -> dict[str, list[str]]:
    """What the asker's archives can be filtered by: the values of each field of `LISTS` that they have, by name."""
    archives = listed_archives(asker).order_by()
    return {name: _values_of(archives, name) for name in LISTS}


def _values_of(archives: QuerySet[Archive], name: str) -> list[str]:
    each = archives.annotate(one=Func(F(name), function="unnest")).values_list("one", flat=True).distinct()
    return sorted(each[:_MOST_OFFERED], key=str.casefold)


def count_items(asker: Asker, archives: Iterable[Archive]) -> dict[UUID, int]:
    """How many items of each archive the asker sees; archives in which they see none are not named."""
    seen = inside_archives(asker).filter(pk__in=[archive.pk for archive in archives])
    counted = seen.order_by().annotate(there=Count("items", filter=Q(items__trashed__isnull=True)))
    return dict(counted.values_list("pk", "there"))
