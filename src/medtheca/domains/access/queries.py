"""What a viewer sees. Every list, count, file and export goes through here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Now

from medtheca.base.statements import A_PERSON, Statement
from medtheca.domains.access.enums import LOOKING, PUBLIC_SCOPE, SIGNED_IN_SCOPE, Role, ScopeKind, Visibility
from medtheca.domains.access.models import Membership, Placement, Tally, Withdrawal
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.models import Image


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: nobody in particular, a person, or one of the staff, who see everything.

    `links` are scopes that somebody looks into as an onlooker, because they opened a link that lets them.
    """

    user_id: int | None = None
    is_staff: bool = False
    links: tuple[int, ...] = ()


ANYBODY = Viewer()
# The attribute of a request's user that holds its links: no column, and gone with the request.
_BY_LINK = "link_scopes"
_WIDTH = {visibility: width for width, visibility in enumerate(Visibility)}
_SHOWN = {PUBLIC_SCOPE: Visibility.PUBLIC, SIGNED_IN_SCOPE: Visibility.SIGNED_IN}


def viewer_of(user: User | AnonymousUser | None) -> Viewer:
    """The viewer that a request's user is. Inactive users are nobody."""
    links = links_of(user)
    if not isinstance(user, User) or not user.is_active:
        return Viewer(links=links) if links else ANYBODY
    return Viewer(user.pk, user.is_staff, links)


def look_by_links(user: User | AnonymousUser, scopes: Iterable[int]) -> None:
    """Let who asks look into scopes for one request, since their session holds links that are good now."""
    setattr(user, _BY_LINK, tuple(sorted(set(scopes))))


def links_of(user: User | AnonymousUser | None) -> tuple[int, ...]:
    """The scopes that `look_by_links` opened to who asks."""
    links: tuple[int, ...] = getattr(user, _BY_LINK, ())
    return links


@dataclass(frozen=True, slots=True)
class Circles:
    """Scopes whose open placements a viewer sees: of some without what is withdrawn. Staff see everything."""

    everything: bool = False
    scopes: tuple[int, ...] = ()
    unless_withdrawn: tuple[int, ...] = ()


def circles_of(viewer: Viewer) -> Circles:
    """The same rule as `open_placements`, as scopes: for whoever knows what hangs in each."""
    if viewer.is_staff:
        return Circles(everything=True)
    if viewer.user_id is None:
        return Circles(scopes=(PUBLIC_SCOPE,), unless_withdrawn=viewer.links)
    mine = _memberships().fetch(viewer.user_id)
    answering = [scope for scope, role in mine if role in {Role.OWNER, Role.EDITOR}]
    looking = [scope for scope, role in mine if role in LOOKING]
    return Circles(scopes=(PUBLIC_SCOPE, SIGNED_IN_SCOPE, *answering), unless_withdrawn=(*looking, *viewer.links))


@cache
def _memberships() -> Statement:
    return Statement(Membership.objects.filter(user_id=A_PERSON).values_list("scope", "role"), A_PERSON)


def open_placements(viewer: Viewer, *, looking: Iterable[Role] = LOOKING) -> QuerySet[Placement]:
    """Placements in scopes of the viewer whose embargo, by the database's clock, is over.

    An embargo holds back the public, the signed-in and named groups; the people of a cohort or contributor see what
    hangs there, since it hangs there without one. `looking` are the roles, beside those that answer, that count.
    """
    circles, seen = Q(scope=PUBLIC_SCOPE), Q(pk__in=[])
    if viewer.links and Role.ONLOOKER in looking:
        seen |= Q(scope__in=viewer.links)
    if viewer.user_id is not None:
        circles |= Q(scope=SIGNED_IN_SCOPE)
        mine = Membership.objects.filter(user_id=viewer.user_id)
        circles |= Q(scope__in=mine.filter(role__in=[Role.OWNER, Role.EDITOR]).values("scope"))
        seen |= Q(scope__in=mine.filter(role__in=list(looking)).values("scope"))
    if viewer.user_id is not None or viewer.links:
        # What is withdrawn is its owners' and editors' to see. The public's placements of it are gone already.
        withdrawn = Exists(Withdrawal.objects.filter(image=OuterRef("image")))
        circles |= ~withdrawn & seen
    return Placement.objects.filter(circles).filter(Q(opens__isnull=True) | Q(opens__lte=Now()))


