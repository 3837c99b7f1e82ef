"""De-identified copies of DICOM: who may have one, what becomes of the wish, and the secret that they are made with."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, NotFound
from medtheca.base.jobs import enqueue
from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import ImageFile
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import may_edit, require_editor
from medtheca.domains.provenance.enums import CopyState
from medtheca.domains.provenance.models import Accession, Contributor, DicomCopy
from medtheca.domains.provenance.queries import accession_for
from medtheca.domains.storage.models import Blob

_KEY_BYTES = 32
_FORMAT = "dicom"


@dataclass(frozen=True, slots=True)
class CopyFile:
    """The file of a copy: the SHA-256 and size of its bytes, and what to call it."""

    sha256: str
    size: int
    media_type: str
    name: str


def may_have_copy(user: User | None, accession: Accession) -> bool:
    """Whether a person may have a copy of the accession's DICOM made and take it: owners, editors and staff.

    Nobody else, public or not: pixels are copied unseen, and what the attributes left tell together no rule knows.
    """
    return accession.image is not None and accession.image.format == _FORMAT and may_edit(user, accession.cohort)


def copy_of(accession: Accession) -> DicomCopy | None:
    """The copy of the present original, asked for or made; None where there is none."""
    found = DicomCopy.objects.filter(accession=accession).first()
    if found is None or accession.original is None or found.source != accession.original.sha256:
        return None
    if found.state == CopyState.MADE and _file_row(accession, found) is None:
        return None
    return found


def file_of_copy(user: User | None, accession_id: int) -> CopyFile:
    """The file of a copy that was made. Raises `NotFound`, or `NotAllowed` for all but owners, editors and staff."""
    accession = accession_for(user, accession_id)
    require_editor(user, accession.cohort, to="take the de-identified DICOM")
    copy = copy_of(accession)
    row = _file_row(accession, copy) if copy is not None and copy.state == CopyState.MADE else None
    if row is None:
        raise NotFound("No de-identified DICOM of this was made yet.")
    suffix = "zip" if row.media_type == "application/zip" else "dcm"
    image = row.image
    return CopyFile(row.blob.sha256, row.blob.size, row.media_type, f"{image.public_id or image.key}.{suffix}")


def ask_for_copy(*, accession_id: int, actor: User) -> DicomCopy:
    """Have a copy made, unless there is one or it is being made; what was refused is tried again.

    Raises `NotFound`, `NotAllowed` for all but owners, editors and staff, or `Conflict` where it is no DICOM.
    """
    accession = accession_for(actor, accession_id)
    require_editor(actor, accession.cohort, to="have DICOM de-identified")
    if accession.image is None or accession.original is None or accession.image.format != _FORMAT:
        raise Conflict("Only originals in DICOM are de-identified.", remedy="Download its public file instead.")
    with transaction.atomic():
        # Of two that ask at once, one waits here and finds the row.
        Accession.objects.select_for_update(of=("self",)).get(pk=accession.pk)
        copy = copy_of(accession)
        if copy is not None and copy.state != CopyState.REFUSED:
            if copy.state == CopyState.WAITING:
                _enqueue(accession.pk, actor)  # A job that was given up would else never come again.
            return copy
        copy, _ = DicomCopy.objects.update_or_create(
            accession=accession,
            defaults={
                "state": CopyState.WAITING,
                "source": accession.original.sha256,
                "asked": now(),
                "made": None,
                "report": {},
                "refusal": "",
                "remedy": "",
            },
        )
        record(
            actor_id=actor.pk,
            verb="accession.copy_asked",
            subject_type="accession",
            subject_id=accession.pk,
            cohort_id=accession.cohort_id,
            details={"accessions": [accession.pk]},
        )
        _enqueue(accession.pk, actor)
    return copy


def _enqueue(accession_id: int, actor: User) -> None:
    turn = f"copies:{actor.pk}"
    enqueue("copies.make", accession_id=accession_id, queueing_lock=f"copy:{accession_id}", turn=turn)


def waiting_copy(accession_id: int) -> DicomCopy | None:
    """The copy that is to be made of an accession, with what its job needs; None where nothing waits."""
    rows = DicomCopy.objects.select_related("accession__original", "accession__patient", "accession__cohort")
    copy = rows.filter(accession=accession_id, state=CopyState.WAITING).first()
    if copy is None or copy.accession.original is None or copy.accession.original.sha256 != copy.source:
        return None
    return copy


def key_of(contributor_id: int) -> bytes:
    """The secret that UIDs, pseudonyms and days of a contributor hang on; it is drawn when it is first needed."""
    with transaction.atomic():
        contributor = Contributor.objects.select_for_update(of=("self",)).get(pk=contributor_id)
        if not contributor.copies_key:
            contributor.copies_key = secrets.token_bytes(_KEY_BYTES)
            contributor.save(update_fields=["copies_key"])
        return bytes(contributor.copies_key)


def lock_waiting_copy(copy: DicomCopy) -> bool:
    """Whether the copy still waits, for the original it was begun with. Call inside a transaction."""
    Accession.objects.select_for_update(of=("self",)).filter(pk=copy.accession_id).first()
    present = waiting_copy(copy.accession_id)
    return present is not None and present.source == copy.source


def keep_copy(copy: DicomCopy, *, blob: Blob, report: Mapping[str, Any], recipe: str) -> None:
    """Note that a copy was made. Call inside `keeping_blobs`, after `lock_waiting_copy`."""
    ImageFile.objects.update_or_create(
        image=copy.accession.image,
        kind=FileKind.DICOM,
        defaults={"blob": blob, "media_type": report["media_type"], "recipe": recipe, "source": copy.source},
    )
    DicomCopy.objects.filter(pk=copy.pk).update(state=CopyState.MADE, made=now(), report=dict(report))


def refuse_copy(copy: DicomCopy, *, refusal: str, remedy: str) -> None:
    """Note why there is no copy."""
    rows = DicomCopy.objects.filter(pk=copy.pk, state=CopyState.WAITING, source=copy.source)
    rows.update(state=CopyState.REFUSED, refusal=refusal, remedy=remedy)


def _file_row(accession: Accession, copy: DicomCopy) -> ImageFile | None:
    rows = ImageFile.objects.filter(image=accession.image, kind=FileKind.DICOM, source=copy.source)
    return rows.select_related("blob", "image").first()
