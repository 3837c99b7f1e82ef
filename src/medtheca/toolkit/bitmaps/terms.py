"""The values of one field, each with the images that have it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pyroaring import BitMap

from medtheca.toolkit.bitmaps.tally import Tally

Value = str | bool | float | tuple[float, float]
"""What images have in a field; a pair is the spacing of columns and of rows."""


class Terms:
    """For each value of a field a bitmap; `present` holds every image that has any value.

    Bitmaps that are given out are the field's own: to be read, never changed, and only until the next change.
    `multiple` says that an image may have several values.
    """

    __slots__ = ("bitmaps", "multiple", "present")

    def __init__(self, bitmaps: dict[Value, BitMap] | None = None, *, multiple: bool = True) -> None:
        # The most frequent first: that is where changes are found soon.
        self.bitmaps = dict(sorted(bitmaps.items(), key=lambda item: -len(item[1]))) if bitmaps else {}
        self.multiple = multiple
        self.present = BitMap.union(*self.bitmaps.values()) if self.bitmaps else BitMap()

    def replace(self, numbers: BitMap, found: Mapping[Value, Iterable[int]]) -> None:
        """Forget what these images had, and note what they have now."""
        self._forget(numbers & self.present)
        for value, having in found.items():
            bitmap = self.bitmaps.setdefault(value, BitMap())
            bitmap.update(having)
            self.present |= bitmap & numbers

    def take(self, other: Terms) -> None:
        """Have what another has, as it is."""
        self.bitmaps, self.present = other.bitmaps, other.present

    def _forget(self, left: BitMap) -> None:
        if not left:
            return
        self.present -= left
        for value, bitmap in list(self.bitmaps.items()):
            gone = bitmap & left
            if not gone:
                continue
            bitmap.difference_update(gone)
            if not bitmap:
                del self.bitmaps[value]
            if not self.multiple:
                left = left - gone
                if not left:
                    return

    def having(self, value: Value) -> BitMap:
        """Images with this value."""
        return self.bitmaps.get(value) or BitMap()

    def where(self, wanted: Callable[[Value], bool]) -> BitMap:
        """Images with any of the values that are wanted."""
        chosen = [bitmap for value, bitmap in self.bitmaps.items() if wanted(value)]
        return BitMap.union(*chosen) if chosen else BitMap()

    def counts(self, among: Tally) -> dict[Value, int]:
        """How many of the images have each value; values that none has are left out.

        >>> terms = Terms({"a": BitMap([1, 2]), "b": BitMap([3])})
        >>> terms.counts(Tally(BitMap([2, 4])))
        {'a': 1}
        """
        counted = ((value, among.of(bitmap)) for value, bitmap in self.bitmaps.items())
        return {value: number for value, number in counted if number}
