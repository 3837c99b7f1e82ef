"""Accessions change cohorts, cohorts and contributors become one; names, contents, circles and ids stay right."""

import pytest

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import Role, ScopeKind
from medtheca.domains.access.invitations import invite
from medtheca.domains.access.models import Membership, Placement, Scope
from medtheca.domains.access.operations import add_member
from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.imaging.models import Image
from medtheca.domains.ledger.models import Event, Notification
from medtheca.domains.metadata.models import MetadataFile
from medtheca.domains.provenance.agreements import AGREEMENT_VERSION, accept_agreement
from medtheca.domains.provenance.enums import AccessionState, DeliveryState, ErasureReason
from medtheca.domains.provenance.longitudinal import link_subjects
from medtheca.domains.provenance.merging import merge_contributors, plan_contributor_merge
from medtheca.domains.provenance.models import Accession, Cohort, Contributor, Delivery, Erasure, Lesion, Patient
from medtheca.domains.provenance.moving import merge_cohorts, move_accessions, plan_cohort_merge, plan_move
from medtheca.domains.provenance.operations import create_cohort
from medtheca.domains.provenance.publication import request_publication
from medtheca.domains.storage.models import Blob
from medtheca.workflows import merging
from medtheca.workflows.checking import INVARIANTS, Look
from tests.factories.accounts import make_user
from tests.factories.images import make_delivery, make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db
# What a factory's image says of its bytes is made up, so the store is not asked.
_ROWS = {"I2", "I5", "I7", "deliveries", "counts"}


def violations():
    return [found for each in INVARIANTS if each.name in _ROWS for found in each.check(Look())]


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def spring(alice):
    return make_cohort(alice, name="Spring")


@pytest.fixture
def autumn(spring, alice):
    return create_cohort(
        contributor=spring.contributor, creator=alice, name="Autumn", licence="CC0-1.0", attribution="Clinic"
    )


def accessions_of(images):
    return list(Accession.objects.filter(image__in=images).order_by("pk").values_list("pk", flat=True))


def circles(image):
    return set(Placement.objects.filter(image=image).values_list("scope", flat=True))


def test_images_move_with_their_circles_and_keep_their_ids(alice, spring, autumn):
    bob, charlie = make_user("bob"), make_user("charlie")
    add_member(scope=spring.scope, user=bob, role=Role.VIEWER)
    add_member(scope=autumn.scope, user=charlie, role=Role.VIEWER)
    public, private, stays = (*make_images(spring, 1, visibility="public"), *make_images(spring, 2))
    ids = accessions_of([public, private])
    plan = plan_move(source=spring, target=autumn, accession_ids=ids, actor=alice)
    assert plan.number == 2
    assert plan.facts["published among them"] == 1
    assert plan.facts["people of the new cohort who will see them"] == 1
    assert plan.steps[0].subject == public.public_id
    assert Accession.objects.filter(cohort=spring).count() == 3
    move_accessions(source=spring, target=autumn, accession_ids=ids, actor=alice, expected=2)
    assert set(Accession.objects.filter(cohort=autumn).values_list("image", flat=True)) == {public.pk, private.pk}
    assert circles(private) == {autumn.scope_id, autumn.contributor.scope_id}
    assert circles(public) == {autumn.scope_id, autumn.contributor.scope_id, 1, 2}
    assert Image.objects.get(pk=public.pk).public_id == public.public_id
    assert set(visible_images(viewer_of(bob))) == {public, stays}
    assert set(visible_images(viewer_of(charlie))) == {public, private}
    # The licence is the image's own, whatever the cohort's is.
    assert set(Accession.objects.filter(pk__in=ids).values_list("licence", flat=True)) == {"CC-BY-4.0"}
    assert list(
        Event.objects.filter(verb__startswith="cohort.moved").order_by("pk").values_list("cohort_id", flat=True)
    ) == [
        spring.pk,
        autumn.pk,
    ]
    assert violations() == []


