"""Contents put together from ranges: whatever is read by a recipe is what the content holds, and nothing else."""

import hashlib
import os
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from medtheca.toolkit.ranges import making, recipe
from medtheca.toolkit.ranges.composed import ComposedRanges
from medtheca.toolkit.ranges.making import Copied, draft_recipe, flattened, pack_copies, read_copies, stretches_of
from medtheca.toolkit.ranges.readers import FileRanges, MemoryRanges
from medtheca.toolkit.ranges.recipe import Damaged, Place, Source, read_recipe


def sha256_of(data):
    return hashlib.sha256(data).hexdigest()


def count_open():
    return len(list(Path("/proc/self/fd").iterdir()))


def source_of(data):
    return Source(sha256_of(data), len(data))


def make(content, copies, *sources):
    """The recipe's file; None where none is made."""
    draft = draft_recipe(MemoryRanges(content), copies, [source_of(data) for data in sources])
    return None if draft is None else b"".join(draft.chunks(MemoryRanges(content)))


def opened(packed, *sources):
    known = {sha256_of(data): data for data in sources}

    def open_source(sha256):
        if sha256 not in known:
            raise FileNotFoundError(sha256)
        return MemoryRanges(known[sha256])

    return ComposedRanges(MemoryRanges(packed), open_source)


def noise(length, seed=0):
    return hashlib.shake_128(str(seed).encode()).digest(length)


@st.composite
def compositions(draw):
    """A content of ranges of two sources and of literals, and what is copied from where."""
    sources = [noise(3000, 1), noise(5000, 2)]
    pieces, copies, at = [], [], 0
    for _ in range(draw(st.integers(1, 25))):
        number, length = draw(st.integers(0, 2)), draw(st.integers(1, 900))
        if number:
            offset = draw(st.integers(0, len(sources[number - 1]) - length))
            piece = sources[number - 1][offset : offset + length]
            copies.append(making.Stretch(at, Place(number, offset, length)))
        else:
            piece = noise(length, draw(st.integers(0, 3)))
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces), copies, sources


@settings(max_examples=200, deadline=None)
@given(compositions(), st.data())
def test_reads_are_those_of_the_content(made, data):
    content, copies, sources = made
    packed = make(content, copies, *sources)
    composed = opened(packed, *sources)
    assert composed.size == len(content)
    assert composed.read(0, len(content) + 10) == composed.read_now(0, len(content)) == content
    for _ in range(5):
        first, count = data.draw(st.integers(0, len(content) + 5)), data.draw(st.integers(0, len(content)))
        assert composed.read(first, count) == content[first : first + count]
        assert composed.read_now(first, count) == content[first : first + count]


@settings(max_examples=200, deadline=None)
@given(compositions(), st.integers(-50, 20_000), st.integers(-5, 20_000))
def test_no_byte_of_a_source_is_reached_that_is_not_listed(made, first, count):
    content, copies, sources = made
    composed = opened(make(content, copies, *sources), *sources)
    listed = {(c.place.source, at) for c in copies for at in range(c.place.offset, c.place.offset + c.place.length)}
    places = list(composed.recipe.places(first, count, composed._own.read))
    touched = {
        (place.source, at)
        for place in places
        if place.source
        for at in range(place.offset, place.offset + place.length)
    }
    assert touched <= listed
    assert sum(place.length for place in places) == len(content[max(0, first) : max(0, first + count)])


@settings(max_examples=100, deadline=None)
@given(compositions(), st.data())
def test_a_recipe_of_a_recipe_is_flat(made, data):
    content, copies, sources = made
    inner = make(content, copies, *sources)
    length = data.draw(st.integers(1, len(content)))
    offset = data.draw(st.integers(0, len(content) - length))
    outer_content = b"head" + content[offset : offset + length] + b"tail"
    own = MemoryRanges(inner)
    stretches = flattened([Copied(4, offset, length)], read_recipe(own), own)
    outer = make(outer_content, stretches, inner, *sources)
    assert opened(outer, inner, *sources).read(0, len(outer_content)) == outer_content


def test_copies_that_follow_each_other_are_one_entry():
    source = noise(100_000)
    copies = [Copied(at + 10, at + 500, 1000) for at in range(0, 50_000, 1000)]
    packed = make(b"0123456789" + source[500:50_500], stretches_of(copies), source)
    assert read_recipe(MemoryRanges(packed)).entries == 2


def test_what_is_alike_among_literals_is_kept_once():
    source, tables = noise(1_000_000), noise(600, 5)
    pieces, copies, at = [], [], 0
    for number in range(2000):
        pieces += [tables, source[number * 500 : number * 500 + 400]]
        copies.append(Copied(at + 600, number * 500, 400))
        at += 1000
    packed = make(b"".join(pieces), stretches_of(copies), source)
    # 4,000 entries, 16 bytes each, and the tables.
    assert len(packed) < 4000 * 16 + 600 + 500
    composed = opened(packed, source)
    assert composed.read(0, at) == b"".join(pieces)
    assert composed.read(999_001, 999) == b"".join(pieces)[999_001:1_000_000]


