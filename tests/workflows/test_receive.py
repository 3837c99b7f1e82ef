"""An upload becomes accessions: every trick of a ZIP, every crash between two steps, several deliveries at once."""

import threading
from collections import Counter

import pytest
from django.db import close_old_connections, connection
from django.test.utils import CaptureQueriesContext

from medtheca.base.errors import Conflict, Invalid, NoSpace, NotAllowed, NotFound
from medtheca.base.jobs import jobs_under_way
from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.accounts.operations import set_active
from medtheca.domains.provenance.models import Accession, Delivery, Verdict
from medtheca.domains.provenance.queries import delivery_for
from medtheca.domains.storage.models import Blob, Upload
from medtheca.domains.storage.queries import blob_store, bytes_under_way
from medtheca.domains.storage.uploads import part_path
from medtheca.toolkit.unpack import Kind
from medtheca.workflows import receive
from medtheca.workflows.receive import begin_delivery, cancel_delivery, receive_delivery
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import make_wide_scopes, sha256_of
from tests.generators import zip_cases, zips

SKIPPED = {Kind.DIRECTORY, Kind.JUNK}
LIMITED = [case for case in zip_cases.CASES if case.limits != zip_cases.DEFAULT_LIMITS]


def staged(data):
    return list((data / "blobs" / "staging").iterdir())


def outcomes(upload_id):
    return {v.ordinal: (v.outcome, v.code) for v in Verdict.objects.filter(delivery=upload_id)}


def expected(case):
    """What each member of a crafted ZIP comes to, folders apart: refused, skipped, or taken in and waiting."""
    wanted = {}
    for ordinal, (kind, code) in enumerate(case.verdicts):
        if kind is Kind.DIRECTORY:
            continue
        if ordinal in case.opening:
            wanted[ordinal] = ("refused", case.opening[ordinal])
        elif kind is Kind.FILE:
            wanted[ordinal] = ("waiting", "waiting")
        else:
            wanted[ordinal] = ("skipped" if kind in SKIPPED else "refused", code)
    return wanted


MEETING = {"composed and decomposed", "same name in two folders", "same path twice"}


@pytest.mark.parametrize("case", [case for case in zip_cases.CASES if case not in LIMITED], ids=lambda case: case.name)
def test_each_trick_of_a_zip_ends_with_its_verdict(case, alice, cohort, data):
    content = case.build()
    upload = deliver(alice, cohort, content)
    receive_delivery(upload_id=upload)
    delivery, found = delivery_for(alice, upload), outcomes(upload)
    if not content.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        # It does not begin as a ZIP does, so it is taken for one file, which the decoder will refuse.
        assert found == {0: ("waiting", "waiting") if content else ("refused", "empty_file")}
    elif case.refusal:
        assert (delivery.state, delivery.refusal_code) == ("refused", case.refusal)
        assert delivery.refusal
        assert found == {}
        assert not Accession.objects.exists()
    elif case.name in MEETING:
        assert found == {0: ("waiting", "waiting"), 1: ("duplicate", "duplicate_name")}
        assert Verdict.objects.get(ordinal=1).other == Accession.objects.get()
    else:
        assert found == expected(case)
    assert bytes_under_way(alice.pk) == 0
    assert not staged(data)


def test_equal_files_of_one_delivery_are_linked_to_the_first(alice, cohort):
    upload = deliver(alice, cohort, make_zip([("a/1.jpg", b"same"), ("b/2.jpg", b"same"), ("c/1.jpg", b"same")]))
    receive_delivery(upload_id=upload)
    first, second = Accession.objects.order_by("name")
    assert (first.same_as, second.same_as) == (None, first)
    assert first.original == second.original
    assert outcomes(upload)[2] == ("linked", "already_here")


