"""The people of an archive: let in, invited, given another role or an end, removed.

Whoever comes in or goes has their request to see the archive settled along with it, as Grand Challenge does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotFound, Problem
from medtheca.domains.access import invitations
from medtheca.domains.access.enums import RANK, Role, ScopeKind
from medtheca.domains.access.models import Invitation, Membership
from medtheca.domains.access.operations import add_member, remove_member
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import may_edit, require_editor
from medtheca.domains.archives.enums import PERSON_OF_ROLE, ROLE_OF_PERSON, Person, RequestState
from medtheca.domains.archives.models import AccessRequest, Archive, Held, Invited, Lasting
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record

_A = {Person.EDITOR: "an editor", Person.UPLOADER: "an uploader", Person.USER: "a user"}


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in an archive. `held` where they see nothing until they accept the present data-use text."""

    user: User
    person: Person
    since: datetime
    until: datetime | None = None
    held: bool = False


def members_of(archive: Archive, *, asker: User) -> list[Member]:
    """Everybody in an archive: editors first, then by name. Raises `NotFound` or `NotAllowed`."""
    require_editor(asker, archive, to="see its people")
    ends = dict(Lasting.objects.filter(archive=archive).values_list("user", "until"))
    rows = Membership.objects.filter(scope=archive.scope_id).select_related("user")
    found = [Member(row.user, PERSON_OF_ROLE[Role(row.role)], row.created, ends.get(row.user_id)) for row in rows]
    held = Held.objects.filter(archive=archive).select_related("user")
    found += [Member(row.user, Person.USER, row.since, ends.get(row.user_id), held=True) for row in held]
    order = list(Person)
    return sorted(found, key=lambda row: (order.index(row.person), row.user.full_name.lower(), row.user.pk))


def editors_of(archive: Archive) -> list[User]:
    """Active editors of an archive, by key."""
    rows = Membership.objects.filter(scope=archive.scope_id, role=Role.EDITOR, user__is_active=True)
    return [row.user for row in rows.select_related("user").order_by("user")]


def member_for(archive: Archive, user_id: int, *, asker: User) -> Member:
    """Somebody in the archive by id: oneself, for editors anybody. Raises `NotFound` or `NotAllowed`."""
    if user_id != asker.pk:
        require_editor(asker, archive, to="see its people")
    role = Membership.objects.filter(scope=archive.scope_id, user=user_id).select_related("user").first()
    held = Held.objects.filter(archive=archive, user=user_id).select_related("user").first()
    until = Lasting.objects.filter(archive=archive, user=user_id).values_list("until", flat=True).first()
    if role is not None:
        return Member(role.user, PERSON_OF_ROLE[Role(role.role)], role.created, until)
    if held is not None:
        return Member(held.user, Person.USER, held.since, until, held=True)
    raise NotFound(f"No user {user_id} is in the archive.")


def find_by_email(archive: Archive, email: str, *, asker: User) -> User:
    """Somebody in the archive by address: oneself, for editors anybody. Raises `NotFound` or `NotAllowed`."""
    wanted = email.strip().lower()
    if wanted == asker.email.lower():
        return asker
    found = next((row.user for row in members_of(archive, asker=asker) if row.user.email.lower() == wanted), None)
    if found is None:
        raise NotFound(f"Nobody with the address {email.strip()} is in the archive.", remedy="Invite them.")
    return found


def add_person(*, archive: Archive, actor: User, email: str, person: str, until: datetime | None = None) -> User:
    """Let in who has an account with this address, or give them another role and end.

    Raises `NotFound` (also for an address without an account), `NotAllowed`, `Invalid`, or `Conflict` for the last
    editor and for a disabled account.
    """
    require_editor(actor, archive, to="change its people")
    wanted = email.strip()
    found = None if "\x00" in wanted else User.objects.filter(email__iexact=wanted, deleted__isnull=True).first()
    if found is None:
        raise NotFound(f"Nobody has an account with the address {wanted or '(none)'}.", remedy="Invite them by e-mail.")
    set_person(archive=archive, actor=actor, user=found, person=person, until=until)
    return found


def set_person(*, archive: Archive, actor: User, user: User, person: str, until: datetime | None = None) -> None:
    """Make somebody an editor, uploader or user of an archive, for good or until a moment. Raises as `add_person`."""
    require_editor(actor, archive, to="change its people")
    wanted = person_named(person)
    ending = checked_end(until)
    if not user.is_active:
        raise Conflict(f"{user.email} is disabled.", remedy="Ask staff to enable the user first.")
    with transaction.atomic():
        let_in(archive, user, wanted, until=ending)
        if ending is not None and wanted is Person.EDITOR and not _lasting_editors(archive).exists():
            raise Conflict(
                "Every editor of the archive would be gone one day.",
                code="last_editor",
                remedy="Let one editor stay without an end.",
            )
        _settle_request(archive, user, RequestState.ACCEPTED, actor)
        _note(archive, "person_set", actor, user=user.pk, role=wanted.value, until=ending and ending.isoformat())
        words = f"You are now {_A[wanted]} of the archive {archive.title}"
        words += f", until {ending.day} {ending:%B %Y}." if ending else "."
        tell_person(user, actor, words, f"/archives/{archive.slug}/")


