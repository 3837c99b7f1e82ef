"""Children that stay serve one source each, give way when something is wrong with them, and keep nobody waiting."""

import asyncio
import os
import signal
import time
from dataclasses import replace

import pytest

from medtheca.toolkit.sandbox import DecoderPool, Level, Limits, SandboxUnavailable, detect_level
from medtheca.toolkit.sandbox.studio import Rendering, RenderingFailed, Studio
from tests.toolkit.sandbox.common import SMALL, has_gone, wait_until

TASK = "tests.toolkit.sandbox.staying:run"
QUICK = Limits(memory_bytes=300_000_000, cpu_seconds=4, wall_seconds=2, output_bytes=3_000_000, report_bytes=100_000)


@pytest.fixture(autouse=True)
def _fenced():
    if detect_level() is not Level.FULL:
        pytest.skip("this kernel has no whole fence")


@pytest.fixture
def perform(tmp_path):
    """Runs a story with a studio, which is closed afterwards; gives what the story gives."""

    def run(story, *, limits=SMALL, **options):
        pools = []

        def make_pool():
            pools.append(DecoderPool(TASK, limits=limits))
            return pools[-1]

        async def live():
            studio = Studio(make_pool, limits, **options)
            try:
                return await story(studio)
            finally:
                studio.close()

        try:
            return asyncio.run(live())
        finally:
            assert len(pools) <= 1
            for pool in pools:
                assert not pool._server.is_alive()

    return run


@pytest.fixture
def ask(tmp_path):
    """Asks a studio to obey an order that stands in a source's file."""

    def write(order, source):
        path = tmp_path / source
        path.write_text(order)
        return path

    async def obey(studio, order, *, source="slide", caller="alice", begin=lambda: None, **rest):
        path = write(order, f"{source}-{abs(hash(order))}")

        def open_file():
            begin()
            return os.open(path, os.O_RDONLY)

        rendering = Rendering(source=source, open=open_file, size=path.stat().st_size, options={}, **rest)
        return await studio.render(rendering, caller=caller)

    return obey


def children_of(studio):
    return [child.decoder.pid for child in (*studio._idle, *studio._working, *filter(None, [studio._spare]))]


def test_one_child_serves_one_source_and_no_other_ever(perform, ask):
    async def story(studio):
        return [(await ask(studio, f"echo {n}", source=source)).report for n, source in enumerate("ababcb")]

    told = perform(story)
    pids = {}
    for report, source in zip(told, "ababcb", strict=True):
        assert report["pid"] == pids.setdefault(source, report["pid"])
        assert set(report["seen"]) == {source}
    assert len(set(pids.values())) == 3
    assert [len(report["seen"]) for report in told] == [1, 1, 2, 2, 1, 3]


def test_what_a_child_left_behind_is_met_by_its_own_source_only(perform, ask):
    """A decoder that was taken over by a file can spoil later pictures of that file, and of no other."""

    async def story(studio):
        return [(await ask(studio, "keep 1000", source=source)).report["kept"] for source in ("evil", "evil", "good")]

    assert perform(story) == [1, 2, 1]


def test_only_the_pieces_that_are_needed_are_read(perform, ask):
    async def story(studio):
        whole = await ask(studio, "echo 0123456789", pieces=[(0, 5), (7, 2), (12, 1)])
        beyond = await ask(studio, "echo 0123456789", pieces=[(0, 7), (13, 100)])
        return whole.report["data"], beyond.report["data"]

    assert perform(story) == ("echo 237", "echo 0189")


@pytest.mark.parametrize("order", ["segfault", "exit 0", "close", "raw ffffffff", "answer_ahead x"])
def test_a_child_that_dies_or_lies_in_the_middle_is_replaced(perform, ask, order):
    async def story(studio):
        before = (await ask(studio, "echo before")).report["pid"]
        with pytest.raises(RenderingFailed):
            await ask(studio, order)
        after = (await ask(studio, "echo after")).report
        wait_until(lambda: has_gone(before))
        return before, after

    before, after = perform(story)
    assert after["pid"] != before
    assert after["seen"] == ["slide"]