def test_five_thousand_tiny_files_take_few_queries(alice, cohort, data):
    upload = deliver(alice, cohort, zips.many(5000))
    with CaptureQueriesContext(connection) as queries:
        receive_delivery(upload_id=upload)
        assert Accession.objects.count() == receive.TURN_BATCHES * receive.BATCH_FILES
        receive_delivery(upload_id=upload)
    assert Accession.objects.count() == 5000
    assert Verdict.objects.filter(delivery=upload, outcome="waiting").count() == 5000
    assert Accession.objects.filter(same_as__isnull=True).count() == 1
    assert len(queries) / (5000 / receive.BATCH_FILES) < 25
    assert sorted(pk for job in jobs_under_way("convert.batch") for pk in job["accession_ids"]) == sorted(
        Accession.objects.values_list("pk", flat=True)
    )


class Cut(Exception):
    pass


@pytest.fixture
def cut_at(monkeypatch):
    """Raises where a named step is passed for the nth time, once, as if the process had ended there."""

    def arm(name, nth):
        passed = Counter()

        def step(present):
            passed[present] += 1
            if present == name and passed[present] == nth:
                raise Cut(name)

        for module in ("workflows.receive", "domains.storage.stores", "domains.storage.operations"):
            monkeypatch.setattr(f"medtheca.{module}.step", step)

    return arm


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize(
    "name",
    [
        "receive.begun",
        "receive.container",
        "receive.rows",
        "receive.batch",
        "receive.closed",
        "blob.staged",
        "blob.synced",
        "blob.renamed",
        "blob.durable",
        "blob.rows",
    ],
)
def test_what_is_cut_off_anywhere_goes_on_with_nothing_lost_and_nothing_twice(
    *, name, nth, alice, cohort, data, cut_at, monkeypatch
):
    monkeypatch.setattr(receive, "BATCH_FILES", 3)
    files = [(f"{n}.jpg", f"picture {n}".encode()) for n in range(8)]
    upload = deliver(alice, cohort, make_zip(files))
    cut_at(name, nth)
    try:
        receive_delivery(upload_id=upload)
        reached = False
    except Cut:
        reached = True
    assert reached or nth > 1
    receive_delivery(upload_id=upload)
    assert sorted(Accession.objects.values_list("name", "original__sha256")) == sorted(
        (path, sha256_of(content)) for path, content in files
    )
    assert sorted(outcomes(upload)) == list(range(8))
    delivery = delivery_for(alice, upload)
    assert (delivery.state, delivery.members, delivery.upload.state) == ("converting", 8, "unpacked")
    waiting = [pk for job in jobs_under_way("convert.batch") for pk in job["accession_ids"]]
    assert sorted(waiting) == sorted(Accession.objects.values_list("pk", flat=True))
    # What was cut off within the store itself is left to the sweep.
    assert len(staged(data)) <= (1 if name.startswith("blob.") and reached else 0)


def test_a_full_disk_leaves_nothing_behind_at_each_try(alice, cohort, data, monkeypatch):
    upload = deliver(alice, cohort, make_zip([(f"{n}.jpg", bytes([n]) * 1000) for n in range(5)]))
    store, real, calls = blob_store(), type(blob_store()).stage, [0]

    def stage(self, chunks):
        calls[0] += 1
        if calls[0] % 4 == 0:
            raise NoSpace("The disk is full.")
        return real(self, chunks)

    monkeypatch.setattr(type(store), "stage", stage)
    with pytest.raises(NoSpace):
        receive_delivery(upload_id=upload)
    assert not staged(data)
    monkeypatch.undo()
    receive_delivery(upload_id=upload)
    assert Accession.objects.count() == 5


def test_an_empty_upload_is_refused_with_words(alice, cohort):
    upload = begin_delivery(user=alice, cohort_id=cohort.pk, filename="empty.jpg", size=0)
    run_jobs()
    assert outcomes(upload.pk) == {0: ("refused", "empty_file")}
    assert delivery_for(alice, upload.pk).state == "done"


def test_an_upload_whose_bytes_are_gone_is_refused_and_not_tried_for_ever(alice, cohort):
    upload = deliver(alice, cohort, b"some bytes", filename="a.jpg")
    part_path(upload).unlink()
    receive_delivery(upload_id=upload)
    delivery = delivery_for(alice, upload)
    assert (delivery.state, delivery.refusal_code, delivery.upload.state) == ("refused", "bytes_missing", "cancelled")
    assert bytes_under_way(alice.pk) == 0


