"""Cohorts become one: what provenance knows of it, and what else may be in the way."""

from __future__ import annotations

from medtheca.base.errors import NotFound
from medtheca.domains.accounts.models import User
from medtheca.domains.metadata.queries import metadata_files_of
from medtheca.domains.provenance import moving
from medtheca.domains.provenance.models import Cohort
from medtheca.domains.provenance.plans import Plan, Reason
from medtheca.workflows.local_ingest import find_cohort

_AT_WORK = ["checking", "applying", "undoing"]


def plan_cohort_merge(*, source: Cohort, target: Cohort, actor: User) -> Plan:
    """What making two cohorts one would do. Raises `NotAllowed`, `Invalid` or `Conflict`."""
    return moving.plan_cohort_merge(source=source, target=target, actor=actor, busy=_busy(source))


def merge_cohorts(*, source: Cohort, target: Cohort, actor: User, expected: int | None = None) -> Plan:
    """Make a cohort part of another of the same contributor. Raises `NotAllowed`, `Invalid` or `Conflict`."""
    return moving.merge_cohorts(source=source, target=target, actor=actor, expected=expected, busy=_busy(source))


def plan_named_cohort_merge(*, source: str, target: str, actor: User) -> Plan:
    """As `plan_cohort_merge`, of cohorts by id or name."""
    return plan_cohort_merge(source=_named(source, actor), target=_named(target, actor), actor=actor)


def merge_named_cohorts(*, source: str, target: str, actor: User) -> Plan:
    """As `merge_cohorts`, of cohorts by id or name."""
    return merge_cohorts(source=_named(source, actor), target=_named(target, actor), actor=actor)


def _named(name_or_id: str, actor: User) -> Cohort:
    found = find_cohort(user=actor, name_or_id=name_or_id)
    if found is None:
        raise NotFound(f"There is no cohort {name_or_id}.")
    return found


def _busy(source: Cohort) -> list[Reason]:
    at_work = metadata_files_of(source).filter(state__in=_AT_WORK)
    return [Reason(file.name, "The spreadsheet is being worked through.", "Wait until it is done.") for file in at_work]
