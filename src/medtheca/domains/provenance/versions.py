"""Versions of an accession's file: begun, converted, accepted, kept.

An image stays the same image when its file changes: its key and public id are those of the accession, and what it was
made of before stays with its version. One version is under way at a time; number 1 is written when the second begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from medtheca.base.errors import Conflict, NotFound
from medtheca.domains.access.queries import withdrawn_among
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.enums import BASIC_KINDS, FileKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.enums import (
    AccessionState,
    ReviewDecision,
    ReviewReason,
    ReviewState,
    VersionKind,
    VersionState,
)
from medtheca.domains.provenance.models import Accession, Delivery, FileVersion, Review, VersionFile
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.opening import read_blob

FACTS = (
    "kind",
    "format",
    "media_type",
    "width",
    "height",
    "depth",
    "timepoints",
    "spacing_x",
    "spacing_y",
    "spacing_z",
    "orientation",
    "colour_space",
    "bits",
    "channels",
    "icc_profile",
    "pixel_hash",
    "perceptual_hash",
    "stripped",
    "geometry",
    "facts",
    "text_suspected",
)
"""Columns of an image that its file decides; a version keeps them as `facts`."""

_UNDER_WAY = (VersionState.WAITING, VersionState.CANDIDATE)
_VERBS = {VersionKind.REPLACEMENT: "image.file_replaced", VersionKind.REDACTION: "image.redacted"}


def facts_of(image: Image) -> dict[str, Any]:
    """What an image's file says of it, as a version keeps it."""
    return {name: getattr(image, name) for name in FACTS}


def file_versions_of(accession: Accession) -> QuerySet[FileVersion]:
    """Versions of an accession's file, newest first; none where its file was never changed."""
    rows = FileVersion.objects.filter(accession=accession).select_related("creator", "original", "delivery")
    return rows.order_by("-number")


def file_of_version(accession: Accession, number: int, kind: FileKind) -> tuple[str, bytes]:
    """Media type and bytes of a small file of a version; never the original's. Raises `NotFound`.

    Who may see it is asked by the caller: versions are for those who work on the images or judge them.
    """
    rows = VersionFile.objects.filter(version__accession=accession, version__number=number, kind=kind)
    row = rows.exclude(kind=FileKind.ORIGINAL).select_related("blob").first()
    if row is None:
        raise NotFound("There is no such version.")
    return row.media_type, read_blob(row.blob.sha256)


def version_under_way(accession: Accession) -> FileVersion | None:
    """The version that waits for conversion or for review."""
    return FileVersion.objects.filter(accession=accession, state__in=_UNDER_WAY).first()


def require_replaceable(accession: Accession) -> Image:
    """The image whose file may be changed now. Raises `Conflict` where there is none, or another change is under way.

    An upload that is still arriving is no obstacle: of two, the first that is whole wins.
    """
    if accession.state != AccessionState.CONVERTED or accession.image is None:
        raise Conflict("The submission has no image yet.", remedy="Wait until it is converted.")
    if withdrawn_among([accession.image.pk]):
        raise Conflict("The image is withdrawn; its file stays as it is.", code="withdrawn")
    if version_under_way(accession) is not None:
        raise Conflict(
            "Another version of this file is under way.",
            code="version_under_way",
            remedy="Wait until it is converted, and accepted or rejected.",
        )
    return accession.image


def begin_version(
    *,
    accession: Accession,
    kind: VersionKind | str,
    creator: User,
    reason: str,
    name: str,
    original: Blob,
    redactions: Sequence[Sequence[int]] = (),
    delivery: Delivery | None = None,
) -> FileVersion:
    """Begin a version that waits for its conversion. Call inside `keeping_blobs`; who may is asked by the caller.

    `reason` is public: it stands in the image's change log. Raises `Conflict` where the accession has no image, is
    withdrawn, or has a version under way.
    """
    with transaction.atomic():
        held = _lock(accession.pk)
        image = require_replaceable(held)
        _write_first(held, image)
        last = FileVersion.objects.filter(accession=held).aggregate(last=Max("number"))["last"]
        return FileVersion.objects.create(
            accession=held,
            number=last + 1,
            kind=kind,
            state=VersionState.WAITING,
            name=name[:255],
            original=original,
            delivery=delivery,
            redactions=[list(box) for box in redactions],
            reason=reason.strip()[:500],
            creator=creator,
        )


