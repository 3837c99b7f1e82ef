"""Pages of an archive's people: requests, invitations, links for reviewers; verification; the staff's agreement."""

import dataclasses
import html
import re
from datetime import timedelta

import pytest
from django.test import Client

from medtheca.base.clock import now
from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import place_images
from medtheca.domains.accounts.verifying import is_verified, vouch_for
from medtheca.domains.archives.access import may_see_items, role_in
from medtheca.domains.archives.enums import RequestState
from medtheca.domains.archives.items import create_item, put_values, trash_items
from medtheca.domains.archives.models import AccessRequest, Archive, ReviewerLink
from medtheca.domains.archives.operations import change_archive
from medtheca.domains.archives.people import members_of, set_person
from medtheca.domains.archives.requests import ask_to_see, decide
from medtheca.domains.provenance.models import Accession
from medtheca.domains.sockets.operations import create_value
from tests.factories.accounts import make_user
from tests.factories.archives import image_socket, make_archive
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(db):
    return make_user("alice")


@pytest.fixture
def bob(db):
    return make_user("bob")


def seen_by(user=None):
    client = Client(headers={"host": "localhost:8000"})
    if user is not None:
        client.force_login(user)
    return client


def words_of(answer):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


# -- people and invitations ---------------------------------------------------------------------------------


def test_an_editor_adds_changes_and_removes_people(alice, bob):
    archive = make_archive(alice)
    client, address = seen_by(alice), f"/archives/{archive.slug}/people/"
    client.post(address, {"action": "add", "email": bob.email, "role": "uploader", "until": "2030-01-31"})
    assert role_in(bob, archive) == Role.UPLOADER
    page = words_of(client.get(address))
    assert "Bob Example bob@example.org" in page
    assert 'value="2030-01-31"' in client.get(address).content.decode()
    client.post(address, {"action": "role", "number": bob.pk, "role": "user"})
    assert role_in(bob, archive) == Role.VIEWER
    (member,) = (row for row in members_of(archive, asker=alice) if row.user == bob)
    assert f"{member.until:%Y-%m-%d}" == "2030-01-31"  # A new role has the same end.
    client.post(address, {"action": "role", "number": bob.pk, "role": "user", "until": "2031-02-28"})
    assert 'value="2031-02-28"' in client.get(address).content.decode()
    answer = client.post(address, {"action": "role", "number": bob.pk, "role": "user", "until": "soon"})
    assert (answer.status_code, "Write it as 2027-01-31" in words_of(answer)) == (409, True)
    client.post(address, {"action": "role", "number": bob.pk, "role": "user", "until": ""})
    assert [row.until for row in members_of(archive, asker=alice)] == [None, None]
    client.post(address, {"action": "remove", "number": bob.pk})
    assert role_in(bob, archive) is None


@pytest.mark.parametrize(
    ("form", "status", "told"),
    [
        ({"action": "add", "email": "nobody@example.org", "role": "user"}, 200, "Invite them by e-mail"),
        ({"action": "add", "email": "bob@example.org", "role": "user", "until": "2020-01-01"}, 200, "in the past"),
        ({"action": "invite", "email": "bob", "role": "user"}, 200, "valid email address"),
        ({"action": "link", "label": "", "expires": ""}, 200, "This field is required"),
        ({"action": "link", "label": "Paper", "expires": "2099-01-01"}, 200, "within 366 days"),
        ({"action": "fly", "number": "1"}, 409, "not clear what to do"),
        ({"action": "remove", "number": "²"}, 409, "not clear who is meant"),
    ],
)
def test_what_cannot_be_done_says_why(alice, bob, form, status, told):
    archive = make_archive(alice)
    answer = seen_by(alice).post(f"/archives/{archive.slug}/people/", form)
    assert answer.status_code == status
    assert told in words_of(answer)


def test_the_last_editor_cannot_leave_and_another_can(alice, bob):
    archive = make_archive(alice)
    client, address = seen_by(alice), f"/archives/{archive.slug}/people/"
    answer = client.post(address, {"action": "remove", "number": alice.pk})
    assert (answer.status_code, "last editor" in words_of(answer)) == (409, True)
    set_person(archive=archive, actor=alice, user=bob, person="editor")
    assert client.post(address, {"action": "remove", "number": alice.pk}).url == "/archives/"


