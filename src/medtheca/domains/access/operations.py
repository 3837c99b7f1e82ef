"""Writing scopes, members and placements. Who may is decided by the domain whose scope it is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction

from medtheca.base.errors import Conflict, NotFound
from medtheca.domains.access.enums import PUBLIC_SCOPE, SIGNED_IN_SCOPE, Role, ScopeKind, Visibility
from medtheca.domains.access.models import Membership, Placement, Scope, Withdrawal
from medtheca.domains.access.queries import open_public_placements, wide_placements, withdrawn_among
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.models import Image


def create_scope(*, kind: ScopeKind, name: str) -> Scope:
    """Make a circle without members."""
    return Scope.objects.create(kind=kind, name=name[:255])


def add_member(*, scope: Scope, user: User, role: Role) -> None:
    """Let a person into a circle, or change their role there. Raises `Conflict` for the last owner."""
    with transaction.atomic():
        if role != _answering(scope):
            _keep_an_owner(scope, user)
        Membership.objects.update_or_create(scope=scope, user=user, defaults={"role": role})


def remove_member(*, scope: Scope, user: User) -> None:
    """Take a person out of a circle. Raises `NotFound` for somebody who is not in it, `Conflict` for the last owner."""
    with transaction.atomic():
        _keep_an_owner(scope, user)
        removed, _ = Membership.objects.filter(scope=scope, user=user).delete()
        if not removed:
            raise NotFound(f"{user.email} is not a member.")


def _keep_an_owner(scope: Scope, leaving: User) -> None:
    """Raise `Conflict` where nobody who can log in would be left to answer for the circle."""
    if scope.kind == ScopeKind.COHORT:
        return  # The owners of its contributor answer for it; owners of its own come on top.
    # In one order, so that two owners who leave at once wait for each other and not crosswise.
    role = _answering(scope)
    owners = Membership.objects.select_for_update(of=("self",)).filter(scope=scope, role=role).order_by("pk")
    active = dict(owners.values_list("user_id", "user__is_active"))
    if leaving.pk in active and not any(alive for pk, alive in active.items() if pk != leaving.pk):
        raise Conflict(
            f"{leaving.email} is the last {role}.", remedy=f"Make somebody else an {role} first.", code="last_owner"
        )


def _answering(scope: Scope) -> Role:
    """The role of those who answer for a circle."""
    return Role.EDITOR if scope.kind == ScopeKind.ARCHIVE else Role.OWNER


def place_images(*, image_ids: Iterable[int], scope_ids: Iterable[int], opens: datetime | None = None) -> None:
    """Hang images in scopes; where they hang already, only the embargo changes."""
    scopes = list(scope_ids)
    Placement.objects.bulk_create(
        [Placement(image_id=image, scope_id=scope, opens=opens) for image in image_ids for scope in scopes],
        update_conflicts=True,
        unique_fields=["image", "scope"],
        update_fields=["opens"],
    )


def set_visibility(
    *,
    image_ids: Iterable[int],
    visibility: Visibility,
    opens: datetime | None = None,
    group_ids: Iterable[int] = (),
) -> None:
    """Show images to the public, the signed-in or named groups, or to none. Circles of owners and members stay.

    `group_ids` are scopes of kind group, wanted for `Visibility.GROUPS`. What is withdrawn stays private, whatever is
    asked for. What becomes private is also shown no longer to those with whom a collection is shared.
    """
    images = list(image_ids)
    wanted = {
        Visibility.PUBLIC: [PUBLIC_SCOPE, SIGNED_IN_SCOPE],
        Visibility.SIGNED_IN: [SIGNED_IN_SCOPE],
        Visibility.GROUPS: list(group_ids),
        Visibility.PRIVATE: [],
    }[visibility]
    with transaction.atomic():
        wide_placements(images).exclude(scope__in=wanted).delete()
        if visibility == Visibility.PRIVATE:
            Placement.objects.filter(image__in=images, scope__kind=ScopeKind.SHARING).delete()
        gone = withdrawn_among(images)
        place_images(image_ids=[pk for pk in images if pk not in gone], scope_ids=wanted, opens=opens)


def withdraw_image(*, image: Image, reason: str, user: User, was_public: bool = False) -> None:
    """Take an image from everybody's view but its owners', editors' and the staff's, with a tombstone.

    Everybody reads the reason where the image is public now, or `was_public` says that it once was. Raises `Conflict`
    where it is withdrawn already: the first reason stays.
    """
    with transaction.atomic():
        known = was_public or open_public_placements().filter(image=image).exists()
        set_visibility(image_ids=[image.pk], visibility=Visibility.PRIVATE)
        _, made = Withdrawal.objects.get_or_create(
            image=image, defaults={"reason": reason[:500], "by": user, "was_public": known}
        )
        if not made:
            raise Conflict("The image is withdrawn already.", code="withdrawn")


def add_up_tally() -> None:
    """Make one row of all changes of the tally; exact at every moment, since both happen in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (DELETE FROM access_tally RETURNING delta)"
            " INSERT INTO access_tally (delta) SELECT sum(delta) FROM gone HAVING count(*) > 0"
        )
