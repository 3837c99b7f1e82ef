"""Progress bars on standard error, so that standard output stays for results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


class ByteBar:
    """A bar over bytes, with a count of files, rate and time left."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None
        self._files = 0
        self._of = 0

    def begin(self, description: str, *, files: int, size: int) -> None:
        """Begin a bar; the one before stays as it ended."""
        self._files, self._of = 0, files
        self._task = self._progress.add_task(description, total=size or None, files=f"0 of {files:,}")

    def advance(self, files: int, size: int) -> None:
        """Go on by files done and bytes read."""
        if self._task is None:
            return
        self._files += files
        self._progress.update(self._task, advance=size, files=f"{self._files:,} of {self._of:,}")


@contextmanager
def byte_bar(*, shown: bool) -> Iterator[ByteBar]:
    """A bar on standard error where that is a terminal and `shown` is set; else one that is never seen."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TextColumn("{task.fields[files]} files"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as progress:
        yield ByteBar(progress)


class CountBar:
    """A bar over things done of a number that may still grow."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def begin(self, description: str) -> None:
        """Begin a bar of unknown length."""
        self._task = self._progress.add_task(description, total=None)

    def update(self, *, done: int, of: int) -> None:
        """Say how far it is."""
        if self._task is not None:
            self._progress.update(self._task, completed=done, total=of or None)


@contextmanager
def count_bar(*, shown: bool) -> Iterator[CountBar]:
    """A bar on standard error where that is a terminal and `shown` is set; else one that is never seen."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as progress:
        yield CountBar(progress)


def human_size(size: float) -> str:
    """Bytes for people, such as `1.2 GB`."""
    return decimal(int(size))
