"""Bytes that must go at once: a sweep without tombstones and windows, of whatever nobody else needs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from medtheca.base.steps import step
from medtheca.domains.storage.compositions import free_to_go, with_compositions
from medtheca.domains.storage.layout import sweep_layouts
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.operations import sweeping_blobs
from medtheca.domains.storage.plain import free_sources
from medtheca.domains.storage.queries import blob_store, unreferenced_blobs

_PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class ErasedBytes:
    """SHA-256 of what is gone now, and of what stays because rows of others point to it."""

    gone: tuple[str, ...]
    shared: tuple[str, ...]


def erase_bytes(*, sha256s: Collection[str], unreferenced_since: datetime | None = None) -> ErasedBytes:
    """Remove these bytes now, but for those that others refer to; and all that nobody refers to of a time on.

    `unreferenced_since` takes the containers and superseded files along that no row names any more. Rows go first,
    then bytes, durably, under the lock of the sweep; may be repeated after a crash. Raises `Conflict`: code `busy`
    while a backup runs, code `damaged` where bytes of others are composed of these and cannot be had any more.
    """
    store = blob_store()
    with sweeping_blobs(patience=_PATIENCE):
        names = set(sha256s)
        # What others need of it gets a file of its own: the same public copy may be had from two originals.
        free_sources(names)
        if unreferenced_since is not None:
            # Under the lock nobody is between storing a blob and referring to it.
            lying = unreferenced_blobs().filter(created__gte=unreferenced_since)
            names |= set(lying.values_list("sha256", flat=True))
        names = with_compositions(names)
        with transaction.atomic():
            # A bundle's list goes before its parts, to which nobody else may point then.
            while doomed := [blob.pk for blob in free_to_go(unreferenced_blobs().filter(sha256__in=names))]:
                # Every key that points to a blob protects it: a reference that the search missed stops the sweep here.
                Blob.objects.filter(pk__in=doomed).delete()
        step("erase.blob_rows")
        shared = set(Blob.objects.filter(sha256__in=names).values_list("sha256", flat=True))
        for sha256 in sorted(names - shared):
            store.delete(sha256, durably=True)
            step("erase.bytes")
    # A killed worker may have left links to them, or copies, where decoders read.
    sweep_layouts()
    step("erase.layouts")
    return ErasedBytes(tuple(sorted(names - shared)), tuple(sorted(shared)))


def left_of(sha256s: Collection[str]) -> list[str]:
    """Those whose row or bytes, in the store or in quarantine, are still there."""
    store = blob_store()
    known = set(Blob.objects.filter(sha256__in=sha256s).values_list("sha256", flat=True))
    quarantined = {name for name, _ in store.quarantined()}
    return sorted(name for name in sha256s if name in known or name in quarantined or store.exists(name))
