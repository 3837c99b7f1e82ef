"""The decoder pool of this process, made when it is first needed."""

from __future__ import annotations

import threading
from functools import partial

from django.conf import settings

from medtheca.toolkit.images.costs import seconds_for_photograph
from medtheca.toolkit.sandbox import DecoderPool

_TASK = "medtheca.toolkit.images.tasks:run"
_CASE_TASK = "medtheca.toolkit.confidentiality.case_task:run"
_lock = threading.Lock()
_pool: DecoderPool | None = None


def decoder_pool() -> DecoderPool:
    """The pool. Raises `SandboxUnavailable` where the kernel has no fence and nobody said to do without."""
    global _pool  # noqa: PLW0603 - one pool a process: its fork server takes a second to start
    with _lock:
        if _pool is None:
            _pool = DecoderPool(
                _TASK,
                case_task=_CASE_TASK,
                size=settings.ENVIRONMENT.decoders,
                seconds=partial(seconds_for_photograph, most=settings.ENVIRONMENT.decoder_seconds),
                most_seconds=settings.ENVIRONMENT.decoder_seconds,
                allow_unsafe=settings.ENVIRONMENT.unsafe_decoders,
            )
        return _pool


def close_decoder_pool() -> None:
    """End the pool's processes; the next call of `decoder_pool` makes a new one."""
    global _pool  # noqa: PLW0603 - see above
    with _lock:
        if _pool is not None:
            _pool.close()
            _pool = None
