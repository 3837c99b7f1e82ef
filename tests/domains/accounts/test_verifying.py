"""Verification by an institutional address: by the link of a mail, or by staff."""

import dataclasses
import re
from datetime import timedelta

import pytest

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.accounts.models import Verification
from medtheca.domains.accounts.verifying import (
    MOST_A_DAY,
    ask_for_verification,
    confirm_verification,
    is_verified,
    take_back_verification,
    verified_among,
    vouch_for,
)
from medtheca.workflows import verifying
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db
ADDRESS = "b.smith@radboudumc.nl"


@pytest.fixture
def bob(db):
    return make_user("bob")


def test_the_link_of_the_mail_verifies_whoever_asked(bob, mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        verifying.ask(user=bob, email=f"  {ADDRESS.upper()} ")
    (mail,) = mailoutbox
    assert mail.to == [ADDRESS]
    secret = re.search(r"/account/verification/([A-Za-z0-9_-]{43})/", mail.body)[1]
    assert not is_verified(bob)
    with pytest.raises(NotFound):
        confirm_verification(secret=secret, user=make_user("mallory"))
    row = confirm_verification(secret=secret, user=bob)
    assert (row.email, row.by) == (ADDRESS, None)
    assert is_verified(bob)
    assert verified_among([bob.pk])[bob.pk].confirmed is not None
    with pytest.raises(NotFound):
        confirm_verification(secret=secret, user=bob)


@pytest.mark.parametrize("email", ["bob@gmail.com", "bob@mail.yahoo.co.uk", "bob", "", "bob@GMX.de"])
def test_what_shows_no_institution_is_refused(bob, email):
    with pytest.raises(Invalid):
        ask_for_verification(user=bob, email=email)
    assert not Verification.objects.exists()


def test_an_operator_adds_to_the_list_and_takes_from_it(bob, settings):
    changes = ("mail.example", "-gmx.de")
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, free_mail_domains=changes)
    with pytest.raises(Invalid):
        ask_for_verification(user=bob, email="bob@mail.example")
    assert ask_for_verification(user=bob, email="bob@gmx.de")[0].email == "bob@gmx.de"


def test_a_link_ends_and_another_takes_its_place(bob):
    _, first = ask_for_verification(user=bob, email=ADDRESS)
    _, second = ask_for_verification(user=bob, email="bob@umcutrecht.nl")
    with pytest.raises(NotFound):
        confirm_verification(secret=first, user=bob)
    Verification.objects.update(expires=now() - timedelta(seconds=1))
    with pytest.raises(NotFound):
        confirm_verification(secret=second, user=bob)


def test_an_address_verifies_one_account(bob):
    other = make_user("other")
    _, mine = ask_for_verification(user=bob, email=ADDRESS)
    _, theirs = ask_for_verification(user=other, email=ADDRESS)
    confirm_verification(secret=theirs, user=other)
    with pytest.raises(Conflict) as refusal:
        confirm_verification(secret=mine, user=bob)
    assert refusal.value.code == "address_taken"
    take_back_verification(user=other, actor=other)
    assert confirm_verification(secret=mine, user=bob).confirmed


def test_mails_to_strangers_are_few(bob):
    for number in range(MOST_A_DAY):
        ask_for_verification(user=bob, email=f"a{number}@clinic.example")
    with pytest.raises(Conflict, match="in the last day"):
        ask_for_verification(user=bob, email="one-more@clinic.example")


def test_staff_vouch_for_people_and_take_it_back(bob):
    sam = make_user("sam")
    with pytest.raises(NotAllowed):
        vouch_for(user=bob, staff=bob)
    row = vouch_for(user=bob, staff=sam)
    assert (row.email, row.by) == (bob.email, sam)
    with pytest.raises(Conflict):
        ask_for_verification(user=bob, email=ADDRESS)
    with pytest.raises(NotAllowed):
        take_back_verification(user=bob, actor=make_user("mallory"))
    take_back_verification(user=bob, actor=sam)
    assert not is_verified(bob)
    with pytest.raises(NotFound):
        take_back_verification(user=bob, actor=None)
