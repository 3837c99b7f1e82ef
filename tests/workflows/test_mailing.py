"""Mail goes out once, together, over a real socket; a mail server that is away harms nothing."""

from datetime import timedelta

import pytest
from django.core import signing
from django.db.models import F

from medtheca.base.clock import now
from medtheca.base.errors import Invalid
from medtheca.domains.ledger.enums import MailState
from medtheca.domains.ledger.inbox import choose_channels, mark_read, preferences_of
from medtheca.domains.ledger.models import Event, Notification
from medtheca.domains.ledger.notifying import notify
from medtheca.domains.provenance.operations import add_owner, remove_owner
from medtheca.workflows.mailing import send_due_mail
from medtheca.workflows.unsubscribing import GOOD_FOR, link_path, read_link, unsubscribe
from tests.factories.accounts import make_user
from tests.factories.provenance import make_cohort
from tests.plugins.smtp import mail_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings):
    with mail_server(settings) as running:
        yield running


@pytest.fixture
def alice():
    return make_user("alice")


def tell(user, number=1, kind="delivery.done", words="212 accepted, 3 refused, 5 skipped in “Clinic”.", **fields):
    for serial in range(number):
        notify(recipient_ids=[user.pk], kind=kind, words=words, url=f"/uploads/{serial}/", subject_type="upload",
               subject_id=serial, **fields)  # fmt: skip


def later(**passed):
    """Let time pass for everything that was told."""
    Notification.objects.update(mail_at=F("mail_at") - timedelta(**(passed or {"minutes": 3})))


def states():
    return sorted(Notification.objects.values_list("mail_state", flat=True))


def test_ten_things_at_once_are_one_mail(server, alice, settings):
    tell(alice, 10)
    assert send_due_mail() == 0  # They wait for each other.
    later()
    assert (send_due_mail(), send_due_mail()) == (1, 0)
    [(recipients, message)] = server.messages
    assert recipients == ["alice@example.org"]
    assert message["Subject"] == "Medtheca: An upload was worked through (10 times)"
    text = message.get_body(("plain",)).get_content()
    html = message.get_body(("html",)).get_content()
    for part in (text, html):
        assert part.count("212 accepted, 3 refused, 5 skipped in “Clinic”.") == 10
        assert f"{settings.PUBLIC_URL}/uploads/9/" in part
        assert f"{settings.PUBLIC_URL}/account/notifications/" in part
        assert settings.SUPPORT_EMAIL in part
    assert states() == ["sent"] * 10


def test_words_are_text_and_not_markup(server, alice):
    tell(alice, words="<b>Clinic & sons</b>")
    later()
    send_due_mail()
    [(_, message)] = server.messages
    assert "&lt;b&gt;Clinic &amp; sons&lt;/b&gt;" in message.get_body(("html",)).get_content()
    assert "<b>Clinic & sons</b>" in message.get_body(("plain",)).get_content()


def test_one_click_stops_that_kind_and_no_other(server, alice, settings):
    tell(alice)
    later()
    send_due_mail()
    [(_, message)] = server.messages
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = message["List-Unsubscribe"].strip(" <>")
    assert link.startswith(settings.PUBLIC_URL + "/unsubscribe/")
    unsubscribe(token=link.rstrip("/").rsplit("/", 1)[1])
    chosen = {kind.name: channel for kind, channel in preferences_of(alice.pk)}
    assert (chosen["delivery.done"], chosen["metadata.applied"]) == ("page", "mail")
    tell(alice, 2)
    later()
    assert send_due_mail() == 0


def test_each_gets_only_their_own(server, alice):
    bob = make_user("bob")
    tell(alice, words="For Alice.")
    tell(bob, words="For Bob.")
    later()
    assert send_due_mail() == 2
    told = {recipients[0]: message.get_body(("plain",)).get_content() for recipients, message in server.messages}
    assert "For Alice." in told["alice@example.org"]
    assert "For Alice." not in told["bob@example.org"]


def test_the_daily_summary_waits_for_the_morning(server, alice):
    choose_channels(recipient_id=alice.pk, channels={"delivery.done": "digest"})
    tell(alice, 3)
    row = Notification.objects.first()
    assert now() < row.mail_at <= now() + timedelta(days=1)
    assert send_due_mail() == 0
    later(days=1)
    assert send_due_mail() == 1


