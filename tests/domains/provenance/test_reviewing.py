"""Who may judge images, what several judgements come to, and what is kept of them."""

import pytest

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.ledger.models import Event, Notification
from medtheca.domains.provenance.enums import AccessionState
from medtheca.domains.provenance.models import Accession, Cohort, FileVersion, Review
from medtheca.domains.provenance.review_queue import judged_by
from medtheca.domains.provenance.reviewing import record_reviews, reset_reviews, restate_reviews, undo_reviews
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


@pytest.fixture
def rita(cohort):
    return make_reviewer("rita", cohort)


def make_reviewer(name, cohort):
    user = make_user(name)
    add_member(scope=cohort.scope, user=user, role=Role.REVIEWER)
    return user


def accessions_of(cohort, number=1):
    images = make_images(cohort, number)
    return list(Accession.objects.filter(image__in=images).order_by("pk").values_list("pk", flat=True))


def state_of(pk):
    return Accession.objects.get(pk=pk).review_state


def judge(reviewer, pk, decision, **more):
    more = {"reason_code": "" if decision == "accepted" else "quality", **more}
    return record_reviews(accession_ids=[pk], reviewer=reviewer, decision=decision, **more)


@pytest.mark.parametrize(
    ("who", "outcome"),
    [
        ("reviewer of the cohort", None),
        ("reviewer of the contributor", None),
        ("staff", None),
        ("owner of the contributor", NotAllowed),
        ("owner of the contributor who also reviews", NotAllowed),
        ("editor of the cohort", NotAllowed),
        ("viewer of the cohort", NotAllowed),
        ("reviewer of another cohort", NotFound),
        ("stranger", NotFound),
        ("disabled reviewer", NotFound),
    ],
)
def test_who_may_judge(who, outcome, alice, cohort):
    (pk,) = accessions_of(cohort)
    person = alice if "owner" in who else make_user("sam" if who == "staff" else "rita")
    if who == "reviewer of another cohort":
        add_member(scope=make_cohort(make_user("bob"), name="Other").scope, user=person, role=Role.REVIEWER)
    elif "of the" in who and "owner" not in who:
        scope = cohort.scope if "cohort" in who else cohort.contributor.scope
        add_member(scope=scope, user=person, role=Role(who.split()[0]))
    elif who == "owner of the contributor who also reviews":
        add_member(scope=cohort.scope, user=person, role=Role.REVIEWER)
    elif who == "disabled reviewer":
        add_member(scope=cohort.scope, user=person, role=Role.REVIEWER)
        person.is_active = False
        person.save()

    if outcome is None:
        judge(person, pk, "accepted")
        assert state_of(pk) == "accepted"
    else:
        with pytest.raises(outcome):
            judge(person, pk, "accepted")
        assert state_of(pk) == "awaiting"
        assert not Review.objects.exists()


def test_rita_may_not_judge_what_she_brought_herself(cohort, rita):
    mine, other = accessions_of(cohort, 2)
    Accession.objects.filter(pk=mine).update(creator=rita)

    with pytest.raises(NotAllowed) as refused:
        record_reviews(accession_ids=[mine, other], reviewer=rita, decision="accepted")

    assert refused.value.code == "own_images"
    assert (state_of(mine), state_of(other)) == ("awaiting", "awaiting")


def test_sam_of_the_staff_may_judge_what_sam_brought(cohort):
    (pk,) = accessions_of(cohort)
    sam = make_user("sam")
    Accession.objects.filter(pk=pk).update(creator=sam)

    judge(sam, pk, "accepted")

    assert state_of(pk) == "accepted"


@pytest.mark.parametrize(
    ("readers", "said", "state"),
    [
        (1, "rita accepted", "accepted"),
        (1, "rita rejected", "rejected"),
        (1, "rita flagged", "flagged"),
        (1, "rita rejected, rita accepted", "accepted"),
        (1, "rita accepted, ruth rejected", "rejected"),
        (1, "rita rejected, ruth accepted", "rejected"),
        (1, "rita flagged, ruth accepted", "flagged"),
        (1, "rita flagged, ruth rejected", "rejected"),
        (2, "rita accepted", "awaiting"),
        (2, "rita accepted, rita accepted", "awaiting"),
        (2, "rita accepted, ruth accepted", "accepted"),
        (2, "rita rejected, ruth accepted", "rejected"),
        (2, "rita flagged, ruth accepted", "flagged"),
        (2, "rita flagged, ruth accepted, rita accepted", "accepted"),
    ],
)
def test_what_several_judgements_come_to(readers, said, state, cohort, rita):
    people = {"rita": rita, "ruth": make_reviewer("ruth", cohort)}
    Cohort.objects.filter(pk=cohort.pk).update(readers=readers)
    (pk,) = accessions_of(cohort)

    for act in said.split(", "):
        name, decision = act.split()
        judge(people[name], pk, decision)

    assert state_of(pk) == state