def test_the_mail_of_an_invitation_lets_somebody_in(alice, bob, mailoutbox, django_capture_on_commit_callbacks):
    archive = make_archive(alice, title="CT & MR")
    with django_capture_on_commit_callbacks(execute=True):
        seen_by(alice).post(
            f"/archives/{archive.slug}/people/", {"action": "invite", "email": bob.email, "role": "editor"}
        )
    (mail,) = mailoutbox
    assert "to the archive CT & MR in" in mail.body
    assert "settle everything in it" in mail.body
    address = re.search(r"http://localhost:8000(/archives/join/[A-Za-z0-9_-]{43}/)", mail.body)[1]
    # A link into an archive opens nothing else, and the other way round.
    assert seen_by(bob).get(address.replace("/archives/join/", "/invitations/")).status_code == 404
    assert seen_by(bob).get(address.replace("/archives/join/", "/groups/join/")).status_code == 404
    stranger = seen_by().get(address)
    assert "Log in" in words_of(stranger)
    assert stranger["Referrer-Policy"] == "strict-origin"
    other = seen_by(make_user("charlie")).post(address)
    assert other.status_code == 409
    assert "CT & MR" in words_of(seen_by(bob).get(address))
    assert seen_by(bob).post(address).url == f"/archives/{archive.slug}/"
    assert role_in(bob, archive) == Role.EDITOR
    assert seen_by(bob).get(address).status_code == 404


# -- requests -----------------------------------------------------------------------------------------------


def test_the_page_of_an_archive_says_how_far_a_request_is(alice, bob):
    archive = make_archive(alice, public=True)
    client, address = seen_by(bob), f"/archives/{archive.slug}/"
    assert "Ask to see it" in words_of(client.get(address))
    asked = ask_to_see(archive=archive, user=bob, answers={})
    page = words_of(client.get(address))
    assert "You asked just now . An editor decides, and you get a mail." in page
    assert "Your request" in page
    assert "Ask to see it" not in page
    decide(archive=archive, editor=alice, request_ids=[asked.pk], accept=False, reason="Which project?")
    page = words_of(client.get(address))
    assert "Your request was rejected just now . Which project?" in page
    assert "You may ask again from" in page
    assert "You asked" not in words_of(seen_by().get(address))


def test_a_decision_that_is_refused_keeps_what_was_chosen_and_typed(alice, bob):
    archive = make_archive(alice, public=True)
    first, second = (ask_to_see(archive=archive, user=user, answers={}) for user in (bob, make_user("charlie")))
    sent = {"action": "reject", "request": [second.pk], "reason": " ", "until": "2030-01-31"}
    answer = seen_by(alice).post(f"/archives/{archive.slug}/requests/", sent)
    assert answer.status_code == 409
    assert {row["id"]: row["chosen"] for row in answer.context["requests"]} == {first.pk: False, second.pk: True}
    assert 'name="until" value="2030-01-31"' in answer.content.decode()


def test_somebody_asks_and_an_editor_decides(alice, bob):
    form = [{"name": "purpose", "label": "What for?", "required": True}]
    archive = make_archive(alice, public=True, request_form=form, terms="**Do** no <b>harm</b>.")
    client, address = seen_by(bob), f"/archives/{archive.slug}/request/"
    page = client.get(address)
    assert "<strong>Do</strong> no" in page.content.decode()
    assert "<b>harm" not in page.content.decode()
    refused = words_of(client.post(address, {"purpose": "", "VERSION": "1"}))
    assert "Read the data-use text and accept it." in refused
    assert not AccessRequest.objects.exists()
    answers = {"purpose": "A <thesis>", "ACCEPT": "on", "VERSION": "1"}
    assert client.post(address, answers).url == address
    assert "An editor decides" in words_of(client.get(address))
    asked = AccessRequest.objects.get()

    editor, queue = seen_by(alice), f"/archives/{archive.slug}/requests/"
    page = editor.get(queue)
    assert "A <thesis>" in words_of(page)
    assert "A <thesis>" not in page.content.decode()
    without = editor.post(queue, {"action": "reject", "request": asked.pk, "reason": " "})
    assert (without.status_code, "A rejection has a reason." in words_of(without)) == (409, True)
    editor.post(queue, {"action": "reject", "request": asked.pk, "reason": "Too vague."})
    assert "Too vague." in words_of(client.get(address))
    assert "Too vague." in words_of(client.get("/account/archive-requests/"))
    rejected = f"{queue}?state=rejected"
    assert "Too vague." in words_of(editor.get(rejected))
    editor.post(rejected, {"action": "accept", "request": asked.pk, "until": "2031-05-06"})
    assert may_see_items(bob, archive)
    assert "You are in this archive" in words_of(client.get(address))
    assert client.post(f"/archives/{archive.slug}/leave/").status_code == 302
    assert not may_see_items(bob, archive)


