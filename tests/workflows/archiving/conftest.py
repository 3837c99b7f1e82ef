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


@pytest.fixture
def sockets(archive):
    """One of each kind that a cell can say, of the archive's own."""
    from tests.factories.archives import make_socket

    alice = archive.creator
    choices = {"enum": ["mild", "severe"]}
    several = {"items": {"enum": ["left", "right", "both; really"]}}
    made = [
        make_socket("Score", "FLT", scope=archive.scope, creator=alice),
        make_socket("Count", "INT", scope=archive.scope, creator=alice),
        make_socket("Healthy", "BOOL", scope=archive.scope, creator=alice),
        make_socket("Report text", "STR", scope=archive.scope, creator=alice),
        make_socket("Grade", "CHOI", scope=archive.scope, creator=alice, schema=choices),
        make_socket("Sides", "MCHO", scope=archive.scope, creator=alice, schema=several),
        make_socket("Notes", "JSON", scope=archive.scope, creator=alice),
    ]
    return {socket.slug: socket for socket in made}
