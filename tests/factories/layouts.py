"""Folders of cases as a crash leaves them."""

import os
import signal

from medtheca.domains.storage.layout import laid_out


def leave_laid_out(parts):
    """Lay files out in a process that is killed while it works on them."""
    child = os.fork()
    if child == 0:
        with laid_out(parts):
            os.kill(os.getpid(), signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
