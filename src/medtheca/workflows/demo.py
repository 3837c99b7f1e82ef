"""The demo: real people's work done by made-up people, through the same operations and jobs as anybody's.

Each part asks first whether it has been done, so that a second start brings nothing in twice, and one that was cut off
goes on.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from medtheca.domains.access.enums import Visibility
from medtheca.domains.accounts.models import User
from medtheca.domains.accounts.operations import create_user
from medtheca.domains.collections.batches import PART
from medtheca.domains.collections.contents import add_images
from medtheca.domains.collections.operations import create_collection, set_pinned
from medtheca.domains.collections.queries import collections_of
from medtheca.domains.metadata.enums import MetadataFileState
from medtheca.domains.metadata.queries import metadata_file_for, metadata_files_of
from medtheca.domains.provenance.agreements import AGREEMENT_VERSION, accept_agreement
from medtheca.domains.provenance.enums import DeliveryState, RequestState
from medtheca.domains.provenance.models import Accession, Cohort, Delivery
from medtheca.domains.provenance.publication import decide_publication, request_publication
from medtheca.domains.provenance.queries import (
    deliveries_for,
    publish_requests_for,
    publishable_accessions,
    summarise_delivery,
)
from medtheca.workflows.demo_parts import Part, demo_parts
from medtheca.workflows.describe import give_metadata
from medtheca.workflows.local_ingest import deliver_paths, find_cohort, make_cohort
from medtheca.workflows.receive import cancel_delivery

Say = Callable[[str], None]
Pause = Callable[[], None]

_PEOPLE = (
    ("owner@demo.localhost", "Alice", "Owner", False, "owns the demo cohorts"),
    ("staff@demo.localhost", "Sam", "Staff", True, "staff: reviews and accepts"),
    ("visitor@demo.localhost", "Charlie", "Visitor", False, "an ordinary account"),
)


@dataclass(frozen=True, slots=True)
class _Crew:
    """Who does the demo's work, and who is told of it."""

    owner: User
    staff: User
    say: Say
    pause: Pause


def run_demo(*, say: Say, pause: Pause, parts: Iterable[Part] | None = None) -> None:
    """Make the logins, then bring in one part after the other and publish it.

    Args:
        say: told in a line what is happening.
        pause: called again and again while jobs are waited for; sleeps, or works.
        parts: what to bring in, instead of all of the demo.
    """
    people = make_people()
    crew = _Crew(owner=people[0], staff=people[1], say=say, pause=pause)
    for part in demo_parts(settings.ENVIRONMENT.data / "demo", say=say) if parts is None else parts:
        _bring_in(part, crew)


def make_people() -> list[User]:
    """The demo logins, with random passwords kept in `demo/logins.json`, which only this account may read."""
    kept = settings.ENVIRONMENT.data / "demo" / "logins.json"
    known = {login["email"]: login for login in json.loads(kept.read_text())} if kept.exists() else {}
    people: list[User] = []
    for email, first_name, last_name, is_staff, role in _PEOPLE:
        user = User.objects.filter(email=email).first()
        if user is None or email not in known:
            password = secrets.token_urlsafe(12)
            known[email] = {"email": email, "password": password, "role": role}
            if user is None:
                user = create_user(
                    email=email,
                    password=password,
                    staff=is_staff,
                    first_name=first_name,
                    last_name=last_name,
                    demo=True,
                )
            else:
                # The file was lost, so nobody can know the password that was in it.
                user.set_password(password)
                user.save(update_fields=["password"])
        people.append(user)
    _write_private(kept, json.dumps([known[email] for email, *_ in _PEOPLE], indent=1))
    return people


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)


