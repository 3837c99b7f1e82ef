"""Taking jobs from the queue: for ever in a worker, or until none waits in a command that has no worker beside it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from datetime import timedelta

from django.db.models.functions import Now
from procrastinate import App
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.models import ProcrastinateWorker
from procrastinate.exceptions import ConnectorException

log = logging.getLogger(__name__)

_HEARTBEAT = 2.0
_STALLED = 8.0
_POLL = 1.0
_GRACE = 15.0
_IDLE_POLL = 0.15


def work_forever(*, concurrency: int) -> None:
    """Take jobs until SIGTERM or SIGINT, and give those of dead workers back. Raises `ConnectorException`."""
    asyncio.run(_work_forever(concurrency))


def work_until_idle(*, concurrency: int = 2) -> None:
    """Take jobs until none waits and none is being done. Ctrl-C is the caller's."""
    asyncio.run(_work_until_idle(concurrency))


def somebody_works() -> bool:
    """Whether a worker has been heard of in the last seconds."""
    return ProcrastinateWorker.objects.filter(last_heartbeat__gt=Now() - timedelta(seconds=_STALLED)).exists()


def _worker_app() -> App:
    # A copy with a connector of its own: jobs run in threads and enqueue through Django's connection, inside their
    # transactions, which replacing the connector of the one app would break.
    app.perform_import_paths()
    connector = app.connector
    assert isinstance(connector, DjangoConnector)
    copy = App(connector=connector.get_worker_connector())
    copy.tasks = app.tasks
    copy.periodic_registry = app.periodic_registry
    return copy


async def _work_forever(concurrency: int) -> None:
    worker_app = _worker_app()
    async with worker_app.open_async():
        await _rescue(worker_app)
        rescuer = asyncio.create_task(_rescue_forever(worker_app))
        try:
            await _run_worker(worker_app, concurrency, signals=True)
        finally:
            await _end(rescuer)


async def _work_until_idle(concurrency: int) -> None:
    # Not the worker's own "do not wait": that one stops its heartbeat before its last jobs are done.
    worker_app = _worker_app()
    async with worker_app.open_async():
        worker = asyncio.create_task(_run_worker(worker_app, concurrency, signals=False))
        rescuer = asyncio.create_task(_rescue_forever(worker_app))
        try:
            while not worker.done() and await _has_work(worker_app):  # noqa: ASYNC110 - a table sets no event
                await asyncio.sleep(_IDLE_POLL)
        finally:
            await _end(rescuer)
            await _end(worker)


async def _run_worker(worker_app: App, concurrency: int, *, signals: bool) -> None:
    await worker_app.run_worker_async(
        name=f"worker-{os.getpid()}",
        concurrency=concurrency,
        fetch_job_polling_interval=_POLL,
        update_heartbeat_interval=_HEARTBEAT,
        stalled_worker_timeout=_STALLED,
        shutdown_graceful_timeout=_GRACE,
        delete_jobs="successful",
        install_signal_handlers=signals,
    )


async def _has_work(worker_app: App) -> bool:
    found = await worker_app.connector.execute_query_one_async(
        "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status = 'doing'"
        " OR (status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now()))) AS work"
    )
    return bool(found["work"])


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _rescue_forever(worker_app: App) -> None:
    while True:
        await asyncio.sleep(_HEARTBEAT)
        try:
            await _rescue(worker_app)
        except ConnectorException:
            log.warning("The database could not be asked for jobs that were cut off; it is asked again.")


async def _rescue(worker_app: App) -> None:
    """Give jobs of workers that died back to the queue."""
    for job in await worker_app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED):
        log.warning("Job %s (%s) was cut off; it goes back to the queue.", job.id, job.task_name)
        await worker_app.job_manager.retry_job(job)
