"""A content read by its recipe, as if it were a file."""

from collections.abc import Callable
from contextlib import ExitStack

from medtheca.toolkit.ranges.readers import RangeReader
from medtheca.toolkit.ranges.recipe import Damaged, Read, Recipe, read_recipe

Opener = Callable[[str], RangeReader]
"""Opens a source by its SHA-256. Raises `FileNotFoundError`."""


class ComposedRanges:
    """The content of a recipe. What its entries do not list cannot be read through it.

    Every read raises `Damaged` where the recipe or a source is not as it was.
    """

    def __init__(self, own: RangeReader, open_source: Opener, *, recipe: Recipe | None = None) -> None:
        """Takes `own`, the recipe's file, which is closed with it, and opens all sources.

        `recipe` is its head where that is known. Raises `Damaged` or OSError; `own` is closed then, too.
        """
        with ExitStack() as opened:
            opened.callback(own.close)
            self._own = own
            self.recipe = recipe or read_recipe(own)
            if own.size != self.recipe.own_size:
                raise Damaged(f"its recipe should have {self.recipe.own_size} bytes and has {own.size}")
            self._files: list[RangeReader] = [own]
            for source in self.recipe.sources:
                file = open_source(source.sha256)
                opened.callback(file.close)
                self._files.append(file)
                if file.size != source.size:
                    raise Damaged(f"its source {source.sha256} should have {source.size} bytes and has {file.size}")
            self._opened = opened.pop_all()

    @property
    def size(self) -> int:
        return self.recipe.size

    def read(self, offset: int, count: int) -> bytes:
        parts = []
        for place in self.recipe.places(offset, count, self._own.read):
            part = self._files[place.source].read(place.offset, place.length)
            if len(part) < place.length:
                raise Damaged("a source of it ends too early")
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read_now(self, offset: int, count: int) -> bytes | None:
        parts = []
        try:
            for place in self.recipe.places(offset, count, _now(self._own)):
                part = self._files[place.source].read_now(place.offset, place.length)
                if part is None or len(part) < place.length:
                    return None
                parts.append(part)
        except _Waiting:
            return None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def forget(self) -> None:
        for file in self._files:
            file.forget()

    def close(self) -> None:
        self._opened.close()


class _Waiting(Exception):
    """A page of the recipe is not in memory."""


def _now(own: RangeReader) -> Read:
    def read(offset: int, count: int) -> bytes:
        found = own.read_now(offset, count)
        if found is None:
            raise _Waiting
        return found

    return read
