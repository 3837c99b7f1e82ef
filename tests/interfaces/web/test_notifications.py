"""The bell, the page, the choices, and mail that is stopped without a log-in."""

import re

import pytest
from django.test import Client

from medtheca.domains.ledger.inbox import count_unread, notifications_of, preferences_of
from medtheca.domains.ledger.models import Notification
from medtheca.domains.ledger.notifying import notify
from medtheca.workflows.unsubscribing import link_path
from tests.factories.accounts import PASSWORD, make_user
from tests.interfaces.conftest import browser_of

pytestmark = pytest.mark.django_db


def tell(user, number=1, *, kind="delivery.done", words="2 accepted.", url="/uploads/"):
    for serial in range(number):
        notify(recipient_ids=[user.pk], kind=kind, words=words, url=url, subject_type="upload", subject_id=serial)
    return notifications_of(user.pk).first()


def text(answer):
    return answer.content.decode()


def bell(answer):
    found = re.search(r'id="bell-count".*?</span></a>|id="bell-count".*?</a>', text(answer), re.DOTALL)
    return re.sub(r"<[^>]*>|\s+", " ", found[0]).split(">")[-1].split()


def test_the_bell_counts_what_is_unread_and_only_that(alice, as_alice, nobody):
    assert "unread" not in bell(as_alice.get("/"))
    tell(alice, 3)
    assert bell(as_alice.get("/"))[:2] == ["3", "unread"]
    Notification.objects.all().delete()
    tell(alice, 101)
    assert bell(as_alice.get("/"))[0] == "99+"
    assert 'id="bell-count"' not in text(nobody.get("/"))


def test_the_bell_says_nothing_while_its_number_is_shown(alice, as_alice):
    tell(alice, 2)
    assert as_alice.get("/notifications/bell/?shown=2").status_code == 204
    answer = as_alice.get("/notifications/bell/?shown=1")
    assert ">2<" in text(answer)
    assert 'data-shown="2"' in text(answer)


def test_going_to_what_is_told_reads_it(alice, as_alice):
    row = tell(alice, url="/uploads/")
    answer = as_alice.get(f"/notifications/{row.pk}/")
    assert (answer.status_code, answer.url) == (302, "/uploads/")
    assert count_unread(alice.pk) == 0


@pytest.mark.parametrize("url", ["//evil.example/", "https://evil.example/", "javascript:alert(1)"])
def test_an_address_that_is_not_ours_leads_nowhere(alice, as_alice, url):
    row = tell(alice)
    Notification.objects.update(url=url)
    assert as_alice.get(f"/notifications/{row.pk}/").url == "/notifications/"
    assert as_alice.post("/notifications/read/", {"back": url}).url == "/notifications/"


def test_one_is_marked_read_and_unread_and_all_are_marked(alice, as_alice):
    row = tell(alice, 3)
    as_alice.post("/notifications/read/", {"id": row.pk, "back": "/notifications/?unread=1"})
    assert count_unread(alice.pk) == 2
    as_alice.post("/notifications/read/", {"id": row.pk, "unread": "1"})
    assert count_unread(alice.pk) == 3
    as_alice.post("/notifications/read/")
    assert count_unread(alice.pk) == 0


def test_nobody_reads_or_marks_what_is_anothers(alice, as_charlie):
    row = tell(alice)
    assert as_charlie.get(f"/notifications/{row.pk}/").status_code == 404
    as_charlie.post("/notifications/read/", {"id": row.pk})
    as_charlie.post("/notifications/read/")
    assert count_unread(alice.pk) == 1
    assert "2 accepted." not in text(as_charlie.get("/notifications/"))


