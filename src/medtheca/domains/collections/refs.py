"""Images as people name them: by public id or key, as far as they may see them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from medtheca.domains.access.models import Placement
from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.collections.access import Asker
from medtheca.domains.collections.models import Collection
from medtheca.domains.imaging.models import Image

LONGEST_REF = 100
_CHUNK = 1000
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


def images_named(asker: Asker, refs: Sequence[str]) -> dict[str, int]:
    """Keys of the images that the asker sees, by the names that were given for them; other names are left out."""
    return _find(visible_images(viewer_of(asker)), refs)


def images_named_within(collection: Collection, asker: Asker, refs: Sequence[str]) -> dict[str, int]:
    """As `images_named`, and those in the collection besides, visible or not: what dropped out can be removed."""
    listed = Placement.objects.filter(scope=collection.listing_id).values("image")
    return images_named(asker, refs) | _find(Image.objects.filter(pk__in=listed), refs)


def names_of(image_ids: Iterable[int]) -> dict[int, str]:
    """What images are called in answers, by their keys: the public id, else the key. The caller may name them."""
    rows = Image.objects.filter(pk__in=list(image_ids)).values_list("pk", "public_id", "key")
    return {pk: public_id or str(key) for pk, public_id, key in rows}


def _find(images: QuerySet[Image], refs: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    wanted = list(dict.fromkeys(ref for ref in refs if len(ref) <= LONGEST_REF and not _NO_TEXT.search(ref)))
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        keys = {key: ref for ref in chunk if (key := _key(ref)) is not None}
        rows = images.filter(Q(public_id__in=chunk) | Q(key__in=list(keys)))
        given = set(chunk)
        for pk, public_id, key in rows.values_list("pk", "public_id", "key"):
            if public_id in given:
                found[public_id] = pk
            if key in keys:
                found[keys[key]] = pk
    return found


def _key(ref: str) -> UUID | None:
    try:
        return UUID(ref)
    except ValueError:
        return None
