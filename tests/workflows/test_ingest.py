"""A ZIP becomes accessions with images, each file with a verdict."""

import io

import pytest
from PIL import Image as Picture

from medtheca.domains.access.queries import ANYBODY, viewer_of, visible_images
from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.models import Accession, Verdict
from medtheca.domains.provenance.publication import decide_publication, request_publication
from medtheca.domains.provenance.queries import delivery_for, summarise_delivery
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs

pytestmark = pytest.mark.django_db


def picture(seed, size=(40, 30), **options):
    data = io.BytesIO()
    Picture.effect_noise(size, 40 + seed).convert("RGB").save(data, "JPEG", **options)
    return data.getvalue()


@pytest.fixture
def alice():
    return User.objects.create_user("alice@example.org")


@pytest.fixture
def sam():
    return User.objects.create_user("sam@example.org", is_staff=True)


def test_every_file_of_a_zip_ends_with_a_verdict(alice):
    cohort = make_cohort(alice)
    same = picture(1)
    files = [
        ("a/one.jpg", same),
        ("b/one.jpg", picture(2)),
        ("two.jpg", same),
        ("three.jpg", picture(3)[:-200]),
        ("notes.jpg", b"This is no picture at all."),
        (".DS_Store", b"x"),
        ("four.jpg", picture(4, size=(1600, 1200))),
    ]
    upload = deliver(alice, cohort, make_zip(files))
    run_jobs()
    verdicts = {v.path: (v.outcome, v.code) for v in Verdict.objects.filter(delivery=upload)}
    assert verdicts["a/one.jpg"] == ("accepted", "accepted")
    assert verdicts["b/one.jpg"] == ("duplicate", "duplicate_name")
    assert verdicts["two.jpg"] == ("linked", "same_content")
    assert verdicts["three.jpg"] == ("refused", "truncated")
    assert verdicts["notes.jpg"][0] == "refused"
    assert verdicts[".DS_Store"][0] == "skipped"
    assert verdicts["four.jpg"] == ("accepted", "accepted")
    summary = summarise_delivery(delivery_for(alice, upload))
    assert (summary.state, summary.waiting, summary.members) == ("done", 0, 7)
    assert visible_images(viewer_of(alice)).count() == 3
    assert visible_images(ANYBODY).count() == 0


def test_the_same_zip_again_makes_nothing_twice(alice):
    cohort = make_cohort(alice)
    data = make_zip([("one.jpg", picture(1)), ("two.jpg", picture(2))])
    deliver(alice, cohort, data)
    run_jobs()
    second = deliver(alice, cohort, data)
    run_jobs()
    assert {v.code for v in Verdict.objects.filter(delivery=second)} == {"already_here"}
    assert Accession.objects.filter(cohort=cohort).count() == 2


def test_a_refused_name_may_be_sent_again(alice):
    cohort = make_cohort(alice)
    deliver(alice, cohort, make_zip([("one.jpg", picture(1)[:-300])]))
    run_jobs()
    again = deliver(alice, cohort, make_zip([("one.jpg", picture(1))]))
    run_jobs()
    assert Verdict.objects.get(delivery=again).outcome == "accepted"


def test_bytes_that_differ_from_their_checksum_are_refused(alice):
    cohort = make_cohort(alice)
    upload = deliver(alice, cohort, picture(1), filename="one.jpg", sha256="0" * 64)
    run_jobs()
    delivery = delivery_for(alice, upload)
    assert (delivery.state, delivery.refusal_code) == ("refused", "checksum_differs")
    assert not Accession.objects.exists()


def test_alice_publishes_and_sam_accepts(alice, sam):
    cohort = make_cohort(alice)
    deliver(alice, cohort, make_zip([(f"{n}.jpg", picture(n)) for n in range(3)]))
    run_jobs()
    request = request_publication(cohort=cohort, requester=alice, visibility="public")
    assert visible_images(ANYBODY).count() == 0
    decide_publication(request_id=request.pk, staff=sam, accept=True)
    run_jobs()
    images = list(visible_images(ANYBODY))
    assert len(images) == 3
    assert len({image.public_id for image in images}) == 3
    assert all(image.public_id.startswith("ISIC_") and len(image.public_id) == 12 for image in images)
