"""From an owner's wish to the public: asking, deciding, embargo."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from medtheca.base.clock import now
from medtheca.domains.access.queries import ANYBODY, visible_images
from medtheca.domains.provenance.models import Accession, PublishRequest
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort, run_jobs

pytestmark = pytest.mark.django_db


def words(answer):
    return answer.content.decode()


def ask(client, cohort, **data):
    return client.post(f"/cohorts/{cohort.pk}/publish/", {"visibility": "public", "which": "all", **data})


def decide(client, verb, **data):
    request = PublishRequest.objects.latest("pk")
    return client.post(f"/publish-requests/{request.pk}/{verb}/", data)


def accession_ids(images):
    return list(Accession.objects.filter(image__in=images).values_list("pk", flat=True))


def test_alice_asks_sam_accepts_and_everybody_sees(as_alice, as_sam, nobody, cohort):
    make_images(cohort, 4)
    ask(as_alice, cohort)
    assert "Waiting for a reviewer" in words(as_alice.get("/publish-requests/"))
    assert not visible_images(ANYBODY).exists()
    page = words(as_sam.get("/publish-requests/"))
    assert "Publish 4 images" in page
    assert page.count('class="tile"') == 4
    decide(as_sam, "accept")
    run_jobs()
    assert visible_images(ANYBODY).count() == 4
    assert "4 images" in words(nobody.get("/gallery/"))
    assert "Published" in words(as_alice.get("/publish-requests/"))


def test_only_chosen_images_are_asked_for(as_alice, cohort):
    images = make_images(cohort, 5)
    ask(as_alice, cohort, which="chosen", accessions=accession_ids(images[:2]))
    assert PublishRequest.objects.get().items.count() == 2
    text = words(as_alice.get(f"/cohorts/{cohort.pk}/publish/"))
    assert "2 images wait for a reviewer already" in text
    assert text.count('type="checkbox"') == 3


@pytest.mark.parametrize(
    ("which", "ticked", "words_of_error"),
    [("chosen", 0, "No image is chosen"), ("all", 2, "2 images are chosen below")],
)
def test_a_choice_that_contradicts_itself_publishes_nothing(as_alice, cohort, which, ticked, words_of_error):
    chosen = accession_ids(make_images(cohort, 5))[:ticked]
    answer = ask(as_alice, cohort, which=which, accessions=chosen)
    assert words_of_error in words(answer)
    assert len(re.findall(r'type="checkbox"[^>]* checked', words(answer))) == ticked
    assert not PublishRequest.objects.exists()


def test_anothers_images_cannot_be_smuggled_in(as_alice, as_charlie, cohort):
    from medtheca.domains.accounts.models import User

    theirs = make_images(make_cohort(User.objects.get(email="charlie@example.org"), name="Other"), 1)
    make_images(cohort, 1)
    answer = ask(as_alice, cohort, which="chosen", accessions=accession_ids(theirs))
    assert answer.status_code == 200
    assert not PublishRequest.objects.exists()


def test_an_embargo_holds_the_public_back_until_its_day(as_alice, as_sam, nobody, cohort):
    make_images(cohort, 1)
    day = (now() + timedelta(days=40)).date()
    ask(as_alice, cohort, opens=day.isoformat())
    assert PublishRequest.objects.get().opens == datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert f"from {day.day} {day:%B %Y}" in words(as_sam.get("/publish-requests/"))
    decide(as_sam, "accept")
    run_jobs()
    assert "No images yet" in words(nobody.get("/gallery/"))


def test_signed_in_people_only(as_alice, as_sam, as_charlie, nobody, cohort):
    make_images(cohort, 1)
    ask(as_alice, cohort, visibility="signed_in")
    decide(as_sam, "accept")
    run_jobs()
    assert words(as_charlie.get("/gallery/")).count('class="tile"') == 1
    assert words(nobody.get("/gallery/")).count('class="tile"') == 0


def test_a_rejection_needs_a_reason_and_alice_reads_it(as_alice, as_sam, cohort):
    make_images(cohort, 1)
    ask(as_alice, cohort)
    assert "Say why" in words(decide(as_sam, "reject", reason=" "))
    assert PublishRequest.objects.get().state == "requested"
    decide(as_sam, "reject", reason="A name is on the label.")
    assert "A name is on the label." in words(as_alice.get("/publish-requests/"))
    assert "All that are ready" in words(as_alice.get(f"/cohorts/{cohort.pk}/publish/"))


def test_deciding_twice_is_a_conflict(as_alice, as_sam, cohort):
    make_images(cohort, 1)
    ask(as_alice, cohort)
    decide(as_sam, "accept")
    again = decide(as_sam, "accept")
    assert again.status_code == 409
    assert "already" in words(again)


def test_owners_see_no_buttons_to_decide(as_alice, cohort):
    make_images(cohort, 1)
    ask(as_alice, cohort)
    assert "/accept/" not in words(as_alice.get("/publish-requests/"))


def test_with_nothing_ready_the_page_says_what_to_do(as_alice, cohort):
    assert "No image of the cohort is ready" in words(as_alice.get(f"/cohorts/{cohort.pk}/publish/"))
    assert "No image of the cohort is ready" in words(ask(as_alice, cohort))


def test_requests_take_a_bounded_number_of_queries(as_alice, as_sam, cohort, django_assert_max_num_queries):
    for _ in range(10):
        ask(as_alice, cohort, which="chosen", accessions=accession_ids(make_images(cohort, 3)))
    with django_assert_max_num_queries(21):
        assert words(as_sam.get("/publish-requests/")).count('class="tile"') == 30
