"""Who waits for a place at work is served in turns."""

import asyncio

import pytest

from medtheca.toolkit.sandbox.fair_places import FairPlaces, TooManyWait


def serve(wishes, *, places=1, waiting=100):
    """The order in which wishes, (caller, subject) at one moment, are served."""

    async def story():
        found = FairPlaces(places, waiting=waiting)
        order = []

        async def come(caller, subject):
            await found.take(caller, subject)
            order.append((caller, subject))
            await asyncio.sleep(0)
            found.give_back(caller)

        await asyncio.gather(*(come(*wish) for wish in wishes))
        # All places are free again.
        for _ in range(places):
            await asyncio.wait_for(found.take("x", "x"), 1)
        return order

    return asyncio.run(story())


def test_callers_take_turns():
    order = serve([("mallory", "a")] * 5 + [("alice", "b")] * 2 + [("bob", "c")])
    assert [caller for caller, _ in order] == [
        "mallory", "alice", "bob", "mallory", "alice", "mallory", "mallory", "mallory",
    ]  # fmt: skip


def test_the_pictures_of_a_caller_take_turns_too():
    order = serve([("alice", "a")] * 4 + [("alice", "b")] * 2)
    assert [subject for _, subject in order] == ["a", "a", "b", "a", "b", "a"]


def test_who_holds_a_place_goes_behind_who_holds_none():
    async def story():
        found = FairPlaces(2)
        await found.take("mallory", "a")
        await found.take("mallory", "a")
        third = asyncio.ensure_future(found.take("mallory", "a"))
        await asyncio.sleep(0)
        alice = asyncio.ensure_future(found.take("alice", "b"))
        await asyncio.sleep(0)
        found.give_back("mallory")
        await asyncio.sleep(0)
        return third.done(), alice.done(), third.cancel()

    assert asyncio.run(story()) == (False, True, True)


def test_there_is_room_for_so_many_and_half_of_it_for_one():
    async def story():
        found = FairPlaces(1, waiting=6)
        await found.take("alice", "a")
        waiting = [asyncio.ensure_future(found.take("mallory", str(n))) for n in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyWait) as refused:
            await found.take("mallory", "z")
        assert refused.value.of_one
        waiting += [asyncio.ensure_future(found.take(name, "a")) for name in ("bob", "carol", "dave")]
        await asyncio.sleep(0)
        with pytest.raises(TooManyWait) as refused:
            await found.take("erin", "a")
        assert not refused.value.of_one
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        found.give_back("alice")
        await asyncio.wait_for(found.take("erin", "a"), 1)

    asyncio.run(story())


def test_who_goes_at_the_moment_of_its_turn_passes_it_on():
    async def story():
        found = FairPlaces(1)
        await found.take("alice", "a")
        bob = asyncio.ensure_future(found.take("bob", "b"))
        carol = asyncio.ensure_future(found.take("carol", "c"))
        await asyncio.sleep(0)
        found.give_back("alice")
        bob.cancel()
        await asyncio.wait_for(carol, 1)
        assert bob.cancelled()

    asyncio.run(story())
