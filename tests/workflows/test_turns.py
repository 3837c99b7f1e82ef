"""Whoever brings thousands of files does not keep those waiting who bring one: jobs of different people take turns."""

import contextlib
import os
import subprocess
import sys
import time

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from medtheca.base.jobs import enqueue
from medtheca.base.turns import FIRST, line_of
from medtheca.domains.provenance.models import Accession, Delivery, HeldFile, Verdict
from medtheca.workflows import convert, receive
from medtheca.workflows.receive import receive_delivery
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import make_wide_scopes
from tests.generators import volumes
from tests.generators.images import jpeg
from tests.plugins.server import address_of

_PATIENCE = 240
_AT_ONCE = 2


def priorities(line):
    jobs = ProcrastinateJob.objects.filter(args__turn=line).order_by("id")
    return [FIRST - job.priority for job in jobs]


def order():
    return [job.args["turn"] for job in ProcrastinateJob.objects.filter(status="todo").order_by("-priority", "id")]


def add(line, *costs):
    for cost in costs:
        enqueue("convert.batch", turn=line, cost=cost, accession_ids=[])


def take(count):
    """Begin and end the next jobs of the queue, as one worker does."""
    for _ in range(count):
        job = ProcrastinateJob.objects.filter(status="todo").order_by("-priority", "id").first()
        ProcrastinateJob.objects.filter(pk=job.pk)._raw_delete("default")


@pytest.mark.django_db
def test_lines_take_turns_and_who_comes_late_begins_where_the_others_are():
    add("a", *[1] * 6)
    add("b", *[1] * 3)
    assert order() == ["a", "b", "a", "b", "a", "b", "a", "a", "a"]
    take(7)
    add("c", 1, 1)
    assert order() == ["a", "c", "a", "c"]


@pytest.mark.django_db
def test_long_jobs_come_less_often():
    add("slides", 10, 10)
    add("photographs", *[1] * 12)
    assert order() == ["slides", *["photographs"] * 10, "slides", "photographs", "photographs"]


@pytest.mark.django_db
def test_who_waits_for_one_job_before_asking_for_the_next_gets_no_more_than_a_turn():
    add("flood", *[1] * 20)
    add("polite", 5)
    take(1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE args->>'turn' = 'polite'")
    add("polite", 5)
    # The job that is being done counts: five of the others come before the next.
    assert order()[:7] == ["flood", *["flood"] * 4, "polite", "flood"]


@pytest.mark.django_db
def test_an_empty_queue_forgets_what_was():
    add("a", *[1] * 50)
    take(50)
    add("b", 1)
    add("a", 1)
    assert priorities("b") == priorities("a") == [0]


@pytest.mark.django_db
def test_a_job_that_is_to_be_tried_again_later_is_no_measure_of_where_the_queue_is():
    add("a", *[1] * 10)
    first = ProcrastinateJob.objects.order_by("id").first()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 hour' WHERE id = %s", [first.pk]
        )
    ProcrastinateJob.objects.filter(pk__in=ProcrastinateJob.objects.order_by("id").values("pk")[1:6])._raw_delete(
        "default"
    )
    add("b", 1)
    assert priorities("b") == [6]


@pytest.mark.django_db
def test_what_cannot_wait_goes_before_all_turns():
    add("a", 1)
    enqueue("publish.request", request_id=1)
    assert ProcrastinateJob.objects.order_by("-priority", "id").first().task_name == "publish.request"


@pytest.mark.django_db
def test_the_end_of_a_line_is_found_without_reading_the_queue():
    for person in range(1, 40):
        add(f"user:{person}", *[1] * 5)
    with connection.cursor() as cursor:
        # As the database sees a queue that is no longer empty, in whatever state earlier tests left its statistics.
        cursor.execute("ANALYZE procrastinate_jobs")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT priority FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
            " AND args->>'turn' = 'user:1' ORDER BY priority LIMIT 1"
        )
        assert "medtheca_job_turns" in "".join(line for (line,) in cursor.fetchall())


def test_a_long_delivery_is_received_in_turns_and_whole(alice, cohort, monkeypatch):
    monkeypatch.setattr(receive, "BATCH_FILES", 2)
    monkeypatch.setattr(receive, "TURN_BATCHES", 2)
    upload = deliver(alice, cohort, make_zip([(f"{n}.jpg", jpeg(seed=n)) for n in range(9)]))
    assert run_jobs() == [
        "receive.delivery",
        *["convert.batch"] * 2,
        "receive.delivery",
        *["convert.batch"] * 2,
        "receive.delivery",
        "convert.batch",
    ]
    assert list(Verdict.objects.filter(delivery=upload).values_list("outcome", flat=True)) == ["accepted"] * 9
    assert Delivery.objects.get(pk=upload).state == "done"


