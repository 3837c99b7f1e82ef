"""Who did what when, in words, for people of a cohort or an archive and for staff: the ledger, read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from medtheca.base.errors import Invalid, NotFound, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import require_editor
from medtheca.domains.archives.models import Archive as ItemArchive
from medtheca.domains.archives.queries import archive_of_slug
from medtheca.domains.imaging.models import Image
from medtheca.domains.ledger.models import Event
from medtheca.domains.ledger.verbs import PERSONS, SECTIONS, SYSTEM, VERBS, section_of, sentence, verbs_in
from medtheca.domains.provenance.access import may_review, require_staff, visible_cohorts
from medtheca.domains.provenance.models import Accession, Cohort
from medtheca.domains.provenance.queries import cohort_for
from medtheca.domains.search.queries import image_for

ARCHIVE = "The archive"
"""Who did what no person did."""

_JUDGING = ("accessions.reviewed", "publication.read")
_FORMER = "A former user"
_MOST_PEOPLE = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """One event in words. `person` is the actor's pseudonym, empty where it was a job."""

    id: int
    at: datetime
    who: str
    person: str
    verb: str
    section: str
    words: str
    cohort_id: int | None
    subject_type: str
    subject_id: str


def cohort_activity(user: User | None, cohort_id: int) -> tuple[Cohort, QuerySet[Event]]:
    """A cohort that the person belongs to, and its events. Raises `NotFound`."""
    cohort = cohort_for(user, cohort_id)
    return cohort, _unread(Event.objects.filter(cohort_id=cohort.pk), user, cohort)


def archive_activity(user: User | None, slug: str) -> tuple[ItemArchive, QuerySet[Event]]:
    """An archive that the person settles, and its events and those of its cohort. Raises `NotFound` or `NotAllowed`."""
    archive = archive_of_slug(user, slug)
    if user is None:
        raise NotFound("There is no such archive.")
    require_editor(user, archive, to="see its activity")
    own = Q(subject_type="archive", subject_id=str(archive.pk)) | Q(cohort_id=archive.cohort_id)
    return archive, Event.objects.filter(own)


def image_activity(user: User | None, ref: str) -> tuple[Image, Cohort, QuerySet[Event]]:
    """An image, its cohort and the image's events, for people of the cohort.

    Raises `NotFound`, also for an image that the person sees but whose cohort is none of theirs. What happened to many
    images at once is found through the present cohort.
    """
    image = image_for(user, ref)
    accession = Accession.objects.select_related("cohort").filter(image=image).first()
    if accession is None or not visible_cohorts(user).filter(pk=accession.cohort_id).exists():
        raise NotFound(f"There is no activity of {ref}.")
    own = Q(subject_type="image", subject_id=str(image.pk)) | Q(subject_type="accession", subject_id=str(accession.pk))
    among = Q(details__contains={"images": [image.pk]}) | Q(details__contains={"accessions": [accession.pk]})
    together = among & Q(cohort_id=accession.cohort_id)
    return image, accession.cohort, _unread(Event.objects.filter(own | together), user, accession.cohort)


def _unread(events: QuerySet[Event], user: User | None, cohort: Cohort) -> QuerySet[Event]:
    """Where two people read each image, none of them learns here what the other said."""
    if user is None or user.is_staff or cohort.readers < 2 or not may_review(user, cohort):
        return events
    return events.exclude(~Q(actor_id=user.pk), verb__in=_JUDGING)


def staff_activity(user: User | None) -> QuerySet[Event]:
    """Every event, for staff. Raises `NotAllowed`."""
    require_staff(user, to="see the activity of the whole archive")
    return Event.objects.all()


def narrowed(events: QuerySet[Event], *, section: str = "", person: str = "") -> QuerySet[Event]:
    """Events of one section, or of one person by their pseudonym (`archive`: of nobody). Raises `Invalid`."""
    if section and section not in SECTIONS:
        problem = Problem("section", f"{section} is no section.", remedy=f"One of {', '.join(SECTIONS)}.")
        raise Invalid("There is no such section.", problems=[problem])
    if section == SYSTEM:
        events = events.exclude(verb__in=[verb for verb in VERBS if section_of(verb) != SYSTEM])
    elif section:
        events = events.filter(verb__in=verbs_in(section))
    if person == "archive":
        events = events.filter(actor_id=None)
    elif person:
        events = events.filter(actor_id__in=list(User.objects.filter(hash_id=person).values_list("pk", flat=True)))
    return events


def people_in(events: QuerySet[Event]) -> list[tuple[str, str]]:
    """Pseudonym and name of everybody who did something, by name: what can be chosen as `person`."""
    found = events.order_by().values_list("actor_id", flat=True).distinct()[:_MOST_PEOPLE]
    ids = [pk for pk in found if pk is not None]
    users = User.objects.filter(pk__in=ids)
    return sorted(((user.hash_id, name_of(user)) for user in users), key=lambda pair: pair[1].lower())


def in_words(events: Sequence[Event]) -> list[Entry]:
    """Events as sentences; names of people are fetched once."""
    users = User.objects.in_bulk(_people_of(events))
    names = {pk: name_of(user) for pk, user in users.items()}
    return [
        Entry(
            id=event.pk,
            at=event.at,
            who=ARCHIVE if event.actor_id is None else names.get(event.actor_id, _FORMER),
            person=users[event.actor_id].hash_id if event.actor_id in users else "",
            verb=event.verb,
            section=section_of(event.verb),
            words=sentence(event.verb, event.details, names=names),
            cohort_id=event.cohort_id,
            subject_type=event.subject_type,
            subject_id=event.subject_id,
        )
        for event in events
    ]


def name_of(user: User) -> str:
    """What others read of a person: the name, or the pseudonym where there is none or the account was deleted."""
    if user.deleted is not None:
        return f"Deleted user {user.hash_id}"
    return f"{user.first_name} {user.last_name}".strip() or f"User {user.hash_id}"


def _people_of(events: Iterable[Event]) -> set[int]:
    ids: set[Any] = {event.actor_id for event in events if event.actor_id is not None}
    ids |= {event.details.get(name) for event in events for name in PERSONS}
    return {pk for pk in ids if isinstance(pk, int)}