def test_a_text_that_changes_meanwhile_is_not_accepted_unread(alice, bob):
    archive = make_archive(alice, public=True, terms="Old.", access_requests="accept_all")
    client, address = seen_by(bob), f"/archives/{archive.slug}/request/"
    client.get(address)
    change_archive(archive=archive, actor=alice, terms="New.")
    answer = client.post(address, {"ACCEPT": "on", "VERSION": "1"})
    assert "it is version 2 now" in words_of(answer)
    assert 'name="VERSION" value="2"' in answer.content.decode()
    assert not may_see_items(bob, archive)
    client.post(address, {"ACCEPT": "on", "VERSION": "2"})
    assert may_see_items(bob, archive)


def test_users_are_held_until_they_accept_a_new_text(alice, bob):
    archive = make_archive(alice, terms="Old.", users=[bob])
    queue = f"/archives/{archive.slug}/requests/"
    seen_by(alice).post(queue, {"action": "hold"})
    assert not may_see_items(bob, archive)
    assert "Has to accept" in words_of(seen_by(alice).get(f"/archives/{archive.slug}/people/"))
    client, address = seen_by(bob), f"/archives/{archive.slug}/request/"
    assert "has changed" in words_of(client.get(address))
    assert client.post(address, {"ACCEPT": "on", "VERSION": "1"}).url == f"/archives/{archive.slug}/"
    assert may_see_items(bob, archive)


def test_verified_people_are_let_in_and_others_learn_how(alice, bob):
    archive = make_archive(alice, public=True, access_requests="accept_verified_users")
    client, address = seen_by(bob), f"/archives/{archive.slug}/request/"
    client.post(address)
    assert "confirm an address at an institution" in words_of(client.get(address))
    charlie = make_user("charlie")
    vouch_for(user=charlie, staff=None)
    assert seen_by(charlie).post(address).url == f"/archives/{archive.slug}/"
    client.post(address, {"action": "withdraw"})
    assert not AccessRequest.objects.filter(user=bob).exists()


def test_hundreds_of_requests_are_decided_together_with_few_queries(alice, django_assert_max_num_queries):
    archive = make_archive(alice, public=True)
    people = [make_user(f"p{number}") for number in range(12)]
    for user in people:
        ask_to_see(archive=archive, user=user, answers={})
    queue, client = f"/archives/{archive.slug}/requests/", seen_by(alice)
    with django_assert_max_num_queries(25):
        assert words_of(client.get(queue)).count("Not verified") == 12
    chosen = [row.pk for row in AccessRequest.objects.all()]
    client.post(queue, {"action": "accept", "request": chosen})
    assert AccessRequest.objects.filter(state=RequestState.ACCEPTED).count() == 12


# -- links for reviewers ------------------------------------------------------------------------------------


def made_link(alice, archive, **said):
    page = seen_by(alice).post(
        f"/archives/{archive.slug}/people/", {"action": "link", "label": "Paper", "expires": "", **said}
    )
    return re.search(r"(/archives/by-link/[A-Za-z0-9_-]{43}/)", page.content.decode())[1]


def test_a_link_shows_one_archive_and_nothing_else(alice):
    archive = make_archive(alice, title="Secret CT", hidden=True)
    other = make_archive(alice, title="Other CT")
    (image,) = make_images(archive.cohort, 1)
    (elsewhere,) = make_images(make_cohort(alice, name="Elsewhere"), 1)
    place_images(image_ids=[image.pk], scope_ids=[archive.scope_id])
    address = made_link(alice, archive)
    secret = address.split("/")[3]
    assert secret not in seen_by(alice).get(f"/archives/{archive.slug}/people/").content.decode()
    assert not ReviewerLink.objects.filter(digest__contains=secret).exists()

    client = seen_by()
    assert client.get(f"/archives/{archive.slug}/").status_code == 404
    answer = client.get(address)
    assert (answer.status_code, answer.url) == (302, f"/archives/{archive.slug}/")
    assert secret not in str(answer.headers)
    assert "Secret CT" in words_of(client.get("/archives/"))
    assert "You may look" in words_of(client.get(f"/archives/{archive.slug}/"))
    assert client.get(f"/archives/{archive.slug}/items/").status_code == 200
    page = client.get(f"/images/{image.key}/")
    assert page.status_code == 200
    assert "/full" not in page.content.decode()
    for path in (
        f"/archives/{other.slug}/",
        f"/archives/{other.slug}/items/",
        f"/images/{elsewhere.key}/",
        f"/archives/{archive.slug}/people/",
        f"/archives/{archive.slug}/requests/",
        f"/cohorts/{archive.cohort_id}/",
        "/uploads/",
        f"/api/v2/images/{image.key}/",
        f"/api/v2/archives/{archive.pk}/",
    ):
        assert client.get(path).status_code in {302, 401, 404}, path
    download = client.post("/download/new/?image=" + str(image.key))
    assert download.status_code in {403, 404, 302}
    assert not download.headers.get("Location", "").startswith("/download/")
    assert seen_by().get(f"/images/{image.key}/").status_code == 404
    assert ReviewerLink.objects.get().uses == 1


