"""Sharing collections with people and named groups, and taking that back.

Who is in sees the images that somebody showed through the collection who may show them to others, and besides what
they see anyway. Nobody passes on what was only shown to them.
"""

from __future__ import annotations

from collections.abc import Collection as Several
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import BigIntegerField, Func, Q, QuerySet

from medtheca.base.errors import Invalid, NotFound, Problem
from medtheca.domains.access.groups import groups_for
from medtheca.domains.access.models import Grant, Placement, Scope
from medtheca.domains.access.queries import open_public_placements
from medtheca.domains.access.sharing import close_circle, grants_of, members_in, open_circle, people_in
from medtheca.domains.accounts.models import User
from medtheca.domains.collections.access import require_owner, showable_images
from medtheca.domains.collections.contents import hold_as_it_is, show
from medtheca.domains.collections.enums import ChangeKind
from medtheca.domains.collections.models import Change, Collection, Editor
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import visible_cohorts, visible_contributors

_CHUNK = 5000


class _Unnested(Func):
    """The elements of an array, a row each."""

    function = "unnest"
    output_field = BigIntegerField()
    set_returning = True


@dataclass(frozen=True, slots=True)
class Share:
    """With whom a collection is shared: one person or one group, since when, and whether they may change it."""

    user: User | None
    group: Scope | None
    since: datetime
    edits: bool

    @property
    def name(self) -> str:
        """What the person or the group is called; nobody's address."""
        return self.user.shown_name if self.user else self.group.name if self.group else ""


@dataclass(frozen=True, slots=True)
class Shared:
    """What sharing did: grants that are new, and how many images the collection shows that are not public."""

    fresh: int
    shown: int


def shares_of(collection: Collection) -> list[Share]:
    """With whom a collection is shared, for its owner, in the order in which it was."""
    editors = set(Editor.objects.filter(collection=collection).values_list("user", flat=True))
    rows = grants_of([collection.sharing_id])
    return [Share(row.user, row.group, row.created, row.user_id in editors) for row in rows]


def companions_of(user: User) -> QuerySet[User]:
    """People whom somebody works with: of their named groups, and of contributors and cohorts that they belong to."""
    groups = groups_for(user).order_by().values_list("pk", flat=True)
    cohorts = visible_cohorts(user)
    circles = [
        *groups,
        *visible_contributors(user).values_list("scope", flat=True),
        *cohorts.values_list("scope", flat=True),
        *cohorts.values_list("contributor__scope", flat=True),
    ]
    return people_in(circles).exclude(pk=user.pk)


def people_to_share_with(owner: User, *, user_ids: Several[int], emails: Several[str]) -> list[User]:
    """People whom an owner names by id or address: for staff anybody, for others whoever shares a contributor, cohort
    or group with them, so that nobody finds out who has an account. Raises `Invalid` naming each who is not there.
    """
    among = User.objects.filter(is_active=True) if owner.is_staff else companions_of(owner)
    ids = {pk for pk in user_ids if 0 < pk < 2**63}
    addresses = {email.strip().lower() for email in emails if "\0" not in email}
    wanted = Q(pk__in=ids)
    for address in addresses:
        wanted |= Q(email__iexact=address)
    found = list(among.filter(wanted).exclude(pk=owner.pk).order_by("pk"))
    known = {user.pk for user in found}
    reached = {user.email.lower() for user in found}
    remedy = "Make a group, invite them into it, and share with the group."
    words = "is in no contributor, cohort or group of yours." if not owner.is_staff else "can log in here."
    who = "Nobody" if owner.is_staff else "Whoever is meant by"
    problems = [
        Problem("user_ids", f"{who} {'with the id ' if owner.is_staff else ''}{pk} {words}", remedy=remedy)
        for pk in sorted(set(user_ids) - known)
    ]
    problems += [
        Problem("emails", f"{who} {'with the address ' if owner.is_staff else ''}{address} {words}", remedy=remedy)
        for address in sorted({email.strip().lower() for email in emails} - reached)
    ]
    if problems:
        raise Invalid("The collection cannot be shared with all of them.", problems=problems)
    return found


