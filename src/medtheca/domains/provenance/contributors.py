"""Changing contributors and cohorts after they were made, and what contributors sign."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import may_edit, require_owner, require_staff
from medtheca.domains.provenance.fields import licence_problems, required, unstorable
from medtheca.domains.provenance.models import Accession, Cohort, Contributor
from medtheca.domains.provenance.reviewing import restate_reviews

_CONTRIBUTOR_FIELDS = (
    "institution_name",
    "institution_url",
    "legal_contact_info",
    "default_licence",
    "default_attribution",
)
_COHORT_FIELDS = ("name", "description", "licence", "attribution", "consent_basis")


def edit_contributor(*, contributor: Contributor, actor: User, **values: str) -> Contributor:
    """Change what is said of a contributor; what is not named stays.

    Raises `NotAllowed`, or `Invalid` with every problem.
    """
    require_owner(actor, contributor, to="change the contributor")
    given = _known(values, _CONTRIBUTOR_FIELDS)
    problems = unstorable(Contributor, **given)
    if "institution_name" in given:
        problems += required(institution_name=given["institution_name"])
    if given.get("default_licence"):
        problems += licence_problems("default_licence", given["default_licence"])
    if problems:
        raise Invalid("The contributor cannot be changed so.", problems=problems)
    with transaction.atomic():
        locked = Contributor.objects.select_for_update(no_key=True).select_related(None).get(pk=contributor.pk)
        changed = _assign(locked, given)
        if "institution_name" in changed:
            type(contributor.scope).objects.filter(pk=contributor.scope_id).update(name=given["institution_name"])
        if changed:
            locked.save()
            record(
                actor_id=actor.pk,
                verb="contributor.changed",
                subject_type="contributor",
                subject_id=contributor.pk,
                details={"fields": changed},
            )
    return locked


def contact_of(contributor: Contributor, *, asker: User) -> str:
    """Whom to ask about consent, for whoever owns or edits; empty for others."""
    return contributor.legal_contact_info if may_edit(asker, contributor) else ""


def edit_cohort(*, cohort: Cohort, actor: User, readers: int | None = None, **values: str) -> Cohort:
    """Change what is said of a cohort; what is not named stays. The licence is that of images to come.

    `readers`, how many reviewers must accept an image, is for staff. Raises `NotAllowed`, `Invalid`, or `Conflict`
    where the name is taken.
    """
    require_owner(actor, cohort, to="change the cohort")
    given = _known(values, _COHORT_FIELDS)
    problems = unstorable(Cohort, **given)
    problems += required(**{name: given[name] for name in ("name", "attribution") if name in given})
    if "licence" in given:
        problems += licence_problems("licence", given["licence"])
    if readers is not None and readers != cohort.readers:
        require_staff(actor, to="say how many must review an image")
    if readers is not None and readers not in {1, 2}:
        problems.append(Problem("readers", f"{readers} is not a number of readers.", remedy="1 or 2."))
    if problems:
        raise Invalid("The cohort cannot be changed so.", problems=problems)
    try:
        with transaction.atomic():
            locked = Cohort.objects.select_for_update(no_key=True).get(pk=cohort.pk)
            changed = _assign(locked, given if readers is None else given | {"readers": readers})
            if "name" in changed:
                type(cohort.scope).objects.filter(pk=cohort.scope_id).update(name=given["name"])
            if changed:
                locked.save()
                if "readers" in changed:
                    ids = Accession.objects.filter(cohort=cohort).values_list("pk", flat=True)
                    restate_reviews(accession_ids=list(ids))
                _record_cohort(locked, actor, "cohort.changed", {"fields": changed})
    except IntegrityError as error:
        raise Conflict(
            f"The contributor has a cohort named {given['name']} already.", remedy="Choose another name."
        ) from error
    return locked


def attest(*, cohort: Cohort, actor: User) -> Cohort:
    """Note that a person says that they may give these images: who, and when. The newest word counts.

    Raises `NotAllowed`.
    """
    require_owner(actor, cohort, to="attest for it")
    with transaction.atomic():
        Cohort.objects.filter(pk=cohort.pk).update(attested=now(), attested_by=actor)
        _record_cohort(cohort, actor, "cohort.attested", {})
    cohort.refresh_from_db(fields=["attested", "attested_by"])
    return cohort


def _known(values: dict[str, str], fields: tuple[str, ...]) -> dict[str, str]:
    unknown = set(values) - set(fields)
    if unknown:
        raise TypeError(f"no such fields: {', '.join(sorted(unknown))}")
    return {name: value.strip() for name, value in values.items()}


def _assign(row: Contributor | Cohort, given: dict[str, Any]) -> list[str]:
    """Write values to a row; return the names of those that differ. Values stay out of the ledger: they are private."""
    changed = [name for name, value in given.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, given[name])
    return changed


def _record_cohort(cohort: Cohort, actor: User, verb: str, details: dict[str, Any]) -> None:
    record(
        actor_id=actor.pk,
        verb=verb,
        subject_type="cohort",
        subject_id=cohort.pk,
        cohort_id=cohort.pk,
        details=details,
    )
