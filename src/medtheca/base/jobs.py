"""Enqueueing work by name, so that a domain never imports what will do it.

The job is a row inserted by the transaction that creates its reason: none is lost, none is early.
`tests/architecture/test_jobs.py` checks that every name written here and elsewhere is registered.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from medtheca.base.turns import MOST_COST, priority_in_turn


def enqueue(
    name: str,
    *,
    priority: int = 0,
    queueing_lock: str | None = None,
    lock: str | None = None,
    turn: str | None = None,
    cost: int = 1,
    **arguments: Any,
) -> None:
    """Insert a job in the present transaction.

    Args:
        name: registered name, such as `convert.batch`.
        priority: higher runs earlier; not with `turn`, which decides it.
        queueing_lock: no second job with this lock waits; a second call does nothing then.
        lock: jobs with the same lock run one after the other.
        turn: whose job it is, such as `user:7`. Those of different people take turns (`base.turns`).
        cost: about how many seconds it takes, with `turn`: who asks for long ones has his turn less often.
        arguments: JSON values handed to the job.
    """
    from django.db import transaction
    from procrastinate.exceptions import AlreadyEnqueued

    if turn is not None:
        priority = priority_in_turn(turn)
        arguments |= {"turn": turn, "cost": max(1, min(cost, MOST_COST))}
    deferrer = app.configure_task(name, allow_unknown=True, priority=priority, queueing_lock=queueing_lock, lock=lock)
    try:
        # A savepoint, because a taken queueing lock breaks the statement, not the caller's work.
        with transaction.atomic():
            deferrer.defer(**arguments)
    except AlreadyEnqueued:
        return


def jobs_under_way(name: str) -> Iterator[dict[str, Any]]:
    """Arguments of every job of this name that waits, waits to be tried again, or is being done."""
    jobs = ProcrastinateJob.objects.filter(task_name=name, status__in=["todo", "doing"])
    return jobs.values_list("args", flat=True).iterator()
