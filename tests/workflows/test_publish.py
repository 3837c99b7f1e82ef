"""Asking, deciding, publishing, taking back: every way through, and at once."""

import threading
from datetime import timedelta

import pytest
from django.db import close_old_connections

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import Role, Visibility
from medtheca.domains.access.models import Placement, Withdrawal
from medtheca.domains.access.operations import add_member
from medtheca.domains.access.queries import ANYBODY, viewer_of, visible_images
from medtheca.domains.accounts.operations import set_active
from medtheca.domains.imaging.models import Image
from medtheca.domains.ledger.models import Event
from medtheca.domains.provenance.models import Accession, PublishItem, PublishRequest, Review
from medtheca.domains.provenance.publication import decide_publication, request_publication
from medtheca.domains.provenance.queries import publishable_accessions
from medtheca.domains.provenance.reviewing import record_reviews
from medtheca.workflows import publish
from medtheca.workflows.publish import publish_request, unpublish_image, withdraw
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort, run_jobs
from tests.factories.storage import make_wide_scopes

REASON = "Consent was withdrawn."


@pytest.fixture
def alice(db):
    return make_user("alice")


@pytest.fixture
def sam(db):
    return make_user("sam")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


def ask(cohort, user, **options):
    return request_publication(cohort=cohort, requester=user, **{"visibility": "public", **options})


def put_out(cohort, user, sam, **options):
    request = ask(cohort, user, **options)
    decide_publication(request_id=request.pk, staff=sam, accept=True)
    run_jobs()
    request.refresh_from_db()
    assert request.state == "published"
    return request


def public():
    return set(visible_images(ANYBODY).values_list("pk", flat=True))


def ref(image):
    return str(image.key)


def test_who_may_ask_decide_and_take_back(alice, sam, cohort):
    image = make_images(cohort, 1)[0]
    bob, charlie = make_user("bob"), make_user("charlie")
    add_member(scope=cohort.scope, user=bob, role=Role.VIEWER)
    for person in (bob, charlie):
        with pytest.raises(NotAllowed):
            ask(cohort, person)
    request = ask(cohort, alice)
    for person in (alice, bob, charlie):
        with pytest.raises(NotAllowed):
            decide_publication(request_id=request.pk, staff=person, accept=True)
    set_active(user=sam, active=False)
    sam.refresh_from_db()
    with pytest.raises(NotAllowed):
        decide_publication(request_id=request.pk, staff=sam, accept=True)
    for take_back in (withdraw, unpublish_image):
        with pytest.raises(NotAllowed):
            take_back(user=bob, image_ref=ref(image), reason=REASON)
        with pytest.raises(NotFound):
            take_back(user=charlie, image_ref=ref(image), reason=REASON)
        with pytest.raises(Invalid):
            take_back(user=alice, image_ref=ref(image), reason="  ")
    assert not public()


@pytest.mark.parametrize("visibility", ["", "private", "everyone"])
def test_images_are_published_to_the_public_or_the_signed_in(visibility, alice, cohort):
    make_images(cohort, 1)
    with pytest.raises(Invalid) as refusal:
        ask(cohort, alice, visibility=visibility)
    assert refusal.value.problems[0].remedy == "public, signed_in or groups."


def test_pixels_that_may_name_a_person_are_not_accepted_unseen(alice, sam, cohort):
    seen, unseen, plain = make_images(cohort, 3)
    words = "Text may be burned into its pixels: ultrasound devices write names into the picture."
    Image.objects.filter(pk__in=[seen.pk, unseen.pk]).update(text_suspected=words)
    request = ask(cohort, alice)
    record_reviews(accession_ids=[seen.accession.pk], reviewer=sam, decision="accepted")
    with pytest.raises(Conflict) as refused:
        decide_publication(request_id=request.pk, staff=sam, accept=True)
    assert refused.value.code == "look_first"
    assert unseen.accession.name in refused.value.message
    assert seen.accession.name not in refused.value.message
    record_reviews(accession_ids=[unseen.accession.pk], reviewer=sam, decision="accepted")
    decide_publication(request_id=request.pk, staff=sam, accept=True)
    run_jobs()
    assert public() == {seen.pk, unseen.pk, plain.pk}


def test_a_request_is_decided_once(alice, sam, cohort):
    make_images(cohort, 2)
    request = ask(cohort, alice)
    with pytest.raises(Conflict):
        ask(cohort, alice)
    with pytest.raises(Invalid):
        decide_publication(request_id=request.pk, staff=sam, accept=False)
    decide_publication(request_id=request.pk, staff=sam, accept=False, reason="Faces can be seen.")
    for accept in (True, False):
        with pytest.raises(Conflict):
            decide_publication(request_id=request.pk, staff=sam, accept=accept, reason="Again.")
    # A request is not its images: nobody has judged those yet.
    assert not Review.objects.exists()
    # What was rejected may be asked for anew.
    put_out(cohort, alice, sam)
    assert len(public()) == 2


def test_published_to_the_signed_in_is_not_published_to_the_public(alice, sam, cohort):
    image = make_images(cohort, 1)[0]
    put_out(cohort, alice, sam, visibility="signed_in")
    assert not public()
    assert image in visible_images(viewer_of(make_user("charlie")))


def test_an_embargo_holds_back_everybody_outside_until_it_ends(alice, sam, cohort):
    image = make_images(cohort, 1)[0]
    charlie = make_user("charlie")
    put_out(cohort, alice, sam, opens=now() + timedelta(days=1))
    assert not public()
    assert image not in visible_images(viewer_of(charlie))
    assert image in visible_images(viewer_of(alice))
    Placement.objects.filter(opens__isnull=False).update(opens=now() - timedelta(seconds=1))
    assert public() == {image.pk}
    assert image in visible_images(viewer_of(charlie))


