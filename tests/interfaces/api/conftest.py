import pytest


@pytest.fixture(autouse=True)
def _host(settings):
    from tests.interfaces.api.world import HOST  # Only now: it imports models, which need Django set up.

    settings.ALLOWED_HOSTS = [HOST, "testserver"]
    # Nobody logs in with a password here, and Argon2 is slow on purpose.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
