"""Blobs opened for reading, whether they have a file of their own or are composed of ranges of others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from medtheca.domains.storage.models import Composition
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.stores import BlobStore
from medtheca.toolkit.ranges.composed import ComposedRanges
from medtheca.toolkit.ranges.readers import RangeReader
from medtheca.toolkit.ranges.recipe import Recipe

CHUNK = 1 << 20


def open_ranges(sha256: str) -> RangeReader:
    """A blob for reading by ranges. Raises `FileNotFoundError`, or `Damaged` where a recipe is not as it should be."""
    try:
        return blob_store().ranges(sha256)
    except FileNotFoundError:
        recipe = recipe_of(sha256)
        if recipe is None:
            raise
    return open_composed(recipe)


def open_composed(
    recipe_sha256: str, *, store: BlobStore | None = None, recipe: Recipe | None = None
) -> ComposedRanges:
    """A content by its recipe's blob, of this archive's store or another; `recipe` is its head where that is known.

    Raises `FileNotFoundError` or `Damaged` where the recipe or a source is not there, or has another size.
    """
    held = store or blob_store()
    return ComposedRanges(held.ranges(recipe_sha256), held.ranges, recipe=recipe)


def recipe_of(sha256: str) -> str | None:
    """SHA-256 of the recipe of a composed blob; None for one with a file of its own."""
    return Composition.objects.filter(blob__sha256=sha256).values_list("recipe__sha256", flat=True).first()


def chunks_of(file: RangeReader) -> Iterator[bytes]:
    """All bytes, a megabyte at a time."""
    for at in range(0, file.size, CHUNK):
        yield file.read(at, CHUNK)


def read_blob(sha256: str) -> bytes:
    """All bytes of a blob that is known to be small. Raises as `open_ranges`."""
    with closing(open_ranges(sha256)) as file:
        return file.read(0, file.size)


def write_out(sha256: str, target: Path) -> None:
    """Copy a blob into a file, for who has to have one. Raises as `open_ranges`."""
    with closing(open_ranges(sha256)) as file, target.open("wb") as copy:
        for chunk in chunks_of(file):
            copy.write(chunk)
