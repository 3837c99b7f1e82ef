"""A data folder and Alice with a cohort. Tables are imported late: pytest reads this file before Django is set up."""

import pytest

from medtheca.workflows.decoding import close_decoder_pool


@pytest.fixture(scope="session", autouse=True)
def _decoders():
    yield
    close_decoder_pool()


@pytest.fixture(autouse=True)
def _turns_do_not_end(monkeypatch):
    """On a slow machine a turn would end in the middle of what a test brings, and another job go on."""
    from medtheca.workflows import convert

    monkeypatch.setattr(convert, "TURN_SECONDS", 3600.0)


@pytest.fixture
def data(settings, tmp_path):
    from medtheca.domains.storage.queries import blob_store
    from tests.factories.storage import use_data_folder

    yield use_data_folder(settings, tmp_path / "data")
    blob_store.cache_clear()


@pytest.fixture
def alice(db):
    from tests.factories.accounts import make_user

    return make_user("alice")


@pytest.fixture
def cohort(alice, data):
    from tests.factories.provenance import make_cohort

    return make_cohort(alice)