def test_what_was_read_is_not_mailed_but_what_is_of_safety_is(server, alice):
    tell(alice)
    tell(alice, kind="account.new_device", words="Somebody logged in.")
    mark_read(recipient_id=alice.pk)
    later()
    send_due_mail()
    [(_, message)] = server.messages
    assert message["Subject"].endswith("A log-in from a device not seen before")
    assert states() == ["none", "sent"]


def test_who_left_a_cohort_gets_no_mail_about_it(server, alice):
    bob = make_user("bob")
    cohort = make_cohort(alice)
    add_owner(contributor=cohort.contributor, user=bob, actor=alice)
    tell(bob, cohort_id=cohort.pk)
    tell(alice, cohort_id=cohort.pk)
    remove_owner(contributor=cohort.contributor, user=bob, actor=alice)
    later()
    assert send_due_mail() == 1
    assert server.messages[0][0] == ["alice@example.org"]


def test_no_mail_to_an_address_that_nobody_confirmed_or_a_disabled_user(server):
    unconfirmed, disabled = make_user("charlie", confirmed=False), make_user("bob")
    disabled.is_active = False
    disabled.save()
    tell(unconfirmed)
    tell(disabled)
    later()
    assert (send_due_mail(), server.connections) == (0, 0)
    assert states() == ["none", "none"]


def test_a_server_that_is_away_is_asked_again_and_given_up_after_a_day(alice, settings):
    with mail_server(settings) as gone:
        pass
    assert gone.port == settings.EMAIL_PORT
    tell(alice)
    rounds = 0
    while states() == ["due"] and rounds < 100:
        later(hours=3)
        assert send_due_mail() == 0
        rounds += 1
    row = Notification.objects.get()
    assert (row.mail_state, row.mail_note) == (MailState.GIVEN_UP, "ConnectionRefusedError")
    assert 12 < rounds < 30
    assert Event.objects.get(verb="mail.given_up").details["notifications"] == [row.pk]


def test_mail_goes_out_once_the_server_is_back(server, alice):
    server.refuse_data = 451
    tell(alice)
    later()
    assert send_due_mail() == 0
    assert (states(), Notification.objects.get().mail_note) == (["due"], "SMTPDataError 451")
    server.refuse_data = 0
    assert send_due_mail() == 0  # Not at once again.
    later(minutes=5)
    assert send_due_mail() == 1


def test_an_address_that_is_refused_for_good_does_not_hold_up_others(server, alice):
    bob = make_user("bob")
    tell(alice)
    later()
    server.refuse_recipients = 550
    send_due_mail()
    assert states() == ["given_up"]
    server.refuse_recipients = 0
    tell(bob)
    later()
    assert send_due_mail() == 1


def test_a_process_that_died_while_sending_leaves_the_mail_to_the_next(server, alice, monkeypatch):
    from medtheca.workflows import mailing

    tell(alice)
    later()
    with monkeypatch.context() as dying:
        dying.delattr(mailing, "note_sent")
        with pytest.raises(NameError):
            send_due_mail()
    assert send_due_mail() == 0  # Under the lease of the one that died.
    later(minutes=11)
    assert send_due_mail() == 1
    first, second = (message["Message-ID"] for _, message in server.messages)
    assert first == second


def test_links_are_good_for_a_year_and_cannot_be_forged(alice, monkeypatch):
    token = link_path(recipient_id=alice.pk, kinds=["delivery.done"]).split("/")[2]
    assert [kind.name for kind in read_link(token).kinds] == ["delivery.done"]
    other = signing.dumps([alice.pk, ["delivery.done"]], salt="another purpose")
    for forged in (token[:-1], token[1:], "x" + token, "nonsense", "a" * 5000, other):
        with pytest.raises(Invalid):
            unsubscribe(token=forged)
    import time

    then = time.time() + GOOD_FOR.total_seconds() + 60
    monkeypatch.setattr("django.core.signing.time.time", lambda: then)
    with pytest.raises(Invalid, match="older than a year"):
        unsubscribe(token=token)
    assert all(channel == kind.default for kind, channel in preferences_of(alice.pk))


def test_everything_can_be_stopped_at_once(alice):
    token = link_path(recipient_id=alice.pk, kinds=["delivery.done"]).split("/")[2]
    unsubscribe(token=token, everything=True)
    assert {channel.value for _, channel in preferences_of(alice.pk)} <= {"page", "none"}
