"""Everything that the archive holds of a patient."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from medtheca.base.clock import now
from medtheca.domains.access.models import Placement, Withdrawal
from medtheca.domains.archives.erasing import blobs_of_items, items_about
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.metadata.models import Description, MetadataVersion
from medtheca.domains.provenance.models import (
    Accession,
    Delivery,
    FileVersion,
    Lesion,
    Origin,
    Patient,
    PublishItem,
    Review,
    Verdict,
    VersionFile,
)
from medtheca.domains.provenance.origins import origins_about
from medtheca.domains.storage.models import Blob, BundlePart, Composition, Upload
from medtheca.workflows.backup.lists import proof_of
from medtheca.workflows.erase.plans import Plan
from medtheca.workflows.erase.sheets import find_rows

Matches = Callable[[str], bool]
KINDS = (
    "images",
    "submissions",
    "lesions",
    "files of images",
    "versions of files",
    "files of versions",
    "descriptions",
    "versions of metadata",
    "reviews",
    "places in requests to publish",
    "places in circles of people",
    "withdrawals",
    "verdicts of uploads, blanked",
    "uploads, blanked",
    "spreadsheets, cut",
    "rows of spreadsheets",
    "items of archives",
    "stored files",
    "bytes",
    "notifications",
    "details of ledger events",
)
"""What is counted, in the order in which it is told."""


@dataclass(frozen=True, slots=True)
class Doubts:
    """What a person has to look at before the work begins, because the archive cannot know.

    `alike` are other accessions of the contributor whose name holds the patient's private id; `same_bytes` those that
    hold bytes of the patient under another name, here or (counted only, for staff) at other contributors.
    """

    alike: list[Accession]
    same_bytes: list[Accession]
    elsewhere: int


def make_plan(patient: Patient) -> Plan:
    """The plan for a patient as they are now."""
    plan = Plan(
        contributor=patient.contributor_id,
        patient=patient.pk,
        private_id=patient.private_id,
        public_ids=[patient.public_id],
    )
    rows = Accession.objects.filter(Q(patient=patient) | Q(pk__in=_not_yet_said_of(plan)))
    return fill_plan(plan, list(rows.order_by("pk").values_list("pk", flat=True)))


def _not_yet_said_of(plan: Plan) -> list[int]:
    """Images that another archive gave as the patient's, while that was not applied here yet: an import was cut."""
    return [
        row.accession.pk
        for row in origins_of_plan(plan)
        if row.accession is not None
        and row.described is None
        and row.accession.patient_id is None
        and row.accession.delivery_id == row.delivery_id
    ]


def origins_of_plan(plan: Plan, *, is_private: Matches | None = None) -> list[Origin]:
    """What other archives said of images that are the patient's, or of one of their lesions, also of those not here."""
    if not plan.private_id and is_private is None and not plan.lesion_private_ids:
        return []
    return origins_about(
        plan.contributor,
        is_patient=is_private or (lambda text: bool(text) and text == plan.private_id),
        lesions=plan.lesion_private_ids,
        patient="" if is_private else plan.private_id,
    )


def fill_plan(plan: Plan, accession_ids: Collection[int], *, is_private: Matches | None = None) -> Plan:
    """Find what hangs on these accessions; `is_private` knows the patient's id where only its keyed hash is known."""
    accessions = list(Accession.objects.filter(pk__in=accession_ids).select_related("original").order_by("pk"))
    plan.accessions = [row.pk for row in accessions]
    plan.proofs = [proof_of(row) for row in accessions]
    images = list(Image.objects.filter(accession__in=plan.accessions).order_by("pk"))
    plan.images = [image.pk for image in images]
    plan.keys = [str(image.key) for image in images]
    _find_lesions(plan, accessions)
    plan.origins = [row.pk for row in origins_of_plan(plan, is_private=is_private)]
    plan.public_ids += [image.public_id for image in images if image.public_id]
    versions = list(FileVersion.objects.filter(accession__in=plan.accessions))
    _find_uploads(plan, accessions, versions)
    plan.names = sorted({row.name for row in accessions} | {row.name for row in versions})
    plan.paths = sorted({row.original_path for row in accessions if row.original_path})
    plan.blobs = dict(_blobs_of(plan).values_list("sha256", "size"))
    found = find_rows(plan, is_private=is_private)
    items = items_about(plan.images)
    plan.items = [str(pk) for pk in items]
    plan.blobs |= blobs_of_items(items)
    plan.sheets = {str(pk): lines for pk, lines in found.lines.items()}
    plan.blobs |= found.blobs
    plan.values = sorted(found.values)
    # The container that they came in was stored before them.
    begun_at = Upload.objects.filter(pk__in=plan.uploads).values_list("created", flat=True)
    plan.since = min([*(row.created for row in accessions), *begun_at], default=now()).isoformat()
    plan.counts = count_traces(plan)
    return plan


def _find_lesions(plan: Plan, accessions: list[Accession]) -> None:
    """Lesions that nothing but these accessions is of; also those that an earlier version of their metadata named."""
    said = MetadataVersion.objects.filter(accession__in=plan.accessions).values_list("structured__lesion_id", flat=True)
    named = {str(text) for text in said if text}
    mine = Q(pk__in={row.lesion_id for row in accessions if row.lesion_id}) | Q(private_id__in=named)
    others = Accession.objects.filter(lesion__isnull=False).exclude(pk__in=plan.accessions)
    rows = Lesion.objects.filter(mine, contributor=plan.contributor).exclude(pk__in=others.values("lesion"))
    for pk, public_id, private_id in rows.order_by("pk").values_list("pk", "public_id", "private_id"):
        plan.lesions.append(pk)
        plan.public_ids.append(public_id)
        plan.lesion_private_ids.append(private_id)