def test_a_child_that_was_ended_from_outside_is_not_missed(perform, ask):
    """Killed while it waits, and killed in the middle: neither is seen by who asks."""

    async def story(studio):
        first = (await ask(studio, "echo 1")).report["pid"]
        os.kill(first, signal.SIGKILL)
        second = (await ask(studio, "echo 2")).report["pid"]
        asking = asyncio.ensure_future(ask(studio, "echo 3"))
        os.kill(second, signal.SIGSTOP)
        await asyncio.sleep(0.3)
        assert not asking.done()
        os.kill(second, signal.SIGKILL)
        third = (await asking).report["pid"]
        return first, second, third

    assert len(set(perform(story))) == 3


def test_a_child_that_hangs_is_ended_by_the_clock_and_once(perform, ask):
    async def story(studio):
        await ask(studio, "echo before")
        began = time.monotonic()
        with pytest.raises(RenderingFailed, match="5 seconds"):
            await ask(studio, "hang")
        took = time.monotonic() - began
        assert (await ask(studio, "echo after")).report["seen"] == ["slide"]
        return took

    assert 5 <= perform(story, limits=replace(QUICK, wall_seconds=5)) < 9.9


@pytest.mark.parametrize(("order", "code"), [("memory", "decoder_memory"), ("refuse", "picture_flat")])
def test_a_refusal_ends_its_child(perform, ask, order, code):
    async def story(studio):
        before = (await ask(studio, "echo before")).report["pid"]
        refusal = (await ask(studio, order)).refusal
        after = (await ask(studio, "echo after")).report
        return before, refusal.code, after

    before, found, after = perform(story)
    assert found == code
    assert after["pid"] != before
    assert after["seen"] == ["slide"]


def test_processor_time_is_limited(perform, ask):
    async def story(studio):
        with pytest.raises(RenderingFailed):
            await ask(studio, "spin")
        return (await ask(studio, "echo after")).parts["text"]

    assert perform(story) == b"after"


def test_a_child_that_holds_more_than_it_may_is_replaced(perform, ask):
    """Kept memory counts against what was granted, by whatever way it was taken; the kernel is asked, not the child."""

    async def story(studio):
        small = await ask(studio, "keep 20000000")
        again = await ask(studio, "keep 20000000")
        large = await ask(studio, "keep 200000000")
        after = await ask(studio, "echo after")
        return [one.report["pid"] for one in (small, again, large, after)]

    small, again, large, after = perform(story)
    assert small == again == large != after


def test_children_are_replaced_after_so_many_renderings(perform, ask):
    async def story(studio):
        return [(await ask(studio, f"echo {n}")).report["pid"] for n in range(7)]

    pids = perform(story, renderings=3)
    assert len(set(pids[:3])) == len(set(pids[3:6])) == 1
    assert len(set(pids)) == 3


def test_who_has_nothing_to_do_ends(perform, ask):
    async def story(studio):
        for source in "abc":
            await ask(studio, "echo x", source=source)
        before = children_of(studio)
        assert len(before) >= 3
        studio._idle_seconds = 0.4
        studio._sweeping.cancel()
        studio._sweep()
        for _ in range(1_000):
            if not children_of(studio) and all(map(has_gone, before)):
                break
            await asyncio.sleep(0.05)
        assert children_of(studio) == []
        assert all(has_gone(pid) for pid in before)
        return (await ask(studio, "echo again", source="a")).report["seen"]

    assert perform(story) == ["a"]


def test_there_are_never_more_children_than_may_be(perform, ask):
    async def story(studio):
        most = 0
        for n in range(20):
            await ask(studio, "echo x", source=f"source-{n}")
            most = max(most, studio._number)
        await asyncio.gather(*(ask(studio, "echo y", source=f"other-{n}") for n in range(20)))
        return max(most, len(children_of(studio)))

    # One more may be on its way out.
    assert perform(story, places=2, children=4) <= 5


def test_what_all_keep_together_is_bounded(perform, ask):
    async def story(studio):
        told = [(await ask(studio, "echo x", source=source, keeps=40)).report for source in "abcabc"]
        granted = sum(child.grant for child in studio._idle)
        too_much = (await ask(studio, "echo x", source="d", keeps=200)).report
        return told, granted, too_much

    told, granted, too_much = perform(story, kept_bytes=100)
    # Two may keep at a time: the longest unused makes way for the third, and forgets with it.
    assert [report["keep"] for report in told] == [40] * 6
    assert [len(report["seen"]) for report in told] == [1] * 6
    assert granted <= 100
    assert too_much["keep"] == 0


