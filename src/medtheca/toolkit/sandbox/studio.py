"""Renderings for answers: children that stay for a while, each for one source. See decision 16.

A child may have been taken over by the file that it decodes, and would then lie to whoever it works for next. So it is
given one source in its life: what it can lie about is that source, of which it could show anything as it is. It is
ended after so many renderings, when it has nothing to do, and after whatever went wrong with it.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .decoder import Decoder
from .fair_places import FairPlaces, TooManyWait
from .launcher import ServerLost
from .pool import DecoderPool
from .resident import ChildLost, Rendering, Resident
from .values import Limits
from .wire import Reply

__all__ = ["Rendering", "RenderingFailed", "Studio", "TooManyWait"]

_T = TypeVar("_T")
# What the C library keeps of memory that was given back to it.
_SLACK = 160_000_000


class RenderingFailed(Exception):
    """Nothing came of a rendering; the words are for the log."""


class Studio:
    """At most `places` children work at once, and at most `children` are there. For one event loop.

    `make_pool` is called in a thread when it is first needed, as a fork server takes a second to start; what it raises
    comes through. All children together keep at most `kept_bytes` of what they have decoded. One is ended after
    `renderings`, or `idle_seconds` without work.
    """

    def __init__(
        self,
        make_pool: Callable[[], DecoderPool],
        limits: Limits,
        *,
        places: int = 2,
        children: int = 6,
        waiting: int = 100,
        renderings: int = 2000,
        kept_bytes: int = 256_000_000,
        idle_seconds: float = 15.0,
    ) -> None:
        if children <= places:
            raise ValueError("there must be more children than places, so that one of them can make way")
        self._make_pool = make_pool
        self._limits = limits
        self._most_children = children
        self._most_renderings = renderings
        self._most_kept = kept_bytes
        self._idle_seconds = idle_seconds
        self._places = FairPlaces(places, waiting=waiting)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="studio")
        self._pool: asyncio.Task[DecoderPool] | None = None
        self._idle: list[Resident] = []  # the longest unused first
        self._working: set[Resident] = set()
        self._spare: Resident | None = None
        self._number = 0  # of children, with those that are being made or ended
        self._chores: set[asyncio.Task[None]] = set()
        self._sweeping: asyncio.TimerHandle | None = None
        self._closed = False

    async def render(self, rendering: Rendering, *, caller: str) -> Reply:
        """What a child made, a report with parts, or its refusal. `caller`: who takes turns with others.

        Raises TooManyWait, RenderingFailed, and what `make_pool` and `rendering.open` raise.
        """
        await self._places.take(caller, rendering.source)
        try:
            # A child that is lost may have been full of other pictures, spoilt, or gone before it was asked: then it
            # is tried once more in one that is forked for it.
            reply = await self._try(rendering, anew=False) or await self._try(rendering, anew=True)
        finally:
            self._places.give_back(caller)
        if reply is None:
            raise RenderingFailed("the fork server was lost, twice")
        return reply

    async def _try(self, rendering: Rendering, *, anew: bool) -> Reply | None:
        """None where it should be tried once more, `anew`."""
        try:
            child = await self._find_child(rendering, anew=anew)
        except ServerLost:
            return None
        try:
            reply = await child.work(rendering, seconds=self._limits.wall_seconds)
        except ChildLost as lost:
            self._end_soon(child)
            if anew:
                raise RenderingFailed(str(lost)) from None
            return None
        except TimeoutError:
            self._end_soon(child)
            raise RenderingFailed(f"there was no answer within {self._limits.wall_seconds:g} seconds") from None
        except BaseException:
            self._end_soon(child)  # Nobody waits for it any more, or its source could not be opened.
            raise
        if reply.refusal is not None or not self._may_stay(child, reply):
            self._end_soon(child)
            again = reply.refusal is not None and reply.again and not anew
            return None if again else reply
        self._working.discard(child)
        self._idle.append(child)
        return reply

    def _may_stay(self, child: Resident, reply: Reply) -> bool:
        worn = reply.last or child.decoder.served >= self._most_renderings
        return not worn and not child.is_detached and not self._closed and child.holds() <= child.grant + _SLACK

    # -- children

    async def _find_child(self, rendering: Rendering, *, anew: bool) -> Resident:
        """A child of this source that has nothing to do, or a new one; counted among those who work."""
        room = rendering.size if rendering.pieces is None else 0
        child = None if anew else self._find_idle(rendering.source)
        if child is None:
            child = await self._fork(room) if anew else await self._take_new(room)
            child.source = rendering.source
        self._working.add(child)
        self._grant(child, rendering.keeps)
        return child

    def _find_idle(self, source: str) -> Resident | None:
        # The last one used, so that the others may end.
        child = next((one for one in reversed(self._idle) if one.source == source), None)
        if child is not None:
            self._idle.remove(child)
        return child

    async def _take_new(self, room: int) -> Resident:
        """The spare, or one that is forked now; the next spare is on its way."""
        spare, self._spare = self._spare, None
        if spare is not None and spare.decoder.room < room:
            self._end_soon(spare)
            spare = None
        child = spare or await self._fork(room)
        self._do_later(self._prepare_spare())
        return child

    async def _fork(self, room: int) -> Resident:
        making = asyncio.ensure_future(self._make_child(room))
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            making.add_done_callback(self._end_unwanted)
            raise

    async def _make_child(self, room: int) -> Resident:
        while self._number >= self._most_children and self._idle:
            await self._end(self._idle[0])
        self._number += 1
        try:
            pool = await self._find_pool()
            decoder = await self._in_thread(lambda: Decoder(pool.find_server(), self._limits, size=room))
        except BaseException:
            self._number -= 1
            raise
        if self._closed:
            raise RenderingFailed("the studio is closed")
        if self._sweeping is None:
            self._sweep()
        return Resident(decoder, on_noise=self._end_soon)

    def _end_unwanted(self, making: "asyncio.Task[Resident]") -> None:
        if not making.cancelled() and making.exception() is None:
            self._end_soon(making.result())

    async def _prepare_spare(self) -> None:
        """A child that has seen nothing waits for the next source: forking takes as long as many renderings."""
        if self._spare is None and self._number < self._most_children:
            with contextlib.suppress(ServerLost, RenderingFailed):
                self._keep_spare(await self._fork(0))

    def _keep_spare(self, child: Resident) -> None:
        if self._spare is None:
            self._spare = child
        else:
            self._end_soon(child)  # Another came first.

    def _grant(self, child: Resident, wanted: int) -> None:
        """Let a child keep what it would, if there is room for it once those who have nothing to do have made way."""
        if child.grant >= wanted:
            return
        others = [one for one in (*self._idle, *self._working) if one is not child]
        granted = sum(one.grant for one in others)
        if sum(one.grant for one in others if one in self._working) + wanted > self._most_kept:
            return
        for one in list(self._idle):
            if granted + wanted <= self._most_kept:
                break
            if one.grant:
                granted -= one.grant
                self._end_soon(one)
        child.grant = wanted

    # -- ends

    def _end_soon(self, child: Resident) -> None:
        """Let a child go, at once; its process ends a little later. Any number of times."""
        self._do_later(self._end(child))

    def _end(self, child: Resident) -> Coroutine[None, None, None]:
        is_first = child.detach()
        if child in self._idle:
            self._idle.remove(child)
        if child is self._spare:
            self._spare = None
        self._working.discard(child)
        return self._wait_for_end(child) if is_first else _nothing()

    async def _wait_for_end(self, child: Resident) -> None:
        if not self._closed:  # Otherwise it ends with the fork server.
            await self._in_thread(child.end)
        self._number -= 1

    def _sweep(self) -> None:
        """End who has had nothing to do for some time; look again as long as there is anybody."""
        before = time.monotonic() - self._idle_seconds
        for child in (*self._idle, *filter(None, [self._spare])):
            if child.idle_since < before:
                self._end_soon(child)
        self._sweeping = None
        if self._number and not self._closed:
            self._sweeping = asyncio.get_running_loop().call_later(self._idle_seconds / 4, self._sweep)

    def close(self) -> None:
        """End all children and the fork server, without waiting for a turn of the loop or for a thread."""
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        for child in (*self._idle, *self._working, *filter(None, [self._spare])):
            child.detach()
        if self._pool is not None:
            if self._pool.done() and not self._pool.cancelled() and self._pool.exception() is None:
                self._pool.result().close()
            else:
                self._pool.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    # -- around

    async def _find_pool(self) -> DecoderPool:
        if self._closed:
            raise RenderingFailed("the studio is closed")
        if self._pool is None or (self._pool.done() and (self._pool.cancelled() or self._pool.exception())):
            self._pool = asyncio.ensure_future(self._in_thread(self._open_pool))
        return await asyncio.shield(self._pool)

    def _open_pool(self) -> DecoderPool:
        pool = self._make_pool()
        if self._closed:
            # It came too late for `close` to see it.
            pool.close()
            raise RenderingFailed("the studio is closed")
        return pool

    async def _in_thread(self, function: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    def _do_later(self, chore: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(chore)
        # Somebody has to hold it, or it might be collected before it is done.
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)


async def _nothing() -> None:
    """For what is done already."""
