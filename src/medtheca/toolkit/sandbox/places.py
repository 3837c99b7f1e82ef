"""How many children there may be, shared between the runs of a pool."""

import threading


class Places:
    """Places for children. A run may take several, and gives back all but one when others wait."""

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"a decoder pool has at least one place, not {size}")
        self._changed = threading.Condition()
        self._free = size
        self._waiting = 0

    def take(self) -> None:
        """Wait for a place."""
        with self._changed:
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: self._free > 0)
                self._free -= 1
            finally:
                self._waiting -= 1

    def try_take(self) -> bool:
        """Take a place if one is free and nobody waits for it."""
        with self._changed:
            if self._free == 0 or self._waiting:
                return False
            self._free -= 1
            return True

    def give_back(self) -> None:
        with self._changed:
            self._free += 1
            self._changed.notify()

    def are_wanted(self) -> bool:
        """Whether somebody waits in vain."""
        with self._changed:
            return self._waiting > self._free
