import pytest


@pytest.fixture(autouse=True)
def _origin(settings):
    from tests.interfaces.api.v1.world import ORIGIN  # Only now: it imports models, which need Django set up.

    settings.PUBLIC_URL = ORIGIN
