"""Where the bytes of inspections lie while they run: a folder each, in the data folder, never in the store."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.conf import settings

MEMBERS = "members"


def scratch_root() -> Path:
    """The folder of all that is only passing through. Nothing in it is backed up, and upkeep empties it."""
    root: Path = settings.ENVIRONMENT.data / "scratch"
    return root


def scratch_of(inspection_id: UUID | str) -> Path:
    """The folder of one inspection. The name is ours, never the user's."""
    return scratch_root() / "inspections" / str(UUID(str(inspection_id)))


def make_scratch(inspection_id: UUID | str) -> Path:
    """Make the folder, with an empty one in it for members of ZIPs."""
    folder = scratch_of(inspection_id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    members = folder / MEMBERS
    shutil.rmtree(members, ignore_errors=True)
    members.mkdir(mode=0o700)
    return folder


def remove_scratch(inspection_id: UUID | str) -> None:
    """Remove the folder and all in it; nothing happens where there is none."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(scratch_of(inspection_id))


def old_scratch(*, before: float) -> Iterator[Path]:
    """Folders and forgotten files of uploads last touched before a moment (seconds since 1970)."""
    for folder in (scratch_root(), scratch_root() / "inspections"):
        if not folder.is_dir():
            continue
        for path in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.name != "inspections" and path.stat().st_mtime < before:
                    yield path
