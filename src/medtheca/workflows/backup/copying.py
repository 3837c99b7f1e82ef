"""Copying blobs between stores, hashed on the way, made durable in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import BinaryIO

from medtheca.domains.storage.fixity import examine_composed, hash_of
from medtheca.domains.storage.opening import open_composed
from medtheca.domains.storage.stores import BlobStore, Staged
from medtheca.toolkit.ranges.recipe import Damaged
from medtheca.workflows.backup.layout import CHUNK, Bar, Fixity

_BATCH_FILES = 200
_BATCH_BYTES = 256 * 1024 * 1024


def is_there(store: BlobStore, blob: Fixity, *, verify: bool = False) -> bool:
    """Whether a store has a blob with the right size and, if asked, the right bytes.

    A composed one is there where all that it is composed of is.
    """
    try:
        if blob.recipe and verify:
            return examine_composed(blob.sha256, blob.size, recipe=blob.recipe, store=store) is None
        if blob.recipe:
            with closing(open_composed(blob.recipe, store=store)) as content:
                return content.size == blob.size
        if store.path(blob.sha256).stat().st_size != blob.size:
            return False
        if not verify:
            return True
        with store.open(blob.sha256) as file:
            return hash_of(file) == (blob.sha256, blob.size)
    except (FileNotFoundError, Damaged):
        return False


def copy_blobs(blobs: Iterable[Fixity], *, source: BlobStore, target: BlobStore, verify: bool, bar: Bar) -> list[str]:
    """Copy what the target lacks; return names of blobs that the source lacks or holds wrong bytes of.

    Real copies, never links: a bad block or a careless edit in one place must not be in both. Composed blobs, which
    come after the others, have nothing of their own to be copied.
    """
    damaged: list[str] = []
    batch: list[Staged] = []
    for blob in blobs:
        if blob.recipe and batch:
            target.commit(batch)
            batch.clear()
        if is_there(target, blob, verify=verify):
            bar.advance(1, blob.stored)
            continue
        staged = None if blob.recipe else _stage(blob, source, target, bar)
        bar.advance(1, 0)
        if staged is None:
            damaged.append(blob.sha256)
            continue
        batch.append(staged)
        if len(batch) >= _BATCH_FILES or sum(item.size for item in batch) >= _BATCH_BYTES:
            target.commit(batch)
            batch.clear()
    target.commit(batch)
    return damaged


def _stage(blob: Fixity, source: BlobStore, target: BlobStore, bar: Bar) -> Staged | None:
    try:
        file = source.open(blob.sha256)
    except FileNotFoundError:
        return None
    with file:
        staged = target.stage(_chunks(file, bar))
    if (staged.sha256, staged.size) != (blob.sha256, blob.size):
        target.discard([staged])
        return None
    return staged


def _chunks(file: BinaryIO, bar: Bar) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        bar.advance(0, len(chunk))
        yield chunk
