"""Held files become images: each is described in the sandbox, then they are put together by what they are."""

from __future__ import annotations

from collections.abc import Sequence

from medtheca.base.steps import step
from medtheca.domains.provenance.conversion import waiting_accessions
from medtheca.domains.provenance.holding import Gathered, held_files, settle_held
from medtheca.domains.provenance.models import Delivery, HeldFile
from medtheca.domains.provenance.reception import lock_reception
from medtheca.domains.storage.operations import keeping_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.toolkit.images.gathering import Case, Description, by_likeness, gather_files
from medtheca.workflows.converting import enqueue_cases
from medtheca.workflows.decoding import decoder_pool


def gather_held(delivery: Delivery) -> None:
    """Make accessions of what is held of a delivery; nothing happens where nothing is.

    Raises `FileNotFoundError` where bytes are missing; the job is tried again.
    """
    files = held_files(delivery)
    if not files:
        return
    descriptions, refused = _describe(files)
    step("receive.described")
    cases = gather_files([file.path for file in files], [file.name for file in files], descriptions)
    gathered = [*refused, *(_gathered(case, files) for case in cases)]
    with keeping_blobs():
        lock_reception(delivery)
        still = {file.pk for file in held_files(delivery)}
        waiting = [case for case in gathered if all(file.pk in still for file in case.files)]
        enqueue_cases(waiting_accessions(settle_held(delivery, waiting)))


def _describe(files: Sequence[HeldFile]) -> tuple[dict[int, Description], list[Gathered]]:
    """Descriptions by the place of the file, and files that are refused by themselves."""
    described: dict[int, Description] = {}
    refused: list[Gathered] = []
    for name, places in by_likeness(file.path for file in files).items():
        items = [(str(place), blob_store().path(files[place].blob.sha256)) for place in places]
        for outcome in decoder_pool().run(items, {"describe": name}):
            file = files[int(outcome.key)]
            if outcome.refusal is not None and outcome.refusal.code == "input_unreadable":
                raise FileNotFoundError(f"A held file cannot be read: {outcome.refusal.message}")
            if outcome.refusal is not None:
                refused.append(Gathered((file,), (file.name,), file.name, problem=outcome.refusal))
            else:
                described[int(outcome.key)] = outcome.report or {}
    return described, refused


def _gathered(case: Case, files: Sequence[HeldFile]) -> Gathered:
    chosen = tuple(files[place] for place in case.places)
    return Gathered(chosen, case.paths, case.name, case.names_itself, case.note, case.problem)