def test_the_list_is_narrowed_and_paged(alice, as_alice):
    tell(alice, 60)
    tell(alice, kind="publication.done", words="9 images are published.")
    first = as_alice.get("/notifications/")
    assert text(first).count("2 accepted.") == 49
    older = re.search(r'rel="next" href="([^"]+)"', text(first))[1].replace("&amp;", "&")
    assert text(as_alice.get(older)).count("2 accepted.") == 11
    narrowed = text(as_alice.get("/notifications/?section=Review+and+publication"))
    assert "9 images are published." in narrowed
    assert "2 accepted." not in narrowed
    as_alice.post("/notifications/read/")
    assert "Nothing of this kind" in text(as_alice.get("/notifications/?unread=1"))
    assert as_alice.get("/notifications/?section=nonsense").status_code == 400
    assert as_alice.get("/notifications/?cursor=nonsense").status_code == 400


def test_words_are_never_markup(alice, as_alice):
    tell(alice, words="<script>alert(1)</script>")
    assert "<script>alert" not in text(as_alice.get("/notifications/"))


def test_choices_are_kept_and_shown(alice, as_alice):
    answer = as_alice.post("/account/notifications/", {"delivery.done": "digest"}, follow=True)
    assert "Your choices are kept." in text(answer)
    assert re.search(r'id="delivery.done".*?<option value="digest" selected', text(answer), re.DOTALL)
    chosen = {kind.name: channel.value for kind, channel in preferences_of(alice.pk)}
    assert (chosen["delivery.done"], chosen["metadata.applied"]) == ("digest", "mail")


def test_what_keeps_an_account_safe_cannot_be_turned_off(alice, as_alice):
    answer = as_alice.post("/account/notifications/", {"account.new_device": "none", "delivery.done": "none"})
    assert "cannot be turned off altogether" in text(answer)
    assert all(channel == kind.default for kind, channel in preferences_of(alice.pk))
    assert re.search(r'id="delivery.done".*?<option value="none" selected', text(answer), re.DOTALL), "nothing is lost"


def test_one_click_in_a_mail_program_stops_mail_without_log_in_or_cookie(alice):
    address = link_path(recipient_id=alice.pk, kinds=["delivery.done"])
    program = Client(headers={"host": "localhost:8000"}, enforce_csrf_checks=True)
    looked = program.get(address)
    assert looked.status_code == 200
    assert preferences_of(alice.pk)[0][1] == "mail", "looking changes nothing"
    assert alice.email not in text(looked)
    stopped = program.post(address, {"List-Unsubscribe": "One-Click"})
    assert stopped.status_code == 200
    assert "No more e-mail about this" in text(stopped)
    chosen = {kind.name: channel.value for kind, channel in preferences_of(alice.pk)}
    assert (chosen["delivery.done"], chosen["metadata.applied"]) == ("page", "mail")


def test_a_forged_link_stops_nothing_and_says_so(alice, nobody):
    address = link_path(recipient_id=alice.pk, kinds=["delivery.done"])
    forged = address[:-4] + ("AAA/" if not address.endswith("AAA/") else "BBB/")
    answer = nobody.post(forged)
    assert answer.status_code == 400
    assert "This link stops nothing" in text(answer)
    assert preferences_of(alice.pk)[0][1] == "mail"


def log_in(client):
    answer = client.post("/accounts/login/", {"login": "alice@example.org", "password": PASSWORD})
    assert answer.status_code == 302, text(answer)


def told_of_browsers(user):
    return notifications_of(user.pk).filter(kind="account.new_device").count()


def test_a_log_in_with_an_unknown_browser_is_told_and_with_a_known_one_not(db):
    alice = make_user("alice")
    hers, other = browser_of(), browser_of()
    log_in(hers)
    assert told_of_browsers(alice) == 0, "the first log-in of all is hers"
    hers.post("/accounts/logout/")
    log_in(hers)
    assert told_of_browsers(alice) == 0
    log_in(other)
    assert told_of_browsers(alice) == 1
    other.post("/accounts/logout/")
    log_in(other)
    assert told_of_browsers(alice) == 1


def test_a_forged_cookie_makes_no_browser_known(db):
    alice = make_user("alice")
    log_in(browser_of())
    forger = browser_of()
    forger.cookies["medtheca_known"] = f'["{alice.hash_id}"]:1abc:forged'
    log_in(forger)
    assert told_of_browsers(alice) == 1
