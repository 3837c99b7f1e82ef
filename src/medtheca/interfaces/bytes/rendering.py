"""Parts of pictures, made for an answer by children that can do nothing but compute."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from django.conf import settings

from medtheca.domains.storage.queries import blob_store
from medtheca.interfaces.bytes.composed import copy_for_decoder
from medtheca.interfaces.bytes.sending import open_sized, unavailable
from medtheca.interfaces.bytes.wire import Problem
from medtheca.toolkit.sandbox import DecoderPool, Limits, SandboxUnavailable
from medtheca.toolkit.sandbox.studio import Rendering, RenderingFailed, Studio, TooManyWait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medtheca.domains.access.serving import ServedFile

_TASK = "medtheca.toolkit.images.region_task:run"
_LIMITS = Limits(cpu_seconds=30, wall_seconds=45, output_bytes=100_000_000, report_bytes=10_000)
_log = logging.getLogger(__name__)


class Renderer:
    """The studio of this process. Its fork server starts when the first picture is asked for, which takes a second."""

    def __init__(self, *, places: int = 2) -> None:
        self._studio = Studio(_make_pool, _LIMITS, places=places)

    async def render(
        self,
        file: ServedFile,
        options: dict[str, Any],
        *,
        caller: str,
        pieces: Sequence[tuple[int, int]] | None = None,
        keeps: int = 0,
    ) -> bytes:
        """What `region_task` makes of a file, or of `pieces` of it. Raises `Problem` 503 where it cannot do so now.

        Callers, by whatever tells them apart, are served in turns. `keeps` is what the task would keep of the file.
        """
        path = blob_store().path(file.digest)

        async def copy() -> int:
            # No decoder is given the original that a file is composed of. Made when there is a place, not before.
            return await asyncio.to_thread(copy_for_decoder, file, pieces)

        rendering = Rendering(
            source=file.digest,
            open=copy if file.recipe else lambda: open_sized(path, file.size),
            size=file.size,
            options=options,
            pieces=pieces,
            keeps=keeps,
        )
        try:
            reply = await self._studio.render(rendering, caller=caller)
        except TooManyWait as wait:
            raise _busy(of_one=wait.of_one) from None
        except SandboxUnavailable as error:
            _log.error("Pictures cannot be made here: %s", error)
            raise _no_decoders() from None
        except RenderingFailed as failure:
            said = str(failure)
        else:
            if reply.refusal is None and "picture" in reply.parts:
                return reply.parts["picture"]
            said = reply.refusal.message if reply.refusal else "there is no picture"
        _log.error("A picture could not be made of %s: %s", file.digest[:16], said)
        raise unavailable()

    def close(self) -> None:
        """End all processes, for good."""
        self._studio.close()


def _make_pool() -> DecoderPool:
    return DecoderPool(_TASK, limits=_LIMITS, allow_unsafe=settings.ENVIRONMENT.unsafe_decoders)


def _busy(*, of_one: bool) -> Problem:
    whose = "More pictures are asked for from your address" if of_one else "More pictures are asked for"
    return Problem(
        503,
        "busy",
        f"{whose} than can be made at the moment.",
        remedy="Try again in a few seconds.",
        headers={"Retry-After": "2"},
    )


def _no_decoders() -> Problem:
    return Problem(
        503,
        "no_decoders",
        "Pictures cannot be made on this machine, for want of a fence around decoders.",
        remedy="Ask for whole tiles, or download the file.",
    )
