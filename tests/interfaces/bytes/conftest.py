import pytest

from tests.plugins.server import server, world


@pytest.fixture(scope="module")
def cases(server, django_db_blocker, tmp_path_factory):
    """See `tests.interfaces.bytes.cases`; imports are inside, because a conftest is read before Django is set up."""
    from tests.interfaces.bytes.cases import Cases
    from tests.plugins.server import speaking_to

    with django_db_blocker.unblock(), speaking_to(server.database):
        yield Cases(tmp_path_factory.mktemp("cases"))


@pytest.fixture(scope="module")
def gallery(server, django_db_blocker):
    """See `tests.interfaces.bytes.gallery`; imports are inside, as above."""
    from medtheca.workflows.decoding import close_decoder_pool
    from tests.interfaces.bytes.gallery import Gallery
    from tests.plugins.server import speaking_to

    with django_db_blocker.unblock(), speaking_to(server.database):
        yield Gallery()
    close_decoder_pool()


__all__ = ["cases", "gallery", "server", "world"]
