"""Whoever is refused learns whom to ask, and the id to tell them."""

import re

import pytest
from django.test import Client

from medtheca.config.environment import WrongSetting, read_environment
from tests.interfaces.api.world import HOST

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/api/v2/users/me/", "/api/v2/images/nothing/", "/api/v2/nowhere/", "/api/other/"])
def test_a_refusal_names_support_and_the_request(settings, address, caplog):
    settings.SUPPORT_EMAIL = "help@archive.example.org"
    caplog.set_level("INFO", logger="medtheca.interfaces.http.request_ids")
    body = Client(headers={"host": HOST}).get(address).json()
    assert body["support"] == "help@archive.example.org"
    assert re.fullmatch(r"[0-9a-f]{12}", body["request_id"])
    assert f"Request {body['request_id']} was refused: {body['status']} GET" in caplog.text


def test_the_description_names_the_contact(settings):
    settings.SUPPORT_EMAIL = "help@archive.example.org"
    body = Client(headers={"host": HOST}).get("/api/v2/openapi.json").json()
    assert body["info"]["contact"]["email"] == "help@archive.example.org"
    assert {"support", "request_id"} <= set(body["components"]["schemas"]["ProblemOut"]["required"])


@pytest.mark.parametrize(
    "value", ["", "nobody", "a@b, c@d", "a b@example.org", "a@example.org?cc=x", '"<b>@example.org']
)
def test_an_address_that_is_none_stops_the_start(value):
    with pytest.raises(WrongSetting, match="MEDTHECA_SUPPORT_EMAIL"):
        read_environment({"MEDTHECA_SUPPORT_EMAIL": value})


@pytest.mark.parametrize("name", ["MEDTHECA_SUPPORT_EMAIL", "SUPPORT_EMAIL"])
def test_the_name_it_had_before_is_still_read(name):
    assert read_environment({name: "help@archive.example.org"}).support_email == "help@archive.example.org"
