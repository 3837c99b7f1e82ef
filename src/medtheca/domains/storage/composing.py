"""Making composed blobs: a content most of which is ranges of another blob is kept as a recipe of those.

That a stretch is a copy is said by whoever made the content, which may be a decoder that a file has taken over. So it
is not believed: the whole content is read by the recipe, compared and hashed, before anybody hears of it.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing

from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.opening import CHUNK, open_composed, recipe_of
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.stores import ComposedOf, Staged
from medtheca.toolkit.ranges.composed import ComposedRanges
from medtheca.toolkit.ranges.making import Copied, Draft, Stretch, draft_recipe, flattened, stretches_of
from medtheca.toolkit.ranges.readers import FileRanges, RangeReader
from medtheca.toolkit.ranges.recipe import Damaged, Source

LEAST_SAVED = 64 * 1024
"""Bytes that a composition must save: below, rows and a second file to be opened cost as much."""
LEAST_SHARE = 0.25
"""Of the content's bytes."""

_log = logging.getLogger(__name__)


def compose(content: RangeReader, copies: Iterable[Copied], *, source: Blob) -> Staged | None:
    """Stage a content as composed of ranges of `source`, in the order of their targets; its caller closes `content`.

    None where that would not save much, and where what is said to be copied is not: then keep the content as it is.
    What is staged needs the rest of the content no more. Raises `NoSpace`, or OSError where something cannot be read.
    """
    store = blob_store()
    with ExitStack() as opened:
        try:
            sources, stretches = _plain_sources(source, copies, opened)
            draft = draft_recipe(content, stretches, sources)
        except (Damaged, ValueError, FileNotFoundError) as error:
            _log.error("What is said to be copied from blob %s cannot be: %s.", source.sha256[:16], error)
            return None
        if draft is None or not is_worth_it(draft):
            return None
        staged = store.stage(draft.chunks(content))
        try:
            own = FileRanges(os.open(staged.path, os.O_RDONLY | os.O_CLOEXEC))
            composed = opened.enter_context(closing(ComposedRanges(own, store.ranges)))
            sha256 = _compare(content, composed)
        except (Damaged, FileNotFoundError) as error:
            _log.error("A recipe of blob %s cannot be read: %s.", source.sha256[:16], error)
            sha256 = None
        except BaseException:
            store.discard([staged])
            raise
        if sha256 is None:
            store.discard([staged])
            return None
    made_of = ComposedOf(staged.sha256, staged.size, tuple(each.sha256 for each in sources))
    return Staged(sha256, content.size, staged.path, made_of)


def is_worth_it(draft: Draft) -> bool:
    """Whether a recipe saves enough."""
    saved = draft.size - draft.recipe_size
    return saved >= LEAST_SAVED and saved >= LEAST_SHARE * draft.size


def _plain_sources(
    source: Blob, copies: Iterable[Copied], opened: ExitStack
) -> tuple[Sequence[Source], Iterable[Stretch]]:
    """What is copied as ranges of blobs that have files of their own: those of a composed one are its sources'."""
    store = blob_store()
    try:
        opened.enter_context(closing(store.ranges(source.sha256)))
    except FileNotFoundError:
        recipe = recipe_of(source.sha256)
        if recipe is None:
            raise
        of_source = opened.enter_context(closing(open_composed(recipe)))
        own = opened.enter_context(closing(store.ranges(recipe)))
        sources = (Source(recipe, own.size), *of_source.recipe.sources)
        return sources, flattened(copies, of_source.recipe, own)
    return (Source(source.sha256, source.size),), stretches_of(copies)


def _compare(content: RangeReader, composed: RangeReader) -> str | None:
    """SHA-256 of what is read by the recipe; None where that is not the content."""
    digest = hashlib.sha256()
    for at in range(0, content.size, CHUNK):
        chunk = composed.read(at, CHUNK)
        if chunk != content.read(at, CHUNK):
            _log.error("A decoder said that bytes are copied which are not, between %d and %d.", at, at + CHUNK)
            return None
        digest.update(chunk)
    return digest.hexdigest() if composed.size == content.size else None