@pytest.mark.parametrize("end", ["revoked", "expired", "demoted"])
def test_a_link_that_is_over_opens_nothing(alice, bob, end):
    archive = make_archive(alice, editors=[bob])
    address = made_link(alice, archive)
    client = seen_by()
    client.get(address)
    assert client.get(f"/archives/{archive.slug}/items/").status_code == 200
    link = ReviewerLink.objects.get()
    if end == "revoked":
        seen_by(bob).post(f"/archives/{archive.slug}/people/", {"action": "unlink", "number": link.pk})
    elif end == "expired":
        ReviewerLink.objects.update(expires=now() - timedelta(seconds=1))
    else:
        set_person(archive=archive, actor=bob, user=alice, person="user")
    assert seen_by().get(address).status_code == 404
    assert client.get(f"/archives/{archive.slug}/items/").status_code in {302, 404}


def test_somebody_with_an_account_may_use_a_link_too(alice, bob):
    archive = make_archive(alice)
    client = seen_by(bob)
    client.get(made_link(alice, archive))
    assert "You may look" in words_of(client.get(f"/archives/{archive.slug}/"))
    assert role_in(bob, archive) is None


# -- verification and the staff -----------------------------------------------------------------------------


def test_somebody_is_verified_by_the_link_of_a_mail(bob, mailoutbox, django_capture_on_commit_callbacks):
    client, address = seen_by(bob), "/account/verification/"
    assert "Anybody can have an address at gmail.com" in words_of(client.post(address, {"email": "bob@gmail.com"}))
    with django_capture_on_commit_callbacks(execute=True):
        client.post(address, {"email": "bob@clinic.example"})
    assert "A mail with a link went to bob@clinic.example" in words_of(client.get(address))
    link = re.search(r"http://localhost:8000(/account/verification/\S+/)", mailoutbox[0].body)[1]
    assert seen_by().get(link).url.startswith("/accounts/login/")
    assert client.get(link).status_code == 200
    assert not is_verified(bob)
    assert seen_by(make_user("mallory")).post(link).status_code == 409
    client.post(link)
    assert is_verified(bob)
    assert "Verified" in words_of(client.get("/account/"))
    assert client.post(link).status_code == 409
    client.post(address, {"action": "take_back"})
    assert not is_verified(bob)


def test_staff_agree_to_archives(alice, settings):
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, archive_creation="approval")
    archive = make_archive(alice, title="Waiting <CT>", public=True)
    sam = seen_by(make_user("sam"))
    assert seen_by(alice).get("/staff/archives/").status_code == 404
    assert "Waiting <CT>" in words_of(sam.get("/staff/archives/"))
    refused = sam.post("/staff/archives/", {"action": "decline", "archive": archive.pk, "reason": ""})
    assert refused.status_code == 409
    assert sam.post("/staff/archives/", {"action": "agree", "archive": "x"}).status_code == 404
    sam.post("/staff/archives/", {"action": "agree", "archive": archive.pk})
    assert Archive.objects.get(pk=archive.pk).approved


def test_names_of_files_are_read_by_people_of_the_cohort_alone(alice, bob):
    archive = make_archive(alice, public=True, users=[bob])
    (image,) = make_images(archive.cohort, 1)
    place_images(image_ids=[image.pk], scope_ids=[archive.scope_id])
    name = Accession.objects.get(image=image).name
    address = f"/images/{image.key}/"
    assert name in words_of(seen_by(alice).get(address))
    for page in (seen_by(bob).get(address), seen_by(bob).get("/gallery/")):
        assert str(image.key) in page.content.decode()
        assert name not in page.content.decode()


def test_an_image_leads_back_to_its_items_for_those_who_are_in(alice, bob):
    socket = image_socket()
    archive = make_archive(alice, title="Chest CT", users=[bob])
    (image,) = make_images(archive.cohort, 1, visibility="public")
    item = create_item(archive=archive, creator=alice, title="P001")
    put_values(item=item, actor=alice, values=[create_value(socket=socket, creator=alice, image=image)])
    address, link = f"/images/{image.public_id or image.key}/", f"/archives/{archive.slug}/items/{item.pk}/"
    assert link in seen_by(bob).get(address).content.decode()
    assert "P001 in Chest CT" in words_of(seen_by(bob).get(address))
    # The image is public; that somebody's archive holds it is not.
    for other in (None, make_user("charlie")):
        page = seen_by(other).get(address)
        assert page.status_code == 200
        assert "Chest CT" not in page.content.decode()
    trash_items(archive=archive, actor=alice, item_ids=[item.pk])
    assert link not in seen_by(bob).get(address).content.decode()
