"""Another licence for images, and images removed for good."""

import pytest

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import Role
from medtheca.domains.access.models import Placement
from medtheca.domains.access.operations import add_member, withdraw_image
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.ledger.models import Event
from medtheca.domains.metadata.models import Description
from medtheca.domains.provenance.licensing import plan_relicense, relicense
from medtheca.domains.provenance.models import Accession, Cohort, Verdict
from medtheca.domains.provenance.publication import request_publication
from medtheca.domains.provenance.purging import plan_purge, purge
from medtheca.domains.provenance.selecting import select
from tests.domains.provenance.test_moving import violations
from tests.factories.accounts import make_user
from tests.factories.images import make_delivery, make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db
WHY = "The institution released them."


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


def accession_of(image):
    return Accession.objects.get(image=image)


def licences(*images):
    return [accession_of(image).licence for image in images]


def test_published_images_only_become_freer(alice, cohort):
    public, gone = make_images(cohort, 2, visibility="public")
    (private,) = make_images(cohort, 1)
    withdraw_image(image=gone, reason="Consent", user=alice)
    selection = select(user=alice, cohort_id=cohort.pk)
    plan = relicense(selection=selection, licence="CC-BY-NC-4.0", reason=WHY, actor=alice, expected=2)
    assert licences(public, gone, private) == ["CC-BY-4.0", "CC-BY-NC-4.0", "CC-BY-NC-4.0"]
    assert [row.subject for row in plan.left] == [public.public_id]
    relicense(selection=selection, licence="CC0-1.0", reason=WHY, actor=alice, expected=3)
    assert licences(public, gone, private) == ["CC0-1.0"] * 3
    with pytest.raises(Conflict) as refusal:
        relicense(selection=selection, licence="CC0-1.0", reason=WHY, actor=alice)
    assert refusal.value.code == "nothing_to_do"
    details = list(Event.objects.filter(verb="image.relicensed", subject_id=str(public.pk)).values_list("details"))
    assert details == [({"from": "CC-BY-4.0", "to": "CC0-1.0", "reason": WHY},)]


def test_an_image_made_private_again_was_published_all_the_same(alice, cohort):
    (image,) = make_images(cohort, 1, visibility="public")
    Accession.objects.filter(image=image).update(published=None)
    selection = select(user=alice, accession_ids=[accession_of(image).pk])
    assert plan_relicense(selection=selection, licence="CC-BY-NC-4.0", actor=alice).number == 0


def test_a_licence_needs_a_reason_an_owner_and_a_sound_preview(alice, cohort):
    images = make_images(cohort, 2)
    edith, bob = make_user("edith"), make_user("bob")
    add_member(scope=cohort.scope, user=edith, role=Role.EDITOR)
    selection = select(user=alice, accession_ids=[accession_of(image).pk for image in images])
    given = {"selection": selection, "licence": "CC0-1.0"}
    with pytest.raises(Invalid):
        relicense(**given, reason=" ", actor=alice)
    with pytest.raises(Invalid):
        relicense(selection=selection, licence="MIT", reason=WHY, actor=alice)
    with pytest.raises(NotAllowed):
        relicense(**given, reason=WHY, actor=edith)
    with pytest.raises(NotFound):
        select(user=bob, accession_ids=list(selection.accession_ids))
    with pytest.raises(Conflict) as refusal:
        relicense(**given, reason=WHY, actor=alice, expected=3)
    assert refusal.value.code == "changed_meanwhile"
    assert licences(*images) == ["CC-BY-4.0"] * 2
    with pytest.raises(Invalid):
        select(user=alice, cohort_id=cohort.pk, accession_ids=[1])


def test_images_to_come_get_it_too_where_that_is_said(alice, cohort):
    make_images(cohort, 1)
    sam = make_user("sam")
    selection = select(user=sam, contributor_id=cohort.contributor_id)
    relicense(selection=selection, licence="CC0-1.0", reason=WHY, actor=sam)
    assert Cohort.objects.get().licence == "CC-BY-4.0"
    # There may be nothing but the default left to change.
    relicense(selection=selection, licence="CC0-1.0", reason=WHY, actor=sam, default=True)
    assert Cohort.objects.get().licence == "CC0-1.0"
    assert Cohort.objects.get().contributor.default_licence == "CC0-1.0"


def test_what_was_never_published_goes_for_good_and_its_verdict_says_so(alice, cohort):
    sam = make_user("sam")
    delivery = make_delivery(cohort, [{"path": "a.jpg", "outcome": "accepted"}])
    (private,) = make_images(cohort, 1, structured={"sex": "male"}, delivery=delivery)
    (public,) = make_images(cohort, 1, visibility="public")
    Verdict.objects.update(accession=accession_of(private))
    selection = select(user=sam, cohort_id=cohort.pk)
    with pytest.raises(NotAllowed):
        plan_purge(selection=selection, actor=alice)
    plan = plan_purge(selection=selection, actor=sam)
    assert plan.number == 1
    assert [row.subject for row in plan.left] == [public.public_id]
    with pytest.raises(Invalid):
        purge(selection=selection, reason="", actor=sam)
    purge(selection=selection, reason="Uploaded by mistake.", actor=sam, expected=1)
    assert list(Image.objects.all()) == [public]
    assert not Description.objects.exists()
    assert not ImageFile.objects.filter(image=private.pk).exists()
    assert not Placement.objects.filter(image=private.pk).exists()
    verdict = Verdict.objects.get()
    assert (verdict.outcome, verdict.code, verdict.accession) == ("refused", "purged", None)
    assert verdict.words == "Staff removed it for good: Uploaded by mistake."
    assert violations() == []
    event = Event.objects.get(verb="accessions.purged")
    assert "photo" not in str(event.details)


def test_purging_the_first_of_equal_contents_makes_the_next_the_first(alice, cohort):
    sam = make_user("sam")
    one, two, three = (accession_of(image) for image in make_images(cohort, 3))
    Accession.objects.filter(pk__in=[two.pk, three.pk]).update(original=one.original, same_as=one)
    purge(selection=select(user=sam, accession_ids=[one.pk]), reason="Mistake.", actor=sam)
    assert dict(Accession.objects.values_list("pk", "same_as")) == {two.pk: None, three.pk: two.pk}
    assert violations() == []


def test_what_was_asked_to_be_published_is_left_alone(alice, cohort):
    sam = make_user("sam")
    images = make_images(cohort, 2)
    request_publication(cohort=cohort, requester=alice, visibility="public", accession_ids=[accession_of(images[0]).pk])
    plan = plan_purge(selection=select(user=sam, cohort_id=cohort.pk), actor=sam)
    assert (plan.number, len(plan.left)) == (1, 1)
