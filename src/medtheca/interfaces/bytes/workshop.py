"""Where pictures are made for an answer: a few at once, some waiting, and no more, so that files still go out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from medtheca.interfaces.bytes.wire import Problem

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Workshop:
    """So many benches, and a queue before them. For the event loop."""

    def __init__(self, *, benches: int = 2, waiting: int = 100) -> None:
        self._benches = ThreadPoolExecutor(benches, thread_name_prefix="bytes-workshop")
        self._room = benches + waiting
        self._taken = 0

    async def make(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """What the function gives, in a thread. Raises `Problem` 503 where too many wait already."""
        if self._taken >= self._room:
            raise Problem(
                503,
                "busy",
                "More pictures are asked for than can be made at the moment.",
                remedy="Try again in a few seconds.",
                headers={"Retry-After": "2"},
            )
        self._taken += 1
        work = self._benches.submit(partial(function, *args, **kwargs))
        # Counted until the work has ended, also where nobody waits for it any more.
        loop = asyncio.get_running_loop()
        work.add_done_callback(lambda _: loop.call_soon_threadsafe(self._leave))
        return await asyncio.wrap_future(work)

    def _leave(self) -> None:
        self._taken -= 1

    def close(self) -> None:
        """Start nothing more."""
        self._benches.shutdown(wait=False, cancel_futures=True)
