"""Accessions go from one cohort of a contributor to another, and cohorts become one. Public ids stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound, Problem
from medtheca.domains.access.enums import Role
from medtheca.domains.access.joining import join_circles, move_images, remove_circle
from medtheca.domains.access.models import Membership
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import require_owner
from medtheca.domains.provenance.enums import AccessionState, DeliveryState, RequestState, VersionState
from medtheca.domains.provenance.linking import loosen, relink
from medtheca.domains.provenance.models import Accession, Cohort, Delivery, FileVersion, PublishItem
from medtheca.domains.provenance.origins import carry_origins
from medtheca.domains.provenance.plans import Plan, Reason, Step, require_as_planned
from medtheca.domains.provenance.references import point_elsewhere
from medtheca.domains.provenance.reviewing import restate_reviews
from medtheca.domains.provenance.selecting import label_of, was_published
from medtheca.domains.provenance.telling import people_with

_OPEN = [RequestState.REQUESTED, RequestState.PUBLISHING]
_UNDER_WAY = [VersionState.WAITING, VersionState.CANDIDATE]


@dataclass(slots=True)
class _Move:
    """What would go, and what is in the way."""

    going: list[Accession] = field(default_factory=list)
    left: list[Reason] = field(default_factory=list)
    obstacles: list[Reason] = field(default_factory=list)


def plan_move(*, source: Cohort, target: Cohort, accession_ids: Sequence[int] | None, actor: User) -> Plan:
    """What moving accessions would do; all of the cohort where none are named. Raises as `move_accessions`."""
    _require(source, target, actor)
    return _plan(source, target, _look(source, target, _chosen(source, accession_ids, lock=False), whole=False))


def move_accessions(
    *,
    source: Cohort,
    target: Cohort,
    accession_ids: Sequence[int] | None,
    actor: User,
    expected: int | None = None,
) -> Plan:
    """Move accessions to another cohort of the same contributor; they are then visible to that cohort's people.

    Raises `NotAllowed`, `NotFound` for accessions of other cohorts, or `Conflict` where something is in the way,
    nothing would move, or not as many as expected.
    """
    with transaction.atomic():
        source, target = _lock(source, target)
        _require(source, target, actor)
        found = _look(source, target, _chosen(source, accession_ids, lock=True), whole=False)
        plan = _plan(source, target, found)
        require_as_planned(plan, expected=expected)
        ids = _carry_over(found.going, source, target)
        for cohort, verb in ((source, "cohort.moved_out"), (target, "cohort.moved_in")):
            other = target if cohort is source else source
            record(
                actor_id=actor.pk,
                verb=verb,
                subject_type="cohort",
                subject_id=cohort.pk,
                cohort_id=cohort.pk,
                details={"accessions": ids, "other_cohort": other.pk},
            )
        _tell(target, actor, f"{len(ids):,} images were moved from {source.name} to {target.name}.")
    return plan


def plan_cohort_merge(*, source: Cohort, target: Cohort, actor: User, busy: Sequence[Reason] = ()) -> Plan:
    """What making two cohorts one would do. Raises as `merge_cohorts`."""
    _require(source, target, actor)
    return _merge_plan(source, target, _look(source, target, _chosen(source, None, lock=False), whole=True), busy)


def merge_cohorts(
    *, source: Cohort, target: Cohort, actor: User, expected: int | None = None, busy: Sequence[Reason] = ()
) -> Plan:
    """Make a cohort part of another of the same contributor: images, people, deliveries; the first is gone then.

    `busy` is what else is in the way. Raises `NotAllowed`, or `Conflict` as `move_accessions`.
    """
    with transaction.atomic():
        source, target = _lock(source, target)
        _require(source, target, actor)
        found = _look(source, target, _chosen(source, None, lock=True), whole=True)
        plan = _merge_plan(source, target, found, busy)
        require_as_planned(plan, expected=expected)
        ids = _carry_over(found.going, source, target)
        # What was refused has neither name nor bytes to collide.
        Accession.objects.filter(cohort=source).update(cohort=target)
        carry_origins(source=source, target=target)
        join_circles(source=source.scope, target=target.scope)
        point_elsewhere(Cohort, {source.pk: target.pk})
        scope = source.scope
        source_id = source.pk
        source.delete()
        remove_circle(scope)
        record(
            actor_id=actor.pk,
            verb="cohort.merged",
            subject_type="cohort",
            subject_id=target.pk,
            cohort_id=target.pk,
            details={"from_cohort": source_id, "accessions": len(ids)},
        )
        _tell(target, actor, f"{source.name} became part of {target.name}, with {len(ids):,} images.")
    return plan


def _require(source: Cohort, target: Cohort, actor: User) -> None:
    require_owner(actor, source, to="move its images")
    require_owner(actor, target, to="move images there")
    if source.pk == target.pk:
        problem = Problem("target", "It is the same cohort.", remedy="Choose another.")
        raise Invalid("The images are there already.", problems=[problem])
    if source.contributor_id != target.contributor_id:
        raise Conflict(
            "The cohorts belong to different contributors, and each answers for its own images.",
            code="other_contributor",
            remedy="Staff can make the two contributors one.",
        )
    if target.readers < source.readers and not actor.is_staff:
        # How many must read is for staff to say, and one may not walk away from it.
        raise NotAllowed(
            f"Images of {source.name} need a second reader, and those of {target.name} do not.",
            remedy="Ask the staff to move them, or to have two readers there too.",
        )


def _lock(source: Cohort, target: Cohort) -> tuple[Cohort, Cohort]:
    """Both rows, in one order, so that two who move crosswise wait for each other."""
    rows = Cohort.objects.select_for_update(of=("self",)).select_related("scope", "contributor")
    found = {row.pk: row for row in rows.filter(pk__in=[source.pk, target.pk]).order_by("pk")}
    if len(found) != len({source.pk, target.pk}):
        raise NotFound("One of the cohorts is gone.")
    return found[source.pk], found[target.pk]


def _chosen(source: Cohort, accession_ids: Sequence[int] | None, *, lock: bool) -> list[Accession]:
    rows = Accession.objects.filter(cohort=source).select_related("image").order_by("pk")
    if accession_ids is not None:
        rows = rows.filter(pk__in=list(accession_ids))
    found = list(rows.select_for_update(of=("self",)) if lock else rows)
    if accession_ids is not None and (strange := set(accession_ids) - {row.pk for row in found}):
        raise NotFound(f"There is no accession {min(strange)} in this cohort.")
    return found


def _look(source: Cohort, target: Cohort, rows: Sequence[Accession], *, whole: bool) -> _Move:
    found = _Move()
    ids = [row.pk for row in rows]
    asked = set(
        PublishItem.objects.filter(accession__in=ids, request__state__in=_OPEN).values_list("accession", flat=True)
    )
    changing = set(
        FileVersion.objects.filter(accession__in=ids, state__in=_UNDER_WAY).values_list("accession", flat=True)
    )
    there = Accession.objects.filter(cohort=target).exclude(state=AccessionState.REFUSED)
    taken = set(there.filter(name_key__in=[row.name_key for row in rows]).values_list("name_key", flat=True))
    for row in rows:
        if row.state == AccessionState.REFUSED:
            if not whole:
                found.left.append(Reason(row.name, "It was refused, so there is nothing to move."))
        elif row.name_key in taken:
            words = f"{target.name} has an image of this name already."
            found.obstacles.append(Reason(row.name, words, "Leave it out, or upload one of them under another name."))
        elif row.state == AccessionState.RECEIVED:
            found.obstacles.append(Reason(row.name, "It is being read.", "Wait until it is there."))
        elif row.pk in asked:
            words = "It was asked to be published."
            found.obstacles.append(Reason(label_of(row), words, "Wait until the request is decided and done."))
        elif row.pk in changing:
            found.obstacles.append(Reason(label_of(row), "A new file of it waits.", "Have that reviewed first."))
        else:
            found.going.append(row)
    if whole:
        ended = [DeliveryState.DONE, DeliveryState.REFUSED]
        for delivery in Delivery.objects.filter(cohort=source).exclude(state__in=ended).select_related("upload"):
            words = "The upload is not finished."
            found.obstacles.append(Reason(delivery.upload.filename, words, "Wait for it, or cancel it."))
    return found


def _plan(source: Cohort, target: Cohort, found: _Move) -> Plan:
    contents = [row.original_id for row in found.going]
    same = Accession.objects.filter(cohort=target, original__in=contents, same_as__isnull=True).count()
    ours = set(Membership.objects.filter(scope=source.scope_id).values_list("user", flat=True))
    theirs = set(Membership.objects.filter(scope=target.scope_id).values_list("user", flat=True))
    facts = {
        "published among them": sum(was_published(row) for row in found.going),
        "linked to the same file there": same,
        "names that are taken there": sum(row.words.endswith("of this name already.") for row in found.obstacles),
        "people of the new cohort who will see them": len(theirs - ours),
        "people of the old cohort who will not": len(ours - theirs),
    }
    steps = [Step(label_of(row), source.name, target.name) for row in found.going]
    return Plan(len(found.going), facts, steps, found.left, found.obstacles)


def _merge_plan(source: Cohort, target: Cohort, found: _Move, busy: Sequence[Reason]) -> Plan:
    plan = _plan(source, target, found)
    del plan.facts["people of the old cohort who will not"]
    ours = set(Membership.objects.filter(scope=source.scope_id).values_list("user", flat=True))
    theirs = set(Membership.objects.filter(scope=target.scope_id).values_list("user", flat=True))
    plan.facts["people of the old cohort who come along"] = len(ours - theirs)
    plan.facts["uploads that come along"] = Delivery.objects.filter(cohort=source).count()
    plan.obstacles.extend(busy)
    steps = [*plan.steps, Step(source.name, "a cohort", f"gone: part of {target.name}")]
    # The cohort itself counts, so that an empty one can go too.
    return Plan(plan.number + 1, plan.facts, steps, plan.left, plan.obstacles)


def _carry_over(going: Sequence[Accession], source: Cohort, target: Cohort) -> list[int]:
    ids = [row.pk for row in going]
    cohorts = [source.pk, target.pk]
    contents = loosen(ids, cohort_ids=cohorts)
    Accession.objects.filter(pk__in=ids).update(cohort=target)
    carry_origins(source=source, target=target, accession_ids=ids)
    relink(contents, cohort_ids=cohorts)
    if source.readers != target.readers:
        restate_reviews(accession_ids=ids)
    images = [row.image_id for row in going if row.image_id is not None]
    move_images(image_ids=images, source=source.scope_id, target=target.scope_id)
    return ids


def _tell(cohort: Cohort, actor: User, words: str) -> None:
    """Tell the other owners."""
    notify(
        recipient_ids=[pk for pk in people_with(cohort, Role.OWNER) if pk != actor.pk],
        kind="cohort.changed",
        words=words,
        url=f"/cohorts/{cohort.pk}/",
        subject_type="cohort",
        subject_id=cohort.pk,
        cohort_id=cohort.pk,
    )