def remove_person(*, archive: Archive, actor: User, user_id: int) -> None:
    """Take somebody out of an archive, or leave it oneself. Every door that it opened is closed with it.

    Raises `NotFound`, `NotAllowed`, or `Conflict` for the last editor.
    """
    member = member_for(archive, user_id, asker=actor)
    with transaction.atomic():
        let_out(archive, member.user)
        _settle_request(archive, member.user, RequestState.REJECTED, actor)
        verb = "person_left" if user_id == actor.pk else "person_removed"
        _note(archive, verb, actor, user=user_id)
        tell_person(member.user, actor, f"You no longer belong to the archive {archive.title}.", "/archives/")


def let_in(archive: Archive, user: User, person: Person, *, until: datetime | None = None) -> None:
    """Write who somebody is in an archive. Call inside a transaction; who may is the caller's to ask."""
    # The row is the queue: whether users may take files away must not change between reading and writing it.
    locked = Archive.objects.select_for_update(no_key=True, of=("self",)).get(pk=archive.pk)
    add_member(scope=locked.scope, user=user, role=role_of(locked, person))
    Held.objects.filter(archive=archive, user=user).delete()
    if until is None:
        Lasting.objects.filter(archive=archive, user=user).delete()
    else:
        Lasting.objects.update_or_create(archive=archive, user=user, defaults={"until": until})


def let_out(archive: Archive, user: User) -> None:
    """Take somebody out. Raises `Conflict` for the last editor."""
    held, _ = Held.objects.filter(archive=archive, user=user).delete()
    if not held:
        remove_member(scope=archive.scope, user=user)
    Lasting.objects.filter(archive=archive, user=user).delete()
    invitations.revoke_all_by(user=user, scope=archive.scope)


def end_stays() -> int:
    """Take out of archives whose end has come; return how many. A last editor stays, and has no end any more."""
    ended = 0
    for lasting in Lasting.objects.filter(until__lte=now()).select_related("archive__scope", "user").order_by("pk"):
        with transaction.atomic():
            # Another end may have been set since.
            if not Lasting.objects.select_for_update().filter(pk=lasting.pk, until__lte=now()).exists():
                continue
            archive, user = lasting.archive, lasting.user
            try:
                with transaction.atomic():
                    let_out(archive, user)
            except NotFound:
                lasting.delete()
            except Conflict:
                lasting.delete()
                _note(archive, "end_passed_over", None, user=user.pk)
            else:
                ended += 1
                _settle_request(archive, user, RequestState.REJECTED, None)
                _note(archive, "person_ended", None, user=user.pk)
                words = f"Your time in the archive {archive.title} is over."
                notify(recipient_ids=[user.pk], kind="people.changed", words=words, url=f"/archives/{archive.slug}/")
    return ended


def switch_downloads(archive: Archive, *, allowed: bool) -> None:
    """Let all users of an archive take files away, or none. Call in the transaction that changes the setting."""
    before, after = (Role.ONLOOKER, Role.VIEWER) if allowed else (Role.VIEWER, Role.ONLOOKER)
    Membership.objects.filter(scope=archive.scope_id, role=before).update(role=after)
    Invitation.objects.filter(scope=archive.scope_id, role=before, accepted__isnull=True).update(role=after)


def role_of(archive: Archive, person: Person) -> Role:
    """The role in the archive's circle; users of one that lets nobody download are onlookers."""
    role = ROLE_OF_PERSON[person]
    return Role.ONLOOKER if role is Role.VIEWER and not archive.downloads else role


def person_named(name: str) -> Person:
    """The part that somebody has by its name. Raises `Invalid`."""
    if name not in Person.values:
        problem = Problem("role", f"{name or 'Nothing'} is no role in an archive.", remedy="editor, uploader or user.")
        raise Invalid("There is no such role.", problems=[problem])
    return Person(name)


def checked_end(until: datetime | None) -> datetime | None:
    """The moment until when somebody stays. Raises `Invalid` for one that is past."""
    if until is not None and until <= now():
        problem = Problem("until", "The end is in the past.", remedy="Name a later day, or none.")
        raise Invalid("Nobody can stay until then.", problems=[problem])
    return until


# -- invitations --------------------------------------------------------------------------------------------


def invite_person(
    *, archive: Archive, actor: User, email: str, person: str, until: datetime | None = None
) -> tuple[Invitation, str]:
    """Invite an address; return the invitation and its secret, which the caller sends and nobody stores.

    Raises `NotFound`, `NotAllowed`, `Invalid`, or `Conflict` where they are in already or too many are open.
    """
    require_editor(actor, archive, to="invite people")
    wanted, ending = person_named(person), checked_end(until)
    with transaction.atomic():
        locked = Archive.objects.select_for_update(no_key=True, of=("self",)).get(pk=archive.pk)
        role = role_of(locked, wanted)
        made, secret = invitations.invite(scope=locked.scope, email=email, role=role, by=actor)
        Invited.objects.create(invitation=made, archive=locked, until=ending)
        _note(archive, "invited", actor, invitation=made.pk, role=wanted.value)
    return made, secret


