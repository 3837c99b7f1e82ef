import pytest

from medtheca.interfaces.http.authentication import caller_from_headers
from medtheca.interfaces.http.limits import TOKEN_FAILURES, Limit, seconds_to_wait
from medtheca.interfaces.http.refusals import InvalidToken, TooManyFailures
from tests.factories.accounts import make_token, make_user

pytestmark = pytest.mark.django_db
THREE = Limit("three", 3, 60)


def test_a_limit_bites_and_says_when_it_ends(clock):
    assert [seconds_to_wait(THREE, "192.0.2.1") for _ in range(4)] == [0, 0, 0, 60]
    clock.moment += 45.5
    assert seconds_to_wait(THREE, "192.0.2.1") == 15
    clock.moment += 14.5
    assert seconds_to_wait(THREE, "192.0.2.1") == 0


def test_other_addresses_and_other_limits_count_apart(clock):
    for _ in range(3):
        seconds_to_wait(THREE, "192.0.2.1")
    assert seconds_to_wait(THREE, "192.0.2.2") == 0
    assert seconds_to_wait(Limit("other", 3, 60), "192.0.2.1") == 0


def test_all_addresses_of_one_ipv6_customer_count_as_one(clock):
    assert [seconds_to_wait(THREE, f"2001:db8:0:1::{host}") for host in range(1, 5)] == [0, 0, 0, 60]
    assert seconds_to_wait(THREE, "2001:db8:0:2::1") == 0


def test_wrong_tokens_from_one_address_end_in_429_while_good_ones_work(clock):
    def send(secret, address="192.0.2.1"):
        headers = {b"authorization": b"Bearer " + secret.encode()}
        return caller_from_headers(method="GET", headers=headers, address=address)

    for _ in range(TOKEN_FAILURES.amount):
        with pytest.raises(InvalidToken):
            send("mt_" + "a" * 43)
    with pytest.raises(TooManyFailures) as refusal:
        send("mt_" + "a" * 43)
    assert refusal.value.status == 429
    assert refusal.value.headers["Retry-After"] == "60"
    with pytest.raises(InvalidToken):
        send("mt_" + "a" * 43, address="192.0.2.2")
    _, secret = make_token(make_user("alice"))
    assert send(secret).via == "token"
