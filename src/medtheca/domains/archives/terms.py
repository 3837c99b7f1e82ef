"""The data-use text of an archive: who accepted which version, and who has to before they see items again.

A request goes with the acceptance of the present text. When another comes, editors may hold all users: out of the
circle, so that every door is closed, until they accept it.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.errors import Conflict, Invalid, NotFound, Problem
from medtheca.domains.access.enums import Role
from medtheca.domains.access.models import Membership
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import require_editor, role_in
from medtheca.domains.archives.enums import Person
from medtheca.domains.archives.models import Acceptance, Archive, Held, Lasting
from medtheca.domains.archives.people import let_in
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record


def hold_until_accepted(*, archive: Archive, editor: User) -> int:
    """Let no user see anything until they accept the present data-use text; return how many are held.

    Editors and uploaders are not: they answer for the archive. Raises `NotAllowed`, or `Conflict` without a text.
    """
    require_editor(editor, archive, to="ask for its data-use text anew")
    if not archive.terms:
        raise Conflict("The archive has no data-use text.", remedy="Write one in its settings.")
    with transaction.atomic():
        locked = Archive.objects.select_for_update(no_key=True, of=("self",)).get(pk=archive.pk)
        accepted = Acceptance.objects.filter(archive=locked, version=locked.terms_version).values("user")
        users = Membership.objects.filter(scope=locked.scope_id, role__in=[Role.VIEWER, Role.ONLOOKER])
        held = list(users.exclude(user__in=accepted).order_by("user").values_list("user", flat=True))
        Held.objects.bulk_create([Held(archive=locked, user_id=pk) for pk in held], ignore_conflicts=True)
        users.filter(user__in=held).delete()
        record(
            actor_id=editor.pk,
            verb="archive.terms_asked_anew",
            subject_type="archive",
            subject_id=locked.pk,
            cohort_id=locked.cohort_id,
            details={"users": len(held), "version": locked.terms_version},
        )
        words = f"The data-use text of the archive {locked.title} has changed. Accept it to see its items again."
        url = f"/archives/{locked.slug}/request/"
        notify(recipient_ids=held, kind="archive.terms_changed", words=words, url=url)
    return len(held)


def accept_terms(*, archive: Archive, user: User, version: int) -> None:
    """Accept the data-use text; whoever was held is in again.

    Raises `NotFound` for those who are neither in nor held, or `Invalid` for a version that is not the present one.
    """
    with transaction.atomic():
        locked = Archive.objects.select_for_update(no_key=True, of=("self",)).get(pk=archive.pk)
        held = Held.objects.filter(archive=locked, user=user)
        is_held = held.exists()
        if not is_held and role_in(user, locked) is None:
            raise NotFound("There is no such archive.")
        require_terms(locked, version)
        note_acceptance(locked, user)
        if is_held:
            until = Lasting.objects.filter(archive=locked, user=user).values_list("until", flat=True).first()
            let_in(locked, user, Person.USER, until=until)
        record(
            actor_id=user.pk,
            verb="archive.terms_accepted",
            subject_type="archive",
            subject_id=locked.pk,
            cohort_id=locked.cohort_id,
            details={"version": version},
        )


def acceptances_of(archive: Archive, *, asker: User) -> QuerySet[Acceptance]:
    """Who accepted which version when, the latest first. Raises `NotFound` or `NotAllowed`."""
    require_editor(asker, archive, to="see who accepted its data-use text")
    return Acceptance.objects.filter(archive=archive).select_related("user").order_by("-at", "-pk")


def accepted_by(user: User) -> QuerySet[Acceptance]:
    """Which data-use texts somebody accepted, the latest first."""
    return Acceptance.objects.filter(user=user).select_related("archive").order_by("-at", "-pk")


def require_terms(archive: Archive, version: int | None) -> None:
    """Raise `Invalid` unless the archive has no data-use text, or this is its version."""
    if archive.terms and version != archive.terms_version:
        message = (
            "The data-use text has to be accepted."
            if version is None
            else f"The data-use text has changed: it is version {archive.terms_version} now."
        )
        problem = Problem("accepted_version", message, code="terms", remedy="Read the present one and accept it.")
        raise Invalid("The data-use text was not accepted.", problems=[problem])


def note_acceptance(archive: Archive, user: User) -> None:
    """Note that somebody accepts the present text, where there is one."""
    if archive.terms:
        Acceptance.objects.get_or_create(archive=archive, user=user, version=archive.terms_version)
