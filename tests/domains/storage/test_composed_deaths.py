"""Wherever a process dies over blobs that are composed of others, no row is without its bytes."""

import pytest
from django.db import connection

from medtheca.domains.storage.erasing import erase_bytes
from medtheca.domains.storage.fixity import examine_blob
from medtheca.domains.storage.models import Blob, Upload
from medtheca.domains.storage.plain import make_plain
from tests.domains.storage.composed import COPIED, COPY, ORIGINAL, files, refer, staging, sweep
from tests.domains.storage.dying import PATCHED, SHIM, Killed, die
from tests.factories.storage import keep_composed, keep_for, read, sha256_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data")]


@pytest.fixture
def _mortal(monkeypatch):
    for owner, name in PATCHED:
        monkeypatch.setattr(owner, name, SHIM.wrap(getattr(owner, name)))


def prepare(action, alice):
    original = keep_for(alice, ORIGINAL).blob
    if action == "store":
        return
    copy = keep_composed(COPY, original, COPIED)
    if action in {"plain", "erase"}:
        refer(copy, alice)
    if action in {"sweep", "erase"}:
        Upload.objects.filter(blob=original).update(state="unpacked", blob=None)


def act(action, original):
    if action == "store":
        keep_composed(COPY, original, COPIED)
    elif action == "plain":
        make_plain(Blob.objects.get(sha256=sha256_of(COPY)))
    elif action == "sweep":
        sweep()
    else:
        erase_bytes(sha256s=[sha256_of(ORIGINAL)])


def dies(action, original, *, after):
    """Do it, killed at the n-th step; whether it came so far."""
    SHIM.left, before = after, SHIM.hits
    try:
        with connection.execute_wrapper(SHIM.statement):
            act(action, original)
    except Killed:
        die()
    finally:
        SHIM.left = None
    return SHIM.hits > before


@pytest.mark.usefixtures("_mortal")
@pytest.mark.parametrize("action", ["store", "plain", "sweep", "erase"])
def test_wherever_the_process_dies_no_row_is_without_its_bytes(action, alice):
    # The longer ones at every third step: each death costs a connection.
    after, deaths, stride = 1, 0, 1 if action in {"store", "plain"} else 3
    while True:
        prepare(action, alice)
        original = Blob.objects.get(sha256=sha256_of(ORIGINAL))
        died = dies(action, original, after=after)
        for blob in Blob.objects.all():
            assert sha256_of(read(blob.sha256)) == blob.sha256, (after, blob.size)
        if not died:
            break
        after, deaths = after + stride, deaths + 1
        # Done again, it comes to its end.
        if Blob.objects.filter(sha256__in=[sha256_of(COPY), sha256_of(ORIGINAL)]).count() == 2:
            act(action, original)
        for blob in Blob.objects.all():
            assert examine_blob(blob.sha256, blob.size) is None
        Upload.objects.all().delete()
        sweep()
        assert not files()
        assert not staging()
    assert deaths > 10
