"""The index follows the tables: after every commit, in every process and thread, whatever is cut off."""

import random
import threading
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, transaction

from medtheca.base.clock import now
from medtheca.base.errors import Conflict
from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.models import Placement
from medtheca.domains.access.operations import place_images, set_visibility, withdraw_image
from medtheca.domains.imaging.models import Image
from medtheca.domains.metadata.models import Description
from medtheca.domains.provenance.models import Accession, Patient
from medtheca.domains.search.entries import look_up
from medtheca.domains.search.filters import Filters
from medtheca.domains.search.index import asking, holding, keeping
from medtheca.domains.search.index.holding import HOLDER, Holder
from medtheca.domains.search.index.keeping import find_differences, keep_index, status
from medtheca.domains.search.index.snapshots import Seen, one_snapshot
from medtheca.domains.search.models import IndexChange, IndexPart, IndexState
from medtheca.domains.search.queries import count, count_by_sql
from medtheca.toolkit.querylang import parse
from tests.domains.search.indexes import answers, differences, own_database, refuse
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort


@pytest.fixture(autouse=True)
def _database(django_db_setup, django_db_blocker):
    with own_database(django_db_blocker):
        yield


@pytest.fixture
def cohort():
    return make_cohort(make_user("alice"))


def somebody_else():
    """A connection of another process."""
    parameters = {name: connection.settings_dict[name.upper()] for name in ("user", "password", "host", "port")}
    return psycopg.connect(dbname=connection.settings_dict["NAME"], **parameters)


def males(asker=None):
    return count(parse("sex:male"), asker=asker)


def test_a_writer_sees_its_own_write_at_once(cohort):
    keep_index()
    assert males() == 0
    images = make_images(cohort, 3, structured={"sex": "male"}, visibility="public")
    assert males() == 3
    set_visibility(image_ids=[images[0].pk], visibility=Visibility.PRIVATE)
    assert (males(), males(cohort.creator)) == (2, 3)
    Description.objects.filter(accession__image=images[1]).update(structured={"sex": "female"})
    assert (males(), males(cohort.creator)) == (1, 2)
    withdraw_image(image=images[2], reason="Consent was withdrawn.", user=cohort.creator)
    assert (males(), males(cohort.creator)) == (0, 2)
    assert differences() == []


def test_inside_a_transaction_sql_answers_with_what_was_written_there(cohort):
    keep_index()
    with transaction.atomic():
        make_images(cohort, 2, structured={"sex": "male"}, visibility="public")
        assert males() == 2
        transaction.set_rollback(True)
    assert males() == 0
    assert differences() == []


def test_every_table_that_search_reads_writes_the_log(cohort):
    image = make_images(cohort, 1, structured={"sex": "male"}, visibility="public")[0]
    accession = Accession.objects.get(image=image)
    patient = Patient.objects.create(public_id="IP_0000001", contributor=cohort.contributor, private_id="p")
    keep_index()
    other = make_cohort(make_user("bob"), name="Other")
    changes = [
        lambda: Image.objects.filter(pk=image.pk).update(depth=7),
        lambda: image.files.filter(kind="thumbnail").delete(),
        lambda: Accession.objects.filter(pk=accession.pk).update(licence="CC0-1.0"),
        lambda: Accession.objects.filter(pk=accession.pk).update(cohort=other),
        lambda: Accession.objects.filter(pk=accession.pk).update(patient=patient),
        lambda: Patient.objects.filter(pk=patient.pk).update(public_id="IP_0000002"),
        lambda: Description.objects.filter(accession=accession).update(structured={"sex": "female"}),
        lambda: Description.objects.filter(accession=accession).delete(),
        lambda: Placement.objects.filter(image=image, scope=1).delete(),
        lambda: Placement.objects.filter(image=image, scope=2).update(scope=other.scope),
        lambda: place_images(image_ids=[image.pk], scope_ids=[1], opens=now() + timedelta(days=1)),
        lambda: withdraw_image(image=image, reason="x", user=cohort.creator),
        lambda: refuse([image.pk]),
        image.delete,
    ]
    for change in changes:
        before = IndexChange.objects.count()
        change()
        assert IndexChange.objects.count() > before
        assert differences() == []
    # A step of a review is nothing that search knows of.
    before = IndexChange.objects.count()
    Accession.objects.filter(pk=accession.pk).update(review_state="accepted")
    assert IndexChange.objects.count() == before


def test_embargoes_end_by_themselves(cohort):
    images = make_images(cohort, 3, visibility="public")
    soon = now() + timedelta(seconds=2)
    Placement.objects.filter(image=images[0], scope=1).update(opens=soon)
    Placement.objects.filter(image=images[1], scope=1).update(opens=now() + timedelta(days=1))
    keep_index()
    assert count(Filters(), asker=None) == 1 or now() >= soon
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep_until(%s)", [soon])
    assert count(Filters(), asker=None) == 2


