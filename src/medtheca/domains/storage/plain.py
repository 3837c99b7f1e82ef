"""Composed blobs get files of their own, so that what they are composed of may go."""

from __future__ import annotations

import logging
from collections.abc import Collection
from contextlib import closing

from medtheca.base.errors import Conflict
from medtheca.domains.storage.models import Blob, Composition
from medtheca.domains.storage.opening import chunks_of, open_composed
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store, blobs_needed_for_ranges, unreferenced_blobs
from medtheca.toolkit.ranges.recipe import Damaged

_log = logging.getLogger(__name__)


def make_plain(blob: Blob) -> None:
    """Give a composed blob a file of its own; one that has one already is left alone. Raises `NoSpace`.

    Raises `Conflict` (code `damaged`) where its bytes cannot be had any more.
    """
    recipe = Composition.objects.filter(blob=blob).values_list("recipe__sha256", flat=True).first()
    if recipe is None:
        return
    store = blob_store()
    try:
        with closing(open_composed(recipe)) as content:
            staged = store.stage(chunks_of(content))
    except (Damaged, FileNotFoundError) as error:
        raise _damaged(blob, str(error)) from None
    if staged.sha256 != blob.sha256:
        store.discard([staged])
        raise _damaged(blob, "its sources hold other bytes than they did")
    with keeping_blobs():
        store_blobs([staged])


def free_sources(sha256s: Collection[str] | None = None) -> int:
    """Let go of blobs that nothing needs but what is composed of them; return how many blobs got files for that.

    Of all, or of those named. Raises as `make_plain`.
    """
    sources = blobs_needed_for_ranges()
    if sha256s is not None:
        sources = sources.filter(sha256__in=sha256s)
    needing = Blob.objects.filter(composition__sources__source__in=sources).exclude(pk__in=unreferenced_blobs())
    blobs = list(needing.distinct().order_by("pk"))
    for blob in blobs:
        make_plain(blob)
    return len(blobs)


def _damaged(blob: Blob, why: str) -> Conflict:
    _log.error("Blob %s cannot be given a file of its own: %s.", blob.sha256, why)
    return Conflict(
        f"Blob {blob.sha256} is composed of others and cannot be read any more: {why}.",
        code="damaged",
        remedy="Make the images that it belongs to again (medtheca rebuild --all), or restore it from a backup.",
    )
