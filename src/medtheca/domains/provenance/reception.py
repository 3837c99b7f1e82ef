"""The files of a delivery become accessions, each with a verdict: the rules of names and contents in a cohort."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import transaction

from medtheca.domains.provenance.enums import AccessionState, DeliveryState, Outcome
from medtheca.domains.provenance.models import Accession, Cohort, Delivery, HeldFile, Origin, Verdict
from medtheca.domains.provenance.origins import link_origins, origins_of_delivery
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.operations import store_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.stores import Staged
from medtheca.toolkit.errors import Problem
from medtheca.toolkit.names import name_key

_WAITING = "Waiting to be converted."


@dataclass(frozen=True, slots=True)
class Arrival:
    """One file of a delivery: its bytes staged or stored, or the reason why they are not.

    `name` is without its folder; `path` is as it came, for the person. `note` is what was found beside the verdict;
    `held`: it may be one of several files of an image.
    """

    ordinal: int
    path: str
    name: str
    size: int
    staged: Staged | None
    skipped: bool
    problem: Problem | None
    blob: Blob | None = None
    note: str = ""
    held: bool = False

    @property
    def sha256(self) -> str | None:
        """Of its bytes, where they are there: staged, or stored already."""
        held = self.staged or self.blob
        return held.sha256 if held else None


def begin_reception(upload_id: UUID) -> Delivery | None:
    """The delivery, set to unpacking; nothing where it is over already."""
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update().filter(upload_id=upload_id).first()
        if delivery is None or delivery.state not in {DeliveryState.ARRIVING, DeliveryState.UNPACKING}:
            return None
        delivery.state = DeliveryState.UNPACKING
        delivery.save(update_fields=["state", "modified"])
    return Delivery.objects.select_related("upload", "cohort").get(upload_id=upload_id)


def note_members(delivery: Delivery, members: int) -> None:
    """How many files the container holds, so that progress can be told."""
    Delivery.objects.filter(pk=delivery.pk).update(members=members)


def received_ordinals(delivery: Delivery) -> set[int]:
    """Files that have a verdict already or are held, from an earlier try."""
    held = HeldFile.objects.filter(delivery=delivery).values_list("ordinal", flat=True)
    return {*Verdict.objects.filter(delivery=delivery).values_list("ordinal", flat=True), *held}


def lock_reception(delivery: Delivery) -> None:
    """Wait until nobody else takes files into the cohort; what they took in is seen from then on.

    Call inside of a transaction. A job may run twice at once: when its worker was held for dead, and was not.
    """
    Cohort.objects.select_for_update(no_key=True).get(pk=delivery.cohort_id)


def not_received(delivery: Delivery, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Those of the arrivals that no other run has received meanwhile; the bytes of the others are let go.

    Call inside `keeping_blobs`, after `lock_reception`.
    """
    done = received_ordinals(delivery)
    blob_store().discard(arrival.staged for arrival in arrivals if arrival.staged and arrival.ordinal in done)
    return [arrival for arrival in arrivals if arrival.ordinal not in done]


def close_reception(delivery: Delivery) -> bool:
    """Every file has been looked at: from now on the delivery only waits for conversion. False where it did already."""
    waiting = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.UNPACKING)
    return bool(waiting.update(state=DeliveryState.CONVERTING))


def take_in_arrivals(delivery: Delivery, arrivals: Sequence[Arrival]) -> list[int]:
    """Write blobs, accessions and verdicts of a batch; return ids of accessions to convert.

    Call inside `keeping_blobs`. The cohort's row is the queue in which names are given out.
    """
    rules = Reception(delivery, arrivals)
    verdicts = [rules.judge(arrival) for arrival in arrivals]
    made = rules.write()
    Verdict.objects.bulk_create(verdicts)
    return made