def complete_version(*, version: FileVersion, facts: Mapping[str, Any], files: Iterable[VersionFile]) -> FileVersion:
    """Note what the conversion made: the version is a candidate then. Call inside `keeping_blobs`.

    `facts` has the columns of `FACTS`; `files` are new rows, those of `BASIC_KINDS` among them.
    Raises `Conflict` where the version does not wait any more.
    """
    rows = list(files)
    if not set(BASIC_KINDS) <= {row.kind for row in rows} or set(facts) != set(FACTS):
        raise ValueError("A version has every fact, and a file of every kind that can be looked at.")
    with transaction.atomic():
        held = _lock_version(version, VersionState.WAITING)
        held.facts, held.state = dict(facts), VersionState.CANDIDATE
        held.save(update_fields=["facts", "state"])
        for row in rows:
            row.version = held
        VersionFile.objects.bulk_create(rows)
    return held


def refuse_version(*, version: FileVersion, code: str, words: str, remedy: str = "") -> FileVersion:
    """The machine refuses a version, with words: nothing of its bytes is kept. Raises `Conflict`."""
    with transaction.atomic():
        held = _lock_version(version, VersionState.WAITING)
        held.state, held.original = VersionState.REFUSED, None
        held.refusal_code, held.refusal, held.remedy = code[:40], words, remedy
        held.save()
        held.files.all().delete()
    return held


def reject_version(*, version: FileVersion, reason: str) -> FileVersion:
    """A person turns a candidate down: it is kept as one that never was current, with the reason. Raises `Conflict`."""
    with transaction.atomic():
        held = _lock_version(version, VersionState.CANDIDATE)
        held.state, held.refusal_code, held.refusal = VersionState.SUPERSEDED, "rejected", reason.strip()
        held.save()
    return held


def accept_version(*, version: FileVersion, actor: User | None = None) -> FileVersion:
    """Make a candidate the image's file: columns and files of the image are the version's from now on.

    Key and public id stay; what was current is superseded and keeps its files. `actor` is whoever accepts, the
    version's creator where none is given. Raises `Conflict` where the version is no candidate.
    """
    with transaction.atomic():
        accession = _lock(version.accession_id)
        held = _lock_version(version, VersionState.CANDIDATE)
        if accession.image is None or held.original is None:
            raise Conflict("The submission has no image.")
        FileVersion.objects.filter(accession=accession, state=VersionState.CURRENT).update(
            state=VersionState.SUPERSEDED
        )
        held.state = VersionState.CURRENT
        held.save(update_fields=["state"])
        _take_over(accession.image, held)
        _change_original(accession, held.original)
        accession.file_version = held.number
        accession.save(update_fields=["original", "same_as", "file_version", "modified"])
        record(
            actor_id=(actor or held.creator).pk,
            verb=_VERBS.get(VersionKind(held.kind), "image.file_changed"),
            subject_type="image",
            subject_id=accession.image.pk,
            cohort_id=accession.cohort_id,
            details={"version": held.number},
        )
    return held


