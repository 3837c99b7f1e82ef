"""Logging in and out with the real `isic-cli`: by a code from a page, by refreshing, and with tokens that are over."""

import pytest
import requests

from tests.contract.isic import VERSIONS, IsicCli


@pytest.fixture(scope="module")
def alice(visitor):
    return visitor("alice")


@pytest.fixture(params=VERSIONS)
def isic(request, archive, tmp_path):
    return IsicCli(request.param, f"http://127.0.0.1:{archive.port}", tmp_path)


def works(isic, token):
    answer = requests.get(
        f"{isic.host}/api/v2/users/me/",
        headers={"Authorization": f"{token['token_type']} {token['access_token']}"},
        timeout=30,
    )
    return answer.status_code == 200


def test_a_person_logs_in_by_a_code_and_out_again(isic, alice):
    code, said = isic.log_in(alice)
    assert (code, "Success!" in said) == (0, True), said
    token = isic.token
    assert token["token_type"] == "Bearer"
    assert set(token["scope"].split()) == {"identity", "image:read", "image:write"}
    assert works(isic, token)
    code, said = isic.run("user", "login")
    assert (code, "Hello alice@example.org!" in said) == (0, True), said
    code, said = isic.run("user", "logout")
    assert code == 0, said
    assert not isic.token_file.exists()
    assert not works(isic, token), "the server knows of it too"


def test_a_token_that_is_over_is_refreshed_and_rotated(isic, alice):
    isic.log_in(alice)
    first = isic.token
    isic.age_token()
    code, said = isic.run("user", "login")
    assert (code, "Hello alice@example.org!" in said) == (0, True), said
    second = isic.token
    assert second["refresh_token"] != first["refresh_token"]
    assert works(isic, second)


def test_who_was_disconnected_goes_on_as_a_guest(isic, alice):
    isic.log_in(alice)
    alice.disconnect()
    code, said = isic.run("user", "print-token")
    assert code == 0, said
    assert "bug" not in said.lower(), said
    assert not isic.token_file.exists()


def test_a_refresh_token_that_counts_no_more_is_told(isic, alice):
    isic.log_in(alice)
    isic.age_token()
    alice.disconnect()
    code, said = isic.run("user", "print-token")
    assert code == 0, said
    assert "bug" not in said.lower(), said
    assert not isic.token_file.exists()


def test_a_wrong_code_is_told_in_words(isic):
    code, said = isic.run("user", "login", given="nothing-like-a-code\n")
    assert code == 1
    assert "timed out or had an unexpected error" in said, said
