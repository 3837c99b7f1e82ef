"""Taking jobs from the queue: for ever in a worker, or until none waits in a command that has no worker beside it.

Each worker holds an advisory lock of the database, named after its number, in a session of its own. The lock ends with
the process, however that ends, so jobs of a killed worker are given back at once. Heartbeats are for machines that
vanish without closing their connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import psycopg
from django.db.models.functions import Now
from procrastinate import App
from procrastinate.connector import BaseAsyncConnector
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.models import ProcrastinateWorker
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Status
from procrastinate.manager import JobManager
from procrastinate.utils import utcnow

log = logging.getLogger(__name__)

_HEARTBEAT = 2.0
_STALLED = 8.0
_POLL = 1.0
_GRACE = 15.0
_IDLE_POLL = 0.15
_LIFE_LOCK = 0x4D544C33
_ORPHANS = """
    SELECT id, task_name FROM procrastinate_jobs j WHERE status = 'doing' AND NOT EXISTS (
        SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
        WHERE l.locktype = 'advisory' AND l.classid = %(life_lock)s AND l.objid = j.worker_id AND l.objsubid = 2)"""


def work_forever(*, concurrency: int) -> None:
    """Take jobs until SIGTERM or SIGINT, and give those of dead workers back. Raises `ConnectorException`."""
    asyncio.run(_work_forever(concurrency))


def work_until_idle(*, concurrency: int = 2) -> None:
    """Take jobs until none waits and none is being done. Ctrl-C is the caller's."""
    asyncio.run(_work_until_idle(concurrency))


def somebody_works() -> bool:
    """Whether a worker has been heard of in the last seconds."""
    return ProcrastinateWorker.objects.filter(last_heartbeat__gt=Now() - timedelta(seconds=_STALLED)).exists()


class _Manager(JobManager):
    """Gives a worker the lock that proves its life before it takes its first job."""

    def __init__(self, connector: BaseAsyncConnector, life: psycopg.AsyncConnection[Any]) -> None:
        super().__init__(connector)
        self._life = life

    async def register_worker(self) -> int:
        worker = await super().register_worker()
        await self._life.execute("SELECT pg_advisory_lock(%s, %s)", [_LIFE_LOCK, worker])
        return worker


@contextlib.asynccontextmanager
async def _worker_app() -> AsyncIterator[tuple[App, psycopg.AsyncConnection[Any]]]:
    """An application for one worker, and the session whose lock proves that the worker lives."""
    # A copy with a connector of its own: jobs run in threads and enqueue through Django's connection, inside their
    # transactions, which replacing the connector of the one app would break.
    app.perform_import_paths()  # type: ignore[no-untyped-call] # the library does not annotate it
    connector = app.connector
    assert isinstance(connector, DjangoConnector)
    copy = App(connector=connector.get_worker_connector())
    assert isinstance(copy.connector, BaseAsyncConnector)
    copy.tasks = app.tasks
    copy.periodic_registry = app.periodic_registry
    try:
        life = await psycopg.AsyncConnection.connect(**_life_params(), autocommit=True)
    except psycopg.OperationalError as error:
        raise ConnectorException from error
    async with copy.open_async(), life:
        copy.job_manager = _Manager(copy.connector, life)
        yield copy, life


def _life_params() -> dict[str, Any]:
    return {key: value for key, value in connector_params().items() if key != "autocommit"}


async def _work_forever(concurrency: int) -> None:
    async with _worker_app() as (worker_app, life):
        await _rescue(worker_app)
        worker = asyncio.create_task(_run_worker(worker_app, concurrency, signals=True))
        rescuer = asyncio.create_task(_rescue_forever(worker_app, life))
        await _until_one_ends(worker, rescuer)


async def _work_until_idle(concurrency: int) -> None:
    # Not the worker's own "do not wait": that one stops its heartbeat before its last jobs are done.
    async with _worker_app() as (worker_app, life):
        await _rescue(worker_app)
        worker = asyncio.create_task(_run_worker(worker_app, concurrency, signals=False))
        rescuer = asyncio.create_task(_rescue_forever(worker_app, life))
        idle = asyncio.create_task(_until_idle(worker_app))
        await _until_one_ends(idle, worker, rescuer)


async def _until_idle(worker_app: App) -> None:
    while await _has_work(worker_app):  # noqa: ASYNC110 - a table sets no event
        await asyncio.sleep(_IDLE_POLL)


async def _until_one_ends(*tasks: asyncio.Task[None]) -> None:
    """Wait for the first task to end, then end the others, the last named first; raise what the first ended with."""
    try:
        done, _others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in reversed(tasks):
            await _end(task)
    for task in done:
        task.result()


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
    # What the first to end raised is told by the caller; what others raise while being ended follows from that.
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task


async def _rescue_forever(worker_app: App, life: psycopg.AsyncConnection[Any]) -> None:
    while True:
        await asyncio.sleep(_HEARTBEAT)
        try:
            await life.execute("SELECT")
        except psycopg.Error as error:
            # Others hold us for dead now and take our jobs. So does the next worker that is started in our place.
            raise ConnectorException("The session that proves this worker's life was lost.") from error
        try:
            await _rescue(worker_app)
        except ConnectorException:
            log.warning("The database could not be asked for jobs that were cut off; it is asked again.", exc_info=True)


async def _rescue(worker_app: App) -> None:
    """Give jobs of workers that died back to the queue."""
    manager = worker_app.job_manager
    orphans = await worker_app.connector.execute_query_all_async(_ORPHANS, life_lock=_LIFE_LOCK)
    stalled = await manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED)
    found = {job["id"]: job["task_name"] for job in orphans} | {job.id: job.task_name for job in stalled}
    for number, task in found.items():
        try:
            await manager.retry_job_by_id_async(number, retry_at=utcnow())
            log.warning("Job %s (%s) was cut off; it goes back to the queue.", number, task)
        except UniqueViolation:
            await manager.finish_job_by_id_async(number, Status.ABORTED, delete_job=True)
            log.warning("Job %s (%s) was cut off; another like it waits already.", number, task)
        except ConnectorException:
            # Another worker was faster, or the job was done after all; then it is right as it is.
            if await _is_being_done(worker_app, number):
                raise


async def _is_being_done(worker_app: App, number: int) -> bool:
    found = await worker_app.connector.execute_query_one_async(
        "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE id = %(number)s AND status = 'doing') AS doing",
        number=number,
    )
    return bool(found["doing"])
