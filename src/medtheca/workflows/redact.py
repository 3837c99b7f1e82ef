"""Faces, tattoos and labels are blacked out: the public copy of an image becomes a new version without them.

Redaction only ever takes away. Of a published image the redacted copy takes the place of the public one at once, and
boxes once drawn stay; of others, review begins again. The original is kept and is never served.
"""

from __future__ import annotations

from collections.abc import Sequence

from medtheca.base.errors import Conflict, Invalid, NoSpace, NotAllowed, NotFound, Problem
from medtheca.base.jobs import enqueue
from medtheca.base.steps import step
from medtheca.domains.access.enums import Role
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.enums import FileKind, ImageKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.provenance.access import may_edit, may_review
from medtheca.domains.provenance.enums import VersionKind, VersionState
from medtheca.domains.provenance.models import Accession, FileVersion, VersionFile
from medtheca.domains.provenance.queries import accession_for
from medtheca.domains.provenance.reviewing import reset_reviews
from medtheca.domains.provenance.telling import people_with
from medtheca.domains.provenance.versions import (
    accept_version,
    begin_version,
    complete_version,
    facts_of,
    refuse_version,
    require_replaceable,
)
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store, space_is_short
from medtheca.workflows.converted import derived_files, image_of
from medtheca.workflows.examining import examine_files
from medtheca.workflows.findings import Examined, Findings
from medtheca.workflows.publish import require_reason

MOST_BOXES = 200

Box = Sequence[int]


def request_redaction(*, user: User, accession_id: int, boxes: Sequence[Box], reason: str) -> FileVersion:
    """Have boxes `[x, y, width, height]` of the upright picture blacked out, by a job; return the version that waits.

    For owners, editors and reviewers. `reason` is public once the image is. Raises `NotFound`, `NotAllowed`, `Invalid`,
    or `Conflict` where the accession has no image or one that is no photograph, is withdrawn, or another version is
    under way.
    """
    accession = accession_for(user, accession_id)
    require_redactor(user, accession)
    words = require_reason(reason)
    image = require_replaceable(accession)
    if image.kind != ImageKind.PICTURE:
        raise Conflict(
            f"Only photographs can be redacted, and this is a {ImageKind(image.kind).label.lower()}.",
            code="not_a_photograph",
            remedy="Replace its file by one without what must not be seen, or withdraw the image.",
        )
    _validate(boxes, image)
    with keeping_blobs():
        held = Accession.objects.select_for_update(of=("self",)).select_related("original").get(pk=accession.pk)
        if held.original is None:
            raise NotFound(f"There is no accession {accession_id}.")
        drawn = [list(box) for box in boxes]
        # What the public no longer sees must not come back by way of a later drawing.
        kept = redactions_of(held) if held.published is not None else []
        version = begin_version(
            accession=held,
            kind=VersionKind.REDACTION,
            creator=user,
            reason=words,
            name=_present_name(held),
            original=held.original,
            redactions=[*(box for box in kept if box not in drawn), *drawn],
        )
        enqueue_redaction(version.pk)
        step("redact.asked")
    return version


def require_redactor(user: User, accession: Accession) -> None:
    """Raise `NotAllowed` unless the person does the cohort's daily work or judges its images."""
    if not may_edit(user, accession.cohort) and not may_review(user, accession.cohort):
        raise NotAllowed(
            "Only owners, editors and reviewers may redact its images.", remedy="Ask an owner of the contributor."
        )


def redactions_of(accession: Accession) -> list[list[int]]:
    """The boxes that are blacked out in the present file of an accession."""
    present = FileVersion.objects.filter(accession=accession, number=accession.file_version).first()
    return [] if present is None or present.kind != VersionKind.REDACTION else list(present.redactions)


def enqueue_redaction(version_id: int) -> None:
    """Have the redacted copy made."""
    # A line beside that of the person's uploads: what must not be seen does not wait for those.
    line = f"redact:{FileVersion.objects.values_list('creator', flat=True).get(pk=version_id)}"
    enqueue("redact.accession", version_id=version_id, queueing_lock=f"redact:{version_id}", turn=line)


