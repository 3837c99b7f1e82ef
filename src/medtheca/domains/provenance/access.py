"""Who may do what with contributors, cohorts and accessions: in terms of scopes."""

from __future__ import annotations

from functools import cache

from django.db.models import Q, QuerySet

from medtheca.base.errors import NotAllowed, NotFound
from medtheca.base.statements import A_PERSON, Statement
from medtheca.domains.access.access import holds_role, scopes_joined
from medtheca.domains.access.enums import Role
from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.enums import VersionKind, VersionState
from medtheca.domains.provenance.models import Accession, Cohort, Contributor, FileVersion


def visible_contributors(user: User | None) -> QuerySet[Contributor]:
    """Contributors that the person belongs to; all for staff. Names of contributors are private."""
    if user is None or not user.is_active:
        return Contributor.objects.none()
    if user.is_staff:
        return Contributor.objects.all()
    return Contributor.objects.filter(scope__in=scopes_joined(user).values("scope"))


def visible_cohorts(user: User | None) -> QuerySet[Cohort]:
    """Cohorts that the person belongs to, by themselves or through their contributor; all for staff.

    The editors of an archive belong to its cohort; its uploaders and users see items, not where they come from.
    """
    if user is None or not user.is_active:
        return Cohort.objects.none()
    if user.is_staff:
        return Cohort.objects.all()
    mine = scopes_joined(user).values("scope")
    edited = scopes_joined(user, role=Role.EDITOR).values("scope")
    return Cohort.objects.filter(Q(scope__in=mine) | Q(contributor__scope__in=mine) | Q(archive__in=edited))


def names_of_cohorts(user: User | None) -> dict[int, str]:
    """Names of `visible_cohorts` by their keys; by a statement that is made once."""
    if user is None or not user.is_active:
        return {}
    rows = _cohorts_of_all().fetch() if user.is_staff else _cohorts_of_one().fetch(user.pk)
    return dict(rows)


@cache
def _cohorts_of_one() -> Statement:
    return Statement(visible_cohorts(User(pk=A_PERSON)).order_by().distinct().values_list("pk", "name"), A_PERSON)


@cache
def _cohorts_of_all() -> Statement:
    return Statement(Cohort.objects.order_by().values_list("pk", "name"))


def visible_accessions(user: User | None) -> QuerySet[Accession]:
    """Accessions of the cohorts that the person belongs to; all for staff."""
    if user is not None and user.is_active and user.is_staff:
        return Accession.objects.all()
    return Accession.objects.filter(cohort__in=visible_cohorts(user).values("pk"))


def brought_by(user: User) -> Q:
    """Accessions whose file, the present one or the one that waits to be judged, somebody brought themselves."""
    brought = FileVersion.objects.filter(creator=user, kind=VersionKind.REPLACEMENT)
    brought = brought.filter(state__in=[VersionState.CANDIDATE, VersionState.CURRENT])
    return Q(creator=user) | Q(pk__in=brought.values("accession"))


def may_own(user: User | None, thing: Contributor | Cohort) -> bool:
    """Whether the person answers for a contributor or cohort: an owner, or staff."""
    return _may(user, thing, [Role.OWNER])


def may_edit(user: User | None, thing: Contributor | Cohort) -> bool:
    """Whether the person may do the daily work: upload, describe, ask for publication. Owners, editors, staff."""
    return _may(user, thing, [Role.OWNER, Role.EDITOR])


def may_upload(user: User | None, cohort: Cohort) -> bool:
    """Whether the person may bring images: whoever edits it, and the uploaders of the archive whose cohort it is."""
    if user is None or not user.is_active or cohort.archive_id is None:
        return may_edit(user, cohort)
    return may_edit(user, cohort) or holds_role(user, [cohort.archive_id], [Role.UPLOADER])


def may_review(user: User | None, thing: Contributor | Cohort) -> bool:
    """Whether the person may judge images: a reviewer named by staff, or staff. Owning something is no licence to."""
    return _may(user, thing, [Role.REVIEWER])


def _may(user: User | None, thing: Contributor | Cohort, roles: list[Role]) -> bool:
    if user is None or not user.is_active:
        return False
    if user.is_staff:
        return True
    if isinstance(thing, Contributor):
        return holds_role(user, [thing.scope_id], roles)
    if holds_role(user, [thing.scope_id, thing.contributor.scope_id], roles):
        return True
    return thing.archive_id is not None and Role.EDITOR in roles and holds_role(user, [thing.archive_id], [Role.EDITOR])


def require_owner(user: User | None, thing: Contributor | Cohort, *, to: str) -> User:
    """Raise `NotAllowed` unless the person owns the thing; `to` says what they wanted to do."""
    if user is None or not may_own(user, thing):
        raise NotAllowed(f"Only owners may {to}.", remedy="Ask an owner of the contributor.")
    return user


def require_editor(user: User | None, thing: Contributor | Cohort, *, to: str) -> User:
    """Raise `NotAllowed` unless the person owns or edits the thing; `to` says what they wanted to do."""
    if user is None or not may_edit(user, thing):
        raise NotAllowed(f"Only owners and editors may {to}.", remedy="Ask an owner of the contributor.")
    return user


def require_uploader(user: User | None, cohort: Cohort) -> User:
    """Raise `NotAllowed` unless the person may bring images into the cohort."""
    if user is None or not may_upload(user, cohort):
        raise NotAllowed(
            "Only owners and editors may upload to this cohort.", remedy="Ask an owner of the contributor."
        )
    return user


def require_reviewer(user: User | None, thing: Contributor | Cohort, *, to: str) -> User:
    """Raise `NotAllowed` unless the person reviews the thing; `to` says what they wanted to do."""
    if user is None or not may_review(user, thing):
        raise NotAllowed(f"Only reviewers may {to}.", remedy="Ask the staff.")
    return user


def require_to_know_of_staff_pages(user: User | None) -> User:
    """Raise `NotFound` unless the person is of the staff: others are not told that there is such a page."""
    if user is None or not user.is_active or not user.is_staff:
        raise NotFound("There is nothing at this address.")
    return user


def require_staff(user: User | None, *, to: str) -> User:
    """Raise `NotAllowed` unless the person is of the staff."""
    if user is None or not user.is_active or not user.is_staff:
        raise NotAllowed(f"Only staff may {to}.")
    return user
