"""A field is taken out of what is said of images: a version of each, with a reason. For staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.operations import record
from medtheca.domains.metadata.operations import Change, lock_contributor
from medtheca.domains.provenance.access import require_staff
from medtheca.domains.provenance.models import Accession
from medtheca.domains.provenance.plans import Plan, Reason, Step, require_as_planned
from medtheca.domains.provenance.selecting import Selection, label_of, selected
from medtheca.toolkit.schemas import DERMATOLOGY, row_of_values, validate_row
from medtheca.toolkit.suggest import did_you_mean
from medtheca.workflows.describing.writing import write_changes

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class _Removal:
    """An accession with what would be left of its values."""

    accession: Accession
    change: Change


def plan_field_removal(*, selection: Selection, field: str, actor: User) -> Plan:
    """What taking a field out would change. Raises `NotAllowed` for all but staff, `Invalid` for an unknown field."""
    require_staff(actor, to="remove a metadata field")
    return _plan(selection, field)[0]


def remove_field(*, selection: Selection, field: str, reason: str, actor: User, expected: int | None = None) -> Plan:
    """Take a field, structured or not, out of every description; each gets a version with the reason.

    Images whose other values would contradict each other without it are left alone. In chunks: cut off, the same call
    goes on with the rest. Raises `NotAllowed` for all but staff, `Invalid`, or `Conflict` where nothing would change
    or not as much as expected.
    """
    require_staff(actor, to="remove a metadata field")
    if not reason.strip() or len(reason.strip()) > 500:
        problem = Problem("reason", "Say why, in 500 characters at most; it stands in every version.")
        raise Invalid("A reason is missing or too long.", problems=[problem])
    plan, removals = _plan(selection, field)
    require_as_planned(plan, expected=expected)
    for start in range(0, len(removals), _CHUNK):
        _apply(removals[start : start + _CHUNK], field, reason.strip(), actor)
    return plan


def _plan(selection: Selection, field: str) -> tuple[Plan, list[_Removal]]:
    rows = selected(selection).filter(description__isnull=False).select_related("description")
    removals: list[_Removal] = []
    steps: list[Step] = []
    left: list[Reason] = []
    names: set[str] = set()
    for row in rows.iterator(chunk_size=2000):
        description: Any = row.description
        names |= description.structured.keys() | description.unstructured.keys()
        found = _without(row, description, field)
        if found is None:
            continue
        removal, before, words = found
        if words:
            left.append(Reason(label_of(row), words, "Correct the other values first."))
        else:
            removals.append(removal)
            steps.append(Step(label_of(row), before, "not given"))
    if not removals and not left:
        _require_known(field, names)
    facts = {"published among them": sum(row.accession.published is not None for row in removals)}
    return Plan(len(removals), facts, steps, left), removals


def _without(row: Accession, description: Any, field: str) -> tuple[_Removal, str, str] | None:
    """What is left without the field, what it says now, and what would be wrong then; None where it is not there."""
    if field in description.unstructured:
        kept = {name: value for name, value in description.unstructured.items() if name != field}
        change = Change(row, description.structured, kept)
        return _Removal(row, change), str(description.unstructured[field]), ""
    cells = row_of_values(description.structured, pack=DERMATOLOGY)
    if field not in cells:
        return None
    before = cells.pop(field)
    result = validate_row(cells, pack=DERMATOLOGY)
    words = " ".join(problem.message for problem in result.problems)
    return _Removal(row, Change(row, result.values, description.unstructured)), before, words


def _require_known(field: str, names: set[str]) -> None:
    known = sorted(set(DERMATOLOGY.by_name) | names)
    if field in known:
        return
    guess = did_you_mean(field, known)
    problem = Problem("field", f"No image has a field {field or 'without a name'}.", remedy=guess or "")
    raise Invalid("There is no such field.", problems=[problem])


def _apply(removals: Sequence[_Removal], field: str, reason: str, actor: User) -> None:
    by_cohort: dict[int, list[_Removal]] = {}
    for removal in removals:
        by_cohort.setdefault(removal.accession.cohort_id, []).append(removal)
    for cohort_id, group in by_cohort.items():
        contributor = group[0].accession.cohort.contributor
        with transaction.atomic():
            lock_contributor(contributor.pk)
            # Read again under the lock: what somebody changed meanwhile must not be written over.
            ids = [removal.accession.pk for removal in group]
            fresh = selected(Selection(accession_ids=tuple(ids))).select_related("description", "patient", "lesion")
            found = [_without(row, row.description, field) for row in fresh]
            changes = [each[0].change for each in found if each is not None and not each[2]]
            write_changes(changes=changes, contributor=contributor, creator=actor, reason=reason)
            record(
                actor_id=actor.pk,
                verb="metadata.field_removed",
                subject_type="cohort",
                subject_id=cohort_id,
                cohort_id=cohort_id,
                # The name of a column that is no field of ours may say what nobody should read.
                details={
                    "field": field if field in DERMATOLOGY.by_name else "an unstructured one",
                    "accessions": [change.accession.pk for change in changes],
                    "reason": reason,
                },
            )
