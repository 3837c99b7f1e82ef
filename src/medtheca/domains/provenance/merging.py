"""Two contributors become one: cohorts, people, patients and lesions. For staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from medtheca.base.errors import Invalid, NotFound, Problem
from medtheca.domains.access.enums import Role
from medtheca.domains.access.joining import join_circles, remove_circle
from medtheca.domains.access.models import Membership
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import require_staff
from medtheca.domains.provenance.enums import AccessionState, ErasureState
from medtheca.domains.provenance.models import Accession, Agreement, Cohort, Contributor, Erasure, Lesion, Patient
from medtheca.domains.provenance.plans import Plan, Reason, Step, require_as_planned
from medtheca.domains.provenance.references import point_elsewhere

_SUBJECTS: tuple[tuple[type[Patient | Lesion], str], ...] = ((Patient, "patient"), (Lesion, "lesion"))


@dataclass(frozen=True, slots=True)
class _Twin:
    """A patient or lesion of the one contributor with the private id of one of the other's."""

    kind: str
    private_id: str
    source: int
    source_public: str
    target: int
    target_public: str


def plan_contributor_merge(*, source: Contributor, target: Contributor, actor: User, unite: bool = False) -> Plan:
    """What making two contributors one would do. Raises as `merge_contributors`."""
    _require(source, target, actor)
    return _plan(source, target, _twins(source, target), unite=unite)


def merge_contributors(
    *, source: Contributor, target: Contributor, actor: User, unite: bool = False, expected: int | None = None
) -> Plan:
    """Make a contributor part of another; the first is gone then, and its agreements with it.

    Patients and lesions of both with the same private id become one only with `unite`; without it they stand in the
    way, because two institutions number their patients alike. Raises `NotAllowed` for all but staff, `Invalid`, or
    `Conflict` where something is in the way or not as much would change as expected.
    """
    with transaction.atomic():
        rows = Contributor.objects.select_for_update(of=("self",)).select_related("scope")
        found = {row.pk: row for row in rows.filter(pk__in=[source.pk, target.pk]).order_by("pk")}
        _require(source, target, actor)
        if len(found) != 2:
            raise NotFound("One of the contributors is gone.")
        source, target = found[source.pk], found[target.pk]
        twins = _twins(source, target)
        plan = _plan(source, target, twins, unite=unite)
        require_as_planned(plan, expected=expected)
        _unite(twins)
        details = {
            "from_contributor": source.pk,
            "cohorts": list(Cohort.objects.filter(contributor=source).order_by("pk").values_list("pk", flat=True)),
            "united": {twin.source_public: twin.target_public for twin in twins},
        }
        scope = source.scope
        owners = Membership.objects.filter(scope__in=[scope, target.scope], role=Role.OWNER, user__is_active=True)
        told = set(owners.exclude(user=actor).values_list("user", flat=True))
        join_circles(source=scope, target=target.scope)
        point_elsewhere(Contributor, {source.pk: target.pk}, but={Agreement})
        source.delete()
        remove_circle(scope)
        record(
            actor_id=actor.pk,
            verb="contributor.merged",
            subject_type="contributor",
            subject_id=target.pk,
            details=details,
        )
        notify(
            recipient_ids=told,
            kind="contributor.merged",
            words=f"{source.institution_name} is part of {target.institution_name} now, with its cohorts and people.",
            url=f"/contributors/{target.pk}/",
            subject_type="contributor",
            subject_id=target.pk,
        )
    return plan


def _require(source: Contributor, target: Contributor, actor: User) -> None:
    require_staff(actor, to="make two contributors one")
    if source.pk == target.pk:
        problem = Problem("target", "It is the same contributor.", remedy="Choose another.")
        raise Invalid("There is only one contributor here.", problems=[problem])


def _twins(source: Contributor, target: Contributor) -> list[_Twin]:
    found = []
    for model, kind in _SUBJECTS:
        ours = model._default_manager.filter(contributor=source).order_by("pk")
        private_ids = ours.values("private_id")
        theirs = {
            row.private_id: row for row in model._default_manager.filter(contributor=target, private_id__in=private_ids)
        }
        found += [
            _Twin(kind, row.private_id, row.pk, row.public_id, there.pk, there.public_id)
            for row in ours.filter(private_id__in=list(theirs))
            if (there := theirs[row.private_id])
        ]
    return found


def _plan(source: Contributor, target: Contributor, twins: Sequence[_Twin], *, unite: bool) -> Plan:
    cohorts = list(Cohort.objects.filter(contributor=source).order_by("name", "pk"))
    names = {cohort.name for cohort in cohorts}
    taken = set(Cohort.objects.filter(contributor=target, name__in=names).values_list("name", flat=True))
    obstacles = [
        Reason(cohort.name, "Both contributors have a cohort of this name.", "Give one of them another name.")
        for cohort in cohorts
        if cohort.name in taken
    ]
    steps = [Step(cohort.name, source.institution_name, target.institution_name) for cohort in cohorts]
    if unite:
        steps += [
            Step(f"{twin.kind} {twin.private_id}", twin.source_public, f"{twin.target_public}: one and the same")
            for twin in twins
        ]
    else:
        obstacles += [
            Reason(
                f"{twin.kind} {twin.private_id}",
                f"Both contributors have a {twin.kind} of this id ({twin.source_public}, {twin.target_public}).",
                "Say that they are one and the same, or give one of them another id.",
            )
            for twin in twins
        ]
    open_ones = Erasure.objects.filter(
        contributor__in=[source, target], state__in=[ErasureState.REQUESTED, ErasureState.ERASING]
    )
    obstacles += [
        Reason(f"patient {row.patient_public_id}", "An erasure is under way.", "Wait until it is decided and done.")
        for row in open_ones
    ]
    steps.append(Step(source.institution_name, "a contributor", f"gone: part of {target.institution_name}"))
    images = Accession.objects.filter(cohort__contributor=source, state=AccessionState.CONVERTED)
    ours = set(Membership.objects.filter(scope=source.scope_id).values_list("user", flat=True))
    theirs = set(Membership.objects.filter(scope=target.scope_id).values_list("user", flat=True))
    facts = {
        "cohorts": len(cohorts),
        "images": images.count(),
        "people who come along": len(ours - theirs),
        "people who will see these images": len(theirs - ours),
        "patients": Patient.objects.filter(contributor=source).count(),
        "lesions": Lesion.objects.filter(contributor=source).count(),
        "patients and lesions with the same id": len(twins),
    }
    return Plan(len(steps), facts, steps, [], obstacles)


def _unite(twins: Sequence[_Twin]) -> None:
    for model, kind in _SUBJECTS:
        mapping = {twin.source: twin.target for twin in twins if twin.kind == kind}
        point_elsewhere(model, mapping)
        model._default_manager.filter(pk__in=list(mapping)).delete()
