"""What `medtheca up` shows: one line a step; a spinner where somebody looks, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.status import Status
from rich.text import Text

_SECONDS_BETWEEN_PLAIN_PROGRESS = 10.0


class Terminal:
    """Prints to standard output, and notes the same lines in a log, because a terminal can go away."""

    def __init__(self, log: Path) -> None:
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._log = log
        self._status: Status | None = None
        self._last_progress = 0.0

    @contextmanager
    def step(self, doing: str, done: str) -> Iterator[Callable[[str], None]]:
        """Show that something is being done, and that it is done; the yielded function tells details."""
        begun = time.monotonic()
        interactive = self._console.is_terminal

        def say(message: str) -> None:
            if interactive:
                self.progress(f"{doing}: {message}")
            else:
                self.line(f"{doing}: {message}")

        if interactive:
            self.progress(doing)
        try:
            yield say
        except BaseException:
            self.end_progress()
            raise
        self.end_progress()
        self._print(done, mark="✓", style="green", note=f"{time.monotonic() - begun:.1f} s")

    def line(self, message: str) -> None:
        """A line that stays."""
        self._print(message, mark="·", style="dim")

    def warn(self, message: str) -> None:
        """A line that stays and stands out."""
        self._print(message, mark="!", style="yellow")

    def blank(self, message: str = "") -> None:
        """Text without a mark, not logged: addresses and logins."""
        with suppress(OSError):
            self._console.print(Text(message))

    def progress(self, message: str) -> None:
        """A line that changes; where nobody looks, one now and then."""
        if self._console.is_terminal:
            with suppress(OSError):
                if self._status is None:
                    self._status = self._console.status(Text(message), spinner="dots")
                    self._status.start()
                else:
                    self._status.update(Text(message))
        elif time.monotonic() - self._last_progress > _SECONDS_BETWEEN_PLAIN_PROGRESS:
            self._last_progress = time.monotonic()
            self.line(message)

    def end_progress(self) -> None:
        """Take the changing line away."""
        if self._status is not None:
            with suppress(OSError):
                self._status.stop()
            self._status = None

    def _print(self, message: str, *, mark: str, style: str, note: str = "") -> None:
        text = Text.assemble((f"{mark} ", style), message, (f"  {note}" if note else "", "dim"))
        # A terminal that was closed must not keep us from stopping in order.
        with suppress(OSError):
            self._console.print(text)
        with suppress(OSError), self._log.open("a") as log:
            log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {message} {note}".rstrip() + "\n")
