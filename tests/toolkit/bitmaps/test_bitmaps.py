"""Sets, terms, numbers, circles and pages against plain Python."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from medtheca.toolkit.bitmaps import (
    Circle,
    Numbers,
    Order,
    Terms,
    bitmap_of_mask,
    bitmap_of_numbers,
    numbers_of,
    pack,
    unpack,
)
from medtheca.toolkit.bitmaps.packing import Unreadable
from medtheca.toolkit.bitmaps.tally import Tally

NUMBERS = st.integers(0, 3000)
SETS = st.sets(NUMBERS, max_size=60)
PAIRS = st.tuples(st.sampled_from([0.5, 1.0]), st.just(0.5))
VALUES = st.one_of(st.sampled_from(["a", "b", ""]), st.booleans(), PAIRS, st.sampled_from([0.8, 7.25]))


@given(SETS, st.integers(0, 70_000))
def test_a_mask_becomes_the_set_of_its_true_places(numbers, length):
    mask = np.zeros(length, bool)
    mask[[number for number in numbers if number < length]] = True
    assert list(bitmap_of_mask(mask)) == np.flatnonzero(mask).tolist()


@pytest.mark.parametrize("share", [0.001, 0.06, 0.5, 1.0])
def test_dense_and_sparse_masks_of_several_containers(share):
    mask = np.random.default_rng(1).random(200_001) < share
    found = bitmap_of_mask(mask)
    assert np.array_equal(numbers_of(found), np.flatnonzero(mask))
    assert found == bitmap_of_numbers(np.flatnonzero(mask))


@given(st.lists(st.tuples(SETS, st.dictionaries(VALUES, SETS, max_size=3)), max_size=6), SETS)
@pytest.mark.parametrize("multiple", [True, False])
def test_terms_are_what_was_said_last(multiple, changes, among):
    terms, plain = Terms(multiple=multiple), {}
    for numbers, found in changes:
        said, taken = {}, set()
        for value, having in found.items():
            said[value] = (having & numbers) - (set() if multiple else taken)
            taken |= having
        terms.replace(BitMap(numbers), said)
        for number in numbers:
            plain[number] = {value for value, having in said.items() if number in having}
    expected = {}
    for number, values in plain.items():
        for value in values:
            expected.setdefault(value, set()).add(number)
    assert {value: set(bitmap) for value, bitmap in terms.bitmaps.items() if bitmap} == expected
    assert set(terms.present) == {number for number, values in plain.items() if values}
    counted = {value: len(having & among) for value, having in expected.items() if having & among}
    assert terms.counts(Tally(BitMap(among))) == counted
    again = unpack(pack(terms))
    assert again.counts(Tally(BitMap(among))) == counted
    assert again.present == terms.present


TALLIED = [
    *((size, reach) for size in (0, 1, 7_999, 8_000, 30_000, 60_000, 200_000) for reach in (40_000, 1_000_000)),
    (9_000, 2**32 - 1),
]


@pytest.mark.parametrize(("size", "reach"), TALLIED)
def test_a_tally_counts_as_an_intersection_does(size, reach):
    dice = np.random.default_rng(size + reach)
    among = bitmap_of_numbers(np.unique(dice.integers(0, reach + 1, size)))
    others = [dice.integers(0, reach + 1, count) for count in (0, 3, 5_000, 80_000)]
    others += [np.arange(0, min(reach, 300_000), step) for step in (1, 7, 8)]
    tally = Tally(among)
    for other in (bitmap_of_numbers(np.unique(one)) for one in others):
        for kind in (other, other | BitMap(range(100, 90_000))):
            assert tally.of(kind) == len(among & kind)
    assert tally.of(among) == len(tally) == len(among)
    assert among == bitmap_of_numbers(np.unique(np.random.default_rng(size + reach).integers(0, reach + 1, size)))


@given(st.dictionaries(NUMBERS, st.tuples(st.integers(1, 30), st.booleans())), st.integers(0, 31), SETS)
def test_an_embargo_ends_at_its_moment(hangs, moment, changed):
    circle = Circle(
        BitMap(number for number, (_, open_now) in hangs.items() if open_now),
        {number: end for number, (end, open_now) in hangs.items() if not open_now},
    )
    seen = {number for number, (end, open_now) in hangs.items() if open_now or end <= moment}
    assert set(circle.at(moment)) == seen
    assert set(unpack(pack({7: circle}))[7].at(moment)) == seen
    circle.replace(BitMap(changed), BitMap(), dict.fromkeys(changed, moment + 1))
    assert set(circle.at(moment)) == seen - changed
    assert set(circle.at(moment + 1)) >= changed


@given(st.dictionaries(NUMBERS, st.integers(1, 50)), st.integers(0, 50), st.integers(0, 50))
def test_numbers_are_found_between_bounds(said, low, high):
    numbers = Numbers()
    numbers.replace(list(said), list(said.values()))
    for found in (numbers, unpack(pack(numbers))):
        assert set(found.between(low, high)) == {at for at, value in said.items() if low <= value <= high}
        assert set(found.between(None, high)) == {at for at, value in said.items() if value <= high}
        assert set(found.equal(low)) == {at for at, value in said.items() if value == low}
        assert set(found.present()) == set(said)
        among = BitMap(range(0, 4000, 2))
        assert sum(found.counts(among).values()) == len([at for at in said if at % 2 == 0])


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(1, 5000), st.integers(1, 40)), max_size=200),
    st.integers(1, 30),
    st.booleans(),
    st.sampled_from([1, 2, 3]),
)
def test_pages_walk_every_image_once_in_order(said, limit, descending, step):
    order = Order()
    for start in range(0, len(said), 7):  # Some are said twice: the later word counts.
        part = dict(said[start : start + 7])
        order.replace(list(part), list(part.values()))
    moments = dict(said)
    found = BitMap(number for number in moments if number % step == 0)
    expected = sorted((moments[number], number) for number in found)
    expected = expected[::-1] if descending else expected
    for walked in (order, unpack(pack(order))):
        pages, beyond = [], None
        while page := walked.page(found, beyond=beyond, limit=limit, descending=descending):
            pages += page
            beyond = (moments[page[-1]], page[-1])
        assert pages == [number for _, number in expected]


def test_pages_hold_where_moments_and_numbers_disagree_over_many_blocks():
    dice = np.random.default_rng(3)
    moments = np.arange(1, 60_001)
    for start in range(0, 60_000, 5000):  # As transactions at the same time mix them, and once far off.
        dice.shuffle(moments[start : start + 3000])
    moments[100], moments[50_000] = moments[50_000], moments[100]
    order = Order(np.concatenate([[0], moments]))
    found = bitmap_of_numbers(np.flatnonzero(dice.random(60_001) < 0.3)[1:])
    ids = numbers_of(found)
    expected = ids[np.lexsort((ids, order.moments[ids]))].tolist()
    for descending, wanted in ((False, expected), (True, expected[::-1])):
        walked, beyond = [], None
        while page := order.page(found, beyond=beyond, limit=500, descending=descending):
            walked += page
            beyond = (int(order.moments[page[-1]]), page[-1])
        assert walked == wanted


@pytest.mark.parametrize("data", [b"", b"MTbm", b"no index at all", pack(Terms({"a": BitMap([1])}))[:-1]])
def test_bytes_that_are_no_index_are_refused(data):
    with pytest.raises(Unreadable):
        unpack(data)


def test_bytes_of_another_format_are_refused():
    data = bytearray(pack(BitMap([1])))
    data[4] += 1
    with pytest.raises(Unreadable):
        unpack(bytes(data))