def test_what_commits_late_is_not_lost(cohort):
    """The log's keys are in the order of writing: a long transaction's are lower than those that were seen before."""
    images = make_images(cohort, 2, structured={"sex": "male"}, visibility="public")
    keep_index()
    assert males() == 2
    with somebody_else() as slow:
        slow.execute("DELETE FROM access_placement WHERE image_id = %s AND scope_id = 1", [images[0].pk])
        Description.objects.filter(accession__image=images[1]).update(structured={"sex": "female"})
        assert males() == 1  # The later change is seen, the earlier one is not there yet.
        first, second = IndexChange.objects.order_by("pk").last(), slow.execute(
            "SELECT max(id) FROM search_indexchange WHERE kind = 'placed'").fetchone()[0]  # fmt: skip
        assert second < first.pk
        assert keep_index() in {"kept", "renewed"}
        slow.commit()
    assert males() == 0
    assert differences() == []
    assert find_differences() == []


def test_a_long_transaction_outlives_the_shortening_of_the_log(cohort):
    images = make_images(cohort, 2, structured={"sex": "male"}, visibility="public")
    keep_index()
    with somebody_else() as slow:
        slow.execute("UPDATE metadata_description SET structured = '{}'")
        for _ in range(3):
            make_images(cohort, 1, structured={"sex": "male"}, visibility="public")
            assert keep_index(anew=True) == "rebuilt"
            assert males() >= 3
        slow.commit()
    assert males() == 3
    assert [image.pk for image in images]
    assert find_differences() == []


def test_several_processes_catch_up_each_by_itself(cohort):
    keep_index()
    processes = [Holder() for _ in range(3)]
    dice = random.Random(5)
    for turn in range(6):
        images = make_images(cohort, 2, structured={"sex": "male"}, visibility=dice.choice(["public", "private"]))
        if turn == 3:
            IndexState.objects.update(kept=now() - timedelta(days=1))
            assert keep_index() == "renewed"  # Those that slept have to read it.
        for process in dice.sample(processes, 2):
            assert differences(process) == []
        withdraw_image(image=images[0], reason="x", user=cohort.creator)
    assert [differences(process) for process in processes] == [[], [], []]


def test_threads_that_write_and_ask_agree(cohort):
    keep_index()
    owner = cohort.creator
    make_images(cohort, 30, structured={"sex": "male"}, visibility="public")
    ids = list(Image.objects.values_list("pk", flat=True))
    wrong, asked, over = [], [], threading.Event()

    def write(seed):
        dice = random.Random(seed)
        try:
            while not over.is_set():
                some = sorted(dice.sample(ids, 3))
                shown = dice.choice([Visibility.PUBLIC, Visibility.PRIVATE])
                with transaction.atomic():
                    list(Image.objects.select_for_update().filter(pk__in=some).order_by("pk"))
                    set_visibility(image_ids=some, visibility=shown)
        finally:
            connection.close()

    def ask():
        try:
            for _ in range(15):
                with one_snapshot():
                    with asking.asking(parse("sex:male"), asker=None) as answer:
                        number = answer.number() if answer else None
                    asked.append(number)
                    if number not in {None, count_by_sql(parse("sex:male"), asker=None)}:
                        wrong.append(number)
                found = look_up(parse("sex:male"), asker=None, limit=100, counted=True)
                if len(found.page.entries) != found.number:
                    wrong.append(found)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(seed,)) for seed in (1, 2)]
    askers = [threading.Thread(target=ask) for _ in range(3)]
    for thread in [*writers, *askers]:
        thread.start()
    for thread in askers:
        thread.join()
    over.set()
    for thread in writers:
        thread.join()
    assert not wrong
    assert len([number for number in asked if number is not None]) > len(asked) // 2 > 20
    assert differences() == []
    assert males(owner) == 30


def test_a_process_that_dies_while_it_keeps_the_index_leaves_the_old_one(cohort, monkeypatch):
    keep_index()
    before = status().version
    make_images(cohort, 2, structured={"sex": "male"}, visibility="public")
    written = []

    def die(self, *args, **kwargs):
        written.append(1)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(IndexState, "save", die)
        with pytest.raises(KeyboardInterrupt):
            keep_index(anew=True)
    assert written
    assert status().version == before
    assert (males(), differences(), find_differences()) == (2, [], [])
    assert keep_index(anew=True) == "rebuilt"
    assert find_differences() == []


def test_one_at_a_time_keeps_the_index(cohort):
    with somebody_else() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [keeping._LOCK])
        assert keep_index() == "busy"
        with pytest.raises(Conflict):
            keep_index(anew=True)
        other.execute("SELECT pg_advisory_unlock(%s)", [keeping._LOCK])
    assert keep_index() == "rebuilt"


