"""Making a recipe for a content of which it is known, or said, which stretches are copies of ranges of others.

What is said need not be true: whoever makes a recipe reads the whole content by it afterwards, and compares.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from medtheca.toolkit.ranges.readers import RangeReader
from medtheca.toolkit.ranges.recipe import (
    ENTRY_BYTES,
    HEAD,
    MAGIC,
    MOST_ENTRIES,
    MOST_SOURCES,
    OFFSET_BITS,
    PAGE,
    SOURCE,
    Place,
    Recipe,
    Source,
    bytes_of,
    numbers_of,
)

LEAST_COPIED = 128
"""Shorter copies are kept as literals: an entry costs 16 bytes, and its neighbour often another 16."""

# Literals up to this size are looked up among those before them: the tables of a slide's tiles are a few hundred bytes.
_ALIKE = 8192
_MOST_REMEMBERED = 32_000_000
_STEP = 1 << 20
_JPEG, _HEAD, _WHOLE_HEAD, _MOST_HEADS = b"\xff\xd8\xff\xe0", 1024, 512, 16


@dataclass(frozen=True, slots=True)
class Copied:
    """`length` bytes at `target` of a content are those at `source` of another file."""

    target: int
    source: int
    length: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes of the content, from `target` on, and the place of a source where they are."""

    target: int
    place: Place


