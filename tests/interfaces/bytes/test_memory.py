"""What is remembered counts only until something is heard, in whatever order reads and news cross."""

import asyncio

import pytest

from medtheca.domains.access.serving import ServedImage
from medtheca.interfaces.bytes import memory as module
from medtheca.interfaces.bytes.memory import PUBLIC, Memory

ALICE = 7


def image(number=1, *, is_public=True):
    return ServedImage(number, f"ISIC_{number:07d}", is_public, {})


class Database:
    """Counts questions, and answers each when the test lets it."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = 0
        self.open = asyncio.Event()
        self.open.set()

    async def read(self):
        self.asked += 1
        found = self.answer
        await self.open.wait()
        return found


@pytest.fixture
def remembering():
    memory = Memory()
    memory.start_hearing()
    return memory


def test_a_second_look_up_asks_nobody(remembering):
    async def story():
        database = Database(image())
        for _ in range(3):
            assert await remembering.look_up(PUBLIC, "a", database.read) == image()
        assert database.asked == 1

    asyncio.run(story())


def test_a_storm_on_one_key_asks_once(remembering):
    async def story():
        database = Database(image())
        found = await asyncio.gather(*(remembering.look_up(PUBLIC, "a", database.read) for _ in range(200)))
        assert found == [image()] * 200
        assert database.asked == 1

    asyncio.run(story())


@pytest.mark.parametrize("news", ["1", "5,1,9", "*", "no such words"])
def test_news_during_a_read_wins(remembering, news):
    async def story():
        database = Database(image())
        database.open.clear()
        reading = asyncio.create_task(remembering.look_up(PUBLIC, "a", database.read))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert database.asked == 1
        database.answer = None
        remembering.hear(news)
        # Who comes after the news does not share the read that began before it.
        later = asyncio.create_task(remembering.look_up(PUBLIC, "a", database.read))
        await asyncio.sleep(0)
        database.open.set()
        assert await reading == image()
        assert await later is None
        assert remembering.recall(PUBLIC, "a") is None
        assert database.asked == 2
        assert not remembering._flights

    asyncio.run(story())


def test_news_of_another_image_leaves_it(remembering):
    async def story():
        await remembering.look_up(PUBLIC, "a", Database(image(1)).read)
        remembering.hear("2,11,21")
        assert remembering.recall(PUBLIC, "a") == image(1)
        remembering.hear("1")
        assert remembering.recall(PUBLIC, "a") is None

    asyncio.run(story())


def test_news_of_a_person_concerns_what_that_person_may_see(remembering):
    async def story():
        await remembering.look_up(ALICE, "private", Database(image(1, is_public=False)).read)
        await remembering.look_up(ALICE, "public", Database(image(2)).read)
        assert remembering.recall(PUBLIC, "private") is None
        assert remembering.recall(PUBLIC, "public") == image(2)
        remembering.hear("user:70")
        assert remembering.recall(ALICE, "private") is not None
        remembering.hear("user:7")
        assert remembering.recall(ALICE, "private") is None
        assert remembering.recall(PUBLIC, "public") == image(2)

    asyncio.run(story())


def test_what_is_absent_is_never_remembered(remembering):
    async def story():
        database = Database(None)
        for _ in range(3):
            assert await remembering.look_up(PUBLIC, "a", database.read) is None
        assert database.asked == 3

    asyncio.run(story())


def test_a_read_that_fails_is_tried_again(remembering):
    async def story():
        async def fail():
            raise OSError("away")

        with pytest.raises(OSError, match="away"):
            await remembering.look_up(PUBLIC, "a", fail)
        assert await remembering.look_up(PUBLIC, "a", Database(image()).read) == image()

    asyncio.run(story())


def test_lifetimes_with_and_without_news(remembering, monkeypatch):
    async def story():
        clock = [1000.0]
        monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
        await remembering.look_up(PUBLIC, "a", Database(image()).read)
        await remembering.look_up(ALICE, "b", Database(image(2, is_public=False)).read)
        clock[0] += 19
        assert remembering.recall(PUBLIC, "a") is not None
        assert remembering.recall(ALICE, "b") is not None
        clock[0] += 2
        assert remembering.recall(PUBLIC, "a") is not None
        assert remembering.recall(ALICE, "b") is None
        clock[0] += 10
        assert remembering.recall(PUBLIC, "a") is None
        remembering.stop_hearing()
        await remembering.look_up(PUBLIC, "a", Database(image()).read)
        clock[0] += 1.9
        assert remembering.recall(PUBLIC, "a") is not None
        clock[0] += 0.2
        assert remembering.recall(PUBLIC, "a") is None

    asyncio.run(story())


def test_it_stays_small():
    async def story():
        memory = Memory(limit=100)
        memory.start_hearing()
        for number in range(1, 1001):
            await memory.look_up(PUBLIC, str(number), Database(image(number)).read)
            memory.hear(str(number + 5000))
        assert len(memory._kept) <= 100
        assert memory.recall(PUBLIC, "1000") is not None
        assert memory.recall(PUBLIC, "1") is None
        assert not memory._flights

    asyncio.run(story())


def test_old_news_is_forgotten(remembering, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    for number in range(500):
        remembering.hear(f"{number},{number + 1},user:{number}")
        remembering.hear(f"user:{number}")
        remembering.hear(str(number))
        clock[0] += 1
    assert len(remembering._news) < 300
    assert len(remembering._image_changed) < 200
    assert len(remembering._viewer_changed) < 200
