"""Bundles: several files that make one image, kept as a blob that lists them.

Whatever holds one file of an image holds a bundle the same way: the list is a blob, its SHA-256 stands for all bytes
and names in it, and its parts are blobs of their own, so that a file in two bundles is stored once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from medtheca.domains.storage.models import Blob, BundlePart
from medtheca.domains.storage.operations import store_blobs
from medtheca.domains.storage.queries import blob_store

MEDIA_TYPE = "application/vnd.medtheca.bundle+json"


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a bundle: its path within it, and its blob."""

    path: str
    blob: Blob


def store_bundle(parts: Sequence[Part]) -> Blob:
    """The blob that lists these files, in this order, and its rows. Call inside `keeping_blobs`.

    The same files under the same paths in the same order give the same blob.
    """
    listed = [{"path": part.path, "sha256": part.blob.sha256, "size": part.blob.size} for part in parts]
    text = json.dumps({"bundle": 1, "files": listed}, ensure_ascii=False, separators=(",", ":"))
    (bundle,) = store_blobs([blob_store().stage([text.encode()])]).values()
    rows = [
        BundlePart(bundle=bundle, ordinal=place, path=part.path, blob=part.blob) for place, part in enumerate(parts)
    ]
    BundlePart.objects.bulk_create(rows, ignore_conflicts=True)
    return bundle


def parts_of(blob_ids: Iterable[int]) -> dict[int, list[Part]]:
    """Files of those blobs that are bundles, in their order, by the blob's id; what is no bundle is absent."""
    found: dict[int, list[Part]] = {}
    rows = BundlePart.objects.filter(bundle__in=list(blob_ids)).select_related("blob")
    for row in rows.order_by("bundle", "ordinal"):
        found.setdefault(row.bundle_id, []).append(Part(row.path, row.blob))
    return found


def size_of(blob: Blob, parts: Sequence[Part] | None) -> int:
    """Bytes of a file, or of all files of a bundle."""
    return sum(part.blob.size for part in parts) if parts else blob.size
