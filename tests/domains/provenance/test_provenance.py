"""Who may do what with contributors and cohorts, and what the database itself refuses."""

import pytest
from django.db import IntegrityError, connection, transaction

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.accounts.operations import set_active
from medtheca.domains.ledger.models import Event
from medtheca.domains.provenance.access import may_own, visible_accessions, visible_cohorts, visible_contributors
from medtheca.domains.provenance.enums import DeliveryState
from medtheca.domains.provenance.models import Accession, Cohort, Contributor, Delivery
from medtheca.domains.provenance.operations import (
    add_owner,
    create_cohort,
    create_contributor,
    finish_delivery_if_done,
    refuse_delivery,
    remove_owner,
)
from medtheca.domains.provenance.queries import accession_for, cohort_for, contributor_for, delivery_for
from tests.factories.accounts import make_user
from tests.factories.images import make_delivery, make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    cohort = make_cohort(alice)
    delivery = make_delivery(cohort, [{"path": "a.jpg", "outcome": "accepted"}])
    make_images(cohort, 1, names=["a.jpg"], delivery=delivery)
    return cohort


@pytest.mark.parametrize(
    ("who", "sees", "owns"),
    [
        ("alice", True, True),
        ("viewer of the cohort", True, False),
        ("viewer of the contributor", True, False),
        ("owner of the cohort", True, True),
        ("charlie", False, False),
        ("sam", True, True),
        ("disabled alice", False, False),
        ("disabled sam", False, False),
        ("nobody", False, False),
    ],
)
def test_who_sees_and_who_owns(who, sees, owns, alice, cohort):
    contributor = cohort.contributor
    person = (
        None if who == "nobody" else alice if "alice" in who else make_user(who.split()[-1] if "sam" in who else "bob")
    )
    if who.startswith("disabled"):
        person = set_active(user=person, active=False)
    if " of the " in who:
        role = Role(who.split()[0])
        add_member(scope=cohort.scope if who.endswith("cohort") else contributor.scope, user=person, role=role)
    accession, delivery = Accession.objects.get(), Delivery.objects.get()
    assert visible_cohorts(person).filter(pk=cohort.pk).exists() == sees
    assert visible_accessions(person).filter(pk=accession.pk).exists() == sees
    assert may_own(person, cohort) == owns
    only_cohort = who in {"viewer of the cohort", "owner of the cohort"}
    assert visible_contributors(person).filter(pk=contributor.pk).exists() == (sees and not only_cohort)
    assert may_own(person, contributor) == (owns and not only_cohort)
    for ask, key in ((cohort_for, cohort.pk), (accession_for, accession.pk), (delivery_for, delivery.pk)):
        if sees:
            assert ask(person, key).pk == key
        else:
            with pytest.raises(NotFound):
                ask(person, key)
    if not sees:
        with pytest.raises(NotFound):
            contributor_for(person, contributor.pk)


def test_only_owners_make_cohorts_and_change_owners(alice, cohort):
    bob, charlie = make_user("bob"), make_user("charlie")
    contributor = cohort.contributor
    add_member(scope=contributor.scope, user=bob, role=Role.VIEWER)
    for person in (bob, charlie):
        with pytest.raises(NotAllowed):
            create_cohort(contributor=contributor, creator=person, name="N", licence="CC0-1.0", attribution="A")
        with pytest.raises(NotAllowed):
            add_owner(contributor=contributor, user=person, actor=person)
        with pytest.raises(NotAllowed):
            remove_owner(contributor=contributor, user=alice, actor=person)
    add_owner(contributor=contributor, user=bob, actor=alice)
    assert may_own(bob, cohort)
    remove_owner(contributor=contributor, user=alice, actor=bob)
    assert not may_own(alice, cohort)
    with pytest.raises(Conflict):
        remove_owner(contributor=contributor, user=bob, actor=bob)
    with pytest.raises(NotFound):
        remove_owner(contributor=contributor, user=charlie, actor=bob)
    verbs = list(Event.objects.filter(subject_type="contributor").order_by("pk").values_list("verb", flat=True))
    assert [verb for verb in verbs if "owner" in verb] == ["contributor.owner_added", "contributor.owner_removed"]


def test_disabled_people_make_and_own_nothing(alice, cohort):
    bob = set_active(user=make_user("bob"), active=False)
    with pytest.raises(NotAllowed):
        create_contributor(creator=bob, institution_name="Clinic")
    with pytest.raises(Conflict):
        add_owner(contributor=cohort.contributor, user=bob, actor=alice)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "n" * 256}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"attribution": ""}, "attribution"),
        ({"attribution": "a" * 201}, "attribution"),
        ({"licence": "GPL"}, "licence"),
        ({"description": "half \ud83d"}, "description"),
    ],
)
def test_a_cohort_that_cannot_be_is_refused_by_field(change, field, alice, cohort):
    with pytest.raises(Invalid) as refusal:
        create_cohort(
            contributor=cohort.contributor,
            creator=alice,
            **{"name": "New", "licence": "CC0-1.0", "attribution": "Clinic", **change},
        )
    assert [problem.field for problem in refusal.value.problems] == [field]
    assert Cohort.objects.count() == 1


