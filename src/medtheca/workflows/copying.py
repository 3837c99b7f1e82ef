"""De-identified copies of DICOM are made in the sandbox when somebody asks for one."""

from __future__ import annotations

import logging

from medtheca.base.errors import NoSpace
from medtheca.base.steps import step
from medtheca.domains.provenance.copies import keep_copy, key_of, lock_waiting_copy, refuse_copy, waiting_copy
from medtheca.domains.provenance.models import DicomCopy
from medtheca.domains.storage.bundles import Part, parts_of
from medtheca.domains.storage.layout import laid_out
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store, space_is_short
from medtheca.domains.storage.stores import Staged
from medtheca.toolkit.confidentiality.profile import RECIPE
from medtheca.toolkit.confidentiality.reports import find_fault
from medtheca.toolkit.images.case_folders import limits_for
from medtheca.workflows.decoding import decoder_pool

_log = logging.getLogger(__name__)
_HEAD = 4096
# Dates move, and what describes how an image was made stays where it cannot be a name.
_PROFILE = {"retain_longitudinal": True, "clean_descriptors": True, "clean_structured": True, "retain_device": True}


def make_copy(*, accession_id: int) -> None:
    """Make the copy that was asked for; a second run finds nothing to do.

    Raises `NoSpace` where the disk reserve would be touched, `FileNotFoundError` where the original is missing, and
    `RuntimeError` where the decoder failed by no fault of the file's: the job is tried again.
    """
    copy = waiting_copy(accession_id)
    if copy is None or copy.accession.original is None:
        return
    original = copy.accession.original
    parts = parts_of([original.pk]).get(original.pk) or [Part("image.dcm", original)]
    if space_is_short(needed=sum(part.blob.size for part in parts)):
        raise NoSpace("There is no space for a copy now; it waits.", remedy="Make space on the disk.")
    made = _make(copy, parts)
    if made is None:
        return
    staged, report = made
    try:
        with keeping_blobs():
            if not lock_waiting_copy(copy):
                return
            keep_copy(copy, blob=store_blobs([staged])[staged.sha256], report=report, recipe=RECIPE)
            step("copy.rows")
    finally:
        blob_store().discard([staged])


def _make(copy: DicomCopy, parts: list[Part]) -> tuple[Staged, dict[str, object]] | None:
    """The copy on disk and its report; None where it was refused, which is noted."""
    store, accession = blob_store(), copy.accession
    wanted = {
        "profile": _PROFILE,
        "key": key_of(accession.cohort.contributor_id).hex(),
        # All of one patient move by the same days, whatever their headers call them.
        "patient": f"patient {accession.patient_id}" if accession.patient_id else None,
    }
    target, is_kept = store.new_file(), False
    try:
        with laid_out(parts) as folder:
            outcome = decoder_pool().run_case(
                {"main": parts[0].path, "deidentify": wanted},
                folder=folder,
                outputs={"public": target},
                limits=limits_for(sum(part.blob.size for part in parts), parts[0].path),
                key=f"copy {accession.pk}",
            )
        if outcome.refusal is not None:
            if outcome.retry:
                raise RuntimeError(f"The copy of accession {accession.pk} waits: {outcome.refusal.code}.")
            refuse_copy(copy, refusal=outcome.refusal.message, remedy=outcome.refusal.remedy)
            return None
        report = outcome.report or {}
        with target.open("rb") as file:
            fault = find_fault(report, file.read(_HEAD)) or _fault_of_copy(report, len(parts))
        if fault:
            _log.error("The report on the copy of accession %s is not sound: %s.", accession.pk, fault)
            words = f"What was made of this file cannot be used: {fault}."
            refuse_copy(copy, refusal=words, remedy="Tell the staff.")
            return None
        staged = store.measure(target)
        is_kept = True
        return staged, report
    finally:
        if not is_kept:
            target.unlink(missing_ok=True)


def _fault_of_copy(report: dict[str, object], files: int) -> str:
    if report.get("media_type") not in {"application/dicom", "application/zip"}:
        return "it is no DICOM"
    return "" if report.get("files") == files else "it has another number of files"
