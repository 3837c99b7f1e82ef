"""Work that was left lying is taken up again."""

from datetime import timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.models import Accession, Delivery, Verdict
from medtheca.domains.provenance.stranded import PATIENCE
from medtheca.domains.storage.models import Upload
from medtheca.workflows.resume import resume_stranded
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.workflows.test_ingest import picture

pytestmark = pytest.mark.django_db


def lose_jobs_and_wait():
    ProcrastinateJob.objects.all()._raw_delete("default")
    for model in (Upload, Delivery, Accession):
        model.objects.update(modified=model.objects.first().modified - PATIENCE - timedelta(seconds=1))


def test_a_lost_reception_and_a_lost_conversion_are_taken_up():
    alice = User.objects.create_user("alice@example.org")
    deliver(alice, make_cohort(alice), make_zip([("one.jpg", picture(1)), ("two.jpg", picture(2))]))
    ProcrastinateJob.objects.all()._raw_delete("default")
    Upload.objects.update(modified=Upload.objects.get().modified - 2 * PATIENCE)
    Delivery.objects.update(modified=Delivery.objects.get().modified - 2 * PATIENCE)
    assert resume_stranded() == 1
    job = ProcrastinateJob.objects.get()
    assert job.task_name == "receive.delivery"
    assert run_jobs() == ["receive.delivery", "convert.batch"]
    assert {verdict.outcome for verdict in Verdict.objects.all()} == {"accepted"}


def test_a_lost_conversion_is_taken_up():
    alice = User.objects.create_user("alice@example.org")
    upload = deliver(alice, make_cohort(alice), make_zip([("one.jpg", picture(1))]))
    from medtheca.workflows.receive import receive_delivery

    receive_delivery(upload_id=upload)
    lose_jobs_and_wait()
    resume_stranded()
    assert "convert.batch" in run_jobs()
    assert Accession.objects.get().state == "converted"


def test_work_that_goes_on_is_left_alone():
    alice = User.objects.create_user("alice@example.org")
    deliver(alice, make_cohort(alice), make_zip([("one.jpg", picture(1))]))
    assert resume_stranded() == 0
