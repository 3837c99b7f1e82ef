"""The files of a delivery become accessions, each with a verdict: the rules of names and contents in a cohort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from medtheca.domains.provenance.enums import AccessionState, DeliveryState, Outcome
from medtheca.domains.provenance.models import Accession, Cohort, Delivery, Verdict
from medtheca.domains.storage.operations import store_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.stores import Staged
from medtheca.toolkit.errors import Problem
from medtheca.toolkit.names import name_key

_WAITING = "Waiting to be converted."


@dataclass(frozen=True, slots=True)
class Arrival:
    """One file of a delivery: its bytes staged, or the reason why they are not.

    `name` is without its folder; `path` is as it came, for the person.
    """

    ordinal: int
    path: str
    name: str
    size: int
    staged: Staged | None
    skipped: bool
    problem: Problem | None


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
    """Files that have a verdict already, from an earlier try."""
    return set(Verdict.objects.filter(delivery=delivery).values_list("ordinal", flat=True))


def close_reception(delivery: Delivery) -> bool:
    """Every file has been looked at: from now on the delivery only waits for conversion. False where it did already."""
    waiting = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.UNPACKING)
    return bool(waiting.update(state=DeliveryState.CONVERTING))


def take_in_arrivals(delivery: Delivery, arrivals: Sequence[Arrival]) -> list[int]:
    """Write blobs, accessions and verdicts of a batch; return ids of accessions to convert.

    Call inside `keeping_blobs`. The cohort's row is the queue in which names are given out.
    """
    cohort = Cohort.objects.select_for_update(no_key=True).get(pk=delivery.cohort_id)
    rules = _Reception(cohort, delivery, arrivals)
    verdicts = [rules.judge(arrival) for arrival in arrivals]
    stored = store_blobs(rules.kept)
    blob_store().discard(rules.dropped)
    for accession, sha256 in rules.made:
        accession.original = stored[sha256]
    # The first of equal contents go in first: links need their keys.
    Accession.objects.bulk_create([accession for accession, _ in rules.made if accession.same_as is None])
    Accession.objects.bulk_create([accession for accession, _ in rules.made if accession.same_as is not None])
    Verdict.objects.bulk_create(verdicts)
    return [accession.pk for accession, _ in rules.made]


class _Reception:
    """Judges the files of one batch against the cohort and against each other."""

    def __init__(self, cohort: Cohort, delivery: Delivery, arrivals: Sequence[Arrival]) -> None:
        self.cohort = cohort
        self.delivery = delivery
        self.made: list[tuple[Accession, str]] = []
        self.kept: list[Staged] = []
        self.dropped: list[Staged] = []
        there = Accession.objects.filter(cohort=cohort).exclude(state=AccessionState.REFUSED).select_related("original")
        names = [name_key(arrival.name) for arrival in arrivals if arrival.staged]
        hashes = [arrival.staged.sha256 for arrival in arrivals if arrival.staged]
        self.by_name = {row.name_key: row for row in there.filter(name_key__in=names)}
        same = there.filter(original__sha256__in=hashes, same_as__isnull=True)
        self.by_hash = {row.original.sha256: row for row in same if row.original}
        self.hash_of = {row.name_key: row.original.sha256 for row in self.by_name.values() if row.original}

    def judge(self, arrival: Arrival) -> Verdict:
        if arrival.staged is None:
            assert arrival.problem is not None
            outcome = Outcome.SKIPPED if arrival.skipped else Outcome.REFUSED
            return self._verdict(
                arrival, outcome, arrival.problem.code, arrival.problem.message, arrival.problem.remedy
            )
        key = name_key(arrival.name)
        holder = self.by_name.get(key)
        if holder is None:
            return self._accept(arrival, arrival.staged, key)
        self.dropped.append(arrival.staged)
        if self.hash_of[key] == arrival.staged.sha256:
            words = f"The same file is in the cohort already, as {holder.original_path or holder.name}."
            return self._verdict(arrival, Outcome.LINKED, "already_here", words, "", accession=None, other=holder)
        words = (
            f"{arrival.path} and {holder.original_path or holder.name} have the same name, {holder.name}, "
            "and a name is unique in its cohort whatever its folder."
        )
        return self._verdict(
            arrival, Outcome.DUPLICATE, "duplicate_name", words, "Rename one of them and upload it again.", other=holder
        )

    def _accept(self, arrival: Arrival, staged: Staged, key: str) -> Verdict:
        first = self.by_hash.get(staged.sha256)
        accession = Accession(
            cohort=self.cohort,
            delivery=self.delivery,
            name=arrival.name,
            name_key=key,
            original_path=arrival.path,
            creator_id=self.delivery.upload.owner_id,
            licence=self.cohort.licence,
            attribution=self.cohort.attribution,
            same_as=first,
        )
        self.made.append((accession, staged.sha256))
        self.kept.append(staged)
        self.by_name[key] = accession
        self.hash_of[key] = staged.sha256
        self.by_hash.setdefault(staged.sha256, accession)
        return self._verdict(arrival, Outcome.WAITING, "waiting", _WAITING, "", accession=accession, other=first)

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
            accession=accession,
            other=other,
        )