def test_a_name_of_a_cohort_is_taken_once_and_the_transaction_lives_on(alice, cohort):
    with pytest.raises(Conflict) as refusal:
        create_cohort(
            contributor=cohort.contributor, creator=alice, name=f" {cohort.name} ", licence="CC0-1.0", attribution="A"
        )
    assert refusal.value.remedy
    assert Cohort.objects.count() == 1
    with pytest.raises(Invalid):
        create_contributor(creator=alice, institution_name="i" * 256)
    assert Contributor.objects.count() == 1


def test_a_delivery_ends_when_its_last_file_does_and_only_once(cohort):
    waiting = make_delivery(cohort, [{"path": "b.jpg", "outcome": "waiting"}], state=DeliveryState.CONVERTING)
    finish_delivery_if_done([waiting.pk])
    waiting.refresh_from_db()
    assert waiting.state == "converting"
    waiting.verdicts.update(outcome="accepted")
    finish_delivery_if_done([waiting.pk])
    waiting.refresh_from_db()
    assert waiting.state == "done"
    finished = waiting.finished
    refuse_delivery(delivery=waiting, code="late", words="Too late.", remedy="")
    waiting.refresh_from_db()
    assert (waiting.state, waiting.finished) == ("done", finished)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE provenance_contributor SET institution_name = ''",
        "UPDATE provenance_contributor SET default_licence = 'GPL'",
        "UPDATE provenance_cohort SET name = ''",
        "UPDATE provenance_cohort SET licence = 'GPL'",
        "UPDATE provenance_cohort SET name = 'same'",
        "UPDATE provenance_delivery SET state = 'lost'",
        "UPDATE provenance_delivery SET state = 'refused', refusal = ''",
        "UPDATE provenance_delivery SET state = 'done', finished = NULL",
        "UPDATE provenance_accession SET name_key = ''",
        "UPDATE provenance_accession SET name_key = 'same.jpg'",
        "UPDATE provenance_accession SET licence = 'GPL'",
        "UPDATE provenance_accession SET state = 'lost'",
        "UPDATE provenance_accession SET state = 'received'",
        "UPDATE provenance_accession SET state = 'refused'",
        "UPDATE provenance_accession SET original_id = NULL",
        "UPDATE provenance_accession SET image_id = NULL",
        "UPDATE provenance_accession SET original_id = (SELECT min(original_id) FROM provenance_accession)",
        "UPDATE provenance_accession SET image_id = (SELECT min(image_id) FROM provenance_accession)",
        "UPDATE provenance_accession SET published = now(), state = 'refused', original_id = NULL, image_id = NULL",
        "UPDATE provenance_verdict SET outcome = 'perhaps'",
        "UPDATE provenance_verdict SET words = ''",
        "UPDATE provenance_verdict SET code = ''",
        (
            "INSERT INTO provenance_verdict (delivery_id, ordinal, path, name, outcome, code, words, remedy)"
            " SELECT delivery_id, ordinal, 'x', 'x', 'accepted', 'x', 'x', '' FROM provenance_verdict"
        ),
        (
            "INSERT INTO provenance_review (accession_id, reviewer_id, decision, reason)"
            " SELECT id, creator_id, 'rejected', '' FROM provenance_accession"
        ),
        (
            "INSERT INTO provenance_review (accession_id, reviewer_id, decision, reason)"
            " SELECT id, creator_id, 'maybe', 'x' FROM provenance_accession"
        ),
        (
            "INSERT INTO provenance_publishrequest (cohort_id, requester_id, visibility, state, reason, modified)"
            " SELECT id, creator_id, 'private', 'requested', '', now() FROM provenance_cohort"
        ),
        (
            "INSERT INTO provenance_publishrequest (cohort_id, requester_id, visibility, state, reason, modified)"
            " SELECT id, creator_id, 'public', 'rejected', '', now() FROM provenance_cohort"
        ),
        (
            "INSERT INTO provenance_publishrequest (cohort_id, requester_id, visibility, state, reason, modified)"
            " SELECT id, creator_id, 'public', 'lost', '', now() FROM provenance_cohort"
        ),
    ],
)
def test_the_database_refuses_what_must_not_be(statement, alice, cohort):
    make_images(cohort, 1, names=["b.jpg"])
    create_cohort(contributor=cohort.contributor, creator=alice, name="2", licence="CC0-1.0", attribution="A")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
