"""People are told once of what ended, in the way they chose."""

from datetime import timedelta

import pytest
from django.db import transaction

from medtheca.base.clock import now
from medtheca.base.errors import Invalid
from medtheca.domains.ledger.enums import Channel, MailState
from medtheca.domains.ledger.inbox import (
    KEPT_FOR,
    choose_channels,
    count_unread,
    forget_old,
    forget_recipient,
    mark_read,
    notifications_of,
    preferences_of,
    stop_mail,
)
from medtheca.domains.ledger.kinds import KINDS
from medtheca.domains.ledger.models import Event, Notification, Preference
from medtheca.domains.ledger.notifying import SAME_WITHIN, notify

pytestmark = pytest.mark.django_db
ALICE, BOB = 1001, 1002


def tell(*recipients, kind="delivery.done", words="2 accepted.", subject="7", **fields):
    notify(recipient_ids=recipients, kind=kind, words=words, url="/uploads/7/", subject_type="upload",
           subject_id=subject, **fields)  # fmt: skip


def test_each_is_told_once_and_nobody_is_nobody():
    tell(ALICE, BOB, ALICE, None)
    assert sorted(Notification.objects.values_list("recipient_id", flat=True)) == [ALICE, BOB]


def test_the_same_told_again_is_one_notification_with_the_newer_words():
    tell(ALICE)
    tell(ALICE, words="3 accepted.")
    row = notifications_of(ALICE).get()
    assert (row.words, row.times, count_unread(ALICE)) == ("3 accepted.", 2, 1)


@pytest.mark.parametrize("different", [{"subject": "8"}, {"kind": "metadata.applied"}])
def test_another_subject_or_kind_is_another_notification(different):
    tell(ALICE)
    tell(ALICE, **different)
    assert count_unread(ALICE) == 2


def test_what_was_read_or_is_old_is_told_anew():
    tell(ALICE)
    mark_read(recipient_id=ALICE)
    tell(ALICE)
    assert notifications_of(ALICE).count() == 2
    Notification.objects.update(at=now() - SAME_WITHIN - timedelta(seconds=1))
    tell(ALICE)
    assert notifications_of(ALICE).count() == 3


def test_what_was_mailed_and_is_told_again_is_mailed_again():
    tell(ALICE)
    Notification.objects.update(mail_state=MailState.SENT)
    tell(ALICE, words="3 accepted.")
    assert notifications_of(ALICE).get().mail_state == MailState.DUE


def test_a_work_that_fails_tells_nobody():
    with transaction.atomic():
        tell(ALICE)
        transaction.set_rollback(True)
    assert count_unread(ALICE) == 0


@pytest.mark.parametrize(
    ("channel", "rows", "state"),
    [
        (Channel.NONE, 0, None),
        (Channel.PAGE, 1, MailState.NONE),
        (Channel.MAIL, 1, MailState.DUE),
        (Channel.DIGEST, 1, MailState.DUE),
    ],
)
def test_people_are_told_as_they_chose(channel, rows, state):
    choose_channels(recipient_id=ALICE, channels={"delivery.done": channel})
    tell(ALICE, BOB)
    found = list(notifications_of(ALICE))
    assert [row.mail_state for row in found] == [state] * rows
    if channel is Channel.DIGEST:
        assert (found[0].mail_at.hour, found[0].mail_at.minute) == (6, 0)
    assert notifications_of(BOB).count() == 1


def test_choices_that_are_none_are_named_and_change_nothing():
    wrong = {
        "delivery.don": "page",
        "metadata.applied": "pigeon",
        "account.new_device": "none",
        "delivery.done": "none",
    }
    with pytest.raises(Invalid) as refusal:
        choose_channels(recipient_id=ALICE, channels=wrong)
    assert {problem.field for problem in refusal.value.problems} == set(wrong) - {"delivery.done"}
    assert "delivery.done" in refusal.value.problems[0].remedy
    assert all(channel == kind.default for kind, channel in preferences_of(ALICE))


def test_choosing_is_on_record():
    choose_channels(recipient_id=ALICE, channels={"delivery.done": "page"})
    assert Event.objects.get().details == {"channels": {"delivery.done": "page"}}


def test_stopping_mail_keeps_the_page_and_what_was_off():
    choose_channels(recipient_id=ALICE, channels={"metadata.applied": "none"})
    tell(ALICE)
    stop_mail(recipient_id=ALICE, kinds=["delivery.done", "metadata.applied", "no.such"])
    chosen = {kind.name: channel for kind, channel in preferences_of(ALICE)}
    assert (chosen["delivery.done"], chosen["metadata.applied"]) == (Channel.PAGE, Channel.NONE)
    assert notifications_of(ALICE).get().mail_state == MailState.NONE


def test_nobody_reads_for_another():
    tell(ALICE, BOB)
    theirs = notifications_of(BOB).get()
    assert mark_read(recipient_id=ALICE, ids=[theirs.pk]) == 0
    assert count_unread(BOB) == 1


def test_what_is_long_past_or_whose_account_is_gone_is_forgotten():
    tell(ALICE, BOB)
    tell(ALICE, subject="8")
    Notification.objects.filter(subject_id="7").update(at=now() - KEPT_FOR - timedelta(days=1))
    assert forget_old() == 0, "its mail is still due"
    Notification.objects.update(mail_state=MailState.SENT)
    assert forget_old() == 2
    choose_channels(recipient_id=ALICE, channels={"delivery.done": "page"})
    choose_channels(recipient_id=BOB, channels={"delivery.done": "page"})
    forget_recipient(ALICE)
    assert (count_unread(ALICE), Preference.objects.get().recipient_id) == (0, BOB)


def test_names_of_kinds_are_unique_and_fit():
    names = [kind.name for kind in KINDS]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 40 and "." in name for name in names)