def share(
    *,
    collection: Collection,
    actor: User,
    users: Sequence[User] = (),
    group_ids: Several[int] = (),
    as_editors: bool = False,
    tell: bool = True,
) -> Shared:
    """Share a collection with people, and with groups that the person is in; those who are in already stay.

    Raises `NotAllowed` for all but its owner and staff, or `Invalid` for groups that are none of theirs, for groups as
    editors, and where nobody is named. Images that somebody showed who may not show them any more are shown no longer.
    """
    require_owner(actor, collection, to="share it")
    groups = _groups(actor, group_ids)
    if as_editors and groups:
        raise Invalid("Groups cannot edit.", problems=[Problem("group_ids", "Name people.", remedy="One by one.")])
    if not users and not groups:
        raise Invalid("Nobody is named.", problems=[Problem("user_ids", "Name people or groups to share with.")])
    with transaction.atomic():
        held = hold_as_it_is(collection)
        let_lapse(held)
        _show_own(held, actor)
        scope = Scope.objects.get(pk=held.sharing_id)
        others = [user for user in users if user.pk != held.creator_id]
        grants = open_circle(scope=scope, users=others, groups=groups, by=actor)
        editors = others if as_editors else []
        Editor.objects.bulk_create(
            [Editor(collection=held, user=user, by=actor) for user in editors], ignore_conflicts=True
        )
        for grant in grants:
            _record(actor, "collection.shared", held, grant)
        for user in editors:
            _record_person(actor, "collection.editor_named", held, user.pk)
        if tell:
            _tell(held, actor, grants)
        shown = Placement.objects.filter(scope=scope).count()
    return Shared(len(grants), shown)


def revoke(*, collection: Collection, actor: User, user_ids: Several[int] = (), group_ids: Several[int] = ()) -> int:
    """Take back what was shared with people and groups; return how many grants ended. People may leave by themselves.

    Whoever sees the collection through a group sees it still. Raises `NotAllowed`, or `NotFound` where it was shared
    with none of them.
    """
    if set(user_ids) != {actor.pk} or group_ids:
        require_owner(actor, collection, to="take back what is shared")
    with transaction.atomic():
        held = hold_as_it_is(collection)
        going = [
            grant for grant in grants_of([held.sharing_id]) if grant.user_id in user_ids or grant.group_id in group_ids
        ]
        edited, _ = Editor.objects.filter(collection=held, user__in=list(user_ids)).delete()
        if not going and not edited:
            raise NotFound("The collection is shared with none of them.")
        ended = close_circle(
            scope=Scope.objects.get(pk=held.sharing_id), user_ids=list(user_ids), group_ids=list(group_ids)
        )
        for grant in going:
            _record(actor, "collection.share_revoked", held, grant)
    return ended


def let_lapse(held: Collection) -> int:
    """Show no longer what nobody of those who showed it may show now; return how many images.

    Before the circle grows: who once might show an image does not open it to more people after that has ended.
    """
    kept = Q(pk__in=[])
    shown = Change.objects.filter(collection=held, kind=ChangeKind.SHARED)
    for user in User.objects.filter(pk__in=shown.values("by")):
        if not user.is_active:
            continue
        vouched = shown.filter(by=user).annotate(image=_Unnested("images")).order_by().values("image")
        kept |= Q(image__in=vouched) & Q(image__in=showable_images(user).values("pk"))
    lapsed, _ = Placement.objects.filter(scope=held.sharing_id).exclude(kept).delete()
    return lapsed


def _show_own(held: Collection, actor: User) -> None:
    listed = Placement.objects.filter(scope=held.listing_id)
    public = open_public_placements().filter(image__in=listed.values("image")).values("image")
    mine = listed.filter(image__in=showable_images(actor).values("pk")).exclude(image__in=public)
    ids = list(mine.order_by("image").values_list("image", flat=True))
    for start in range(0, len(ids), _CHUNK):
        show(held, actor, ids[start : start + _CHUNK])


def _groups(actor: User, group_ids: Several[int]) -> list[Scope]:
    wanted = {pk for pk in group_ids if 0 < pk < 2**63}
    found = list(groups_for(actor).filter(pk__in=wanted)) if wanted else []
    if strange := set(group_ids) - {group.pk for group in found}:
        problem = Problem("group_ids", f"You are in no group {min(strange)}.", remedy="Name groups that you are in.")
        raise Invalid("The collection cannot be shared so.", problems=[problem])
    return found


def _tell(held: Collection, actor: User, grants: Sequence[Grant]) -> None:
    people = {grant.user_id for grant in grants if grant.user_id is not None}
    people |= set(members_in([grant.group_id for grant in grants if grant.group_id is not None]))
    notify(
        recipient_ids=people - {actor.pk, held.creator_id},
        kind="collection.shared",
        words=f"{actor.shown_name} shared the collection “{held.name}” with you.",
        url=f"/collections/{held.pk}/",
        subject_type="collection",
        subject_id=held.pk,
    )


def _record(actor: User, verb: str, held: Collection, grant: Grant) -> None:
    details = {"user": grant.user_id} if grant.user_id is not None else {"group": grant.group_id}
    record(actor_id=actor.pk, verb=verb, subject_type="collection", subject_id=held.pk, details=details)


def _record_person(actor: User, verb: str, held: Collection, user_id: int) -> None:
    record(actor_id=actor.pk, verb=verb, subject_type="collection", subject_id=held.pk, details={"user": user_id})
