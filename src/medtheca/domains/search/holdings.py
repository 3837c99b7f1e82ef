"""What hangs in scopes that list images, as the asker sees it: by the index, or by SQL where there is any doubt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, QuerySet
from pyroaring import BitMap

from medtheca.domains.access.models import Placement
from medtheca.domains.access.queries import open_placements, viewer_of
from medtheca.domains.search.index.asking import Answer, asking
from medtheca.domains.search.index.snapshots import one_snapshot
from medtheca.domains.search.naming import Asker
from medtheca.toolkit.querylang import Everything


@dataclass(frozen=True, slots=True)
class Holding:
    """What somebody sees in one scope: how many images, and how those are named whose work they are.

    An empty attribution stands for images that name nobody.
    """

    number: int = 0
    attributions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Sizes:
    """What somebody sees in several scopes together. An image in two of them is two memberships and one image."""

    memberships: int
    images: int


def holdings_of(scopes: Sequence[int], *, asker: Asker, patient: bool = False) -> dict[int, Holding]:
    """What the asker sees in each scope, by its key. As long as it takes, for the `patient`."""
    with one_snapshot(patient=patient):
        with asking(Everything(), asker=asker) as answer:
            found = _by_index(scopes, answer) if answer else None
        found = _by_sql(scopes, asker) if found is None else found
    return {scope: found.get(scope, Holding()) for scope in scopes}


def sizes_of(scopes: Sequence[int], *, asker: Asker) -> Sizes:
    """How many images the asker sees in the scopes, counted in each of them, and counted once."""
    with one_snapshot():
        with asking(Everything(), asker=asker) as answer:
            found = _sizes(_seen(scopes, answer)) if answer else None
        return _sizes_by_sql(scopes, asker) if found is None else found


def _seen(scopes: Sequence[int], answer: Answer) -> dict[int, BitMap]:
    circles = answer.view.archive.circles
    return {scope: circles[scope].all() & answer.found for scope in scopes if scope in circles}


def _by_index(scopes: Sequence[int], answer: Answer) -> dict[int, Holding]:
    named = answer.view.archive.terms["attribution"]
    found = {}
    for scope, seen in _seen(scopes, answer).items():
        names = {str(name) for name, having in named.bitmaps.items() if having.intersect(seen)}
        if not seen.issubset(named.present):
            names.add("")
        found[scope] = Holding(len(seen), frozenset(names))
    return found


def _sizes(seen: Mapping[int, BitMap]) -> Sizes:
    return Sizes(sum(map(len, seen.values())), len(BitMap.union(BitMap(), *seen.values())))


def _placements(scopes: Sequence[int], asker: Asker) -> QuerySet[Placement]:
    viewer, placed = viewer_of(asker), Placement.objects.filter(scope__in=scopes).order_by()
    return placed if viewer.is_staff else placed.filter(Exists(open_placements(viewer).filter(image=OuterRef("image"))))


def _by_sql(scopes: Sequence[int], asker: Asker) -> dict[int, Holding]:
    numbers: dict[int, int] = defaultdict(int)
    names: dict[int, set[str]] = defaultdict(set)
    rows = _placements(scopes, asker).values_list("scope", "image__accession__attribution")
    for scope, name, number in rows.annotate(number=Count("pk")):
        numbers[scope] += number
        names[scope].add(name or "")
    return {scope: Holding(number, frozenset(names[scope])) for scope, number in numbers.items()}


def _sizes_by_sql(scopes: Sequence[int], asker: Asker) -> Sizes:
    found = _placements(scopes, asker).aggregate(memberships=Count("pk"), images=Count("image", distinct=True))
    return Sizes(found["memberships"], found["images"])