@dataclass(slots=True)
class Draft:
    """A recipe in the making; literals are ranges of the content itself."""

    size: int
    sources: tuple[Source, ...]
    starts: "array[int]" = field(default_factory=lambda: array("Q"))
    places: "array[int]" = field(default_factory=lambda: array("Q"))
    literals: list[tuple[int, int]] = field(default_factory=list)
    literal_bytes: int = 0

    @property
    def recipe_size(self) -> int:
        """Bytes of the recipe's file."""
        return self.literals_at + self.literal_bytes

    @property
    def literals_at(self) -> int:
        """Where the literals begin in it."""
        pages = -(-len(self.starts) // PAGE)
        return HEAD.size + SOURCE.size * len(self.sources) + 8 * pages + ENTRY_BYTES * len(self.starts)

    def chunks(self, content: RangeReader) -> Iterator[bytes]:
        """The recipe's file, piece by piece. Raises OSError."""
        yield HEAD.pack(MAGIC, self.size, len(self.starts), len(self.sources), 0)
        yield b"".join(SOURCE.pack(bytes.fromhex(source.sha256), source.size) for source in self.sources)
        yield bytes_of(self.starts[::PAGE])
        base = self.literals_at
        for first in range(0, len(self.starts), _STEP // ENTRY_BYTES):
            numbers = array("Q")
            some = slice(first, first + _STEP // ENTRY_BYTES)
            for start, place in zip(self.starts[some], self.places[some], strict=True):
                numbers.append(start)
                numbers.append(place if place >> OFFSET_BITS else place + base)
            yield bytes_of(numbers)
        for offset, length in self.literals:
            for at in range(offset, offset + length, _STEP):
                yield content.read(at, min(_STEP, offset + length - at))


def draft_recipe(content: RangeReader, copies: Iterable[Stretch], sources: Sequence[Source]) -> Draft | None:
    """A recipe by which the content is put together from these sources, where `copies` tell the truth.

    `copies` are in the order of their targets. None where they overlap, reach out of the content or a source, or are
    too many for a recipe: then they are not worth believing, or not worth it. Reads the content's literals. OSError.
    """
    draft = Draft(content.size, tuple(sources))
    largest = max([content.size, *(source.size for source in sources)])
    if not content.size or len(sources) > MOST_SOURCES or largest >> OFFSET_BITS:
        return None
    seen = _Literals()
    at = 0
    for target, place in _joined(copies):
        fits = 1 <= place.source <= len(sources) and 0 <= place.offset <= sources[place.source - 1].size - place.length
        if place.length < 1 or target < at or target + place.length > content.size or not fits:
            return None
        if place.length < LEAST_COPIED:
            continue
        if target > at:
            _add_literal(draft, content, at, target - at, seen)
        draft.starts.append(target)
        draft.places.append(place.source << OFFSET_BITS | place.offset)
        at = target + place.length
        if len(draft.starts) >= MOST_ENTRIES:
            return None
    if at < content.size:
        _add_literal(draft, content, at, content.size - at, seen)
    return draft if len(draft.starts) <= MOST_ENTRIES else None


def _joined(copies: Iterable[Stretch]) -> Iterator[tuple[int, Place]]:
    """Copies of which one goes on where the one before ends, as one."""
    held: tuple[int, Place] | None = None
    for stretch in copies:
        target, place = stretch.target, stretch.place
        if held is not None:
            begun, before = held
            after = Place(before.source, before.offset + before.length, place.length)
            if target == begun + before.length and place == after:
                held = begun, Place(before.source, before.offset, before.length + place.length)
                continue
            yield held
        held = target, place
    if held is not None:
        yield held


@dataclass(slots=True)
class _Literals:
    """Literals that were seen, so that what is alike is kept once."""

    short: dict[bytes, int] = field(default_factory=dict)
    heads: list[tuple[bytes, int]] = field(default_factory=list)


def _add_literal(draft: Draft, content: RangeReader, offset: int, length: int, seen: _Literals) -> None:
    if length > _ALIKE:
        _add_long_literal(draft, content, offset, length, seen)
        return
    data = content.read(offset, length)
    known = seen.short.get(data)
    if known is None:
        known = _keep_literal(draft, offset, length)
        if known <= _MOST_REMEMBERED:
            seen.short[data] = known
    else:
        draft.starts.append(offset)
        draft.places.append(known)


def _add_long_literal(draft: Draft, content: RangeReader, offset: int, length: int, seen: _Literals) -> None:
    """A stretch with JPEG files in it, which mostly begin alike: with the same tables, some 600 bytes."""
    begun = offset
    for at in _find_heads(content, offset, length):
        data = content.read(at, min(_HEAD, offset + length - at))
        # What follows a short picture need not lie behind it in the recipe.
        data = data[: data.find(_JPEG, 1)] if _JPEG in data[1:] else data
        alike, known = max(((_count_alike(data, head), place) for head, place in seen.heads), default=(0, 0))
        if at < begun:
            continue  # Within what was taken for a head already.
        if alike < _WHOLE_HEAD and len(seen.heads) < _MOST_HEADS:
            # Another size of picture, of which there will be more: it differs in its frame, before most tables.
            seen.heads.append((data, draft.literal_bytes + at - begun))
            continue
        if alike < LEAST_COPIED:
            continue
        if at > begun:
            _keep_literal(draft, begun, at - begun)
        draft.starts.append(at)
        draft.places.append(known)
        begun = at + alike
    if begun < offset + length:
        _keep_literal(draft, begun, offset + length - begun)


def _find_heads(content: RangeReader, offset: int, length: int) -> Iterator[int]:
    """Where a JPEG file seems to begin."""
    end = offset + length
    for first in range(offset, end, _STEP):
        # The mark may lie across two steps.
        data = content.read(first, min(_STEP + len(_JPEG) - 1, end - first))
        at = data.find(_JPEG)
        while at >= 0:
            yield first + at
            at = data.find(_JPEG, at + len(_JPEG))


def _count_alike(one: bytes, other: bytes) -> int:
    """How many bytes two begin with alike."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if one[:middle] == other[:middle]:
            least = middle
        else:
            most = middle - 1
    return least


def _keep_literal(draft: Draft, offset: int, length: int) -> int:
    place = draft.literal_bytes
    draft.starts.append(offset)
    draft.places.append(place)
    draft.literals.append((offset, length))
    draft.literal_bytes += length
    return place


def stretches_of(copies: Iterable[Copied], *, source: int = 1) -> Iterator[Stretch]:
    """Copies of ranges of one file, as those of the source with that number."""
    for copied in copies:
        yield Stretch(copied.target, Place(source, copied.source, copied.length))


def flattened(copies: Iterable[Copied], recipe: Recipe, own: RangeReader) -> Iterator[Stretch]:
    """Copies of ranges of a content that has a recipe itself, as those of its sources.

    Source 1 is the recipe's own file, which holds its literals, and source n + 1 its n-th. Raises `Damaged`, OSError.
    """
    for copied in copies:
        target = copied.target
        if copied.source < 0 or copied.length < 1 or copied.source + copied.length > recipe.size:
            raise ValueError("a copy reaches out of its source")
        for place in recipe.places(copied.source, copied.length, own.read):
            yield Stretch(target, Place(place.source + 1, place.offset, place.length))
            target += place.length


def read_copies(data: bytes) -> Iterator[Copied]:
    """Copies as `pack_copies` wrote them."""
    numbers = numbers_of(data)
    for at in range(0, len(numbers) - 2, 3):
        yield Copied(numbers[at], numbers[at + 1], numbers[at + 2])


def pack_copies(copies: Iterable[Copied]) -> bytes:
    """Three numbers of eight bytes for each, the low byte first: target, source, length."""
    numbers = array("Q")
    for copied in copies:
        numbers.extend((copied.target, copied.source, copied.length))
    return bytes_of(numbers)
