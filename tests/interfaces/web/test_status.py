"""What staff are told of how this instance is doing."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client

from medtheca.base.clock import now
from medtheca.config.processes.tls import prepare
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def encryption(settings, tmp_path):
    """What the page says of encryption, with these settings."""
    client = Client(headers={"host": "localhost"})
    client.force_login(make_user("sam"))

    def tell(public_url, *, at=None, **changed):
        found = replace(settings.ENVIRONMENT, public_url=public_url, data=tmp_path, **changed)
        if at is not None:
            prepare(found, at=at)
        settings.ENVIRONMENT, settings.PUBLIC_URL = found, found.address
        page = client.get("/status/").content.decode()
        return re.sub(r"<[^>]+>|\s+", " ", page)

    return tell


def test_encryption_is_told_with_the_day_on_which_the_certificate_ends(encryption):
    assert "`medtheca up --tls` serves https" in encryption("")
    assert "A proxy before this archive" in encryption("https://archive.example.org")
    ends = now() + timedelta(days=397)
    page = encryption("", tls=True, at=now())
    assert "an authority of its own" in page
    assert f"good until {ends:%-d %B %Y}" in page or f"good until {ends - timedelta(hours=1):%-d %B %Y}" in page


def test_a_certificate_that_cannot_be_read_is_told(encryption):
    assert "certificate cannot be read" in encryption("", tls=True)
