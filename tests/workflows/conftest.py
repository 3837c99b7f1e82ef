"""A data folder and Alice with a cohort. Tables are imported late: pytest reads this file before Django is set up."""

import pytest

from medtheca.workflows.decoding import close_decoder_pool


@pytest.fixture(scope="session", autouse=True)
def _decoders():
    yield
    close_decoder_pool()


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