def settle_candidates(*, accession_ids: Iterable[int], actor: User) -> list[int]:
    """Make candidates current whose accessions' reviews accept them, and turn down those that reviews reject.

    What was said of the old file counts again where the new one is turned down. Returns the accessions of which that
    is so: their reviews have to be added up anew. Call inside the transaction that judged them.
    """
    decided = [ReviewState.ACCEPTED, ReviewState.REJECTED]
    candidates = FileVersion.objects.filter(
        accession__in=list(accession_ids), state=VersionState.CANDIDATE, accession__review_state__in=decided
    )
    turned_down = []
    for version in candidates.select_related("accession").order_by("accession"):
        if version.accession.review_state == ReviewState.ACCEPTED:
            accept_version(version=version, actor=actor)
            continue
        reviews = Review.objects.filter(accession=version.accession_id)
        said = reviews.filter(file_version=version.number, decision=ReviewDecision.REJECTED).order_by("-pk").first()
        words = (said.reason or ReviewReason(said.reason_code).label) if said else "Rejected in review."
        reject_version(version=version, reason=words)
        reviews.filter(file_version=version.number).update(standing=False)
        reviews.filter(file_version=version.accession.file_version).update(standing=True)
        turned_down.append(version.accession_id)
    return turned_down


def _take_over(image: Image, version: FileVersion) -> None:
    # Versions written before a column was there do not say what it was; it was its default then.
    defaults = facts_of(Image())
    for name in FACTS:
        setattr(image, name, version.facts.get(name, defaults[name]))
    image.save(update_fields=[*FACTS, "modified"])
    # Deleting and inserting tells the byte plane, which forgets the image at once (access, migration 0003).
    ImageFile.objects.filter(image=image).delete()
    ImageFile.objects.bulk_create(
        [
            ImageFile(
                image=image,
                kind=row.kind,
                blob_id=row.blob_id,
                media_type=row.media_type,
                recipe=row.recipe,
                source=version.original.sha256 if row.recipe and version.original else "",
            )
            for row in version.files.all()
        ]
    )


def _change_original(accession: Accession, original: Blob) -> None:
    """Keep "no content twice in a cohort but as a link" true on both sides of the change."""
    if accession.original_id == original.pk:
        return
    followers = list(Accession.objects.select_for_update().filter(same_as=accession).order_by("pk"))
    if followers:
        heir, *others = followers
        # First the old holder lets go, then the heir stands by itself.
        Accession.objects.filter(pk=accession.pk).update(same_as=heir)
        Accession.objects.filter(pk=heir.pk).update(same_as=None)
        Accession.objects.filter(pk__in=[row.pk for row in others]).update(same_as=heir)
    holder = Accession.objects.filter(cohort=accession.cohort_id, original=original, same_as__isnull=True)
    accession.same_as = holder.exclude(pk=accession.pk).first()
    accession.original = original


def _write_first(accession: Accession, image: Image) -> None:
    if FileVersion.objects.filter(accession=accession).exists():
        return
    first = FileVersion.objects.create(
        accession=accession,
        number=accession.file_version,
        kind=VersionKind.RECEIVED,
        state=VersionState.CURRENT,
        name=accession.name,
        original=accession.original,
        delivery=accession.delivery,
        facts=facts_of(image),
        creator=accession.creator,
        created=accession.created,
    )
    VersionFile.objects.bulk_create(
        [
            VersionFile(version=first, kind=row.kind, blob_id=row.blob_id, media_type=row.media_type, recipe=row.recipe)
            # A copy of the DICOM is made again when somebody asks for one.
            for row in ImageFile.objects.filter(image=image).exclude(kind=FileKind.DICOM)
        ]
    )


def _lock(accession_id: int) -> Accession:
    # The accession before its versions, everywhere: publishing and withdrawing lock it too.
    rows = Accession.objects.select_for_update(of=("self",)).select_related("image", "original", "creator", "delivery")
    held = rows.filter(pk=accession_id).first()
    if held is None:
        raise NotFound(f"There is no accession {accession_id}.")
    return held


def _lock_version(version: FileVersion, state: VersionState) -> FileVersion:
    rows = FileVersion.objects.select_for_update(of=("self",)).select_related("original", "creator")
    held = rows.filter(pk=version.pk).first()
    if held is None:
        raise NotFound("There is no such version.")
    if held.state != state:
        raise Conflict(f"The version is {held.state}, and not {state.value}.", code="version_state")
    return held
