"""Where images came from that other archives gave: noted before they come in, asked when they are shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from medtheca.base.clock import now
from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.access import visible_accessions
from medtheca.domains.provenance.enums import AccessionState, DeliveryState
from medtheca.domains.provenance.models import Accession, Cohort, Delivery, Origin
from medtheca.domains.storage.enums import UploadState
from medtheca.toolkit.isic_records import cells_of_said, without_ids

_NOTHING_HERE = Q(accession=None) | Q(accession__state=AccessionState.REFUSED)


def known_origins(cohort: Cohort, host: str, remote_ids: Sequence[str]) -> dict[str, Origin]:
    """What is known of images of a host in a cohort, by their ids there; with accessions and deliveries.

    An image that was erased is known in all cohorts of the contributor.
    """
    here = Q(cohort=cohort) | Q(cohort__contributor=cohort.contributor_id, erased=True)
    rows = Origin.objects.filter(here, host=host, remote_id__in=remote_ids)
    found = rows.select_related("accession", "delivery__upload").order_by("erased")
    return {row.remote_id: row for row in found}


def note_origins(*, cohort: Cohort, host: str, delivery: Delivery, rows: Iterable[Mapping[str, Any]]) -> None:
    """Note what a delivery brings, before its files are received; what was noted of refused ones before is replaced.

    Each row has the columns of `Origin` but those given here. Call in the transaction that opens the delivery.
    """
    made = [Origin(cohort=cohort, host=host, delivery=delivery, **row) for row in rows]
    stale = Origin.objects.filter(cohort=cohort, host=host, remote_id__in=[row.remote_id for row in made])
    stale.filter(erased=False).delete()
    Origin.objects.bulk_create(made)


def origins_of_delivery(delivery: Delivery) -> dict[str, Origin]:
    """What a delivery brings from another archive, by the names of its files; nothing for one that a person sent."""
    return {row.path: row for row in Origin.objects.filter(delivery=delivery)}


def link_origins(pairs: Iterable[tuple[Origin, Accession]]) -> None:
    """Write which accessions came of origins."""
    rows = []
    for origin, accession in pairs:
        origin.accession = accession
        rows.append(origin)
    if rows:
        Origin.objects.bulk_update(rows, ["accession"])


def cut_deliveries(cohort: Cohort, host: str) -> list[Delivery]:
    """Deliveries from a host that an import has begun and never ended: their files are still to come."""
    begun = Origin.objects.filter(cohort=cohort, host=host, accession=None)
    rows = Delivery.objects.filter(
        pk__in=begun.values("delivery"),
        state=DeliveryState.ARRIVING,
        upload__state=UploadState.RECEIVING,
        upload__offset__lt=F("upload__size"),
    )
    return list(rows.select_related("upload__owner"))


def forget_what_never_came(cohort: Cohort, host: str) -> int:
    """Take back what was noted for deliveries that were refused or cancelled as a whole; return how many images."""
    lost = Q(delivery=None) | Q(delivery__state=DeliveryState.REFUSED)
    return Origin.objects.filter(lost, cohort=cohort, host=host, accession=None, erased=False).delete()[0]


def unfinished_deliveries(cohort: Cohort, host: str) -> list[UUID]:
    """Ids of deliveries from a host whose files are being received or converted."""
    over = [DeliveryState.DONE, DeliveryState.REFUSED]
    rows = Origin.objects.filter(cohort=cohort, host=host).exclude(delivery=None).exclude(delivery__state__in=over)
    return list(rows.values_list("delivery", flat=True).distinct())


def undescribed_origins(cohort: Cohort, host: str) -> QuerySet[Origin]:
    """Images of a host that are here and do not have the host's metadata yet.

    Only those that were made of what came: an image that a person brought before keeps what they say of it.
    """
    return (
        Origin.objects.filter(cohort=cohort, host=host, described=None, accession__state=AccessionState.CONVERTED)
        .filter(accession__delivery=F("delivery"), accession__cohort=cohort)
        .select_related("accession")
        .order_by("pk")
    )


def note_described(origin_ids: Sequence[int]) -> None:
    """Note that the host's metadata of these were applied."""
    Origin.objects.filter(pk__in=origin_ids).update(described=now())