def test_half_applied_changes_are_forgotten(cohort, monkeypatch):
    keep_index()
    assert males() == 0
    make_images(cohort, 2, structured={"sex": "male"}, visibility="public")
    with monkeypatch.context() as patch:
        patch.setattr("medtheca.domains.search.index.catching_up.read_placed", lambda *_: 1 / 0)
        assert males() == 2  # By SQL.
        assert HOLDER._held is None
    assert males() == 2
    assert differences() == []
    Description.objects.filter(accession__image__isnull=False).update(structured={"mel_thick_mm": "thick"})
    assert (males(), answers()) == (0, False)
    Description.objects.filter(accession__image__isnull=False).update(structured={"mel_thick_mm": "0.80"})
    assert (count(parse("mel_thick_mm:0.8"), asker=None), differences()) == (2, [])


def test_sql_answers_where_there_is_no_index(cohort, monkeypatch):
    make_images(cohort, 3, structured={"sex": "male"}, visibility="public")
    monkeypatch.setattr(holding, "FEW_IMAGES", 2)
    IndexState.objects.all().delete()
    assert (answers(), males()) == (False, 3)
    keep_index()
    assert (answers(), males()) == (True, 3)


def test_an_index_that_is_damaged_or_of_another_release_is_not_used(cohort, monkeypatch, caplog):
    make_images(cohort, 3, structured={"sex": "male"}, visibility="public")
    monkeypatch.setattr(holding, "FEW_IMAGES", 2)
    keep_index()
    IndexPart.objects.filter(name="terms sex").update(data=b"MTbm nothing of the kind")
    assert (answers(), males()) == (False, 3)
    assert keep_index() == "rebuilt"
    assert answers()
    for column in ("layout", "cluster"):
        IndexState.objects.update(**{column: "of another"})
        assert not answers(Holder())
        assert keep_index() == "rebuilt"
        assert answers(Holder())


def test_sql_answers_for_whoever_is_too_far_behind_until_a_newer_one_is_kept(cohort, monkeypatch):
    make_images(cohort, 3, structured={"sex": "male"}, visibility="public")
    keep_index()
    assert answers()
    monkeypatch.setattr(holding, "MOST_BEHIND", 5)
    monkeypatch.setattr(holding, "FEW_IMAGES", 2)
    make_images(cohort, 6, structured={"sex": "male"}, visibility="public")
    assert (answers(), males()) == (False, 9)
    IndexState.objects.update(kept=now() - timedelta(days=1))
    assert keep_index() == "renewed"
    assert (answers(), males()) == (True, 9)


def test_emptied_tables_are_noticed(cohort):
    make_images(cohort, 3, structured={"sex": "male"}, visibility="public")
    keep_index()
    assert males() == 3
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE access_placement")
    assert males() == 0
    assert keep_index() == "rebuilt"
    assert (males(), differences()) == (0, [])


def test_a_planted_difference_is_found(cohort):
    images = make_images(cohort, 3, structured={"sex": "male"}, visibility="public")
    keep_index()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE access_placement DISABLE TRIGGER search_deleted")
        cursor.execute("DELETE FROM access_placement WHERE image_id = %s AND scope_id = 1", [images[0].pk])
        cursor.execute("ALTER TABLE access_placement ENABLE TRIGGER search_deleted")
    assert find_differences() == ["circles"]
    assert keep_index(anew=True) == "rebuilt"
    assert find_differences() == []


def test_the_log_is_shortened(cohort, monkeypatch):
    keep_index()
    make_images(cohort, 3, visibility="public")
    assert status().waiting > 0
    assert keep_index() == "kept"
    monkeypatch.setattr(keeping, "_MANY_CHANGES", 1)
    assert keep_index() == "renewed"
    assert IndexChange.objects.count() == 0
    assert keep_index() == "kept"


def test_one_change_of_many_images_is_kept_soon(cohort, monkeypatch):
    """The log has one row of it; a process that begins would have all of them to read."""
    images = make_images(cohort, 4, visibility="public")
    keep_index(anew=True)
    monkeypatch.setattr(keeping, "_MANY_THINGS", 4)
    Image.objects.filter(pk__in=[image.pk for image in images[:3]]).update(facts={"modality": "CT"})
    assert (status().waiting, keep_index()) == (1, "kept")
    Image.objects.filter(pk__in=[image.pk for image in images]).update(facts={"modality": "MR"})
    assert (status().waiting, keep_index()) == (2, "renewed")
    assert status().waiting == 0
    assert answers()


def test_a_snapshot_lies_within_a_later_one():
    earlier = Seen.read("10:20:10,14", 5)
    assert earlier.xmin == 10
    assert earlier.is_within(Seen.read("14:25:14,22", 9))
    assert not earlier.is_within(Seen.read("10:19:10,14", 9))
    assert not earlier.is_within(Seen.read("10:25:10,12", 9))  # 12 was over here and is not there.
    assert Seen.read("20:20:", 0).xmin == 20