def _bring_in(part: Part, crew: _Crew) -> None:
    cohort = find_cohort(user=crew.owner, name_or_id=part.cohort) or make_cohort(
        user=crew.owner,
        name=part.cohort,
        institution=part.institution,
        licence=part.licence,
        attribution=part.attribution,
    )
    if _is_published(cohort, crew):
        # From now on the cohort is its owner's: what they take back stays taken back.
        _collect(part, cohort, crew)
        return
    accept_agreement(contributor=cohort.contributor, actor=crew.owner, version=AGREEMENT_VERSION)
    _clear_away_torn_copies(cohort, crew)
    if not _deliveries(cohort, crew).exists():
        crew.say(f"{part.cohort}: copying")
        deliver_paths(user=crew.owner, cohort=cohort, paths=part.files(), progress=lambda _: None)
    _wait_for_images(part, cohort, crew)
    if part.spreadsheet and not metadata_files_of(cohort).exists():
        file = give_metadata(
            user=crew.owner, cohort_id=cohort.pk, name=f"{part.cohort}.csv", data=part.spreadsheet(), recipe=part.recipe
        )
        crew.say(f"{part.cohort}: describing")
        while file.state in {MetadataFileState.CHECKING, MetadataFileState.APPLYING}:
            crew.pause()
            file = metadata_file_for(crew.owner, file.pk)
        if file.state != MetadataFileState.APPLIED:
            raise RuntimeError(f"The spreadsheet of {part.cohort} has problems: {file.report['problems'][:3]}")
    _publish(part, cohort, crew)
    _collect(part, cohort, crew)


def _collect(part: Part, cohort: Cohort, crew: _Crew) -> None:
    """Make the public collection of what the cohort has published, once: it is its owner's from then on."""
    noted = settings.ENVIRONMENT.data / "demo" / "collections.json"
    made = json.loads(noted.read_text()) if noted.exists() else []
    if not part.collection or part.collection in made:
        return
    if not collections_of(crew.owner).filter(name=part.collection).exists():
        images = Accession.objects.filter(cohort=cohort, published__isnull=False, image__isnull=False)
        ids = list(images.order_by("image").values_list("image", flat=True))
        with transaction.atomic():
            collection = create_collection(
                creator=crew.owner, name=part.collection, description=part.collection_description, public=True
            )
            for start in range(0, len(ids), PART):
                add_images(collection=collection, actor=crew.owner, image_ids=ids[start : start + PART])
            set_pinned(collection=collection, actor=crew.staff, pinned=True)
        crew.say(f"{part.collection}: a collection of {len(ids):,} images")
    _write_private(noted, json.dumps([*made, part.collection], indent=1))


def _is_published(cohort: Cohort, crew: _Crew) -> bool:
    return publish_requests_for(crew.staff).filter(cohort=cohort, state=RequestState.PUBLISHED).exists()


def _deliveries(cohort: Cohort, crew: _Crew) -> QuerySet[Delivery]:
    """Whole uploads to the cohort. One that somebody has begun by hand and left is nobody's business here."""
    given = deliveries_for(crew.owner).filter(cohort=cohort).exclude(state=DeliveryState.REFUSED)
    return given.filter(upload__offset=F("upload__size"))


def _clear_away_torn_copies(cohort: Cohort, crew: _Crew) -> None:
    """Cancel what an earlier start was copying when it was cut off: nothing of it is acknowledged before the end."""
    given = deliveries_for(crew.owner).filter(cohort=cohort, state=DeliveryState.ARRIVING)
    for delivery in given.filter(upload__offset=0, upload__size__gt=0, upload__owner=crew.owner):
        cancel_delivery(user=crew.owner, upload=delivery.upload)


def _wait_for_images(part: Part, cohort: Cohort, crew: _Crew) -> None:
    while True:
        summaries = [summarise_delivery(row) for row in _deliveries(cohort, crew)]
        if all(summary.is_final for summary in summaries):
            return
        done = sum(summary.settled for summary in summaries)
        members = sum(summary.members or 0 for summary in summaries)
        crew.say(f"{part.cohort}: {done:,} of {members:,} images converted" if members else f"{part.cohort}: reading")
        crew.pause()


def _publish(part: Part, cohort: Cohort, crew: _Crew) -> None:
    requests = publish_requests_for(crew.staff).filter(cohort=cohort)
    if not requests.exists() and publishable_accessions(cohort).exists():
        request_publication(cohort=cohort, requester=crew.owner, visibility=Visibility.PUBLIC)
    for request in requests.filter(state=RequestState.REQUESTED):
        decide_publication(request_id=request.pk, staff=crew.staff, accept=True)
    while requests.filter(state=RequestState.PUBLISHING).exists():
        crew.say(f"{part.cohort}: publishing")
        crew.pause()
    crew.say(f"{part.cohort}: published")
