"""The worker: takes jobs until it is told to stop, and gives back those of workers that died."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os

from procrastinate import App
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import ConnectorException

from medtheca.workflows.decoding import close_decoder_pool

log = logging.getLogger(__name__)

_HEARTBEAT = 2.0
_STALLED = 8.0
_POLL = 1.0


def run_worker(*, concurrency: int = 1) -> int:
    """Take jobs until SIGTERM or SIGINT; return the exit code."""
    try:
        asyncio.run(_work(concurrency))
    except ConnectorException:
        log.exception("The database went away; the worker ends and is started again.")
        return 1
    finally:
        close_decoder_pool()
    return 0


async def _work(concurrency: int) -> None:
    # A copy with a connector of its own: jobs run in threads and enqueue through Django's connection, inside their
    # transactions, which replacing the connector of the one app would break.
    connector = app.connector
    assert isinstance(connector, DjangoConnector)
    worker_app = App(connector=connector.get_worker_connector())
    worker_app.tasks = app.tasks
    worker_app.periodic_registry = app.periodic_registry
    async with worker_app.open_async():
        rescuer = asyncio.create_task(_rescue_forever(worker_app))
        try:
            await worker_app.run_worker_async(
                name=f"worker-{os.getpid()}",
                concurrency=concurrency,
                fetch_job_polling_interval=_POLL,
                update_heartbeat_interval=_HEARTBEAT,
                stalled_worker_timeout=_STALLED,
                shutdown_graceful_timeout=15,
                delete_jobs="successful",
                install_signal_handlers=True,
            )
        finally:
            rescuer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await rescuer


async def _rescue_forever(worker_app: App) -> None:
    """Give jobs of dead workers back to the queue, now and then."""
    manager = worker_app.job_manager
    while True:
        try:
            for job in await manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED):
                log.warning("Job %s (%s) was cut off; it goes back to the queue.", job.id, job.task_name)
                await manager.retry_job(job)
        except ConnectorException:
            log.warning("The database could not be asked for stalled jobs; it is asked again.")
        await asyncio.sleep(_HEARTBEAT)
