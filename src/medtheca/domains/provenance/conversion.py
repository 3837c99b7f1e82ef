"""Accessions that wait for conversion, and those that have come through it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from medtheca.base.bulk import update_rows
from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.enums import AccessionState, Outcome
from medtheca.domains.provenance.models import Accession, Delivery, Verdict


def waiting_accessions(accession_ids: Sequence[int]) -> list[Accession]:
    """Those of the accessions that still wait, with their original."""
    rows = Accession.objects.select_related("original").filter(pk__in=accession_ids, state=AccessionState.RECEIVED)
    return list(rows.order_by("pk"))


def deliveries_of(accession_ids: Sequence[int]) -> set[UUID | None]:
    """The deliveries by which accessions came."""
    return set(Accession.objects.filter(pk__in=accession_ids).values_list("delivery", flat=True))


def lock_waiting(accession_ids: Sequence[int]) -> list[Accession]:
    """Lock those of the accessions that still wait; another run of the same job waits here, then finds none."""
    rows = (
        Accession.objects.select_for_update(of=("self",))
        .select_related("original", "cohort__contributor")
        .filter(pk__in=accession_ids, state=AccessionState.RECEIVED)
    )
    return list(rows.order_by("pk"))


def note_conversion(*, accession_id: int, fraction: float) -> None:
    """Say in the verdict of an accession how far its conversion is: for a series, in that of its first file."""
    waiting = Verdict.objects.filter(accession=accession_id, outcome=Outcome.WAITING).order_by("ordinal")
    Verdict.objects.filter(pk__in=waiting.values("pk")[:1]).update(words=f"Converting, {100 * fraction:.0f} %.")


def accept_accessions(*, images: Mapping[int, Image], notes: Mapping[int, Sequence[str]] | None = None) -> None:
    """Give accessions their images (by accession id) and accept their files; equal contents and pixels are told.

    `notes` are sentences, by accession id, on what was found in the files; they join what the verdicts note already.
    """
    accessions = [Accession(pk=pk, image=image, state=AccessionState.CONVERTED) for pk, image in images.items()]
    update_rows(accessions, ["image", "state"])
    verdicts = list(Verdict.objects.filter(accession__in=list(images)).select_related("other"))
    deliveries = Delivery.objects.filter(pk__in={verdict.delivery_id for verdict in verdicts})
    twins = _first_with_pixels(images.values(), deliveries.values_list("cohort", flat=True))
    for verdict in verdicts:
        assert verdict.accession_id is not None
        first = twins[images[verdict.accession_id].pixel_hash]
        _accept(verdict, None if first.pk == verdict.accession_id else first)
        said = (notes or {}).get(verdict.accession_id, ())
        # What grouping said of a series its reader may say again.
        verdict.note = " ".join(filter(None, [verdict.note, *(words for words in said if words not in verdict.note)]))
    update_rows(verdicts, ["outcome", "code", "words", "other", "note"])


def _accept(verdict: Verdict, twin: Accession | None) -> None:
    if verdict.other is not None:
        verdict.outcome, verdict.code = Outcome.LINKED, "same_content"
        first = verdict.other.original_path or verdict.other.name
        verdict.words = f"Accepted, and linked: its bytes are those of {first}."
    elif twin is not None:
        verdict.outcome, verdict.code, verdict.other = Outcome.ACCEPTED, "same_pixels", twin
        verdict.words = f"Accepted. Its pixels are those of {twin.original_path or twin.name}, in another file."
    else:
        verdict.outcome, verdict.code, verdict.words = Outcome.ACCEPTED, "accepted", "Accepted."


def _first_with_pixels(images: Iterable[Image], cohort_ids: Iterable[int]) -> dict[str, Accession]:
    """The first accession by pixel hash, of the same cohort only: what another holds is nobody's business here."""
    rows = (
        Accession.objects.filter(
            cohort__in=list(cohort_ids), image__pixel_hash__in={image.pixel_hash for image in images}
        )
        .select_related("image")
        # One row a hash, however many pictures are all black.
        .order_by("image__pixel_hash", "pk")
        .distinct("image__pixel_hash")
    )
    return {row.image.pixel_hash: row for row in rows if row.image is not None}