def test_names_that_collide_are_told_and_nothing_moves(alice, spring, autumn):
    (first,) = make_images(spring, 1, names=["a.jpg"])
    make_images(spring, 1, names=["b.jpg"])
    make_images(autumn, 1, names=["a.jpg"])
    plan = plan_move(source=spring, target=autumn, accession_ids=None, actor=alice)
    assert [(row.subject, row.remedy) for row in plan.obstacles] == [
        ("a.jpg", "Leave it out, or upload one of them under another name.")
    ]
    assert not plan.is_possible
    with pytest.raises(Conflict, match=r"a\.jpg"):
        move_accessions(source=spring, target=autumn, accession_ids=None, actor=alice)
    with pytest.raises(Conflict):
        merge_cohorts(source=spring, target=autumn, actor=alice)
    assert first in Image.objects.filter(accession__cohort=spring)


def test_equal_contents_become_links_where_they_meet_and_part(alice, spring, autumn):
    one, two = make_images(spring, 2)
    (there,) = make_images(autumn, 1)
    first, second = Accession.objects.get(image=one), Accession.objects.get(image=two)
    third = Accession.objects.get(image=there)
    Accession.objects.filter(pk=second.pk).update(original=first.original, same_as=first)
    Accession.objects.filter(pk=third.pk).update(original=first.original)
    plan = plan_move(source=spring, target=autumn, accession_ids=[first.pk], actor=alice)
    assert plan.facts["linked to the same file there"] == 1
    move_accessions(source=spring, target=autumn, accession_ids=[first.pk], actor=alice)
    links = dict(Accession.objects.values_list("pk", "same_as"))
    assert links == {first.pk: None, second.pk: None, third.pk: first.pk}
    assert violations() == []
    merge_cohorts(source=spring, target=autumn, actor=alice)
    assert dict(Accession.objects.values_list("pk", "same_as")) == {
        first.pk: None,
        second.pk: first.pk,
        third.pk: first.pk,
    }
    assert violations() == []


def test_what_is_under_way_stays_where_it_is(alice, spring, autumn):
    asked, reading = make_images(spring, 2)
    ids = accessions_of([asked])
    request_publication(cohort=spring, requester=alice, visibility="public", accession_ids=ids)
    row = Accession.objects.get(image=reading)
    Accession.objects.filter(pk=row.pk).update(image=None, state=AccessionState.RECEIVED)
    plan = plan_move(source=spring, target=autumn, accession_ids=None, actor=alice)
    assert sorted(obstacle.words for obstacle in plan.obstacles) == [
        "It is being read.",
        "It was asked to be published.",
    ]
    make_delivery(spring, state=DeliveryState.CONVERTING)
    plan = plan_cohort_merge(source=spring, target=autumn, actor=alice)
    assert "The upload is not finished." in [obstacle.words for obstacle in plan.obstacles]


def test_only_owners_move_and_only_within_a_contributor(alice, spring, autumn):
    bob = make_user("bob")
    add_member(scope=spring.scope, user=bob, role=Role.EDITOR)
    images = make_images(spring, 1)
    with pytest.raises(NotAllowed):
        plan_move(source=spring, target=autumn, accession_ids=None, actor=bob)
    with pytest.raises(NotAllowed):
        merge_cohorts(source=spring, target=autumn, actor=bob)
    other = make_cohort(alice, name="Other")
    with pytest.raises(Conflict) as refusal:
        move_accessions(source=spring, target=other, accession_ids=None, actor=alice)
    assert refusal.value.code == "other_contributor"
    with pytest.raises(Invalid):
        move_accessions(source=spring, target=spring, accession_ids=None, actor=alice)
    with pytest.raises(NotFound):
        move_accessions(source=autumn, target=spring, accession_ids=accessions_of(images), actor=alice)
    with pytest.raises(Conflict) as refusal:
        move_accessions(source=spring, target=autumn, accession_ids=None, actor=alice, expected=7)
    assert refusal.value.code == "changed_meanwhile"


