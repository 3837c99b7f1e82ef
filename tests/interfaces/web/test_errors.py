"""Refusals as pages, forged forms, strange text, robots, the status and the style guide."""

import re

import pytest
from django.test import RequestFactory

from medtheca.base.errors import Busy, Conflict, Invalid, NoSpace, NotAllowed, NotFound, Problem, TooLarge
from medtheca.interfaces.web.errors import page
from tests.factories.images import make_delivery, make_images
from tests.factories.provenance import make_cohort
from tests.interfaces.conftest import browser_of

pytestmark = pytest.mark.django_db

PAYLOAD = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>{{ 7|add:7 }}"


def words(answer):
    return answer.content.decode()


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (Invalid("It cannot be used.", problems=[Problem("age", "abc is no age.", remedy="Write 45.")]), 400),
        (NotAllowed("Only owners may do so."), 403),
        (NotFound("There is no cohort 7."), 404),
        (Conflict("It was decided already."), 409),
        (TooLarge("It has 9 GB."), 413),
        (NoSpace("There is no space now."), 507),
        (Busy("Not now."), 503),
    ],
)
def test_each_refusal_has_its_page(alice, refusal, status):
    def refuse(request):
        raise refusal

    request = RequestFactory().get("/")
    request.user, request.session = alice, {}
    answer = page(refuse)(request)
    assert answer.status_code == status
    assert (refusal.message in words(answer)) is (status != 404), "what is invisible is not named"
    if status == 400:
        assert "abc is no age. Write 45." in words(answer)
    assert "no-store" in answer["Cache-Control"]
    assert answer.headers.get("Retry-After") == ("5" if status == 503 else None)


def error_id(answer):
    return re.search(r"\?subject=Error%20([0-9a-f]{12})\"", words(answer))[1]


def test_what_cannot_be_found_reads_the_same_as_what_is_hidden(as_charlie, cohort):
    places = [f"/cohorts/{cohort.pk}/", f"/cohorts/{cohort.pk + 1000}/"]
    hidden, absent = (as_charlie.get(place) for place in places)
    assert hidden.status_code == absent.status_code == 404
    # Each request has an id of its own, for support.
    same = [
        words(answer).replace(error_id(answer), "ID").replace(place, "HERE")
        for answer, place in zip((hidden, absent), places, strict=True)
    ]
    assert same[0] == same[1]


def test_every_error_page_says_whom_to_ask_with_which_id(as_charlie, cohort, settings, caplog):
    settings.SUPPORT_EMAIL = "help@archive.example.org"
    caplog.set_level("INFO", logger="medtheca.interfaces.http.request_ids")
    for address in (f"/cohorts/{cohort.pk}/", "/nowhere/", "/status/", "/images/a%00b/"):
        answer = as_charlie.get(address)
        assert answer.status_code >= 400, address
        assert "mailto:help@archive.example.org" in words(answer)
        assert f"Request {error_id(answer)} was refused: {answer.status_code} GET" in caplog.text
    said = [record.getMessage() for record in caplog.records if record.name.endswith("request_ids")]
    assert not any(f"cohorts/{cohort.pk}" in line for line in said), "paths may hold secrets; the route is enough"


def test_a_form_from_elsewhere_gets_a_page_and_changes_nothing(alice, cohort):
    client = browser_of(alice, enforce_csrf_checks=True)
    answer = client.post("/contributors/new/", {"institution_name": "Forged"})
    assert answer.status_code == 403
    assert "open for too long" in words(answer)


def test_a_fault_of_ours_has_an_id_and_tells_nothing_else(as_alice, monkeypatch, caplog):
    from medtheca.interfaces.web import gallery

    def fail(*_):
        raise RuntimeError("secret detail")

    as_alice.raise_request_exception = False
    monkeypatch.setattr(gallery, "ingest_progress", fail)
    answer = as_alice.get("/")
    assert answer.status_code == 500
    assert "secret detail" not in words(answer)
    logged = next(record for record in caplog.records if record.name == "medtheca.interfaces.web.errors")
    assert str(logged.args[0]) in words(answer)


def test_nul_in_an_address_is_refused(nobody):
    assert nobody.get("/images/a%00b/").status_code == 400
    assert nobody.get("/gallery/?sex=%00").status_code == 400


def test_no_text_of_a_person_becomes_markup(alice, as_alice, as_sam, nobody, quick_passwords):
    alice.first_name = PAYLOAD[:100]
    alice.save()
    cohort = make_cohort(alice, name=PAYLOAD, attribution=PAYLOAD)
    cohort.description = PAYLOAD
    cohort.save()
    values = {"diagnosis_1": PAYLOAD, "sex": PAYLOAD, "image_type": PAYLOAD}
    (image,) = make_images(cohort, 1, visibility="public", structured=values)
    make_images(cohort, 2, structured=values, names=[PAYLOAD, f"2{PAYLOAD}"])
    verdict = {"path": PAYLOAD, "outcome": "refused", "words": PAYLOAD, "remedy": PAYLOAD}
    delivery = make_delivery(cohort, [verdict], filename=PAYLOAD)
    as_alice.post(f"/cohorts/{cohort.pk}/publish/", {"visibility": "public", "which": "all"})
    addresses = [
        "/",
        "/gallery/",
        f"/gallery/?cohort={cohort.pk}",
        f"/images/{image.public_id}/",
        f"/images/{image.public_id}/withdraw/",
        "/cohorts/",
        f"/cohorts/{cohort.pk}/",
        f"/cohorts/{cohort.pk}/publish/",
        f"/cohorts/{cohort.pk}/metadata/",
        "/upload/",
        "/uploads/",
        f"/uploads/{delivery.pk}/",
        "/publish-requests/",
    ]
    for client in (as_alice, as_sam, nobody):
        for address in addresses:
            text = words(client.get(address))
            assert "<script>alert" not in text, address
            assert "<img src=x" not in text, address
            assert "14}}" not in text, address
    assert "&lt;script&gt;alert" in words(as_alice.get(f"/cohorts/{cohort.pk}/"))


def test_search_words_are_shown_as_text(nobody):
    text = words(nobody.get("/gallery/", {"q": PAYLOAD}))
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_every_page_says_what_it_is_not(nobody):
    for address in ("/", "/gallery/", "/nothing/"):
        assert "Research use only. Not a medical device." in words(nobody.get(address))


def test_what_depends_on_the_person_is_stored_by_nobody(as_alice, nobody):
    for client in (as_alice, nobody):
        assert "no-store" in client.get("/gallery/")["Cache-Control"]


def test_robots_keep_away_from_searches(nobody):
    text = words(nobody.get("/robots.txt"))
    assert "Disallow: /gallery/?" in text


def test_the_style_guide_is_for_those_who_build_pages(nobody, settings):
    assert nobody.get("/styleguide/").status_code == 404
    settings.DEBUG = True
    assert "Style guide" in words(nobody.get("/styleguide/"))


def test_staff_see_how_the_instance_is(as_sam, as_alice):
    text = words(as_sam.get("/status/"))
    for word in ("Queue", "Decoders", "Disk", "PostgreSQL", "No worker has been heard of"):
        assert word in text
    assert as_alice.get("/status/").status_code == 403