def redact_accession(*, version_id: int) -> None:
    """Make the redacted copy of a version that waits, and put it in the place of the present one.

    A second run finds nothing that waits. Raises `NoSpace` before anything is decoded, and `FileNotFoundError` where
    the original is missing: to be tried again.
    """
    waiting = FileVersion.objects.filter(pk=version_id, kind=VersionKind.REDACTION, state=VersionState.WAITING)
    version = waiting.select_related("original").first()
    if version is None or version.original is None:
        return
    if space_is_short(needed=4 * version.original.size):
        raise NoSpace("There is no space to redact the image now; it waits.", remedy="Make space on the disk.")
    step("redact.begun")
    found = Findings()
    try:
        options = {"redactions": version.redactions}
        examine_files([(version.pk, blob_store().path(version.original.sha256))], into=found, options=options)
        step("redact.examined")
        if found.missing:
            raise FileNotFoundError(f"Originals cannot be read: version {version.pk}: {found.missing[version.pk]}")
        with keeping_blobs():
            _keep(version_id, found)
            step("redact.rows")
        step("redact.done")
    finally:
        found.discard()


def _keep(version_id: int, found: Findings) -> None:
    # The accession first, as everywhere.
    accession_id = FileVersion.objects.values_list("accession", flat=True).get(pk=version_id)
    accession = Accession.objects.select_for_update(of=("self",)).select_related("image").get(pk=accession_id)
    version = FileVersion.objects.select_for_update(of=("self",)).select_related("original").get(pk=version_id)
    if version.state != VersionState.WAITING:
        return  # Another run of this job was faster.
    if refusal := found.refusals.get(version_id):
        code, words, remedy = refusal
        refuse_version(version=version, code=code, words=words, remedy=remedy)
        _tell(version, accession, "An image could not be redacted. Its page says why.", [version.creator_id])
        return
    _complete(version, accession, found.examined[version_id])
    accept_version(version=version)
    if accession.published is None:
        reset_reviews(accession_ids=[accession.pk])
    others = [pk for pk in people_with(accession.cohort, Role.OWNER) if pk != version.creator_id]
    _tell(version, accession, "Parts of an image were blacked out.", others)


def _complete(version: FileVersion, accession: Accession, found: Examined) -> None:
    image = image_of(found.report)
    blobs = store_blobs(list(found.parts.values()))
    rows = derived_files(
        image, accession, found.report, {name: blobs[part.sha256] for name, part in found.parts.items()}
    )
    files = [VersionFile(kind=row.kind, blob=row.blob, media_type=row.media_type, recipe=row.recipe) for row in rows]
    # The file as it came is what it was; only what is made of it is new.
    original = ImageFile.objects.get(image=accession.image_id, kind=FileKind.ORIGINAL)
    files.append(VersionFile(kind=FileKind.ORIGINAL, blob=version.original, media_type=original.media_type))
    complete_version(version=version, facts=facts_of(image), files=files)


def _present_name(accession: Accession) -> str:
    present = FileVersion.objects.filter(accession=accession, number=accession.file_version).first()
    return present.name if present else accession.name


def _tell(version: FileVersion, accession: Accession, words: str, recipient_ids: list[int]) -> None:
    notify(
        recipient_ids=recipient_ids,
        kind="replacement.done",
        words=words,
        url=f"/accessions/{accession.pk}/",
        subject_type="file_version",
        subject_id=version.pk,
        cohort_id=accession.cohort_id,
    )


def _validate(boxes: Sequence[Box], image: Image) -> None:
    problems = []
    if not 0 < len(boxes) <= MOST_BOXES:
        words = "Draw a box over what must not be seen." if not boxes else f"There are more than {MOST_BOXES} boxes."
        problems.append(Problem("boxes", words, code="required" if not boxes else "too_many"))
    for number, box in enumerate(boxes[:MOST_BOXES], 1):
        if not _fits(box, image):
            problems.append(
                Problem(
                    "boxes",
                    f"Box {number} is not inside the picture, which has {image.width:,} by {image.height:,} pixels.",
                    remedy="Give x and y of its upper left corner, then its width and height, in whole pixels.",
                )
            )
    if problems:
        raise Invalid("The picture cannot be redacted so.", problems=problems)


def _fits(box: Box, image: Image) -> bool:
    if len(box) != 4 or not all(isinstance(value, int) and not isinstance(value, bool) for value in box):
        return False
    x, y, width, height = box
    inside = x >= 0 and y >= 0 and x + width <= image.width and y + height <= image.height
    return inside and width > 0 and height > 0
