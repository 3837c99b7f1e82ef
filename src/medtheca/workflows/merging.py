"""Cohorts become one: what provenance knows of it, and what else may be in the way."""

from __future__ import annotations

from medtheca.domains.accounts.models import User
from medtheca.domains.metadata.queries import metadata_files_of
from medtheca.domains.provenance import moving
from medtheca.domains.provenance.models import Cohort
from medtheca.domains.provenance.plans import Plan, Reason

_AT_WORK = ["checking", "applying", "undoing"]


def plan_cohort_merge(*, source: Cohort, target: Cohort, actor: User) -> Plan:
    """What making two cohorts one would do. Raises `NotAllowed`, `Invalid` or `Conflict`."""
    return moving.plan_cohort_merge(source=source, target=target, actor=actor, busy=_busy(source))


def merge_cohorts(*, source: Cohort, target: Cohort, actor: User, expected: int | None = None) -> Plan:
    """Make a cohort part of another of the same contributor. Raises `NotAllowed`, `Invalid` or `Conflict`."""
    return moving.merge_cohorts(source=source, target=target, actor=actor, expected=expected, busy=_busy(source))


def _busy(source: Cohort) -> list[Reason]:
    at_work = metadata_files_of(source).filter(state__in=_AT_WORK)
    return [Reason(file.name, "The spreadsheet is being worked through.", "Wait until it is done.") for file in at_work]
