"""The real `gcapi` against a real `medtheca up --tls`: how it begins, what it refuses, what is not here yet."""

import json
import ssl
import urllib.request

import pytest

from tests.contract.gcapi import VERSIONS, GcApi


@pytest.fixture(scope="module")
def alice(gcapi_of):
    return gcapi_of("alice")


def test_a_client_needs_nothing_but_the_authority(alice):
    said = alice.ask("answer = str(client.base_url)")
    assert said.error is None, said.trace
    assert said.answer == alice.base_url
    told_of_a_newer = any("is available" in line for line in said.warned)
    assert told_of_a_newer == (alice.version != VERSIONS[0]), said.warned


def test_without_the_authority_it_refuses_to_talk(tls_archive, alice):
    stranger = GcApi(alice.version, tls_archive, alice.token, trust=False)
    try:
        assert "CERTIFICATE_VERIFY_FAILED" in stranger.fails("client").error
    finally:
        stranger.close()


def test_the_authority_as_an_argument_is_enough_for_the_newest_alone(tls_archive, alice):
    stranger = GcApi(alice.version, tls_archive, alice.token, trust=False)
    try:
        found = stranger.ask("answer = client.algorithms.page()", options={"verify": str(tls_archive.ca)})
    finally:
        stranger.close()
    if alice.version == VERSIONS[0]:
        assert (found.error, found.answer) == (None, [])
    else:
        # It asks for its versions without the argument, as docs/grand-challenge.md says.
        assert "CERTIFICATE_VERIFY_FAILED" in found.error


def test_the_address_has_to_end_with_a_slash_and_to_be_https(alice):
    # Trap 1: it asks for `/api/v1gcapi/`, which is 404 and no redirect.
    cut = alice.fails("client", options={"base_url": alice.base_url.rstrip("/")})
    assert cut.status == 404
    plain = alice.fails("client", options={"base_url": alice.base_url.replace("https://", "http://")})
    assert plain.type != "AssertionError"


def test_versions_are_told_to_nobody_in_particular(tls_archive):
    # Trap 2 and 3: unauthenticated, and of this very type.
    context = ssl.create_default_context(cafile=tls_archive.ca)
    with urllib.request.urlopen(f"{tls_archive.url}/api/v1/gcapi/", context=context) as answer:
        assert answer.headers["Content-Type"] == "application/json"
        assert set(json.load(answer)) == {"latest_version", "lowest_supported_version"}


LISTS = [
    "archives",
    "archive_items",
    "images",
    "raw_image_upload_sessions",
    "uploads",
    "reader_studies",
    "reader_studies.questions",
    "reader_studies.answers",
    "reader_studies.answers.mine",
    "reader_studies.display_sets",
    "algorithms",
    "algorithm_jobs",
    "algorithm_images",
]
NEW_LISTS = ["algorithm_endpoints", "algorithm_invocations"]


@pytest.mark.parametrize("name", LISTS + NEW_LISTS)
def test_every_list_of_a_new_archive_is_empty_and_ends(alice, name):
    # Traps 3 and 9: one answer of another type, or an offset that is passed over, and this never comes back.
    found = alice.ask(f"answer = list(client.{name}.iterate_all())")
    if alice.version == "0.14.0" and name in NEW_LISTS:
        assert found.type == "AttributeError"
    else:
        assert (found.error, found.answer) == (None, [])


@pytest.mark.parametrize("name", ["archives", "reader_studies", "algorithms"])
def test_what_is_not_there_is_not_found_by_slug_or_key(alice, name):
    # Trap 10.
    key = "00000000-0000-0000-0000-000000000000"
    for question in ('slug="none"', f'pk="{key}"'):
        assert alice.fails(f"client.{name}.detail({question})").type == "ObjectNotFound"


def test_a_bad_token_is_told_in_the_log_as_on_grand_challenge(alice):
    found = alice.fails("list(client.algorithms.iterate_all())", options={"token": "mt_of_yesterday"})
    assert found.status == 401
    assert any("Invalid token." in line for line in found.logged)


def test_addresses_are_followed_by_the_host_that_was_given_alone(gcapi_of):
    # Trap 4: absolute, https, and of the same host and port, or it refuses to fetch them.
    bob = gcapi_of("bob")
    begun = bob.run('answer = client.uploads.create(filename="a.mha")')
    assert bob.run("answer = client(method='GET', url=given['url'])", url=begun["api_url"])["pk"] == begun["pk"]
    other = begun["api_url"].replace("localhost", "127.0.0.1")
    assert "Invalid target URL" in bob.fails("client(method='GET', url=given['url'])", url=other).error