def invite_again(*, archive: Archive, actor: User, invitation_id: int) -> tuple[Invitation, str]:
    """Send an invitation anew; the link of the first mail ends. Raises `NotAllowed`, `NotFound` or `Conflict`."""
    found = invitation_into(archive, invitation_id, actor=actor)
    if found.accepted or found.revoked:
        raise Conflict("The invitation is over.", remedy="Invite the person anew.")
    until = Invited.objects.filter(invitation=found).values_list("until", flat=True).first()
    person = PERSON_OF_ROLE[Role(found.role)]
    return invite_person(archive=archive, actor=actor, email=found.email, person=person, until=until)


def revoke_invitation(*, archive: Archive, actor: User, invitation_id: int) -> None:
    """End an invitation. Raises `NotAllowed`, `NotFound`, or `Conflict` where it was accepted."""
    found = invitation_into(archive, invitation_id, actor=actor)
    with transaction.atomic():
        invitations.revoke(invitation=found)
        _note(archive, "invitation_revoked", actor, invitation=found.pk)


def invitations_into(archive: Archive, *, asker: User) -> QuerySet[Invitation]:
    """Invitations that nobody accepted or revoked, newest first. Raises `NotFound` or `NotAllowed`."""
    require_editor(asker, archive, to="see its invitations")
    return invitations.invitations_of(archive.scope)


def ends_of(rows: Iterable[Invitation]) -> dict[int, datetime | None]:
    """Until when those would stay who accept these invitations, by the invitations' ids."""
    found = Invited.objects.filter(invitation__in=[row.pk for row in rows])
    return dict(found.values_list("invitation", "until"))


def invitation_into(archive: Archive, invitation_id: int, *, actor: User) -> Invitation:
    """An invitation into an archive. Raises `NotAllowed` or `NotFound`."""
    require_editor(actor, archive, to="invite people")
    found = Invitation.objects.filter(scope=archive.scope_id, pk=invitation_id).select_related("scope", "by").first()
    if found is None:
        raise NotFound(f"There is no invitation {invitation_id}.")
    return found


def archive_of_invitation(secret: str) -> tuple[Invitation, Archive]:
    """What the secret of an invitation opens. Raises `NotFound` where it is over, or its sender may invite no more."""
    invitation = invitations.invitation_of_secret(secret)
    archive = Archive.objects.select_related("scope").filter(scope=invitation.scope).first()
    if invitation.scope.kind != ScopeKind.ARCHIVE or archive is None or not may_edit(invitation.by, archive):
        raise NotFound(invitations.OVER)
    return invitation, archive


def accept_invitation(*, secret: str, user: User, with_other_address: bool = False) -> Archive:
    """Let the person in who holds the secret; a stronger role that they have stays. Returns the archive.

    Raises `NotFound`, or `OtherAddress` where it was sent elsewhere and the person has not said that this is right.
    """
    with transaction.atomic():
        _, archive = archive_of_invitation(secret)
        Archive.objects.select_for_update(no_key=True, of=("self",)).get(pk=archive.pk)
        before = Membership.objects.filter(scope=archive.scope_id, user=user).values_list("role", flat=True).first()
        accepted = invitations.accept(secret=secret, user=user, with_other_address=with_other_address)
        until = Invited.objects.filter(invitation=accepted).values_list("until", flat=True).first()
        if before is None or RANK[Role(before)] < RANK[Role(accepted.role)]:
            # One who stayed for good as a user does not stay for good as an editor for a week, nor the other way round.
            let_in(archive, user, PERSON_OF_ROLE[Role(accepted.role)], until=until)
        _settle_request(archive, user, RequestState.ACCEPTED, accepted.by)
        _note(archive, "invitation_accepted", user, invitation=accepted.pk)
    return archive


# -- shared -------------------------------------------------------------------------------------------------


def _note(archive: Archive, what: str, actor: User | None, **details: object) -> None:
    """Write into the ledger what was done to an archive."""
    record(
        actor_id=actor.pk if actor else None,
        verb=f"archive.{what}",
        subject_type="archive",
        subject_id=archive.pk,
        cohort_id=archive.cohort_id,
        details=details,
    )


def tell_person(user: User, actor: User | None, words: str, url: str) -> None:
    """Tell somebody what became of them, unless they did it themselves."""
    if actor is None or user.pk != actor.pk:
        notify(recipient_ids=[user.pk], kind="people.changed", words=words, url=url)


def _lasting_editors(archive: Archive) -> QuerySet[Membership]:
    ending = Lasting.objects.filter(archive=archive).values("user")
    rows = Membership.objects.filter(scope=archive.scope_id, role=Role.EDITOR, user__is_active=True)
    return rows.exclude(user__in=ending)


def _settle_request(archive: Archive, user: User, state: RequestState, actor: User | None) -> None:
    rows = AccessRequest.objects.filter(archive=archive, user=user).exclude(state=state)
    rows.update(state=state, decided=now(), decided_by=actor, reason="", modified=now())
