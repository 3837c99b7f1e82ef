"""Contributors, cohorts and deliveries in the states that tests need, made through the real operations."""

import io
import zipfile
from uuid import UUID

from django.db import connection, transaction

from medtheca.domains.provenance.agreements import AGREEMENT_VERSION, accept_agreement
from medtheca.domains.provenance.operations import create_cohort, create_contributor
from medtheca.domains.storage.uploads import part_path
from medtheca.workflows.receive import acknowledge_bytes, begin_delivery


def make_cohort(owner, *, name="Clinic 2026", licence="CC-BY-4.0", attribution="Clinic of Exampleton"):
    contributor = create_contributor(creator=owner, institution_name=f"Institution of {name}")
    accept_agreement(contributor=contributor, actor=owner, version=AGREEMENT_VERSION)
    return create_cohort(contributor=contributor, creator=owner, name=name, licence=licence, attribution=attribution)


def make_zip(files):
    """A ZIP of (path, bytes) pairs, stored."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, data in files:
            archive.writestr(path, data)
    return packed.getvalue()


def deliver(owner, cohort, data, *, filename="images.zip", sha256=""):
    """Upload bytes to a cohort as the byte plane does: part file, then acknowledgement. Returns the upload's id."""
    upload = begin_delivery(user=owner, cohort_id=cohort.pk, filename=filename, size=len(data), sha256=sha256)
    part_path(upload.pk).write_bytes(data)
    if data:
        with transaction.atomic():
            acknowledge_bytes(upload=upload, begun_at=0, offset=len(data))
    return UUID(str(upload.pk))


def run_jobs():
    """Do every waiting job in this process, in the order in which a worker would, until none is left: their names."""
    from procrastinate.contrib.django import app
    from procrastinate.contrib.django.models import ProcrastinateJob

    from medtheca.interfaces.jobs import tasks

    assert tasks
    done = []
    while job := ProcrastinateJob.objects.filter(status="todo").order_by("-priority", "id").first():
        # As a worker does: what is being done keeps no other from waiting.
        with connection.cursor() as cursor:
            cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", [job.pk])
        app.tasks[job.task_name].func.__wrapped__(**job.args)
        ProcrastinateJob.objects.filter(pk=job.pk)._raw_delete("default")
        done.append(job.task_name)
    return done
