"""Another licence for images that are there: only a more permissive one, once others may have them already."""

from __future__ import annotations

from django.db import transaction

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.access.queries import withdrawn_among
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.many import Happening, record_each
from medtheca.domains.provenance.access import require_owner
from medtheca.domains.provenance.enums import AccessionState
from medtheca.domains.provenance.fields import licence_problems
from medtheca.domains.provenance.models import Accession, Cohort, Contributor
from medtheca.domains.provenance.plans import Plan, Reason, Step, require_as_planned
from medtheca.domains.provenance.selecting import Selection, label_of, selected, was_published
from medtheca.toolkit.schemas.licences import more_permissive

_CHUNK = 5000
_NARROWER = "It was published under {licence}, and that cannot be taken back from those who have it."


def plan_relicense(*, selection: Selection, licence: str, actor: User) -> Plan:
    """What another licence would change. Raises `NotAllowed`, or `Invalid` for a licence that is none."""
    if problems := licence_problems("licence", licence):
        raise Invalid("The licence cannot be changed so.", problems=problems)
    plan, _ = _plan(selection, licence, actor, lock=False)
    return plan


def relicense(
    *, selection: Selection, licence: str, reason: str, actor: User, expected: int | None = None, default: bool = False
) -> Plan:
    """Give images another licence; those that were published and may not get it are left alone.

    Args:
        selection: which images.
        licence: by its SPDX identifier.
        reason: why; it stays on record.
        actor: an owner of every cohort concerned, or staff.
        expected: how many the preview named.
        default: whether images to come of the cohort or contributor get it too.

    Raises `NotAllowed`, `Invalid`, or `Conflict` where nothing would change or not as much as expected.
    """
    problems = licence_problems("licence", licence)
    if not reason.strip():
        problems.append(Problem("reason", "Say why; it stays on record."))
    if len(reason.strip()) > 500:
        problems.append(Problem("reason", "The reason has more than 500 characters.", remedy="Shorten it."))
    if problems:
        raise Invalid("The licence cannot be changed so.", problems=problems)
    with transaction.atomic():
        plan, rows = _plan(selection, licence, actor, lock=True)
        changes_default = default and _set_default(selection, licence)
        if not (changes_default and not plan.number and not expected):
            require_as_planned(plan, expected=expected)
        ids = [row.pk for row in rows]
        for start in range(0, len(ids), _CHUNK):
            Accession.objects.filter(pk__in=ids[start : start + _CHUNK]).update(licence=licence)
        record_each(
            actor_id=actor.pk,
            verb="image.relicensed",
            subject_type="image",
            happenings=(
                Happening(row.image_id, row.cohort_id, {"from": row.licence, "to": licence, "reason": reason.strip()})
                for row in rows
            ),
        )
    return plan


def _plan(selection: Selection, licence: str, actor: User, *, lock: bool) -> tuple[Plan, list[Accession]]:
    found = selected(selection).filter(state=AccessionState.CONVERTED)
    # A publication locks accessions too: it happens wholly before the licence changes, or wholly after.
    rows = list(found.select_for_update(of=("self",)) if lock else found)
    for cohort in {row.cohort for row in rows} | ({selection.cohort} if selection.cohort else set()):
        require_owner(actor, cohort, to="change its licence")
    if selection.contributor is not None:
        require_owner(actor, selection.contributor, to="change its licence")
    withdrawn = withdrawn_among(row.image_id for row in rows if row.image_id is not None)
    plan, changed = Plan(), []
    same = 0
    for row in rows:
        free = not was_published(row) or row.image_id in withdrawn
        if row.licence == licence:
            same += 1
        elif free or more_permissive(licence, row.licence):
            changed.append(row)
            plan.steps.append(Step(label_of(row), row.licence, licence))
        else:
            plan.left.append(Reason(label_of(row), _NARROWER.format(licence=row.licence)))
    plan.facts.update({"have it already": same, "may not get it": len(plan.left)})
    return Plan(len(changed), plan.facts, plan.steps, plan.left), changed


def _set_default(selection: Selection, licence: str) -> bool:
    """Have images to come get the licence; whether that changes anything."""
    changed = 0
    if selection.cohort is not None:
        changed = Cohort.objects.filter(pk=selection.cohort.pk).exclude(licence=licence).update(licence=licence)
    if selection.contributor is not None:
        mine = Cohort.objects.filter(contributor=selection.contributor)
        changed = mine.exclude(licence=licence).update(licence=licence)
        one = Contributor.objects.filter(pk=selection.contributor.pk).exclude(default_licence=licence)
        changed += one.update(default_licence=licence)
    return bool(changed)
