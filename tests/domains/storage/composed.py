"""An original and its copy, which is composed of it, as tests need them."""

import hashlib
from datetime import timedelta

from medtheca.domains.storage import upkeep
from medtheca.domains.storage.models import Upload
from medtheca.domains.storage.queries import blob_store
from tests.factories.storage import keep, keep_composed

NOW = timedelta(0)
SIZE = 200_000


def noise(seed, length=SIZE):
    return hashlib.shake_128(str(seed).encode()).digest(length)


ORIGINAL = b"EXIFMARK of the original" + noise(1)
COPY = b"plain head" + noise(1)
COPIED = (10, 24, SIZE)


def make_pair():
    """An original and a copy without its head, which is composed of it."""
    original = keep(ORIGINAL)
    return original, keep_composed(COPY, original, COPIED)


def refer(blob, owner):
    return Upload.objects.create(
        owner=owner, filename="x", size=blob.size, offset=blob.size, state="finished", blob=blob
    )


def files():
    return {name for name, _ in blob_store().names()}


def staging():
    return list((blob_store().path("0" * 64).parents[2] / "staging").iterdir())


def sweep():
    return upkeep.run_upkeep(tombstone_grace=NOW, sweep_window=NOW, stray_grace=NOW)