def test_an_unpublished_image_keeps_its_id_when_it_is_published_again(alice, sam, cohort):
    image = make_images(cohort, 1)[0]
    put_out(cohort, alice, sam)
    image.refresh_from_db()
    first = image.public_id
    unpublish_image(user=alice, image_ref=first, reason="A mistake.")
    assert not public()
    assert Accession.objects.get().published is None
    with pytest.raises(Conflict) as refusal:
        unpublish_image(user=alice, image_ref=first, reason="Twice.")
    assert refusal.value.remedy
    put_out(cohort, alice, sam)
    image.refresh_from_db()
    assert (image.public_id, public()) == (first, {image.pk})


def test_a_withdrawn_image_is_never_published_again(alice, sam, cohort):
    image, other = make_images(cohort, 2)
    put_out(cohort, alice, sam)
    withdraw(user=alice, image_ref=ref(image), reason=REASON)
    assert public() == {other.pk}
    for take_back in (withdraw, unpublish_image):
        with pytest.raises(Conflict):
            take_back(user=alice, image_ref=ref(image), reason="Another reason.")
    assert Withdrawal.objects.get().reason == REASON
    assert not publishable_accessions(cohort).exists()
    Accession.objects.update(published=None)
    assert list(publishable_accessions(cohort)) == [Accession.objects.get(image=other)]


def test_an_image_that_was_never_published_can_be_withdrawn_for_good(alice, sam, cohort):
    image = make_images(cohort, 1)[0]
    withdraw(user=alice, image_ref=ref(image), reason=REASON)
    with pytest.raises(Conflict):
        ask(cohort, alice)


def test_what_is_withdrawn_between_asking_and_publishing_stays_hidden(alice, sam, cohort):
    image, other = make_images(cohort, 2)
    request = ask(cohort, alice)
    decide_publication(request_id=request.pk, staff=sam, accept=True)
    withdraw(user=alice, image_ref=ref(image), reason=REASON)
    run_jobs()
    assert public() == {other.pk}
    image.refresh_from_db()
    assert image.public_id is None
    assert Accession.objects.get(image=image).published is None
    assert PublishRequest.objects.get().state == "published"
    assert Event.objects.get(verb="images.published").details["images"] == [other.pk]


def test_licence_and_attribution_are_those_of_the_day_the_image_came(alice, sam, cohort):
    make_images(cohort, 1)
    cohort.licence, cohort.attribution = "CC-BY-NC-4.0", "Somebody else"
    cohort.save()
    put_out(cohort, alice, sam)
    accession = Accession.objects.get()
    assert (accession.licence, accession.attribution) == ("CC-BY-4.0", "Clinic of Exampleton")


def test_a_job_for_what_is_gone_ends(db):
    publish_request(request_id=10**9)


class Cut(Exception):
    pass


@pytest.mark.parametrize(
    ("name", "nth"), [("publish.rows", 1), ("publish.rows", 2), ("publish.batch", 1), ("publish.batch", 3)]
)
def test_a_publication_that_is_cut_off_goes_on(*, name, nth, alice, sam, cohort, monkeypatch):
    monkeypatch.setattr(publish, "BATCH", 3)
    make_images(cohort, 8)
    request = ask(cohort, alice)
    decide_publication(request_id=request.pk, staff=sam, accept=True)
    left = [nth]

    def step(passed):
        left[0] -= passed == name
        if passed == name and left[0] == 0:
            raise Cut

    monkeypatch.setattr(publish, "step", step)
    with pytest.raises(Cut):
        publish_request(request_id=request.pk)
    before = dict(Image.objects.filter(public_id__isnull=False).values_list("pk", "public_id"))
    publish_request(request_id=request.pk)
    publish_request(request_id=request.pk)
    assert len(public()) == 8
    ids = dict(Image.objects.values_list("pk", "public_id"))
    assert len(set(ids.values())) == 8
    assert before.items() <= ids.items()
    assert PublishRequest.objects.get().state == "published"
    told = [pk for event in Event.objects.filter(verb="images.published") for pk in event.details["images"]]
    assert sorted(told) == sorted(ids)


@pytest.mark.django_db(transaction=True)
def test_publishing_twice_and_withdrawing_at_once_ends_well(monkeypatch):
    make_wide_scopes()
    monkeypatch.setattr(publish, "BATCH", 4)
    alice, sam = make_user("alice"), make_user("sam")
    cohort = make_cohort(alice)
    images = make_images(cohort, 24)
    request = ask(cohort, alice)
    decide_publication(request_id=request.pk, staff=sam, accept=True)
    doomed, failures = images[::3], []

    def work(function, **arguments):
        try:
            function(**arguments)
        except Exception as error:  # noqa: BLE001 - told by the assertion below
            failures.append(error)
        finally:
            close_old_connections()

    def withdraw_all():
        for image in doomed:
            withdraw(user=alice, image_ref=ref(image), reason=REASON)

    threads = [
        threading.Thread(target=work, args=[publish_request], kwargs={"request_id": request.pk}),
        threading.Thread(target=work, args=[publish_request], kwargs={"request_id": request.pk}),
        threading.Thread(target=work, args=[withdraw_all]),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert public() == {image.pk for image in images} - {image.pk for image in doomed}
    assert PublishRequest.objects.get().state == "published"
    assert not PublishItem.objects.filter(done=False).exists()
    assert Visibility.PUBLIC == "public"
