"""Files of a delivery that may belong together: held until all have come, then one accession for each image.

Several files of one image have one verdict, written for each of them, so that every file can be looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from medtheca.domains.provenance.models import Accession, Delivery, HeldFile, Verdict
from medtheca.domains.provenance.reception import Arrival, Reception
from medtheca.domains.storage.bundles import Part, store_bundle
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.operations import store_blobs
from medtheca.toolkit.errors import Problem
from medtheca.toolkit.names import name_key, with_number


@dataclass(frozen=True, slots=True)
class Gathered:
    """Held files that make one image, the one by which it is called first, or that are refused together.

    `paths` are those within the bundle, one for each file. `name` is what the accession shall be called; where it is
    free to choose (`names_itself` false), a number is added until it is not taken. `note` is what was found.
    """

    files: tuple[HeldFile, ...]
    paths: tuple[str, ...]
    name: str
    names_itself: bool = True
    note: str = ""
    problem: Problem | None = None


def hold_arrivals(delivery: Delivery, arrivals: Sequence[Arrival]) -> None:
    """Store the bytes of files and hold them. Call inside `keeping_blobs`."""
    stored = store_blobs([arrival.staged for arrival in arrivals if arrival.staged])
    rows = [
        HeldFile(
            delivery=delivery,
            ordinal=arrival.ordinal,
            path=arrival.path,
            name=arrival.name,
            blob=stored[arrival.staged.sha256],
        )
        for arrival in arrivals
        if arrival.staged
    ]
    HeldFile.objects.bulk_create(rows, ignore_conflicts=True)


def held_files(delivery: Delivery) -> list[HeldFile]:
    """What is held of a delivery, in the order of its files."""
    return list(HeldFile.objects.filter(delivery=delivery).select_related("blob").order_by("ordinal"))


def settle_held(delivery: Delivery, gathered: Sequence[Gathered]) -> list[int]:
    """Write accessions and verdicts for held files, which are held no more; ids of accessions to convert.

    Call inside `keeping_blobs`, with files that `held_files` gave in the same transaction.
    """
    arrivals = [_arrival(delivery, case) for case in gathered]
    rules = Reception(delivery, arrivals)
    verdicts: list[Verdict] = []
    for case, arrival in zip(gathered, arrivals, strict=True):
        chosen = arrival if case.names_itself or arrival.sha256 is None else _free_name(rules, arrival)
        first = rules.judge(chosen)
        verdicts += [_of_file(first, file) for file in case.files]
    made = rules.write()
    Verdict.objects.bulk_create(verdicts)
    HeldFile.objects.filter(pk__in=[file.pk for case in gathered for file in case.files]).delete()
    return made


def _arrival(delivery: Delivery, case: Gathered) -> Arrival:
    main = case.files[0]
    blob: Blob | None = None
    if case.problem is None:
        parts = [Part(path, file.blob) for path, file in zip(case.paths, case.files, strict=True)]
        blob = store_bundle(parts) if len(parts) > 1 else main.blob
    return Arrival(
        ordinal=main.ordinal,
        path=main.path,
        name=case.name,
        size=sum(file.blob.size for file in case.files),
        staged=None,
        skipped=False,
        problem=case.problem,
        blob=blob,
        note=case.note,
    )


def _free_name(rules: Reception, arrival: Arrival) -> Arrival:
    """The name, or the name with a number: the first that nothing else has, or that these very bytes have."""
    for number in range(1, 100_000):
        name = with_number(arrival.name, number)
        key = name_key(name)
        if key not in rules.by_name and number > 1:
            there = Accession.objects.filter(cohort=rules.cohort, name_key=key).exclude(original=None)
            for row in there.select_related("original"):
                assert row.original is not None
                rules.by_name[key], rules.hash_of[key] = row, row.original.sha256
        if key not in rules.by_name or rules.hash_of.get(key) == arrival.sha256:
            return replace(arrival, name=name)
    raise RuntimeError(f"All names like {arrival.name} are taken.")


def _of_file(verdict: Verdict, file: HeldFile) -> Verdict:
    """The verdict of an image as that of one of its files."""
    return Verdict(
        delivery=verdict.delivery,
        ordinal=file.ordinal,
        path=file.path,
        name=file.name,
        size=file.blob.size,
        outcome=verdict.outcome,
        code=verdict.code,
        words=verdict.words,
        remedy=verdict.remedy,
        note=verdict.note,
        accession=verdict.accession,
        other=verdict.other,
    )
