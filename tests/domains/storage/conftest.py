import pytest


@pytest.fixture
def data(settings, tmp_path):
    # Imported here, because this file is loaded before Django is set up.
    from medtheca.domains.storage.queries import blob_store
    from tests.factories.storage import use_data_folder

    yield use_data_folder(settings, tmp_path / "data")
    blob_store.cache_clear()


@pytest.fixture
def alice():
    from medtheca.domains.accounts.models import User

    return User.objects.create_user("alice@example.org")
