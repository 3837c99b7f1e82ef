"""The invariant of images of several files and of volumes, slides and documents; see `checking`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from medtheca.domains.storage.queries import blob_store
from medtheca.workflows.statements import column, rows

_BUNDLE = "application/vnd.medtheca.bundle+json"
# What each kind must have beside its original, and as what; a picture's files may be of any type that browsers show.
_NEEDED: dict[str, dict[str, str]] = {
    "picture": {"public": "", "thumbnail": "", "web": ""},
    "volume": {
        "public": "application/x-metaimage",
        "geometry": "application/json",
        "thumbnail": "image/jpeg",
        "web": "image/jpeg",
    },
    "slide": {"public": "image/tiff", "thumbnail": "image/jpeg", "web": "image/jpeg"},
    "document": {"public": "application/json", "thumbnail": "image/jpeg", "web": "image/jpeg"},
}


def kinds_are_whole(_look: object) -> Iterator[tuple[str, str]]:
    """A bundle has the parts that it lists, and each kind of image the files that it needs; no original is served."""
    yield from _bundles()
    for kind, needed in _NEEDED.items():
        for name, media_type in {"original": "", **needed}.items():
            yield from _lacking(kind, name)
            if media_type:
                yield from _of_other_type(kind, name, media_type)
    for image, served in rows("""
        SELECT f.image_id, f.kind FROM imaging_imagefile f JOIN imaging_image i ON i.id = f.image_id
        JOIN imaging_imagefile o ON o.image_id = f.image_id AND o.kind = 'original'
        WHERE f.kind <> 'original' AND i.kind <> 'picture' AND (f.blob_id = o.blob_id OR EXISTS (
            SELECT FROM storage_bundlepart p WHERE p.bundle_id = o.blob_id AND p.blob_id = f.blob_id))"""):
        yield f"image {image}", f"Its {served} file is a file of its original, which is never served."


def _lacking(kind: str, name: str) -> Iterator[tuple[str, str]]:
    for (image,) in rows(
        """SELECT i.id FROM imaging_image i JOIN provenance_accession a ON a.image_id = i.id
        WHERE i.kind = %s AND NOT EXISTS (
            SELECT FROM imaging_imagefile f WHERE f.image_id = i.id AND f.kind = %s)""",
        [kind, name],
    ):
        yield f"image {image}", f"It is a {kind} and has no {name} file."


def _of_other_type(kind: str, name: str, media_type: str) -> Iterator[tuple[str, str]]:
    for image, found in rows(
        """SELECT i.id, f.media_type FROM imaging_image i JOIN imaging_imagefile f ON f.image_id = i.id
        WHERE i.kind = %s AND f.kind = %s AND f.media_type <> %s""",
        [kind, name, media_type],
    ):
        yield f"image {image}", f"It is a {kind}, and its {name} file is {found} where {media_type} is due."


def _bundles() -> Iterator[tuple[str, str]]:
    """What a list says, and what the rows say, which everything else goes by."""
    listed = """
        SELECT f.blob_id FROM imaging_imagefile f WHERE f.kind = 'original' AND f.media_type = %s
        UNION SELECT bundle_id FROM storage_bundlepart"""
    for bundle, sha256 in rows(
        f"SELECT b.id, b.sha256 FROM storage_blob b WHERE b.id IN ({listed}) ORDER BY b.id",  # noqa: S608 - constant
        [_BUNDLE],
    ):
        known = column(
            """SELECT json_build_array(p.path, b.sha256, b.size) FROM storage_bundlepart p
            JOIN storage_blob b ON b.id = p.blob_id WHERE p.bundle_id = %s ORDER BY p.ordinal""",
            [bundle],
        )
        words = _fault_of_list(sha256, [tuple(row) for row in known])
        # One that was swept meanwhile is no violation.
        if words and column("SELECT 1 FROM storage_blob WHERE id = %s", [bundle]):
            yield f"bundle {sha256}", words


def _fault_of_list(sha256: str, known: list[tuple[Any, ...]]) -> str:
    try:
        listed = json.loads(blob_store().path(sha256).read_bytes())["files"]
        wanted = [(file["path"], file["sha256"], file["size"]) for file in listed]
    except FileNotFoundError:
        return "Its list of files is not in the store."
    except (ValueError, KeyError, TypeError):
        return "Its list of files cannot be read."
    missing = [path for path, *_ in wanted if path not in {row[0] for row in known}]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        return f"It lists {missing[0]}{more}, of which no row knows where the bytes are."
    return "" if wanted == known else "The rows of its parts are not what it lists."