def origins_of(user: User | None, accession: Accession | None) -> list[Origin]:
    """Where an image came from, for somebody who sees it.

    What the host does not show to everybody is for the people of the cohort: that it is there tells something.
    """
    if accession is None:
        return []
    rows = Origin.objects.filter(accession=accession).order_by("fetched", "pk")
    if user is None or not visible_accessions(user).filter(pk=accession.pk).exists():
        rows = rows.filter(is_public=True)
    return list(rows)


def origins_of_image(user: User | None, image_key: UUID) -> list[Origin]:
    """As `origins_of`, by the key of an image that the person sees."""
    return origins_of(user, Accession.objects.filter(image__key=image_key).first())


def carry_origins(*, source: Cohort, target: Cohort, accession_ids: Sequence[int] | None = None) -> None:
    """Take what is known of origins along when accessions, or without ids all of a cohort, go to another cohort.

    Where both cohorts have the same image of a host, the target's word stands: one is enough not to fetch it again. But
    what was erased in the source is not to come again there either: the target's word becomes that, and keeps its
    origin where the image is there all the same.
    """
    rows = Origin.objects.filter(cohort=source)
    if accession_ids is not None:
        rows = rows.filter(accession__in=accession_ids)
    erased = rows.filter(erased=True, host=OuterRef("host"), remote_id=OuterRef("remote_id"))
    erased_there = Origin.objects.filter(Exists(erased), cohort=target, erased=False)
    _blank(erased_there.filter(_NOTHING_HERE))
    erased_there.update(erased=True)
    there = Origin.objects.filter(cohort=target, host=OuterRef("host"), remote_id=OuterRef("remote_id"))
    rows.filter(Exists(there)).delete()
    rows.update(cohort=target)


def origins_about(
    contributor_id: int, *, is_patient: Callable[[str], bool], lesions: Collection[str] = (), patient: str = ""
) -> list[Origin]:
    """Origins at a contributor in which a host names a patient or one of some lesions, whatever came of the images.

    Ids are as sheets have them, with the host: `IP_0000042@api.isic-archive.com`. Give `patient` where it is known:
    then the database leaves out most of the rows.
    """
    rows = Origin.objects.filter(cohort__contributor=contributor_id, erased=False).select_related("accession")
    if patient:
        rows = rows.alias(text=Cast("said", TextField())).filter(_may_name([patient, *lesions]))
    found = []
    for row in rows.order_by("pk").iterator():
        cells = cells_of_said(row.remote_id, row.said, row.host)
        if is_patient(cells.get("patient_id", "")) or cells.get("lesion_id", "") in lesions:
            found.append(row)
    return found


def _may_name(ids: Iterable[str]) -> Q:
    """Rows whose text holds one of the ids as its host writes it."""
    maybe = Q(pk=None)
    for text in ids:
        words, _, host = text.rpartition("@")
        if words:
            maybe |= Q(host=host, text__contains=json.dumps(words, ensure_ascii=False)[1:-1])
    return maybe


def forget_origins_of(accession_ids: Sequence[int], *, about: Sequence[int] = ()) -> None:
    """Blank what hosts said of images that are erased here, and remember that they are not to come again.

    `about` are origins in which the host names who is erased. Of those no image may be here; where one is, somebody
    said meanwhile that it is another's: it stays, and its origin too, without whose it was said to be.
    """
    _blank(Origin.objects.filter(Q(accession__in=accession_ids) | Q(pk__in=about) & _NOTHING_HERE))
    for row in Origin.objects.filter(pk__in=about, erased=False):
        row.said = without_ids(row.said)
        row.save(update_fields=["said"])


def _blank(rows: QuerySet[Origin]) -> None:
    rows.update(
        erased=True,
        accession=None,
        delivery=None,
        url="",
        sha256="",
        size=0,
        licence="",
        attribution="",
        said={},
        path="",
        fetched=_day(now()),
    )


def _day(time: datetime) -> datetime:
    return time.replace(hour=0, minute=0, second=0, microsecond=0)
