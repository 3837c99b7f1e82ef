"""The archive with the patient. Imports are inside: a conftest is read before Django is set up."""

import pytest


@pytest.fixture
def archive(settings, tmp_path):
    from medtheca.domains.storage.queries import blob_store
    from tests.factories.storage import make_wide_scopes, use_data_folder
    from tests.workflows.erasing.archive import NAME, Archive

    data = use_data_folder(settings, tmp_path / "data", secret_key="")
    make_wide_scopes()
    (data / "logs").mkdir()
    (data / "logs" / "web.log").write_text(f"2026 INFO something about {NAME}_1.jpg\nand a line that stays\n")
    yield Archive(data)
    blob_store.cache_clear()
