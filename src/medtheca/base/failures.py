"""Jobs that fail again and again: what a command that waits for their work has to know, so as not to wait for ever."""

from __future__ import annotations

import logging

from django.db.models import Q
from django.db.models.functions import Now
from procrastinate.contrib.django.models import ProcrastinateJob

from medtheca.base.errors import DomainError

_log = logging.getLogger(__name__)
_QUEUE = "ingest"
_reasons: dict[str, str] = {}


class WorkStopped(DomainError):
    """Jobs fail, and none is left that could go on meanwhile."""

    code = "work_stopped"


def note_failure(name: str, error: Exception) -> None:
    """Keep the reason of a job's last failure in this process, for `raise_if_stuck`, and log it.

    Of words only those go to the log that are ours or the system's: others may quote what somebody has sent.
    """
    told = error.message if isinstance(error, DomainError) else str(error)
    remedy = f" {error.remedy}" if isinstance(error, DomainError) and error.remedy else ""
    _reasons[name] = f"{type(error).__name__}: {told}{remedy}" if told else type(error).__name__
    kind = error.code if isinstance(error, DomainError) else type(error).__name__
    _log.warning("Job %s failed: %s%s", name, kind, f": {error}" if isinstance(error, OSError) else ".")


def raise_if_stuck(*, attempts: int) -> None:
    """Raise `WorkStopped` where jobs have failed `attempts` times or more and no other is ready or being done."""
    jobs = ProcrastinateJob.objects.filter(queue_name=_QUEUE)
    ready = Q(scheduled_at__isnull=True) | Q(scheduled_at__lte=Now())
    if jobs.filter(Q(status="doing") | (Q(status="todo") & ready)).exists():
        return
    failing = jobs.filter(status="todo", attempts__gte=attempts).order_by("-attempts", "pk").first()
    if failing is None:
        return
    reason = _reasons.get(failing.task_name, "The reason is in the log of the worker.")
    raise WorkStopped(
        f"The job {failing.task_name} has failed {failing.attempts} times and is tried again later. {reason}",
        remedy="What is in stays in; a worker (`medtheca up`) goes on with the rest, or the same command again.",
    )