def test_what_belongs_together_is_gathered_when_all_turns_are_over(alice, cohort, monkeypatch):
    monkeypatch.setattr(receive, "BATCH_FILES", 1)
    monkeypatch.setattr(receive, "TURN_BATCHES", 1)
    header, voxels = volumes.metaimage(volumes.draw(), data_file="scan.raw")
    files = [("scan.mhd", header), ("scan.raw", voxels), ("photo.jpg", jpeg(seed=1))]
    upload = deliver(alice, cohort, make_zip(files))
    receive_delivery(upload_id=upload)
    assert HeldFile.objects.filter(delivery=upload).exists()
    run_jobs()
    assert {verdict.outcome for verdict in Verdict.objects.filter(delivery=upload)} == {"accepted"}
    assert not HeldFile.objects.exists()
    assert Accession.objects.count() == 2


def test_a_batch_that_takes_too_long_leaves_the_rest_to_the_next_turn(alice, cohort, monkeypatch):
    monkeypatch.setattr(convert, "TURN_SECONDS", 0.0)
    upload = deliver(alice, cohort, make_zip([(f"{n}.jpg", jpeg(seed=n)) for n in range(4)]))
    assert run_jobs() == ["receive.delivery", *["convert.batch"] * 4]
    assert list(Verdict.objects.filter(delivery=upload).values_list("outcome", flat=True)) == ["accepted"] * 4
    assert Delivery.objects.get(pk=upload).state == "done"


# -- with real workers


@contextlib.contextmanager
def worker(data):
    """`medtheca worker` on this test's database, until the test has seen enough."""
    variables = os.environ | {
        "DATABASE_URL": address_of(connection.settings_dict["NAME"]),
        "MEDTHECA_DATA": str(data),
        "MEDTHECA_DISK_RESERVE": "0",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "medtheca", "worker", "--concurrency", str(_AT_ONCE)], env=variables
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for_verdict(process, upload):
    until = time.monotonic() + _PATIENCE
    while not Verdict.objects.filter(delivery=upload).exclude(outcome="waiting").exists():
        assert process.poll() is None, "the worker has ended"
        assert time.monotonic() < until, f"there is no verdict after {_PATIENCE} s"
        time.sleep(0.05)


def flood(user, conversions, receptions):
    """So many conversions, each a job, and so many uploads of one file, wait."""
    cohort = make_cohort(user)
    files = [(f"{user.pk}-{n}.jpg", jpeg(size=(24, 16), seed=n)) for n in range(conversions)]
    receive_delivery(upload_id=deliver(user, cohort, make_zip(files)))
    ProcrastinateJob.objects.filter(args__turn=line_of(user.pk))._raw_delete("default")
    for pk in Accession.objects.filter(cohort=cohort).values_list("pk", flat=True):
        enqueue("convert.batch", accession_ids=[pk], turn=line_of(user.pk))
    for n in range(receptions):
        deliver(user, cohort, jpeg(size=(24, 16), seed=10_000 + n), filename=f"{user.pk}-single-{n}.jpg")
    assert ProcrastinateJob.objects.filter(args__turn=line_of(user.pk)).count() == conversions + receptions


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("floods", [[(1_600, 400)], [(60, 20), (60, 20), (20, 60)]], ids=["one", "three"])
def test_one_file_does_not_wait_for_the_thousands_of_others(data, floods):
    make_wide_scopes()
    for number, (conversions, receptions) in enumerate(floods):
        flood(make_user(f"flooder{number}"), conversions, receptions)
    bob = make_user("bob")
    upload = deliver(bob, make_cohort(bob, name="Bob's clinic"), jpeg(seed=1), filename="one.jpg")
    with worker(data) as process:
        wait_for_verdict(process, upload)
    (verdict,) = Verdict.objects.filter(delivery=upload)
    assert verdict.outcome == "accepted"
    # His two jobs, to receive and to convert, each waited for one job of each other, and for those that were begun.
    before = Accession.objects.filter(image__lt=verdict.accession.image_id).count()
    assert before <= 2 * (len(floods) + _AT_ONCE)
