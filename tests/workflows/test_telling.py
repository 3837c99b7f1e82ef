"""Who is told what when long work ends: one summary, and no file name in it."""

import io

import pytest
from PIL import Image as Picture

from medtheca.base.clock import now
from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.ledger.inbox import notifications_of
from medtheca.domains.ledger.models import Notification
from medtheca.domains.metadata.models import MetadataFile
from medtheca.domains.provenance.merging import merge_contributors
from medtheca.domains.provenance.models import Accession, Delivery, Erasure, PublishItem, PublishRequest
from medtheca.domains.provenance.operations import add_owner, finish_delivery_if_done
from medtheca.domains.provenance.publication import request_publication
from medtheca.domains.trials.models import Inspection
from medtheca.workflows.publish import unpublish_image, withdraw
from medtheca.workflows.receive import begin_delivery, cancel_delivery
from medtheca.workflows.taking_back import take_back_many
from medtheca.workflows.under_way import work_of
from medtheca.workflows.upkeep import expire_uploads
from tests.factories.accounts import make_user
from tests.factories.images import make_delivery, make_images
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import keep, use_data_folder

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    return use_data_folder(settings, tmp_path / "data")


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def bob():
    return make_user("bob")


@pytest.fixture
def cohort(alice, bob):
    made = make_cohort(alice)
    add_owner(contributor=made.contributor, user=bob, actor=alice)
    Notification.objects.all().delete()
    return made


def picture(seed):
    data = io.BytesIO()
    Picture.effect_noise((40, 30), 40 + seed).convert("RGB").save(data, "JPEG")
    return data.getvalue()


def told(user):
    return [(row.kind, row.words) for row in notifications_of(user.pk)]


def test_an_upload_that_ends_is_told_once_with_its_counts(alice, bob, cohort):
    files = [(f"Müller {at}.jpg", picture(at)) for at in range(3)]
    upload_id = deliver(alice, cohort, make_zip([*files, ("Meier.jpg", b"text"), ("__MACOSX/._x", b"")]))
    run_jobs()
    finish_delivery_if_done([upload_id])  # As a job that is repeated does.
    words = "3 accepted, 1 refused, 1 skipped, in the cohort Clinic 2026."
    assert told(alice) == [("delivery.done", words)]
    assert told(bob) == [("delivery.done_for_owners", words)]
    assert notifications_of(alice.pk).get().url == f"/uploads/{upload_id}/"


def test_an_upload_that_cannot_be_read_is_told_without_the_name_of_its_file(alice, cohort):
    deliver(alice, cohort, b"PK\x03\x04" + b"no zip" * 20, filename="patient Müller.zip")
    run_jobs()
    [(kind, words)] = told(alice)
    assert kind == "delivery.done"
    assert words.startswith("An upload could not be taken in")
    assert "Müller" not in words


def test_an_upload_that_was_given_up_is_told_and_one_that_was_cancelled_is_not(alice, cohort):
    from datetime import timedelta

    cancelled = begin_delivery(user=alice, cohort_id=cohort.pk, filename="a.zip", size=10)
    cancel_delivery(user=alice, upload=cancelled)
    assert told(alice) == []
    begin_delivery(user=alice, cohort_id=cohort.pk, filename="b.zip", size=10)
    assert expire_uploads(idle=timedelta(0)) == 1
    assert len(told(alice)) == 1


def test_work_under_way_is_ones_own_and_says_how_far_it_is(alice, bob, cohort):
    verdicts = [{"path": "a.jpg", "outcome": "accepted"}, {"path": "b.jpg", "outcome": "waiting"}]
    delivery = make_delivery(cohort, verdicts, state="converting")
    make_delivery(cohort, [{"path": "c.jpg", "outcome": "accepted"}])
    [work] = work_of(alice)
    assert (work.kind, work.id, work.state) == ("delivery", str(delivery.pk), "converting")
    assert (work.done, work.total, work.part) == (1, 2, 50)
    assert work_of(bob) == []
    Delivery.objects.filter(pk=delivery.pk).update(members=None)
    assert work_of(alice)[0].part is None


def test_every_kind_of_long_work_is_listed_for_whoever_set_it_going(alice, bob, cohort):
    blob = keep(b"image,sex")
    MetadataFile.objects.create(
        cohort=cohort, creator=bob, actor=alice, name="values.csv", blob=blob, state="applying", done=30, total=300
    )
    request = PublishRequest.objects.create(
        cohort=cohort, requester=alice, visibility="public", state="publishing", decided_by=make_user("rita")
    )
    for image in make_images(cohort, 2):
        PublishItem.objects.create(
            request=request, accession=Accession.objects.get(image=image), done=not request.items.exists()
        )
    Inspection.objects.create(owner=alice, given=[], size=1, state="running", done=2, total=9, expires=now())
    Erasure.objects.create(
        contributor=cohort.contributor, patient_public_id="IP_1234567", reason="patient", state="erasing",
        stage="rows", requester=alice, decider=make_user("sam"),
    )  # fmt: skip
    found = {work.kind: (work.done, work.total, work.unit) for work in work_of(alice)}
    assert found == {
        "metadata_file": (30, 300, "rows"),
        "publish_request": (1, 2, "images"),
        "inspection": (2, 9, "files"),
        "erasure": (2, 5, "stages"),
    }
    assert work_of(bob) == []
    assert not any("IP_1234567" in work.title for work in work_of(alice))


def test_reviewers_hear_that_publication_is_asked_and_staff_where_there_are_none(alice, bob, cohort):
    sam, rita = make_user("sam"), make_user("rita")
    images = make_images(cohort, 2)
    request_publication(
        cohort=cohort, requester=alice, visibility="public", accession_ids=[Accession.objects.get(image=images[0]).pk]
    )
    assert told(sam) == [("publication.asked", "Publication was asked for 1 images.")]
    add_member(scope=cohort.scope, user=rita, role=Role.REVIEWER)
    request_publication(cohort=cohort, requester=alice, visibility="public")
    assert [kind for kind, _ in told(rita)] == ["publication.asked"]
    assert len(told(sam)) == 1
    assert told(bob) == told(alice) == []


def test_the_other_owners_hear_once_that_images_were_taken_back(alice, bob, cohort):
    first, second, *_ = make_images(cohort, 4, visibility="public")
    unpublish_image(user=alice, image_ref=first.public_id, reason="A mistake.")
    words = "Images of the cohort Clinic 2026 were {}. Its activity says which, by whom and why."
    assert told(bob) == [("publication.withdrawn", words.format("made private again"))]
    withdraw(user=alice, image_ref=second.public_id, reason="A mistake.")
    take_back_many(cohort=cohort, user=alice, reason="A mistake.", withdraw=True)
    assert told(bob) == [("publication.withdrawn", words.format("withdrawn"))]
    assert told(alice) == []


def test_owners_of_both_hear_that_contributors_were_merged(alice, bob, cohort):
    sam, carol = make_user("sam"), make_user("carol")
    other = make_cohort(carol, name="Elsewhere").contributor
    merge_contributors(source=other, target=cohort.contributor, actor=sam)
    heard = [told(person) for person in (alice, bob, carol)]
    assert heard[0] == heard[1] == heard[2]
    [(kind, words)] = heard[0]
    assert kind == "contributor.merged"
    assert words.startswith(f"{other.institution_name} is part of {cohort.contributor.institution_name} now")
    assert told(sam) == []
