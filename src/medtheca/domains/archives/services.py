"""What the items of an archive may be used for, by whom, and what uses them.

The services themselves are other domains': here stands which there are, what each needs of items, who may give it some,
and that it was done. One that is `coming` is refused with words, whoever asks; nothing is stored for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from medtheca.base.errors import NotAllowed
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import Asker, Standing, require_seeing_items
from medtheca.domains.archives.enums import Service
from medtheca.domains.archives.errors import NotHereYet
from medtheca.domains.archives.models import Archive, ServiceLink
from medtheca.domains.ledger.operations import record

MOST_TOLD = 100
"""Things that use an archive, of which its page tells, the latest."""

_EDITORS = "Editors of the archive"


@dataclass(frozen=True, slots=True)
class Offer:
    """One use of items: what it does, what it needs of them, who may, and whether it is here.

    `comes_with` says with which part of this software it comes; no day is promised. `right` is a property of
    `access.Standing`.
    """

    service: Service
    title: str
    words: str
    needs: str
    permitted: str
    right: Literal["takes_away", "edits"]
    comes_with: str = ""

    @property
    def is_here(self) -> bool:
        """Whether it can be done."""
        return not self.comes_with

    def is_open_to(self, standing: Standing) -> bool:
        """Whether somebody who stands so in the archive may do it, as soon as it is here."""
        return bool(getattr(standing, self.right))


OFFERS = (
    Offer(
        Service.COLLECTION,
        "Make a collection",
        "The images of all items, or of some, become a collection, or are added to one. A private archive stays "
        "private: sharing the collection opens only images that whoever added them may show to others.",
        "Items with an image.",
        "Editors, uploaders and users of the archive",
        "takes_away",
    ),
    Offer(
        Service.READER_STUDY,
        "Use in a reader study",
        "Each item becomes a case of the study, shown by its hanging protocol.",
        "Items with a value in each socket that the study shows.",
        f"{_EDITORS} who also edit the study",
        "edits",
        comes_with="reader studies",
    ),
    Offer(
        Service.ALGORITHM,
        "Run an algorithm",
        "The algorithm is run on each item, and what it puts out can be kept in the item.",
        "Items with a value in each input socket of the algorithm; more of them do no harm.",
        f"{_EDITORS} who may also run the algorithm",
        "edits",
        comes_with="algorithms",
    ),
    Offer(
        Service.CHALLENGE_PHASE,
        "Test set of a challenge phase",
        "Algorithms that are submitted to the phase are run on the items, which participants do not see.",
        "Items with a value in each input socket of the phase.",
        f"{_EDITORS} who also organise the challenge",
        "edits",
        comes_with="challenges",
    ),
)
"""All uses, in the order in which they are told."""

_OFFERS = {offer.service: offer for offer in OFFERS}


def offer_of(service: Service) -> Offer:
    """What is said of a use."""
    return _OFFERS[service]


def require_service(asker: Asker, archive: Archive, service: Service) -> None:
    """Raise unless the asker may give items of the archive to a service that is here.

    `NotFound` or `NotAllowed` as for items, `NotAllowed` for who may only look, `NotHereYet` for what is coming.
    """
    standing, offer = require_seeing_items(asker, archive), offer_of(service)
    if not offer.is_open_to(standing):
        raise NotAllowed(f"{offer.permitted} may do this.", remedy="Ask one of its editors.")
    if not offer.is_here:
        raise NotHereYet(
            f"Nothing here does this yet: {offer.title[0].lower()}{offer.title[1:]}.",
            remedy=f"It comes with {offer.comes_with}. Until then, items are exported, or fetched by the API.",
        )


def note_use(
    *, archive: Archive, actor: User, service: Service, target: str, item_ids: Sequence[UUID], whole: bool
) -> ServiceLink:
    """Note that items were given to a service; call in the transaction that gives them. Raises as `require_service`."""
    require_service(actor, archive, service)
    link = ServiceLink.objects.create(
        archive=archive,
        service=service,
        target=target,
        whole=whole,
        items=[] if whole else list(item_ids),
        number=len(item_ids),
        by=actor,
    )
    record(
        actor_id=actor.pk,
        verb="archive.used",
        subject_type="archive",
        subject_id=archive.pk,
        cohort_id=archive.cohort_id,
        details={"items": len(item_ids), "service": service.value, "target": target},
    )
    return link


def uses_of(archive: Archive) -> list[ServiceLink]:
    """What uses items of the archive: of each thing the latest link, the latest first. For its people."""
    latest = (
        ServiceLink.objects.filter(archive=archive).order_by("service", "target", "-pk").distinct("service", "target")
    )
    rows = ServiceLink.objects.filter(pk__in=latest.values("pk")).select_related("by").order_by("-pk")
    return list(rows[:MOST_TOLD])


def archives_used_by(service: Service, target: str) -> list[UUID]:
    """Keys of the archives of which a thing uses items; who may know of each is `access`'s to say."""
    rows = ServiceLink.objects.filter(service=service, target=target).order_by("archive")
    return list(rows.values_list("archive", flat=True).distinct())
