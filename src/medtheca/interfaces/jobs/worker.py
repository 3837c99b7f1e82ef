"""The worker: takes jobs until it is told to stop."""

from __future__ import annotations

import gc
import logging

from procrastinate.exceptions import ConnectorException

from medtheca.base.work import work_forever
from medtheca.workflows.decoding import close_decoder_pool

log = logging.getLogger(__name__)


def run_worker(*, concurrency: int = 1) -> int:
    """Take jobs until SIGTERM or SIGINT; return the exit code. 1 where the database went away."""
    # What is loaded now stays: the collector need not go through it again with every batch of rows.
    gc.collect()
    gc.freeze()
    try:
        work_forever(concurrency=concurrency)
    except ConnectorException:
        log.exception("The database went away; the worker ends and is started again.")
        return 1
    finally:
        close_decoder_pool()
    return 0
