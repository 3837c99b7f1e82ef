import threading

import pytest
from allauth.account.models import EmailAddress
from django.db import close_old_connections

from medtheca.domains.accounts.errors import BadUser, EmailTaken, UnknownUser
from medtheca.domains.accounts.models import User
from medtheca.domains.accounts.operations import create_user, set_active
from medtheca.domains.accounts.profiles import Profile, change_profile
from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.ledger.models import Event
from tests.factories.accounts import PASSWORD, make_user


@pytest.mark.django_db
def test_a_user_is_made_with_a_confirmed_address_and_an_event(real_password_hashers):
    sam = create_user(email=" Sam@Example.ORG ", password=PASSWORD, staff=True, first_name="Sam")
    assert (sam.email, sam.is_staff, sam.full_name, sam.is_demo) == ("sam@example.org", True, "Sam", False)
    assert sam.check_password(PASSWORD)
    assert sam.password.startswith("argon2")
    address = EmailAddress.objects.get(user=sam)
    assert (address.email, address.verified, address.primary) == ("sam@example.org", True, True)
    event = Event.objects.get(verb="user.created")
    assert (event.subject_id, event.details["staff"]) == (str(sam.pk), True)


@pytest.mark.django_db
def test_an_unconfirmed_user_has_an_address_to_confirm():
    alice = make_user("alice", confirmed=False)
    assert not EmailAddress.objects.get(user=alice).verified


@pytest.mark.django_db
def test_all_that_is_wrong_is_named_at_once():
    with pytest.raises(BadUser) as refusal:
        create_user(email="not an address", password="short", first_name="x" * 151)
    assert {problem.field for problem in refusal.value.problems} == {"email", "password", "first_name"}
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_password_like_the_address_is_refused():
    with pytest.raises(BadUser) as refusal:
        create_user(email="charlotte.miller@example.org", password="charlotte.miller")
    assert [problem.field for problem in refusal.value.problems] == ["password"]


@pytest.mark.django_db
def test_an_address_is_taken_in_any_case():
    make_user("alice")
    with pytest.raises(EmailTaken, match=r"alice@example\.org"):
        create_user(email="ALICE@example.org", password=PASSWORD)


@pytest.mark.django_db(transaction=True)
def test_two_who_make_the_same_user_at_once_get_one_user():
    start, outcomes = threading.Barrier(2), []

    def make():
        start.wait()
        try:
            outcomes.append(type(make_user("alice")))
        except EmailTaken as refusal:
            outcomes.append(type(refusal))
        finally:
            close_old_connections()

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome.__name__ for outcome in outcomes) == ["EmailTaken", "User"]


@pytest.mark.django_db
def test_users_are_found_by_address_in_any_case():
    alice = make_user("alice")
    assert user_by_email(" Alice@EXAMPLE.org") == alice
    with pytest.raises(UnknownUser, match=r"bob@example\.org"):
        user_by_email("bob@example.org")


@pytest.mark.django_db
def test_disabling_twice_is_one_event():
    alice = make_user("alice")
    for _ in range(2):
        set_active(user=alice, active=False)
    alice.refresh_from_db()
    assert not alice.is_active
    assert Event.objects.filter(verb="user.disabled").count() == 1


@pytest.mark.django_db
def test_names_change_and_long_ones_are_refused():
    alice = make_user("alice")
    change_profile(user=alice, profile=Profile(first_name=" Alice ", last_name="Miller"))
    alice.refresh_from_db()
    assert alice.full_name == "Alice Miller"
    with pytest.raises(BadUser):
        change_profile(user=alice, profile=Profile(first_name="Alice", last_name="x" * 151))
