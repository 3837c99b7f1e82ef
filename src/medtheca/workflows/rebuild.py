"""Renditions that a recipe of yesterday made are made again by that of today, through errands of `reconvert`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet

from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.enums import ImageKind
from medtheca.domains.imaging.models import ImageFile
from medtheca.domains.ledger.queries import details_after
from medtheca.domains.provenance.access import require_staff
from medtheca.domains.provenance.enums import AccessionState, ErrandKind
from medtheca.domains.provenance.models import Accession, ErrandItem
from medtheca.domains.provenance.plans import Plan, Reason, Step
from medtheca.domains.provenance.selecting import Selection, label_of, selected
from medtheca.toolkit.images.present_recipes import PRESENT
from medtheca.workflows.reconvert import begin_reconversion, kept_apart, plan_reconversion

_AT_ONCE = 5_000
_DIFFERENT = "its pixels would be others than those that were reviewed"
_FAILED = "it cannot be read; medtheca inspect says why"
_CHANGED = "its file was changed or redacted meanwhile"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which images to make again: those of a selection and kinds, where these are given; `every`, or the outdated."""

    selection: Selection | None = None
    kinds: tuple[str, ...] = ()
    every: bool = False


def plan_rebuild(*, wanted: Wanted, actor: User) -> Plan:
    """What would be made again, and by which recipes it was made. Raises `NotAllowed` for all but staff."""
    require_staff(actor, to="make images again")
    facts: Counter[str] = Counter()
    steps: list[Step] = []
    left: list[Reason] = []
    for batch in _batches(_find(wanted)):
        plan = plan_reconversion(selection=Selection(accession_ids=tuple(batch)), actor=actor)
        facts.update(_outdated_files(batch))
        facts["left alone"] += plan.facts.get("left alone", 0)
        steps += plan.steps
        left += plan.left
    return Plan(len(steps), dict(facts), steps, left)


def begin_rebuild(*, wanted: Wanted, actor: User) -> list[int]:
    """Set it going; ids of the accessions that are made again. Raises `NotAllowed` for all but staff."""
    require_staff(actor, to="make images again")
    begun: list[int] = []
    for batch in _batches(_find(wanted)):
        kept = kept_apart(batch)
        if going := [pk for pk in batch if pk not in kept]:
            begin_reconversion(selection=Selection(accession_ids=tuple(going)), actor=actor)
            begun += going
    return begun


def count_waiting(accession_ids: Sequence[int]) -> int:
    """How many of the accessions still wait for an errand that makes them again."""
    waiting = ErrandItem.objects.filter(errand__kind=ErrandKind.RECONVERT)
    return sum(waiting.filter(accession__in=batch).count() for batch in _batches(accession_ids))


def find_left(accession_ids: Sequence[int], *, actor: User, since: int) -> dict[str, str]:
    """Those of the accessions that were not made again, as staff call them, and why.

    Call it when none waits any more. `since` is the number of the ledger's last event before they were begun: what
    came of each is read there, as recipes alone do not tell it of images that were made by today's.
    """
    why: dict[int, str] = dict.fromkeys(accession_ids, _CHANGED)
    for told in details_after(since, verb="accessions.reconverted", actor_id=actor.pk):
        why |= dict.fromkeys(told.get("different", ()), _DIFFERENT) | dict.fromkeys(told.get("failed", ()), _FAILED)
        for pk in told.get("made", ()):
            why.pop(pk, None)
    left = sorted(set(why) & set(accession_ids))
    rows = (Accession.objects.filter(pk__in=batch).select_related("image").order_by("pk") for batch in _batches(left))
    return {f"{label_of(row)} (submission {row.pk})": why[row.pk] for batch in rows for row in batch}


def _find(wanted: Wanted) -> list[int]:
    rows = Accession.objects.order_by("pk") if wanted.selection is None else selected(wanted.selection)
    rows = rows.filter(state=AccessionState.CONVERTED)
    if wanted.kinds:
        rows = rows.filter(image__kind__in=wanted.kinds)
    if not wanted.every:
        rows = rows.filter(image__in=_outdated().values("image"))
    return list(rows.values_list("pk", flat=True))


def _outdated() -> QuerySet[ImageFile]:
    # Copies of DICOM are made when somebody asks for one.
    present = Q(kind__in=["original", "dicom"])
    for image_kind in ImageKind.values:
        for file_kind, recipes in PRESENT[image_kind].items():
            present |= Q(image__kind=image_kind, kind=file_kind, recipe__in=sorted(recipes))
    made_of_another = Q(source__gt="") & ~Q(source=F("image__accession__original__sha256"))
    return ImageFile.objects.filter(~present | made_of_another)


def _outdated_files(accession_ids: Sequence[int]) -> Counter[str]:
    """Files by what they are and the recipe that made them."""
    rows = _outdated().filter(image__accession__in=accession_ids).values_list("image__kind", "kind", "recipe")
    return Counter(f"{image_kind} {kind} by {recipe}" for image_kind, kind, recipe in rows)


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]