def test_bytes_beyond_the_declared_end_are_no_part_of_the_file(alice, cohort):
    upload = begin_delivery(user=alice, cohort_id=cohort.pk, filename="a.jpg", size=4)
    part_path(upload.pk).write_bytes(b"four and more")
    receive.acknowledge_bytes(upload=upload, begun_at=0, offset=4)
    receive_delivery(upload_id=upload.pk)
    blob = Accession.objects.get().original
    assert (blob.sha256, blob.size) == (sha256_of(b"four"), 4)
    assert blob_store().path(blob.sha256).read_bytes() == b"four"


def test_an_upload_is_cancelled_by_its_sender_until_it_is_whole(alice, cohort):
    upload = begin_delivery(user=alice, cohort_id=cohort.pk, filename="a.jpg", size=4)
    with pytest.raises(NotFound):
        cancel_delivery(user=make_user("charlie"), upload=upload)
    cancel_delivery(user=alice, upload=upload)
    delivery = delivery_for(alice, upload.pk)
    assert (delivery.state, delivery.refusal_code, delivery.upload.state) == ("refused", "cancelled", "cancelled")
    whole = deliver(alice, cohort, b"four")
    with pytest.raises(Conflict):
        cancel_delivery(user=alice, upload=Upload.objects.get(pk=whole))


def test_who_may_not_upload_leaves_nothing_behind(alice, cohort, data):
    bob, charlie = make_user("bob"), make_user("charlie")
    add_member(scope=cohort.scope, user=bob, role=Role.VIEWER)
    with pytest.raises(NotAllowed):
        begin_delivery(user=bob, cohort_id=cohort.pk, filename="a.jpg", size=4)
    with pytest.raises(NotFound):
        begin_delivery(user=charlie, cohort_id=cohort.pk, filename="a.jpg", size=4)
    set_active(user=alice, active=False)
    alice.refresh_from_db()
    with pytest.raises(NotFound):
        begin_delivery(user=alice, cohort_id=cohort.pk, filename="a.jpg", size=4)
    assert not Upload.objects.exists()
    assert not list(data.glob("uploads/*"))


@pytest.mark.parametrize("name", ["", "  ", "a\x00.jpg", "half \ud83d.jpg", "n" * 256])
def test_a_name_that_cannot_be_kept_is_refused_at_the_start(name, alice, cohort):
    with pytest.raises(Invalid) as refusal:
        begin_delivery(user=alice, cohort_id=cohort.pk, filename=name, size=4)
    assert refusal.value.problems[0].field == "filename"


def test_progress_shows_that_an_upload_is_alive(alice, cohort):
    upload = begin_delivery(user=alice, cohort_id=cohort.pk, filename="a.jpg", size=4)
    receive.acknowledge_bytes(upload=upload, begun_at=0, offset=2)
    assert Upload.objects.get().modified > upload.modified
    with pytest.raises(Conflict):
        receive.acknowledge_bytes(upload=upload, begun_at=0, offset=3)


@pytest.mark.django_db(transaction=True)
def test_deliveries_to_one_cohort_at_once_take_each_file_in_once(data, monkeypatch):
    make_wide_scopes()
    monkeypatch.setattr(receive, "BATCH_FILES", 4)
    alice = make_user("alice")
    cohort = make_cohort(alice)
    files = [(f"{n}.jpg", f"picture {n}".encode()) for n in range(30)]
    uploads = [deliver(alice, cohort, make_zip(order)) for order in (files, files[::-1], files[15:] + files[:15])]
    # And the same job twice, as after a worker was taken for dead.
    failures = []

    def work(upload):
        try:
            receive_delivery(upload_id=upload)
        except Exception as error:  # noqa: BLE001 - told by the assertion below
            failures.append(error)
        finally:
            close_old_connections()

    threads = [threading.Thread(target=work, args=[upload]) for upload in uploads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert Accession.objects.count() == 30
    assert Verdict.objects.count() == 90
    assert Verdict.objects.filter(code="already_here").count() == 60
    assert Delivery.objects.filter(state="converting").count() + Delivery.objects.filter(state="done").count() == 3
    assert Blob.objects.filter(sha256__in=[sha256_of(content) for _, content in files]).count() == 30