def test_the_same_said_twice_is_one_act(cohort, rita):
    (pk,) = accessions_of(cohort)

    first = judge(rita, pk, "rejected")
    again = judge(rita, pk, "rejected")

    assert first == again
    assert Review.objects.count() == 1
    assert Event.objects.filter(verb="accessions.reviewed").count() == 1
    judge(rita, pk, "rejected", reason_code="text")
    assert Review.objects.count() == 2


def test_undo_lets_what_was_said_before_count_again(cohort, rita):
    (pk,) = accessions_of(cohort)
    judge(rita, pk, "flagged")
    review = judge(rita, pk, "accepted")[pk]

    undo_reviews(review_ids=[review], reviewer=rita)
    assert state_of(pk) == "flagged"
    undo_reviews(review_ids=[review], reviewer=rita)
    assert state_of(pk) == "flagged"

    assert Review.objects.count() == 2  # history is kept
    with pytest.raises(NotFound):
        undo_reviews(review_ids=[review], reviewer=make_reviewer("ruth", cohort))


def test_reset_begins_again_and_keeps_the_history(cohort, rita):
    pks = accessions_of(cohort, 3)
    record_reviews(accession_ids=pks, reviewer=rita, decision="accepted")

    reset_reviews(accession_ids=pks[:2])

    assert [state_of(pk) for pk in pks] == ["awaiting", "awaiting", "accepted"]
    assert Review.objects.count() == 3
    # The same word about what is new is an act of its own.
    record_reviews(accession_ids=pks[:1], reviewer=rita, decision="accepted")
    assert state_of(pks[0]) == "accepted"
    assert Review.objects.count() == 4


def test_more_readers_are_asked_for_later(cohort, rita):
    pks = accessions_of(cohort, 2)
    record_reviews(accession_ids=pks, reviewer=rita, decision="accepted")
    Cohort.objects.filter(pk=cohort.pk).update(readers=2)

    restate_reviews(accession_ids=pks)

    assert [state_of(pk) for pk in pks] == ["awaiting", "awaiting"]


def test_what_is_not_converted_cannot_be_judged(cohort, rita):
    pks = accessions_of(cohort, 2)
    Accession.objects.filter(pk=pks[1]).update(state=AccessionState.RECEIVED, image=None)

    with pytest.raises(Conflict) as refused:
        record_reviews(accession_ids=pks, reviewer=rita, decision="accepted")

    assert refused.value.code == "not_converted"
    assert not Review.objects.exists()


@pytest.mark.parametrize(
    ("decision", "more", "field"),
    [
        ("maybe", {}, "decision"),
        ("rejected", {"reason_code": ""}, "reason_code"),
        ("flagged", {"reason_code": ""}, "reason_code"),
        ("rejected", {"reason_code": "ugly"}, "reason_code"),
        ("rejected", {"reason": "x" * 501}, "reason"),
        ("rejected", {"reason": "a\x00b"}, "reason"),
    ],
)
def test_a_judgement_that_cannot_be_kept(decision, more, field, cohort, rita):
    (pk,) = accessions_of(cohort)

    with pytest.raises(Invalid) as refused:
        judge(rita, pk, decision, **more)

    assert field in {problem.field for problem in refused.value.problems}


def test_thousands_are_judged_by_a_few_statements(cohort, rita, django_assert_max_num_queries):
    pks = accessions_of(cohort, 3000)

    with django_assert_max_num_queries(26):
        given = record_reviews(accession_ids=pks, reviewer=rita, decision="accepted")

    assert sorted(given) == pks
    assert Accession.objects.filter(review_state="accepted").count() == 3000


def test_the_ledger_holds_no_words_about_people(cohort, rita):
    (pk,) = accessions_of(cohort)

    judge(rita, pk, "rejected", reason_code="identifiable", reason="Mrs Jones can be seen")

    event = Event.objects.get(verb="accessions.reviewed")
    assert event.details == {"accessions": [pk], "decision": "rejected", "reason_code": "identifiable"}


def test_owners_are_told_once_when_nothing_waits(cohort, rita, alice):
    pks = accessions_of(cohort, 3)
    record_reviews(accession_ids=pks[:2], reviewer=rita, decision="accepted")
    assert not Notification.objects.exists()

    judge(rita, pks[2], "rejected")
    judge(rita, pks[1], "rejected")

    told = Notification.objects.get()
    assert (told.recipient_id, told.kind) == (alice.pk, "review.outcome")
    assert told.words.endswith("are reviewed: 1 accepted, 2 rejected.")


@pytest.mark.parametrize("state", ["candidate", "current"])
def test_rita_may_not_judge_a_file_by_which_she_replaced_another(state, cohort, rita):
    (pk,) = accessions_of(cohort)
    other = make_reviewer("ruth", cohort)
    FileVersion.objects.create(
        accession_id=pk, number=2, kind="replacement", state=state, name="a.jpg", reason="Sharper.", creator=rita
    )
    with pytest.raises(NotAllowed) as refused:
        judge(rita, pk, "accepted")
    assert refused.value.code == "own_images"
    assert not judged_by(rita).filter(pk=pk).exists()
    assert judged_by(other).filter(pk=pk).exists()
