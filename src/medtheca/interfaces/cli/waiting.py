"""How a command waits for jobs: a worker beside it does them, or it does them itself."""

from __future__ import annotations

from medtheca.base.failures import raise_if_stuck
from medtheca.base.work import somebody_works, work_until_idle

_OWN_PATIENCE = 3
# With a worker there, somebody may be mending what makes its jobs fail: about two minutes.
_PATIENCE = 8


def let_work() -> None:
    """Do what waits where nobody else does. Raises `WorkStopped` where jobs fail again and again, so as not to hang."""
    if somebody_works():
        raise_if_stuck(attempts=_PATIENCE)
    else:
        work_until_idle()
        raise_if_stuck(attempts=_OWN_PATIENCE)
