"""Links for the reviewers of a paper: whoever has one looks into one archive, without an account, until it ends.

They take nothing away, and see nothing else. The secret is stored as SHA-256. Ending a link tells the web processes
(a trigger of the table), which forget what they remember.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotFound, Problem
from medtheca.domains.access.enums import Role
from medtheca.domains.access.models import Membership
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import require_editor
from medtheca.domains.archives.models import Archive, ReviewerLink
from medtheca.domains.ledger.operations import record

LONGEST_LABEL = 100
LONGEST_LIFE = timedelta(days=366)
USUAL_LIFE = timedelta(days=90)
MOST_LIVE = 50
"""Links of one archive that are good at a time."""

OVER = "There is no such link, or it is over."


def make_link(
    *, archive: Archive, editor: User, label: str, expires: datetime | None = None
) -> tuple[ReviewerLink, str]:
    """Make a link; return it with its secret, which is shown once and stored nowhere.

    Without `expires` it lives for `USUAL_LIFE`. Raises `NotFound`, `NotAllowed`, `Invalid`, or `Conflict` for too many.
    """
    require_editor(editor, archive, to="make links for reviewers")
    moment = now()
    end = expires or moment + USUAL_LIFE
    words = label.strip()
    problems = []
    if not words or len(words) > LONGEST_LABEL or any(ord(letter) < 32 for letter in words):
        remedy = f"Say in up to {LONGEST_LABEL} characters for whom it is."
        problems.append(Problem("label", "The link has no label, or one that is too long.", remedy=remedy))
    if not moment < end <= moment + LONGEST_LIFE:
        remedy = f"Name a day within {LONGEST_LIFE.days} days."
        problems.append(Problem("expires", "The link would never work, or for too long.", remedy=remedy))
    if problems:
        raise Invalid("The link was not made.", problems=problems)
    with transaction.atomic():
        # The archive's row is the queue: two at once cannot both be the last that is allowed.
        locked = Archive.objects.select_for_update(no_key=True, of=("self",)).get(pk=archive.pk)
        if _live().filter(archive=locked).count() >= MOST_LIVE:
            raise Conflict(f"{MOST_LIVE} links are good at the moment.", remedy="Revoke one that nobody needs.")
        secret = secrets.token_urlsafe(32)
        link = ReviewerLink.objects.create(
            archive=locked, label=words, digest=_digest_of(secret), by=editor, expires=end
        )
        _record("archive.link_made", link, editor)
    return link, secret


def revoke_link(*, archive: Archive, editor: User, link_id: int) -> None:
    """End a link now; repeating it does nothing. Raises `NotFound` or `NotAllowed`."""
    require_editor(editor, archive, to="revoke links for reviewers")
    with transaction.atomic():
        link = ReviewerLink.objects.select_for_update(of=("self",)).filter(archive=archive, pk=link_id).first()
        if link is None:
            raise NotFound(f"There is no link {link_id}.")
        if link.revoked is None:
            ReviewerLink.objects.filter(pk=link.pk).update(revoked=now())
            _record("archive.link_revoked", link, editor)


def links_into(archive: Archive, *, asker: User) -> QuerySet[ReviewerLink]:
    """Links of an archive, also those that are over, the latest first. Raises `NotFound` or `NotAllowed`."""
    require_editor(asker, archive, to="see links for reviewers")
    return ReviewerLink.objects.filter(archive=archive).select_related("by").order_by("-created", "-pk")


def live_among(rows: Iterable[ReviewerLink]) -> set[int]:
    """Ids of those of the links that let in."""
    return set(_live().filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))


def open_link(secret: str) -> ReviewerLink:
    """The link of a secret, and count that it was opened. Raises `NotFound` where it is none, or over."""
    found = _live().select_related("archive").filter(digest=_digest_of(secret)).first()
    if found is None:
        raise NotFound(OVER)
    ReviewerLink.objects.filter(pk=found.pk).update(uses=F("uses") + 1, used=now())
    return found


def scopes_of_links(link_ids: Iterable[int]) -> tuple[int, ...]:
    """The circles into which those of the links let that are good now."""
    rows = _live().filter(pk__in=list(link_ids)).order_by("archive__scope").distinct()
    return tuple(rows.values_list("archive__scope", flat=True))


def _live() -> QuerySet[ReviewerLink]:
    """Links that are good: each is worth what who made it may still show."""
    edits = Membership.objects.filter(scope=OuterRef("archive__scope"), user=OuterRef("by"), role=Role.EDITOR)
    rows = ReviewerLink.objects.filter(revoked__isnull=True, expires__gt=now(), by__is_active=True)
    return rows.filter(Exists(edits) | Q(by__is_staff=True))


def _digest_of(secret: str) -> str:
    """A random secret needs no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _record(verb: str, link: ReviewerLink, actor: User) -> None:
    record(
        actor_id=actor.pk,
        verb=verb,
        subject_type="archive",
        subject_id=link.archive_id,
        cohort_id=link.archive.cohort_id,
        details={"link": link.pk},
    )