def test_a_read_needs_a_page_of_a_large_recipe_and_not_the_whole():
    source = noise(400_000)
    copies = [Copied(at * 200, (at * 7919) % 399_000, 200) for at in range(20_000)]
    content = b"".join(source[c.source : c.source + c.length] for c in copies)
    packed = make(content, stretches_of(copies), source)
    asked = []

    class Watched(MemoryRanges):
        def read(self, offset, count):
            asked.append(count)
            return super().read(offset, count)

    composed = ComposedRanges(Watched(packed), lambda _: MemoryRanges(source))
    asked.clear()
    assert composed.read(3_000_123, 500) == content[3_000_123:3_000_623]
    assert sum(asked) <= 2 * recipe.PAGE * recipe.ENTRY_BYTES


@pytest.mark.parametrize(
    "copies",
    [
        [Copied(0, 900, 200)],
        [Copied(900, 0, 200)],
        [Copied(0, 0, 200), Copied(100, 0, 200)],
        [Copied(400, 0, 200), Copied(0, 0, 200)],
        [Copied(0, 0, 0)],
        [Copied(0, (1 << 64) - 10, 200)],
    ],
    ids=["beyond the source", "beyond the content", "overlapping", "out of order", "empty", "beyond all numbers"],
)
def test_copies_that_cannot_be_are_not_believed(copies):
    assert make(noise(1000, 1), stretches_of(copies), noise(1000, 2)) is None


def test_a_lie_shows_when_the_content_is_read():
    content, source = noise(1000, 1), noise(1000, 2)
    packed = make(content, stretches_of([Copied(0, 0, 500)]), source)
    assert opened(packed, source).read(0, 1000) == source[:500] + content[500:] != content


def test_an_empty_content_has_no_recipe():
    assert make(b"", [], noise(10)) is None


def test_what_is_missing_or_short_is_told():
    content, source = noise(1000, 1), noise(1000, 1)
    packed = make(content, stretches_of([Copied(0, 0, 1000)]), source)
    with pytest.raises(FileNotFoundError):
        opened(packed)
    with pytest.raises(Damaged, match="should have 1000 bytes and has 999"):
        ComposedRanges(MemoryRanges(packed), lambda _: MemoryRanges(source[:-1]))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 5000), st.integers(1, 255), st.integers(0, 400))
def test_a_damaged_recipe_gives_wrong_bytes_or_a_reason_and_nothing_else(at, flip, cut):
    source = noise(4000, 1)
    copies = [Copied(number * 300, number * 200, 200) for number in range(10)]
    content = bytearray(noise(3000, 2))
    for each in copies:
        content[each.target : each.target + 200] = source[each.source : each.source + 200]
    packed = bytearray(make(bytes(content), stretches_of(copies), source))
    packed[at % len(packed)] ^= flip
    damaged = bytes(packed[: len(packed) - cut])
    try:
        composed = ComposedRanges(MemoryRanges(damaged), lambda _: MemoryRanges(source))
        found = composed.read(0, 10_000)
    except Damaged:
        return
    assert len(found) == min(composed.size, 10_000)


def test_no_file_stays_open_where_a_source_is_missing(tmp_path):
    source = noise(1000, 1)
    packed = make(source, stretches_of([Copied(0, 0, 1000)]), source)
    (tmp_path / "recipe").write_bytes(packed)
    before = count_open()

    def absent(sha256):
        raise FileNotFoundError(sha256)

    with pytest.raises(FileNotFoundError):
        ComposedRanges(FileRanges(os.open(tmp_path / "recipe", os.O_RDONLY)), absent)
    assert count_open() == before


def test_files_are_read_as_memory_is(tmp_path):
    data = noise(50_000)
    (tmp_path / "file").write_bytes(data)
    file = FileRanges(os.open(tmp_path / "file", os.O_RDONLY))
    assert (file.size, file.read(10, 100), file.read(49_990, 100)) == (50_000, data[10:110], data[-10:])
    assert file.read_now(10, 100) in {data[10:110], None}
    file.forget()
    file.close()


def test_copies_are_written_and_read_again():
    copies = [Copied(0, 5, 7), Copied(1 << 40, 3, 1 << 33)]
    assert list(read_copies(pack_copies(copies))) == copies
    assert list(read_copies(pack_copies(copies)[:-1])) == copies[:1]


def test_pictures_in_a_long_literal_share_what_they_begin_with():
    source = noise(200_000)
    tables = b"\xff\xd8\xff\xe0" + noise(600, 5)
    pictures = [tables + noise(3000 + number, 100 + number) for number in range(600)]
    # One lies across the megabyte that is looked through at a time, and one is cut short by what follows.
    content = source + b"".join(pictures) + tables[:300]
    packed = make(content, stretches_of([Copied(0, 0, len(source))]), source)
    assert len(packed) < len(content) - len(source) - 598 * (len(tables) - 40)
    composed = opened(packed, source)
    assert composed.read(0, len(content)) == content
    assert composed.read(200_590, 40_000) == content[200_590:240_590]
