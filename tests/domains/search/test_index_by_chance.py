"""Whatever happens in whatever order, every process's index says what the tables say."""

import random
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from medtheca.base.clock import now
from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.groups import create_group
from medtheca.domains.access.operations import add_member, set_visibility, withdraw_image
from medtheca.domains.imaging.models import Image
from medtheca.domains.metadata.models import Description
from medtheca.domains.provenance.models import Accession
from medtheca.domains.search.entries import look_up
from medtheca.domains.search.facets import count_values
from medtheca.domains.search.index.holding import HOLDER, Holder
from medtheca.domains.search.index.keeping import keep_index
from medtheca.domains.search.models import IndexState
from medtheca.domains.search.queries import count_by_sql
from medtheca.toolkit.querylang import parse
from tests.domains.search.indexes import differences, own_database, refuse
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort


@pytest.fixture(autouse=True)
def _database(django_db_setup, django_db_blocker):
    with own_database(django_db_blocker):
        yield


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
