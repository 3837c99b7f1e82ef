"""Places at work for which requests wait their turn: callers one after another, and of each its pictures in turn."""

import asyncio
from collections import Counter, OrderedDict, deque

Waiting = asyncio.Future[None]


class TooManyWait(Exception):
    """More wait already than may; `of_one`: of this very caller."""

    def __init__(self, *, of_one: bool) -> None:
        super().__init__("too many wait")
        self.of_one = of_one


class FairPlaces:
    """So many places, and those who wait for one. For the event loop.

    A place that becomes free goes to the caller who holds the fewest, and of those to whoever's turn it is. So a
    caller with a hundred wishes keeps another with one waiting for no more than the work under way. No caller may
    take more than half of the room to wait in.
    """

    def __init__(self, places: int, *, waiting: int = 100) -> None:
        self._free = places
        self._most = waiting
        self._number = 0
        self._held: Counter[str] = Counter()
        # Callers in turn, and what each waits for in turn.
        self._callers: OrderedDict[str, OrderedDict[str, deque[Waiting]]] = OrderedDict()

    async def take(self, caller: str, subject: str) -> None:
        """Wait for a place. Raises `TooManyWait`."""
        if self._free and not self._number:
            self._free -= 1
        else:
            turn = self._join(caller, subject)
            try:
                await turn
            except asyncio.CancelledError:
                if not turn.done() or turn.cancelled():
                    self._leave(caller, subject, turn)
                else:
                    self._pass_on()  # It was given the place at the very moment at which it went.
                raise
        self._held[caller] += 1

    def give_back(self, caller: str) -> None:
        """The place is free; it goes to the next."""
        self._held[caller] -= 1
        if not self._held[caller]:
            del self._held[caller]
        if caller in self._callers:
            self._callers.move_to_end(caller)
        self._pass_on()

    def _join(self, caller: str, subject: str) -> Waiting:
        if self._number >= self._most:
            raise TooManyWait(of_one=False)
        subjects = self._callers.get(caller, OrderedDict())
        if sum(map(len, subjects.values())) >= max(1, self._most // 2):
            raise TooManyWait(of_one=True)
        turn: Waiting = asyncio.get_running_loop().create_future()
        self._callers.setdefault(caller, subjects).setdefault(subject, deque()).append(turn)
        self._number += 1
        return turn

    def _pass_on(self) -> None:
        if not self._callers:
            self._free += 1
            return
        # The first of those who hold the fewest: `min` keeps the order.
        caller = min(self._callers, key=lambda name: self._held[name])
        subjects = self._callers[caller]
        subject, turns = next(iter(subjects.items()))
        turn = turns[0]
        self._leave(caller, subject, turn)
        # Whoever still waits goes to the end, with its subjects behind its other ones.
        if caller in self._callers:
            self._callers.move_to_end(caller)
            if subject in subjects:
                subjects.move_to_end(subject)
        turn.set_result(None)

    def _leave(self, caller: str, subject: str, turn: Waiting) -> None:
        subjects = self._callers[caller]
        subjects[subject].remove(turn)
        self._number -= 1
        if not subjects[subject]:
            del subjects[subject]
        if not subjects:
            del self._callers[caller]
