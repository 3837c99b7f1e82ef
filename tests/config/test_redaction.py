"""Logs hold nothing that opens a door."""

import logging
import sys

import pytest
from django.conf import settings
from django.test import Client

from medtheca.config.redaction import Redacted


@pytest.mark.parametrize(
    "text",
    [
        "Forbidden (CSRF cookie not set.): /accounts/password/reset/key/1-SECRET/",
        "Too Many Requests: /accounts/password/reset/key/1-cx-SECRET",
        "Bad Request: /accounts/confirm-email/MTE:1vMSECRET/",
        "Not Found: /invitations/SECRET/",
        "Not Found: /groups/join/SECRET/",
        "GET /files/images/ISIC_0000042/full.jpg?a=1&ticket=AAAASECRET-_",
        "Authorization: Bearer mt_aaaaSECRETaaaaa",
        "GET /accounts/oidc/sso/login/callback/?code=SECRET&state=SECRET 500",
        "POST https://login.example.org/token client_secret=SECRET&grant_type=authorization_code",
        "the provider answered {'id_token': 'SECRET.SECRET', 'access_token': 'SECRET'}",
    ],
)
def test_secrets_are_taken_out_of_lines_and_tracebacks(text):
    assert "SECRET" not in Redacted().format(logging.makeLogRecord({"msg": "%s", "args": (text,)}))
    try:
        int(text)
    except ValueError:
        record = logging.makeLogRecord({"msg": "failed", "exc_info": sys.exc_info()})
    assert "SECRET" not in Redacted().format(record)
    assert "ValueError" in Redacted().format(record)


def test_other_lines_stay_as_they_are():
    line = "Not Found: /accounts/password/reset/ and /tickets/?a=ticket"
    assert Redacted().format(logging.makeLogRecord({"msg": line})) == line


@pytest.mark.django_db
def test_a_refused_form_leaves_no_link_in_the_log(caplog):
    assert settings.LOGGING["formatters"]["line"]["()"] == "medtheca.config.redaction.Redacted"
    client = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    with caplog.at_level(logging.WARNING):
        assert client.post("/accounts/confirm-email/MTE:1vMSECRET/").status_code == 403
    assert any("SECRET" in record.getMessage() for record in caplog.records), "the danger is real"
    assert not any("SECRET" in Redacted().format(record) for record in caplog.records)
