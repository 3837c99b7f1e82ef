import pytest

from medtheca.workflows.decoding import close_decoder_pool


@pytest.fixture(scope="session", autouse=True)
def _decoders():
    yield
    close_decoder_pool()
