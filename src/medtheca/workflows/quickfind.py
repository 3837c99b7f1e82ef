"""Going somewhere by a few letters: images, lesions, collections, archives, cohorts, contributors, people.

Everything goes through the visibility of its own domain, so whoever sees nothing finds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Collate, Upper

from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.accounts.models import User
from medtheca.domains.accounts.queries import find_users
from medtheca.domains.archives.access import listed_archives
from medtheca.domains.collections.models import Collection
from medtheca.domains.collections.queries import suggest
from medtheca.domains.provenance.access import visible_accessions, visible_cohorts, visible_contributors
from medtheca.domains.provenance.models import Accession, Cohort, Contributor
from medtheca.domains.search.lesions import visible_lesions
from medtheca.toolkit.names import name_key

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from medtheca.domains.imaging.models import Image
    from medtheca.domains.search.naming import Asker

SHORTEST = 3
MOST_OF_A_KIND = 5
_MOST_NAMES = 20
_LONGEST = 200
Kind = Literal["image", "lesion", "collection", "archive", "cohort", "contributor", "user"]


@dataclass(frozen=True, slots=True)
class Found:
    """A thing that a few letters name. `key` is what its page's address has; `yours`: the asker made it."""

    kind: Kind
    key: str
    title: str
    subtitle: str
    yours: bool = False


def quickfind(asker: Asker, text: str) -> list[Found]:
    """At most five of each kind; nothing for a text of fewer than three letters, or one that every image has."""
    words = text.strip()[:_LONGEST]
    if len(words) < SHORTEST or words.casefold() in f"{settings.ENVIRONMENT.id_prefix}_".casefold() or "\0" in words:
        return []
    user = asker if isinstance(asker, User) else None
    found = [*_images(asker, words, user), *_lesions(asker, words)]
    found += [*_collections(asker, words), *_archives(asker, words)]
    if user is not None:
        found += [*_cohorts(user, words), *_contributors(user, words)]
        found += _users(words) if user.is_staff else ()
    return found


def cohorts_named(user: User, text: str) -> list[Cohort]:
    """At most 20 of the person's cohorts whose name has the text; none for short ones."""
    if len(text.strip()) < SHORTEST or "\0" in text:
        return []
    return list(
        visible_cohorts(user).filter(name__icontains=text.strip()[:_LONGEST]).order_by("name", "pk")[:_MOST_NAMES]
    )


def contributors_named(user: User, text: str) -> list[Contributor]:
    """As `cohorts_named`, of contributors."""
    if len(text.strip()) < SHORTEST or "\0" in text:
        return []
    rows: QuerySet[Contributor] = visible_contributors(user).filter(institution_name__icontains=text.strip()[:_LONGEST])
    return list(rows.order_by("institution_name", "pk")[:_MOST_NAMES])


def users_named(text: str) -> list[User]:
    """At most 20 people whose name or address has all the words. For staff: whoever asks has to be checked before."""
    if len(text.strip()) < SHORTEST or "\0" in text:
        return []
    return list(find_users(text.strip()[:_LONGEST])[:_MOST_NAMES])


def _images(asker: Asker, words: str, user: User | None) -> Iterator[Found]:
    """By public id, in any case and also by its digits alone; for people of the cohort also by the file's name."""
    seen = visible_images(viewer_of(asker))
    rows = list(seen.filter(_has_id(words)).order_by("public_id")[:MOST_OF_A_KIND])
    yield from (_image(image, image.public_id or str(image.key), _pixels(image)) for image in rows)
    if user is None or len(rows) == MOST_OF_A_KIND:
        return
    named = called(visible_accessions(user), words).filter(image__in=seen.values("pk"))
    named = named.exclude(image__in=[image.pk for image in rows]).select_related("image")
    for accession in named[: MOST_OF_A_KIND - len(rows)]:
        assert accession.image is not None
        yield _image(accession.image, accession.name, accession.image.public_id or "Not published")


def called(accessions: QuerySet[Accession], words: str) -> QuerySet[Accession]:
    """Those of accessions whose file's name begins so, in its order: by an index, however many there are."""
    named = accessions.annotate(sought=Collate(Upper("name_key"), "C"))  # as `accession_sought_by_name` has it
    return named.filter(sought__startswith=name_key(words).upper()).order_by("sought", "pk")


def _has_id(words: str) -> Q:
    asked = Q(public_id__startswith=words.upper())
    if words.isascii() and words.isdecimal():
        environment = settings.ENVIRONMENT
        asked |= Q(public_id__startswith=f"{environment.id_prefix}_{words}")
        asked |= Q(public_id=f"{environment.id_prefix}_{int(words):0{environment.id_width}d}")
    return asked


def _image(image: Image, title: str, subtitle: str) -> Found:
    return Found("image", image.public_id or str(image.key), title, subtitle)


def _pixels(image: Image) -> str:
    return f"{image.width:,} by {image.height:,} pixels"


def _lesions(asker: Asker, words: str) -> Iterator[Found]:
    for lesion in visible_lesions(asker).filter(public_id__startswith=words.upper())[:MOST_OF_A_KIND]:
        yield Found("lesion", lesion.public_id, lesion.public_id, "Lesion")


def _collections(asker: Asker, words: str) -> Iterator[Found]:
    for row in suggest(asker, words)[:MOST_OF_A_KIND]:
        kept: Collection = row
        yours = kept.creator_id == getattr(asker, "pk", None)
        yield Found("collection", str(kept.pk), kept.name, "Public" if kept.public else "Not public", yours)


def _archives(asker: Asker, words: str) -> Iterator[Found]:
    for row in listed_archives(asker).filter(title__icontains=words).order_by("title", "pk")[:MOST_OF_A_KIND]:
        yours = row.creator_id == getattr(asker, "pk", None)
        yield Found("archive", row.slug, row.title, "Public" if row.public else "Not public", yours)


def _cohorts(user: User, words: str) -> Iterator[Found]:
    for row in cohorts_named(user, words)[:MOST_OF_A_KIND]:
        yield Found("cohort", str(row.pk), row.name, "Cohort", row.creator_id == user.pk)


def _contributors(user: User, words: str) -> Iterator[Found]:
    for row in contributors_named(user, words)[:MOST_OF_A_KIND]:
        yield Found("contributor", str(row.pk), row.institution_name, "Contributor", row.creator_id == user.pk)


def _users(words: str) -> Iterator[Found]:
    for row in users_named(words)[:MOST_OF_A_KIND]:
        yield Found("user", str(row.pk), row.shown_name, row.email)