class Reception:
    """Judges the files of one batch against the cohort and against each other.

    Make and use it inside `keeping_blobs`: the cohort's row is the queue in which names are given out.
    """

    def __init__(self, delivery: Delivery, arrivals: Sequence[Arrival]) -> None:
        self.cohort = cohort = Cohort.objects.select_for_update(no_key=True).get(pk=delivery.cohort_id)
        self.delivery = delivery
        self.made: list[tuple[Accession, str]] = []
        self.kept: list[Staged] = []
        self.stored: dict[str, Blob] = {}
        self.dropped: list[Staged] = []
        self.origins = origins_of_delivery(delivery)
        self.came_as: list[tuple[Origin, Accession]] = []
        there = Accession.objects.filter(cohort=cohort).exclude(state=AccessionState.REFUSED).select_related("original")
        names = [name_key(arrival.name) for arrival in arrivals if arrival.sha256]
        hashes = [arrival.sha256 for arrival in arrivals if arrival.sha256]
        self.by_name = {row.name_key: row for row in there.filter(name_key__in=names)}
        same = there.filter(original__sha256__in=hashes, same_as__isnull=True)
        self.by_hash = {row.original.sha256: row for row in same if row.original}
        self.hash_of = {row.name_key: row.original.sha256 for row in self.by_name.values() if row.original}

    def write(self) -> list[int]:
        """Store what was accepted and write its accessions, with their keys; let go of the rest."""
        stored = self.stored | store_blobs(self.kept)
        blob_store().discard(self.dropped)
        for accession, sha256 in self.made:
            accession.original = stored[sha256]
        # The first of equal contents go in first: links need their keys.
        Accession.objects.bulk_create([accession for accession, _ in self.made if accession.same_as is None])
        Accession.objects.bulk_create([accession for accession, _ in self.made if accession.same_as is not None])
        link_origins(self.came_as)
        return [accession.pk for accession, _ in self.made]

    def judge(self, arrival: Arrival) -> Verdict:
        """The verdict of a file, not saved; its accession is made by `write`."""
        sha256 = arrival.sha256
        if sha256 is None:
            assert arrival.problem is not None
            outcome = Outcome.SKIPPED if arrival.skipped else Outcome.REFUSED
            return self._verdict(
                arrival, outcome, arrival.problem.code, arrival.problem.message, arrival.problem.remedy
            )
        key = name_key(arrival.name)
        holder = self.by_name.get(key)
        if holder is None:
            return self._accept(arrival, sha256)
        if self.cohort.archive_id is not None and self.hash_of[key] != sha256:
            # An archive keeps patients in folders and calls every file alike: names are made, paths tell them apart.
            equal = self.by_hash.get(sha256)
            if equal is None:
                return self._accept(replace(arrival, name=self._free_name(arrival.name)), sha256)
            # Under a name that was made for it before: whoever brings a folder again brings nothing twice.
            holder, key = equal, equal.name_key
            self.hash_of[key] = sha256
        if arrival.staged is not None:
            self.dropped.append(arrival.staged)
        if self.hash_of[key] == sha256:
            words = f"The same file is in the cohort already, as {holder.original_path or holder.name}."
            self._came_as(arrival, holder)
            return self._verdict(arrival, Outcome.LINKED, "already_here", words, "", accession=None, other=holder)
        words = (
            f"{arrival.path} and {holder.original_path or holder.name} have the same name, {holder.name}, "
            "and a name is unique in its cohort whatever its folder."
        )
        return self._verdict(
            arrival, Outcome.DUPLICATE, "duplicate_name", words, "Rename one of them and upload it again.", other=holder
        )

    def _free_name(self, name: str) -> str:
        """A name that nothing in the cohort has: the old one with eight random digits."""
        stem, dot, extension = name.partition(".")
        return f"{stem[:200]}-{secrets.token_hex(4)}{dot}{extension[:40]}"

    def _accept(self, arrival: Arrival, sha256: str) -> Verdict:
        key = name_key(arrival.name)
        first, origin = self.by_hash.get(sha256), self.origins.get(arrival.path)
        accession = Accession(
            cohort=self.cohort,
            delivery=self.delivery,
            name=arrival.name,
            name_key=key,
            original_path=arrival.path,
            creator_id=self.delivery.upload.owner_id,
            licence=origin.licence if origin else self.cohort.licence,
            attribution=origin.attribution if origin else self.cohort.attribution,
            same_as=first,
        )
        self._came_as(arrival, accession)
        self.made.append((accession, sha256))
        if arrival.staged is not None:
            self.kept.append(arrival.staged)
        elif arrival.blob is not None:
            self.stored[sha256] = arrival.blob
        self.by_name[key] = accession
        self.hash_of[key] = sha256
        self.by_hash.setdefault(sha256, accession)
        return self._verdict(arrival, Outcome.WAITING, "waiting", _WAITING, "", accession=accession, other=first)

    def _came_as(self, arrival: Arrival, accession: Accession) -> None:
        if origin := self.origins.get(arrival.path):
            self.came_as.append((origin, accession))

    def _verdict(
        self,
        arrival: Arrival,
        outcome: Outcome,
        code: str,
        words: str,
        remedy: str,
        *,
        accession: Accession | None = None,
        other: Accession | None = None,
    ) -> Verdict:
        return Verdict(
            delivery=self.delivery,
            ordinal=arrival.ordinal,
            path=arrival.path,
            name=arrival.name,
            size=arrival.size,
            outcome=outcome,
            code=code,
            words=words,
            remedy=remedy,
            note=arrival.note,
            accession=accession,
            other=other,
        )
