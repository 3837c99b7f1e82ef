"""The invariant of blobs that are composed of ranges of others; see `checking`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Protocol

from medtheca.domains.storage.fixity import Progress, examine_composed
from medtheca.domains.storage.queries import blob_store
from medtheca.toolkit.ranges.recipe import Damaged, Recipe, read_recipe
from medtheca.workflows.statements import column, rows


class _Look(Protocol):
    @property
    def deep(self) -> bool: ...

    @property
    def progress(self) -> Progress | None: ...


def compositions_are_whole(look: _Look) -> Iterator[tuple[str, str]]:
    """A composed blob has its recipe and all that this names, with files of their own; no original is composed."""
    for sha256, state, other, found in rows("""
        SELECT b.sha256, b.state, o.sha256, o.state FROM storage_composition c JOIN storage_blob b ON b.id = c.blob_id
        JOIN LATERAL (SELECT c.recipe_id AS id UNION
            SELECT source_id FROM storage_compositionsource WHERE composition_id = c.blob_id) used ON true
        JOIN storage_blob o ON o.id = used.id
        WHERE b.state <> 'tombstoned' AND o.state <> 'stored'"""):
        yield f"blob {sha256}", f"It is {state}, and {other}, of which it is composed, is {found}."
    for sha256, other in rows("""
        SELECT b.sha256, o.sha256 FROM storage_composition c JOIN storage_blob b ON b.id = c.blob_id
        JOIN LATERAL (SELECT c.recipe_id AS id UNION
            SELECT source_id FROM storage_compositionsource WHERE composition_id = c.blob_id) used ON true
        JOIN storage_blob o ON o.id = used.id JOIN storage_composition inner_ ON inner_.blob_id = o.id"""):
        yield f"blob {sha256}", f"It is composed of {other}, which is composed itself."
    for what, pk, sha256 in rows("""
        SELECT 'accession', a.id::text, b.sha256 FROM provenance_accession a
        JOIN storage_composition c ON c.blob_id = a.original_id JOIN storage_blob b ON b.id = c.blob_id
        UNION ALL SELECT 'upload', u.id::text, b.sha256 FROM storage_upload u
        JOIN storage_composition c ON c.blob_id = u.blob_id JOIN storage_blob b ON b.id = c.blob_id"""):
        yield f"{what} {pk}", f"What was received, {sha256}, is composed of other blobs: an original has its own file."
    yield from _recipes(look)


def _recipes(look: _Look) -> Iterator[tuple[str, str]]:
    for blob, sha256, size, recipe in rows("""
        SELECT b.id, b.sha256, b.size, r.sha256 FROM storage_composition c
        JOIN storage_blob b ON b.id = c.blob_id JOIN storage_blob r ON r.id = c.recipe_id ORDER BY b.id"""):
        words = _fault_of(blob, size, recipe)
        if look.deep and not words:
            finding = examine_composed(sha256, size, recipe=recipe, progress=look.progress)
            words = finding.words if finding else ""
        if look.progress:
            look.progress(1, 0)
        # One that was swept meanwhile, or got a file of its own, is no violation.
        if words and column("SELECT 1 FROM storage_composition WHERE blob_id = %s", [blob]):
            yield f"blob {sha256}", words


def _fault_of(blob: int, size: int, recipe: str) -> str:
    """What is wrong with a recipe, without reading what it is of."""
    try:
        with closing(blob_store().ranges(recipe)) as own:
            head = read_recipe(own)
    except FileNotFoundError:
        return f"Its recipe {recipe} is not in the store."
    except Damaged as fault:
        return f"Its recipe {recipe} cannot be used: {fault}."
    except OSError as error:
        return f"Its recipe {recipe} cannot be read: {error.strerror}."
    return _fault_of_head(head, blob, size)


def _fault_of_head(head: Recipe, blob: int, size: int) -> str:
    if head.size != size:
        return f"It should have {size} bytes, and by its recipe has {head.size}."
    known = column(
        """SELECT b.sha256 FROM storage_compositionsource s JOIN storage_blob b ON b.id = s.source_id
        WHERE s.composition_id = %s""",
        [blob],
    )
    if set(known) != {source.sha256 for source in head.sources}:
        return "Its recipe names other sources than its rows, which keep them."
    lost = [source.sha256 for source in head.sources if not blob_store().exists(source.sha256)]
    return f"Its source {lost[0]} is not in the store." if lost else ""