def _find_uploads(plan: Plan, accessions: list[Accession], versions: list[FileVersion]) -> None:
    came_in = {row.delivery_id for row in accessions} | {row.delivery_id for row in versions} - {None}
    # What was sent to replace one of them, too, whatever became of it.
    came_in |= set(Delivery.objects.filter(replaces__in=plan.accessions).values_list("pk", flat=True))
    came_in.discard(None)
    plan.uploads = sorted(str(pk) for pk in came_in)
    mixed = Verdict.objects.filter(delivery__in=came_in, accession__isnull=False).exclude(accession__in=plan.accessions)
    shared = set(mixed.values_list("delivery", flat=True))
    plan.own_uploads = sorted(str(pk) for pk in came_in - shared)


def _blobs_of(plan: Plan) -> QuerySet[Blob]:
    accessions, images = plan.accessions, plan.images
    held = Blob.objects.filter(
        Q(pk__in=Accession.objects.filter(pk__in=accessions).values("original"))
        | Q(pk__in=ImageFile.objects.filter(image__in=images).values("blob"))
        | Q(pk__in=FileVersion.objects.filter(accession__in=accessions).values("original"))
        | Q(pk__in=VersionFile.objects.filter(version__accession__in=accessions).values("blob"))
        | Q(pk__in=Upload.objects.filter(pk__in=plan.own_uploads).values("blob"))
    ).values("pk")
    parts = BundlePart.objects.filter(bundle__in=held).values("blob")
    # A recipe holds what is not copied: of a pyramid all but the finest level.
    recipes = Composition.objects.filter(blob__in=held).values("recipe")
    return Blob.objects.filter(Q(pk__in=held) | Q(pk__in=parts) | Q(pk__in=recipes))


def verdicts_of_plan(plan: Plan) -> QuerySet[Verdict]:
    """Verdicts about files of the patient, or that name one."""
    named = Q(delivery__in=plan.uploads) & (Q(name__in=plan.names) | Q(path__in=plan.paths))
    own = Q(delivery__in=plan.own_uploads)
    return Verdict.objects.filter(Q(accession__in=plan.accessions) | Q(other__in=plan.accessions) | named | own)


def count_traces(plan: Plan) -> dict[str, int]:
    """How much there is of each kind, in the words of the receipt."""
    accessions, images = plan.accessions, plan.images
    versions = FileVersion.objects.filter(accession__in=accessions)
    counted = {
        "images": len(images),
        "submissions": len(accessions),
        "lesions": len(plan.lesions),
        "files of images": ImageFile.objects.filter(image__in=images).count(),
        "versions of files": versions.count(),
        "files of versions": VersionFile.objects.filter(version__in=versions).count(),
        "descriptions": Description.objects.filter(accession__in=accessions).count(),
        "versions of metadata": MetadataVersion.objects.filter(accession__in=accessions).count(),
        "reviews": Review.objects.filter(accession__in=accessions).count(),
        "places in requests to publish": PublishItem.objects.filter(accession__in=accessions).count(),
        "places in circles of people": Placement.objects.filter(image__in=images).count(),
        "withdrawals": Withdrawal.objects.filter(image__in=images).count(),
        "verdicts of uploads, blanked": verdicts_of_plan(plan).count(),
        "uploads, blanked": len(plan.own_uploads),
        "spreadsheets, cut": len(plan.sheets),
        "rows of spreadsheets": sum(len(lines) for lines in plan.sheets.values()),
        "items of archives": len(plan.items),
        "stored files": len(plan.blobs),
        "bytes": sum(plan.blobs.values()),
    }
    return {name: number for name, number in counted.items() if number or name == "images"}


def find_doubts(plan: Plan, *, everywhere: bool = False) -> Doubts:
    """What may be of the patient too, or holds the same bytes; `everywhere` counts also what others hold.

    An owner must not learn that: they could upload any picture, look, and know whether somebody has it.
    """
    others = Accession.objects.exclude(pk__in=plan.accessions).select_related("cohort__contributor")
    here = others.filter(cohort__contributor=plan.contributor)
    alike: list[Accession] = []
    if len(plan.private_id) > 3:
        text = plan.private_id
        alike = list(here.filter(Q(name__icontains=text) | Q(original_path__icontains=text))[:100])
    same = Q(original__sha256__in=plan.blobs) | Q(image__files__blob__sha256__in=plan.blobs)
    pixels = Image.objects.filter(pk__in=plan.images).values("pixel_hash")
    held = others.filter(same | Q(image__pixel_hash__in=pixels)).distinct()
    return Doubts(
        alike=alike,
        same_bytes=list(held.filter(cohort__contributor=plan.contributor).order_by("pk")[:100]),
        elsewhere=held.exclude(cohort__contributor=plan.contributor).count() if everywhere else 0,
    )


def begun(plan: Plan) -> datetime:
    """When the first file of the patient came in."""
    return datetime.fromisoformat(plan.since)
