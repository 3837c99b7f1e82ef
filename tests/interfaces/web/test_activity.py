"""Who did what, in words, for people of the cohort; nobody else learns that there is anything."""

import csv
import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.models import Accession
from medtheca.domains.provenance.reviewing import record_reviews
from tests.factories.accounts import make_token, make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.interfaces.conftest import browser_of

pytestmark = pytest.mark.django_db


def text(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def published(cohort, images, actor):
    record(actor_id=actor.pk, verb="images.published", subject_type="publish_request", subject_id=1,
           cohort_id=cohort.pk, details={"images": [image.pk for image in images], "visibility": "public"})  # fmt: skip


def test_what_was_done_stands_as_sentences_the_latest_first(alice, as_alice, cohort):
    published(cohort, make_images(cohort, 3), alice)
    said = text(as_alice.get(f"/cohorts/{cohort.pk}/activity/"))
    assert said.index("published 3 images (public)") < said.index("made the cohort")
    assert "Alice Example" in said


def test_an_image_tells_of_itself_and_of_what_was_done_to_many(alice, as_alice, cohort):
    one, other = make_images(cohort, 2)
    accession = Accession.objects.get(image=one)
    published(cohort, [one, other], alice)
    for image, reason in ((one, "of this"), (other, "of the other")):
        record(actor_id=alice.pk, verb="image.withdrawn", subject_type="image", subject_id=image.pk,
               cohort_id=cohort.pk, details={"reason": reason})  # fmt: skip
    record(actor_id=alice.pk, verb="metadata.corrected", subject_type="accession", subject_id=accession.pk,
           cohort_id=cohort.pk, details={"fields": ["sex"]})  # fmt: skip
    said = text(as_alice.get(f"/images/{one.key}/activity/"))
    for words in ("published 2 images", "withdrew an image: of this", "corrected published metadata: sex"):
        assert words in said
    assert "of the other" not in said
    assert "made the cohort" not in said


def test_a_public_image_tells_strangers_nothing_of_who_did_what(as_charlie, nobody, cohort):
    (image,) = make_images(cohort, 1, visibility="public")
    assert as_charlie.get(f"/images/{image.public_id}/").status_code == 200
    assert as_charlie.get(f"/images/{image.public_id}/activity/").status_code == 404
    assert nobody.get(f"/images/{image.public_id}/activity/").status_code == 302


def test_it_is_narrowed_by_kind_and_person(alice, as_alice, cohort):
    bob = make_user("bob")
    add_member(scope=cohort.scope, user=bob, role=Role.EDITOR)
    published(cohort, make_images(cohort, 1), bob)
    address = f"/cohorts/{cohort.pk}/activity/"
    only_bob = text(as_alice.get(address, {"person": bob.hash_id}))
    assert "published 1 image" in only_bob
    assert "made the cohort" not in only_bob
    people = text(as_alice.get(address, {"kind": "People"}))
    assert "made the cohort" in people
    assert "published 1 image" not in people
    assert "Nothing of this kind" in text(as_alice.get(address, {"person": "archive"}))
    assert as_alice.get(address, {"kind": "nonsense"}).status_code == 400


def test_long_lists_are_walked_without_loss(alice, as_alice, cohort):
    for serial in range(120):
        record(actor_id=alice.pk, verb="image.withdrawn", subject_type="image", subject_id=0,
               cohort_id=cohort.pk, details={"reason": f"number {serial}."})  # fmt: skip
    address, seen = f"/cohorts/{cohort.pk}/activity/?kind=Publication", []
    while address:
        page = text(as_alice.get(address))
        seen += re.findall(r"number (\d+)\.", page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = following[1].replace("&amp;", "&") if following else None
    assert seen == [str(serial) for serial in reversed(range(120))]


def test_the_csv_holds_what_is_seen_and_runs_nothing(alice, as_alice, cohort):
    alice.first_name = "=HYPERLINK(1)"
    alice.save()
    published(cohort, make_images(cohort, 2), alice)
    answer = as_alice.get(f"/cohorts/{cohort.pk}/activity/?kind=Publication&format=csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [row["words"] for row in rows] == ["published 2 images (public)"]
    assert rows[0]["who"].startswith("'=")
    assert rows[0]["person"] == alice.hash_id


def test_people_without_a_name_and_deleted_ones_are_pseudonyms(alice, as_alice, cohort):
    from medtheca.domains.accounts.deleting import anonymise

    bob, charlie = make_user("bob"), make_user("charlie", first_name="", last_name="")
    images = make_images(cohort, 1)
    for actor in (bob, charlie):
        published(cohort, images, actor)
    anonymise(user=bob, actor_id=bob.pk)
    record(actor_id=987_654, verb="cohort.created", subject_type="cohort", subject_id=cohort.pk, cohort_id=cohort.pk)
    said = text(as_alice.get(f"/cohorts/{cohort.pk}/activity/"))
    assert f"Deleted user {bob.hash_id}" in said
    assert f"User {charlie.hash_id}" in said
    assert "A former user" in said
    assert "bob@example.org" not in said
    assert "charlie@example.org" not in said


def test_an_unknown_verb_is_shown_as_it_is(as_alice, cohort):
    record(actor_id=None, verb="moon.landed", subject_type="cohort", subject_id=cohort.pk, cohort_id=cohort.pk)
    said = text(as_alice.get(f"/cohorts/{cohort.pk}/activity/"))
    assert "moon.landed" in said
    assert "The archive" in said


def test_staff_see_what_was_done_anywhere(as_sam, as_alice, cohort, alice):
    make_cohort(make_user("bob"), name="Bob's")
    said = text(as_sam.get("/activity/"))
    assert said.count("made the cohort") == 2
    assert f"cohort {cohort.pk}" in said
    assert as_alice.get("/activity/").status_code == 403


def test_pages_ask_the_database_as_often_however_much_was_done(alice, as_alice, cohort):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            as_alice.get(f"/cohorts/{cohort.pk}/activity/")
        return len(queries)

    images = make_images(cohort, 40)
    published(cohort, images[:1], alice)
    asked()
    few = asked()
    for image in images:
        published(cohort, [image], make_user(f"person{image.pk}"))
    assert asked() == few


def test_programs_get_the_same_by_cursor(alice, cohort):
    published(cohort, make_images(cohort, 2), alice)
    _, secret = make_token(alice)
    client = browser_of()
    headers = {"authorization": f"Bearer {secret}"}
    body = client.get(f"/api/v2/cohorts/{cohort.pk}/events/?limit=1", headers=headers).json()
    [event] = body["results"]
    assert (event["words"], event["person"]) == ("published 2 images (public)", alice.hash_id)
    older = client.get(body["next"].replace("http://localhost:8000", ""), headers=headers).json()
    assert older["results"][0]["verb"] == "cohort.created"
    assert client.get(f"/api/v2/cohorts/{cohort.pk}/events/?section=x", headers=headers).status_code == 400


def test_programs_read_mark_and_choose(alice):
    from medtheca.domains.ledger.notifying import notify

    for serial in range(3):
        notify(recipient_ids=[alice.pk], kind="delivery.done", words=f"{serial} accepted.", url="/uploads/")
    _, secret = make_token(alice, "write")
    headers = {"authorization": f"Bearer {secret}"}
    client = browser_of()

    def call(method, path, body=None):
        answer = getattr(client, method)(f"/api/v2/{path}", body, content_type="application/json", headers=headers)
        return answer.json()

    listed = call("get", "notifications/?unread=true")
    told = [row["words"] for row in listed["results"] if row["kind"] == "delivery.done"]
    assert told == ["2 accepted.", "1 accepted.", "0 accepted."]
    one = listed["results"][0]["id"]
    assert call("patch", "notifications/", {"ids": [one]})["changed"] == 1
    assert call("patch", "notifications/", {"ids": [one], "read": False})["changed"] == 1
    assert call("patch", "notifications/", {})["unread"] == 0
    chosen = call("patch", "notifications/preferences/", {"channels": {"delivery.done": "digest"}})
    assert {row["kind"]: row["channel"] for row in chosen["results"]}["delivery.done"] == "digest"
    refused = call("patch", "notifications/preferences/", {"channels": {"account.new_device": "none"}})
    assert refused["errors"][0]["field"] == "account.new_device"


def test_a_second_reader_does_not_read_in_the_activity_what_the_first_said(alice, as_alice, cohort):
    cohort.readers = 2
    cohort.save()
    (image,) = make_images(cohort, 1)
    readers = [make_user("rita"), make_user("ruth")]
    for reader in readers:
        add_member(scope=cohort.scope, user=reader, role=Role.REVIEWER)
    accession = Accession.objects.get(image=image)
    record_reviews(accession_ids=[accession.pk], reviewer=readers[0], decision="rejected", reason_code="quality")
    for address in (f"cohorts/{cohort.pk}", f"images/{image.key}"):
        first, second, owner = (
            [event["verb"] for event in client.get(f"/api/v2/{address}/events/").json()["results"]]
            for client in (browser_of(readers[0]), browser_of(readers[1]), as_alice)
        )
        assert "accessions.reviewed" in first
        assert "accessions.reviewed" not in second
        assert "accessions.reviewed" in owner
        assert "rejected" not in text(browser_of(readers[1]).get(f"/{address}/activity/"))