def test_a_cohort_goes_into_another_with_all_that_points_to_it(alice, spring, autumn):
    bob, edith = make_user("bob"), make_user("edith")
    add_member(scope=spring.scope, user=bob, role=Role.EDITOR)
    add_member(scope=spring.scope, user=edith, role=Role.VIEWER)
    add_member(scope=autumn.scope, user=edith, role=Role.EDITOR)
    delivery = make_delivery(spring, [{"path": "a.jpg", "outcome": "refused"}])
    images = make_images(spring, 2, delivery=delivery)
    file = MetadataFile.objects.create(
        cohort=spring, creator=alice, name="values.csv", blob=Blob.objects.first(), state="applied", rows=1
    )
    scope = spring.scope_id
    plan = merging.plan_cohort_merge(source=spring, target=autumn, actor=alice)
    assert plan.facts["people of the old cohort who come along"] == 1
    assert plan.facts["uploads that come along"] == 1
    MetadataFile.objects.filter(pk=file.pk).update(state="applying")
    assert not merging.plan_cohort_merge(source=spring, target=autumn, actor=alice).is_possible
    MetadataFile.objects.filter(pk=file.pk).update(state="applied")
    merging.merge_cohorts(source=spring, target=autumn, actor=alice, expected=plan.number)
    assert not Cohort.objects.filter(pk=spring.pk).exists()
    assert not Scope.objects.filter(pk=scope).exists()
    assert Delivery.objects.get(pk=delivery.pk).cohort == autumn
    assert MetadataFile.objects.get(pk=file.pk).cohort == autumn
    assert circles(images[0]) == {autumn.scope_id, autumn.contributor.scope_id}
    members = dict(Membership.objects.filter(scope=autumn.scope_id).values_list("user", "role"))
    assert members == {bob.pk: "editor", edith.pk: "editor"}
    # What was written of the old cohort stays written.
    assert Event.objects.filter(verb="cohort.created", subject_id=str(spring.pk)).exists()
    assert violations() == []


def test_the_other_owners_are_told(alice, spring, autumn):
    bob = make_user("bob")
    add_member(scope=spring.contributor.scope, user=bob, role=Role.OWNER)
    make_images(spring, 2)
    move_accessions(source=spring, target=autumn, accession_ids=None, actor=alice)
    told = Notification.objects.get()
    assert (told.recipient_id, told.words) == (bob.pk, "2 images were moved from Spring to Autumn.")


def test_an_empty_cohort_can_go_too(alice, spring, autumn):
    plan = merge_cohorts(source=spring, target=autumn, actor=alice)
    assert plan.number == 1
    assert list(Cohort.objects.all()) == [autumn]


@pytest.fixture
def bobs(alice):
    return make_cohort(make_user("bob"), name="Bob's")


def describe(cohort, image, patient, lesion=None):
    accession = Accession.objects.get(image=image)
    link_subjects(contributor=cohort.contributor, rows=[(accession, patient, lesion)])
    return Accession.objects.get(pk=accession.pk)


def test_contributors_become_one_with_people_cohorts_and_circles(alice, spring, bobs):
    sam, bob = make_user("sam"), bobs.creator
    accept_agreement(contributor=bobs.contributor, actor=bob, version=AGREEMENT_VERSION)
    invitation, _ = invite(scope=bobs.contributor.scope, email="x@example.org", role=Role.VIEWER, by=bob)
    (image,) = make_images(bobs, 1)
    one = describe(bobs, image, "B-1", "L-1")
    gone, scope = bobs.contributor_id, bobs.contributor.scope_id
    with pytest.raises(NotAllowed):
        plan_contributor_merge(source=bobs.contributor, target=spring.contributor, actor=alice)
    plan = plan_contributor_merge(source=bobs.contributor, target=spring.contributor, actor=sam)
    assert (plan.facts["cohorts"], plan.facts["images"], plan.facts["people who come along"]) == (1, 1, 1)
    merge_contributors(source=bobs.contributor, target=spring.contributor, actor=sam, expected=plan.number)
    assert not Contributor.objects.filter(pk=gone).exists()
    assert not Scope.objects.filter(pk=scope).exists()
    bobs.refresh_from_db()
    assert bobs.contributor == spring.contributor
    assert circles(image) == {bobs.scope_id, spring.contributor.scope_id}
    assert set(visible_images(viewer_of(alice))) == {image}
    assert set(Membership.objects.filter(scope=spring.contributor.scope_id).values_list("user", "role")) == {
        (alice.pk, "owner"),
        (bob.pk, "owner"),
    }
    one.refresh_from_db()
    assert one.patient.contributor == spring.contributor
    invitation.refresh_from_db()
    assert invitation.scope_id == spring.contributor.scope_id
    assert violations() == []


