"""Files of this machine that somebody names on a command line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from medtheca.base.errors import NotFound


def find_files(paths: Sequence[Path], *, leave_out: Path | None = None) -> list[Path]:
    """The files that paths mean, each once, folders with all below them, in order; absolute. Raises `NotFound`."""
    files: dict[Path, None] = {}
    for path in map(_absolute, paths):
        if path.is_dir():
            found = (entry for entry in path.rglob("*") if entry.is_file() and not entry.is_symlink())
            files |= dict.fromkeys(sorted(found))
        elif path.is_file():
            files[path] = None
        else:
            raise NotFound(f"There is no file or folder {path}.")
    if leave_out is not None:
        files.pop(_absolute(leave_out), None)
    if not files:
        raise NotFound(f"There are no files in {', '.join(map(str, paths))}.")
    return list(files)


def _absolute(path: Path) -> Path:
    # Without `..`, which would stand in the names within a ZIP; symbolic links keep the name that was typed.
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute keeps `..`, and resolve follows links


def text_of(name: str) -> str:
    """A name of this machine as text: bytes of it that are no UTF-8 become question marks in diamonds."""
    return os.fsencode(name).decode("utf-8", "replace")
