"""How a command waits for jobs: a worker beside it does them, or it does them itself."""

from __future__ import annotations

from collections.abc import Callable

from medtheca.base.failures import raise_if_stuck
from medtheca.base.work import somebody_works, work_until_idle

_OWN_PATIENCE = 3
# With a worker there, somebody may be mending what makes its jobs fail: about two minutes.
_PATIENCE = 8


def let_work(is_done: Callable[[], bool]) -> bool:
    """Do what waits where nobody else does; return whether what the command waits for is done.

    Raises `WorkStopped` where it is not and jobs fail again and again, so as not to hang. Jobs of others that fail do
    not concern a command whose own are done.
    """
    others = somebody_works()
    if not others:
        work_until_idle()
    if is_done():
        return True
    raise_if_stuck(attempts=_PATIENCE if others else _OWN_PATIENCE)
    return False