def visible_images(viewer: Viewer) -> QuerySet[Image]:
    """Every image that the viewer may see, and no other."""
    if viewer.is_staff:
        return Image.objects.all()
    if viewer == ANYBODY:
        # One scope only: naming it by its id lets the planner use the placement index as it stands.
        placed = open_public_placements().filter(image=OuterRef("pk"))
    else:
        placed = open_placements(viewer).filter(image=OuterRef("pk"))
    return Image.objects.filter(Exists(placed))


def downloadable_images(viewer: Viewer) -> QuerySet[Image]:
    """Every image whose files the viewer may take away: what they see otherwise than as an onlooker."""
    if viewer.is_staff or not has_looks_alone(viewer):
        return visible_images(viewer)
    placed = open_placements(viewer, looking=LOOKING - {Role.ONLOOKER})
    return Image.objects.filter(Exists(placed.filter(image=OuterRef("pk"))))


def has_looks_alone(viewer: Viewer) -> bool:
    """Whether there is a circle in which the viewer looks and takes nothing away: nobody else need be asked more."""
    if viewer.is_staff or viewer.user_id is None or viewer.links:
        return bool(viewer.links) and not viewer.is_staff
    return any(role == Role.ONLOOKER for _, role in _memberships().fetch(viewer.user_id))


def withheld_among(viewer: Viewer, image_ids: Iterable[int]) -> set[int]:
    """Those of the images that are not the viewer's to take away. One short question for all but onlookers."""
    if viewer.is_staff or not has_looks_alone(viewer):
        return set()
    ids = set(image_ids)
    return ids - set(downloadable_images(viewer).filter(pk__in=ids).values_list("pk", flat=True))


def open_public_placements() -> QuerySet[Placement]:
    """Placements in the public scope that are open now."""
    return Placement.objects.filter(scope=PUBLIC_SCOPE).filter(Q(opens__isnull=True) | Q(opens__lte=Now()))


def count_visible(viewer: Viewer) -> int:
    """How many images the viewer sees; equal to `visible_images(viewer).count()`, for the public from a tally."""
    if viewer == ANYBODY:
        return _count_public()
    return visible_images(viewer).count()


def _count_public() -> int:
    """Placements without embargo by their tally, and those whose embargo is over by counting, in one statement."""
    over = Placement.objects.filter(scope=PUBLIC_SCOPE, opens__lte=Now()).order_by().values("scope")
    opened = Coalesce(Subquery(over.annotate(number=Count("pk")).values("number")), 0)
    return int(Tally.objects.aggregate(number=Coalesce(Sum("delta"), 0) + opened)["number"])


def may_see(viewer: Viewer, image_id: int) -> bool:
    """Whether the viewer may see one image now."""
    return visible_images(viewer).filter(pk=image_id).exists()


def withdrawn_among(image_ids: Iterable[int]) -> set[int]:
    """Those of the images that are withdrawn."""
    return set(Withdrawal.objects.filter(image__in=list(image_ids)).values_list("image", flat=True))


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is left for the public of an image that was withdrawn: id, reason and time, and nothing else."""

    public_id: str
    reason: str
    at: datetime


def tombstone_of(public_id: str) -> Tombstone | None:
    """The tombstone of a public id that the public once knew; None for any other text."""
    if "\x00" in public_id:
        return None
    rows = Withdrawal.objects.filter(image__public_id=public_id, was_public=True)
    found = rows.values_list("reason", "at").first()
    return Tombstone(public_id, *found) if found else None


def visibility_of(image_ids: Iterable[int]) -> dict[int, Visibility]:
    """For whom each image is visible now: the widest circle counts, an embargo counts as private."""
    found: dict[int, Visibility] = dict.fromkeys(image_ids, Visibility.PRIVATE)
    rows = wide_placements(found).filter(Q(opens__isnull=True) | Q(opens__lte=Now())).values_list("image", "scope")
    for image_id, scope in rows:
        shown = _SHOWN.get(scope, Visibility.GROUPS)
        if _WIDTH[shown] > _WIDTH[found[image_id]]:
            found[image_id] = shown
    return found


def wide_placements(image_ids: Iterable[int]) -> QuerySet[Placement]:
    """Where images hang by being published: the public, the signed-in, named groups; under embargo too."""
    beyond = Q(scope__in=[PUBLIC_SCOPE, SIGNED_IN_SCOPE]) | Q(scope__kind=ScopeKind.GROUP)
    return Placement.objects.filter(beyond, image__in=list(image_ids))


def end_of_embargo(image_id: int) -> datetime | None:
    """When the image becomes visible beyond its cohort; None where it is already, or never will by itself."""
    waiting = wide_placements([image_id]).filter(opens__gt=Now())
    return waiting.order_by("opens").values_list("opens", flat=True).first()
