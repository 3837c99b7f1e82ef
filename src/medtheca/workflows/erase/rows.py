"""The stage that removes a patient's rows, all in one transaction, and lets their public ids be taken for ever."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models, transaction

from medtheca.domains.archives.erasing import blank_intakes, forget_items, items_about
from medtheca.domains.downloads.operations import forget_downloads_with
from medtheca.domains.imaging.models import Image
from medtheca.domains.metadata.models import Description, MetadataVersion
from medtheca.domains.provenance.enums import Outcome
from medtheca.domains.provenance.models import Accession, Delivery, Lesion, Patient, Verdict
from medtheca.domains.provenance.operations import finish_delivery_if_done
from medtheca.domains.provenance.origins import forget_origins_of
from medtheca.domains.storage.erased import note_erased
from medtheca.domains.storage.models import Upload
from medtheca.workflows.erase.finding import origins_of_plan, verdicts_of_plan
from medtheca.workflows.erase.plans import Plan

_BLANK = "erased"
_WORDS = "Erased with the patient."


class MoreCameIn(Exception):
    """Something became the patient's after the plan was made; make another."""


def remove_rows(plan: Plan) -> None:
    """Remove everything of the plan from the database. Call in a transaction. Raises `MoreCameIn`."""
    with transaction.atomic():
        _lock(plan)
        _blank_verdicts(plan)
        _blank_uploads(plan)
        _unlink_followers(plan)
        _forget_private_ids(plan)
        forget_origins_of(plan.accessions, about=plan.origins)
        forget_items([UUID(pk) for pk in plan.items])
        blank_intakes([UUID(pk) for pk in plan.own_uploads])
        _let_go(Accession, plan.accessions)
        _let_go(Image, plan.images)
        Accession.objects.filter(pk__in=plan.accessions).delete()
        forget_downloads_with(plan.images)
        Image.objects.filter(pk__in=plan.images).delete()
        _let_go(Lesion, plan.lesions)
        Lesion.objects.filter(pk__in=plan.lesions).delete()
        if plan.patient is not None:
            _let_go(Patient, [plan.patient])
            Patient.objects.filter(pk=plan.patient).delete()
        note_erased(plan.public_ids)
    finish_delivery_if_done(plan.uploads)


def _lock(plan: Plan) -> None:
    """Hold everything still, and see that nothing came in since the plan was made."""
    # Whoever gives an accession to the patient waits for this lock, and finds nobody then.
    if plan.patient is not None and Patient.objects.select_for_update().filter(pk=plan.patient).exists():
        there = Accession.objects.filter(patient=plan.patient).values_list("pk", flat=True)
        if set(there) - set(plan.accessions):
            raise MoreCameIn
        # What an import has noted since is still to be received: it is waited for as the rest was.
        if {row.pk for row in origins_of_plan(plan)} - set(plan.origins):
            raise MoreCameIn
    list(Accession.objects.select_for_update().filter(pk__in=plan.accessions).order_by("pk").values_list("pk"))
    # Whoever puts an image into an item waits for its row, and does not find it then.
    list(Image.objects.select_for_update().filter(pk__in=plan.images).order_by("pk").values_list("pk"))
    if {str(pk) for pk in items_about(plan.images)} - set(plan.items):
        raise MoreCameIn


def _blank_verdicts(plan: Plan) -> None:
    """Verdicts stay, because a delivery has one for each of its files; what they say of the file goes."""
    about = verdicts_of_plan(plan)
    waiting = about.filter(outcome=Outcome.WAITING)
    waiting.update(outcome=Outcome.REFUSED, code=_BLANK)
    about.update(path=_BLANK, name=_BLANK, size=None, words=_WORDS, remedy="")
    Verdict.objects.filter(other__in=plan.accessions).update(other=None)


def _blank_uploads(plan: Plan) -> None:
    Upload.objects.filter(pk__in=plan.own_uploads).update(filename=_BLANK, declared_sha256="", media_type="")
    # Words that somebody typed, or that name the file.
    Delivery.objects.filter(replaces__in=plan.accessions).update(reason="")
    Delivery.objects.filter(upload__in=[UUID(pk) for pk in plan.own_uploads]).exclude(refusal="").update(
        refusal=_WORDS, remedy=""
    )
    # A checksum knows a container again that held the patient's files among others'.
    Upload.objects.filter(pk__in=plan.uploads).update(declared_sha256="")


def _unlink_followers(plan: Plan) -> None:
    """Links from accessions of others to one that goes: the first of them stands by itself, the rest follow it."""
    for pk in plan.accessions:
        followers = Accession.objects.select_for_update().filter(same_as=pk).exclude(pk__in=plan.accessions)
        rows = list(followers.order_by("pk"))
        if not rows:
            continue
        heir, *others = rows
        # First the old holder lets go: the same content stands by itself once in a cohort.
        Accession.objects.filter(pk=pk).update(same_as=heir)
        Accession.objects.filter(pk=heir.pk).update(same_as=None)
        Accession.objects.filter(pk__in=[row.pk for row in others]).update(same_as=heir)


def _forget_private_ids(plan: Plan) -> None:
    """Earlier versions of what others' metadata said may name the patient, or a lesion, by mistake."""
    for model in (MetadataVersion, Description):
        for field, ids in (("patient_id", [plan.private_id]), ("lesion_id", plan.lesion_private_ids)):
            if not any(ids):
                continue
            rows = model._default_manager.filter(
                accession__cohort__contributor=plan.contributor, **{f"structured__{field}__in": ids}
            ).exclude(accession__in=plan.accessions)
            for row in rows:
                row.structured = {name: value for name, value in row.structured.items() if name != field}
                row.save(update_fields=["structured"])


def _let_go(target: type[models.Model], ids: list[int]) -> None:
    """Rows of whatever table that would keep the target's rows from going: they let go, or go along."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if not _holds(field, target) or (model is Accession and target is Image):
                continue
            rows: Any = model._default_manager.filter(**{f"{field.name}__in": ids})
            if field.null:
                rows.update(**{field.name: None})
            else:
                rows.delete()


def _holds(field: Any, target: type[models.Model]) -> bool:
    return (
        field.is_relation
        and field.related_model is target
        and field.remote_field.on_delete in {models.PROTECT, models.RESTRICT, models.DO_NOTHING}
    )