def test_a_source_that_is_away_is_told_as_it_is(perform, ask, tmp_path):
    def is_away():
        raise FileNotFoundError("gone")

    async def story(studio):
        await ask(studio, "echo x")
        with pytest.raises(FileNotFoundError):
            await studio.render(Rendering("slide", is_away, 10, {}), caller="alice")
        return (await ask(studio, "echo y")).parts["text"]

    assert perform(story) == b"y"


def test_a_child_that_dies_while_its_source_is_opened_is_not_waited_for(perform, ask, tmp_path):
    path = tmp_path / "source"
    path.write_text("echo x")

    async def story(studio):
        first = (await ask(studio, "echo x")).report["pid"]

        async def open_slowly():
            if not has_gone(first):
                os.kill(first, signal.SIGKILL)
            await asyncio.sleep(0.5)
            return os.open(path, os.O_RDONLY)

        began = time.monotonic()
        reply = await studio.render(Rendering("slide", open_slowly, 6, {}), caller="alice")
        return first, reply.report["pid"], time.monotonic() - began

    first, second, took = perform(story)
    assert first != second
    assert took < 15


def test_who_goes_away_leaves_no_child_behind(perform, ask):
    async def story(studio):
        pid = (await ask(studio, "echo x")).report["pid"]
        asking = asyncio.ensure_future(ask(studio, "hang"))
        await asyncio.sleep(0.2)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        waiting = [asyncio.ensure_future(ask(studio, "echo y", source=f"s{n}")) for n in range(6)]
        for one in waiting[:3]:
            one.cancel()
        done = await asyncio.gather(*waiting, return_exceptions=True)
        for _ in range(100):
            if has_gone(pid):
                break
            await asyncio.sleep(0.05)
        assert has_gone(pid)
        return [getattr(one, "parts", {}).get("text") for one in done]

    assert perform(story)[3:] == [b"y"] * 3


def test_a_lost_fork_server_is_replaced(perform, ask):
    async def story(studio):
        await ask(studio, "echo x")
        server = (await studio._pool).find_server()
        os.kill(server.pid, signal.SIGKILL)
        wait_until(lambda: has_gone(server.pid))
        return (await ask(studio, "echo y", source="other")).parts["text"]

    assert perform(story) == b"y"


def test_a_pool_that_cannot_be_made_is_told_and_tried_again(ask):
    tries = []

    def make_pool():
        tries.append(1)
        raise SandboxUnavailable("no fence")

    async def story():
        studio = Studio(make_pool, SMALL)
        for _ in range(2):
            with pytest.raises(SandboxUnavailable):
                await ask(studio, "echo x")
        studio.close()

    asyncio.run(story())
    assert len(tries) == 2


def test_closing_ends_what_is_under_way(ask):
    pids = []

    async def story():
        studio = Studio(lambda: DecoderPool(TASK, limits=SMALL), SMALL)
        pids.append((await ask(studio, "echo x")).report["pid"])
        asking = asyncio.ensure_future(ask(studio, "hang"))
        await asyncio.sleep(0.2)
        studio.close()
        with pytest.raises(RenderingFailed):
            await asking
        with pytest.raises(RenderingFailed):
            await ask(studio, "echo x")

    asyncio.run(story())
    wait_until(lambda: all(map(has_gone, pids)))


def test_a_caller_with_many_wishes_does_not_keep_another_waiting(perform, ask):
    async def story(studio):
        for caller in ("mallory", "alice"):  # Both have a child: forking one takes as long as many wishes of the other.
            await ask(studio, "echo warm", source=caller, caller=caller)
        begun = []

        def wish(caller, number):
            return asyncio.ensure_future(
                ask(studio, f"echo {number}", source=caller, caller=caller, begin=lambda: begun.append(caller))
            )

        many = [wish("mallory", number) for number in range(40)]
        await asyncio.sleep(0)
        await wish("alice", 0)
        await asyncio.gather(*many)
        return begun.index("alice")

    assert perform(story) <= 4
