"""Browsers of the four: nobody, Alice who owns the cohort, Charlie the stranger, Sam of the staff.

Imports are inside: a conftest is read before Django is set up.
"""

import pytest


def browser_of(user=None, **options):
    from django.test import Client

    client = Client(headers={"host": "localhost:8000"}, **options)
    if user is not None:
        client.force_login(user)
    return client


def person(name):
    from tests.factories.accounts import make_user

    return make_user(name)


class Clock:
    """Time that stands still until it is moved, so that no window ends in the middle of a test."""

    def __init__(self, moment):
        self.moment = moment

    def time(self):
        return self.moment


@pytest.fixture
def clock(monkeypatch):
    """What limits see of the time."""
    from medtheca.interfaces.http import limits

    stopped = Clock(1_800_000_000.0)  # the first second of a window
    monkeypatch.setattr(limits, "time", stopped)
    return stopped


@pytest.fixture
def quick_passwords(settings):
    """Argon2 is slow on purpose, and here nobody types a password."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def alice(db, quick_passwords):
    return person("alice")


@pytest.fixture
def cohort(alice):
    from tests.factories.provenance import make_cohort

    return make_cohort(alice)


@pytest.fixture
def nobody(db):
    return browser_of()


@pytest.fixture
def as_alice(alice):
    return browser_of(alice)


@pytest.fixture
def as_charlie(db, quick_passwords):
    return browser_of(person("charlie"))


@pytest.fixture
def as_sam(db, quick_passwords):
    return browser_of(person("sam"))