def test_the_same_private_ids_become_one_only_when_somebody_says_so(alice, spring, bobs):
    sam = make_user("sam")
    (hers,) = make_images(spring, 1)
    his, other = make_images(bobs, 2)
    kept = describe(spring, hers, "P-1", "L-1")
    joined = describe(bobs, his, "P-1", "L-1")
    apart = describe(bobs, other, "P-2")
    given = {"source": bobs.contributor, "target": spring.contributor, "actor": sam}
    plan = plan_contributor_merge(**given)
    assert sorted(obstacle.subject for obstacle in plan.obstacles) == ["lesion L-1", "patient P-1"]
    with pytest.raises(Conflict):
        merge_contributors(**given)
    merge_contributors(**given, unite=True)
    joined.refresh_from_db()
    apart.refresh_from_db()
    assert (joined.patient, joined.lesion) == (kept.patient, kept.lesion)
    assert apart.patient.private_id == "P-2"
    assert Patient.objects.count() == 2
    assert Lesion.objects.count() == 1
    united = Event.objects.get(verb="contributor.merged").details["united"]
    assert set(united.values()) == {kept.patient.public_id, kept.lesion.public_id}
    assert "P-1" not in str(united)


def test_nothing_is_merged_while_a_patient_is_being_erased(alice, spring, bobs):
    (image,) = make_images(bobs, 1)
    patient = describe(bobs, image, "B-1").patient
    erasure = Erasure.objects.create(
        contributor=bobs.contributor,
        patient_public_id=patient.public_id,
        reason=ErasureReason.PATIENT,
        requester=bobs.creator,
    )
    given = {"source": bobs.contributor, "target": spring.contributor, "actor": make_user("sam")}
    assert [row.subject for row in plan_contributor_merge(**given).obstacles] == [f"patient {patient.public_id}"]
    Erasure.objects.filter(pk=erasure.pk).update(state="declined")
    merge_contributors(**given)
    erasure.refresh_from_db()
    assert erasure.contributor == spring.contributor


def test_cohorts_of_one_name_stand_in_the_way(spring, bobs):
    Cohort.objects.filter(pk=bobs.pk).update(name="Spring")
    plan = plan_contributor_merge(source=bobs.contributor, target=spring.contributor, actor=make_user("sam"))
    assert [obstacle.subject for obstacle in plan.obstacles] == ["Spring"]


def test_no_other_circle_is_touched(alice, spring, autumn):
    before = Scope.objects.filter(kind__in=[ScopeKind.PUBLIC, ScopeKind.SIGNED_IN]).count()
    make_images(spring, 3, visibility="public")
    shown = Placement.objects.filter(scope__in=[1, 2]).count()
    merge_cohorts(source=spring, target=autumn, actor=alice)
    assert Placement.objects.filter(scope__in=[1, 2]).count() == shown == 6
    assert Scope.objects.filter(kind__in=[ScopeKind.PUBLIC, ScopeKind.SIGNED_IN]).count() == before


def test_nobody_but_staff_moves_images_away_from_a_second_reader(alice, spring, autumn):
    make_images(spring, 1)
    Cohort.objects.filter(pk=spring.pk).update(readers=2)
    spring.refresh_from_db()
    for look in (lambda user: plan_move(source=spring, target=autumn, accession_ids=None, actor=user),):
        with pytest.raises(NotAllowed, match="second reader"):
            look(alice)
        assert look(make_user("sam")).number == 1
    with pytest.raises(NotAllowed, match="second reader"):
        merge_cohorts(source=spring, target=autumn, actor=alice)
    assert plan_move(source=autumn, target=spring, accession_ids=None, actor=alice).number == 0
