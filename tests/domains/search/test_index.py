"""The index follows the tables: after every commit, in every process and thread, whatever is cut off."""

import random
import threading
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from medtheca.base.clock import now
from medtheca.base.errors import Conflict
from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.groups import create_group
from medtheca.domains.access.models import Placement
from medtheca.domains.access.operations import add_member, place_images, set_visibility, withdraw_image
from medtheca.domains.imaging.models import Image
from medtheca.domains.metadata.models import Description
from medtheca.domains.provenance.models import Accession, Patient
from medtheca.domains.search.entries import look_up
from medtheca.domains.search.facets import count_values
from medtheca.domains.search.filters import Filters
from medtheca.domains.search.index import asking, holding, keeping
from medtheca.domains.search.index.holding import HOLDER, Holder
from medtheca.domains.search.index.keeping import find_differences, keep_index, status
from medtheca.domains.search.index.reading import read_archive
from medtheca.domains.search.index.snapshots import Seen, one_snapshot
from medtheca.domains.search.models import IndexChange, IndexPart, IndexState
from medtheca.domains.search.queries import count, count_by_sql
from medtheca.toolkit.querylang import parse
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.plugins.server import fresh_database, speaking_to


@pytest.fixture(autouse=True)
def _database(django_db_setup, django_db_blocker):
    """Transactions that are committed, in a database of the test's own: other processes shall see them."""
    HOLDER.forget()
    with fresh_database() as (name, _), speaking_to(name), django_db_blocker.unblock():
        yield
    HOLDER.forget()


@pytest.fixture
def cohort():
    return make_cohort(make_user("alice"))


def differences(holder=HOLDER):
    """In what the index of a process differs from the tables in the very same snapshot."""
    with one_snapshot(), holder.view() as view:
        assert view is not None, "SQL would have to answer"
        return read_archive().differences(view.archive)


def answers(holder=HOLDER):
    with one_snapshot(), holder.view() as view:
        return view is not None


def somebody_else():
    """A connection of another process."""
    parameters = {name: connection.settings_dict[name.upper()] for name in ("user", "password", "host", "port")}
    return psycopg.connect(dbname=connection.settings_dict["NAME"], **parameters)


def males(asker=None):
    return count(parse("sex:male"), asker=asker)


def refuse(image_ids):
    """Let accessions go of their images, as only a refusal or an erasure does."""
    rows = Accession.objects.filter(image__in=image_ids)
    rows.update(image=None, state="refused", original=None, published=None)


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


class World(RuleBasedStateMachine):
    """Images come, are described, shown, hidden, moved, withdrawn and deleted; processes ask, sleep and keep."""

    texts = ("*", "sex:male", "-sex:male", "license:CC-0 OR age_approx:>5", "nevus OR isic_0", "diagnosis:Benign")

    def __init__(self):
        super().__init__()
        self.dice = random.Random(0)
        self.people = [None, *World.users]
        self.processes = [Holder(), Holder()]

    def some(self, most=4):
        ids = list(Image.objects.order_by("pk").values_list("pk", flat=True))
        return self.dice.sample(ids, min(len(ids), self.dice.randint(1, most)))

    @rule(number=st.integers(1, 4), seed=st.integers(), shown=st.sampled_from(["public", "private", "signed_in"]))
    def come(self, number, seed, shown):
        self.dice.seed(seed)
        said = {"sex": self.dice.choice(["male", "female"]), "age_approx": self.dice.choice([5, 50])}
        make_images(self.dice.choice(World.cohorts), number, structured=said, visibility=shown)

    @rule(seed=st.integers(), sex=st.sampled_from(["male", "female", None]))
    def describe(self, seed, sex):
        self.dice.seed(seed)
        said = {"sex": sex, "diagnosis_1": "Benign"} if sex else {}
        Description.objects.filter(accession__image__in=self.some()).update(structured=said)

    @rule(seed=st.integers(), shown=st.sampled_from(Visibility), late=st.booleans())
    def show(self, seed, shown, late):
        self.dice.seed(seed)
        opens = now() + timedelta(days=1) if late else None
        set_visibility(image_ids=self.some(), visibility=shown, opens=opens, group_ids=[World.group.pk])

    @rule(seed=st.integers())
    def move(self, seed):
        self.dice.seed(seed)
        Accession.objects.filter(image__in=self.some()).update(cohort=World.cohorts[1], licence="CC0-1.0")

    @rule(seed=st.integers())
    def withdraw(self, seed):
        self.dice.seed(seed)
        for image in Image.objects.filter(pk__in=self.some(2), withdrawal__isnull=True):
            withdraw_image(image=image, reason="x", user=World.users[0])

    @rule(seed=st.integers())
    def delete(self, seed):
        self.dice.seed(seed)
        some = self.some(2)
        refuse(some)
        Image.objects.filter(pk__in=some).delete()

    @rule(seed=st.integers())
    def give_up(self, seed):
        """A transaction that is rolled back leaves nothing, although it has taken keys and ids."""
        self.dice.seed(seed)
        with transaction.atomic():
            set_visibility(image_ids=self.some(), visibility=Visibility.PUBLIC)
            transaction.set_rollback(True)

    @rule(anew=st.booleans())
    def keep(self, anew):
        IndexState.objects.update(kept=now() - timedelta(days=1))
        keep_index(anew=anew)

    @rule(at=st.integers(0, 1))
    def begin_again(self, at):
        self.processes[at] = Holder()

    @precondition(lambda _: Image.objects.exists())
    @rule(at=st.integers(0, 1))
    def follow(self, at):
        assert differences(self.processes[at]) == []

    @invariant()
    def all_agree(self):
        fields = ("sex", "age_approx", "diagnosis", "copyright_license")
        person, text = self.dice.choice(self.people), self.dice.choice(World.texts)
        tree = parse(text)
        asked = {"asker": person, "limit": 3, "newest_first": self.dice.random() < 0.5, "counted": True}
        found, counted = look_up(tree, **asked), count_values(tree, fields, asker=person)
        beyond = found.page.next
        following = look_up(tree, **asked, cursor=beyond) if beyond else None
        with transaction.atomic():  # Here SQL answers.
            assert look_up(tree, **asked) == found
            assert following == (look_up(tree, **asked, cursor=beyond) if beyond else None)
            assert count_values(tree, fields, asker=person) == counted
        assert found.number == count_by_sql(tree, asker=person)
        sums = (sum(one.values.values()) + one.missing for name, one in counted.items() if name != "diagnosis")
        assert set(sums) == {found.number}


def test_whatever_happens_index_and_tables_agree():
    World.users = [make_user(name) for name in ("alice", "bob", "sam")]
    World.cohorts = [make_cohort(user, name=f"Of {user.first_name}") for user in World.users[:2]]
    World.group = create_group(creator=World.users[0], name="Group")
    add_member(scope=World.group, user=World.users[1], role="viewer")
    add_member(scope=World.cohorts[0].scope, user=World.users[1], role="reviewer")
    HOLDER.forget()
    keep_index(anew=True)
    run_state_machine_as_test(
        World,
        settings=settings(
            max_examples=6, stateful_step_count=15, deadline=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
