"""An archive whose files are in a folder of its own. Imports are inside: a conftest is read before Django is set up."""

import pytest


@pytest.fixture(autouse=True)
def _data_folder(settings, tmp_path):
    from medtheca.domains.storage.queries import blob_store
    from tests.factories.storage import make_wide_scopes, use_data_folder

    use_data_folder(settings, tmp_path / "data")
    make_wide_scopes()
    yield
    blob_store.cache_clear()


@pytest.fixture
def una():
    from tests.factories.accounts import make_user

    return make_user("una")


@pytest.fixture
def archive(una):
    from tests.factories.accounts import make_user
    from tests.factories.archives import image_socket, make_archive

    image_socket()
    return make_archive(make_user("alice"), uploaders=[una])
