"""Metadata in the shape in which the ISIC API shows it to everyone."""

from collections.abc import Mapping
from typing import Any

from medtheca.toolkit.schemas.registry import Pack


def public_metadata(
    values: Mapping[str, Any],
    *,
    pack: Pack,
    pixels_x: int | None = None,
    pixels_y: int | None = None,
    public_ids: Mapping[str, str] | None = None,
) -> dict[str, dict[str, Any]]:
    """`{"acquisition": {…}, "clinical": {…}}` of stored values, absent ones left out.

    Exact age and private ids never appear. `public_ids` (`{"lesion_id": "IL_0000042"}`) are the ids that
    replace private ones; names that are no identifiers of the pack are an error.
    """
    ids = public_ids or {}
    strangers = set(ids) - set(pack.identifiers)
    if strangers:
        raise ValueError(f"Not an identifier of {pack.name}: {', '.join(sorted(strangers))}.")
    shape: dict[str, dict[str, Any]] = {"acquisition": {}, "clinical": {}}
    for name, size in (("pixels_x", pixels_x), ("pixels_y", pixels_y)):
        if size is not None:
            shape["acquisition"][name] = size
    for column in pack.columns.values():
        value = values.get(column.name) if column.public else ids.get(column.name)
        if value is not None:
            shape[column.group][column.name] = value
    return shape
