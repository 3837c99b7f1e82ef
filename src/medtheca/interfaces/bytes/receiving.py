"""Taking the bytes of one request into the part file, with bounded memory, and acknowledging what is on disk."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING
from uuid import UUID

from medtheca.interfaces.bytes.parts import PartWriter
from medtheca.interfaces.bytes.threads import Threads
from medtheca.interfaces.bytes.turns import Turn
from medtheca.interfaces.bytes.tus_headers import Checksum
from medtheca.interfaces.bytes.wire import Problem, Request
from medtheca.workflows.receive import acknowledge_bytes

if TYPE_CHECKING:
    from medtheca.domains.storage.models import Upload

_GATHER = 512 * 1024
_ACKNOWLEDGE_EVERY = 16 << 20
_ACKNOWLEDGE_SECONDS = 5.0
_SILENCE = 30.0


class End(Enum):
    """Why no more bytes come."""

    COMPLETE = auto()
    CUT = auto()
    SILENT = auto()
    TURN_OVER = auto()


@dataclass(slots=True)
class Receiving:
    """The body of one request on its way to the disk.

    `offset` is what is acknowledged. Where a checksum was promised nothing is before all of it is there and right;
    otherwise every 16 MiB or 5 seconds, and what came of a connection that broke off.
    """

    request: Request
    threads: Threads
    turn: Turn
    upload: Upload
    checksum: Checksum | None
    offset: int

    async def run(self) -> int:
        """Take everything in; return the acknowledged offset.

        Raises `Problem`: 413 for more bytes than the upload has, 460 for a wrong checksum, 507 without room, 423 and
        408 where the request was stopped. `offset` is right in each case.
        """
        writer = await self.threads.on_disk(PartWriter, UUID(str(self.upload.pk)), self.offset, self.checksum)
        try:
            try:
                end = await self._take_all(writer)
            except Problem as problem:
                if problem.status == 507 and self.checksum is None:
                    await self._acknowledge(writer)
                raise
            if end is End.COMPLETE and not writer.matches():
                raise Problem(
                    460,
                    "checksum_differs",
                    "The bytes are not those whose checksum was sent; they were damaged on the way.",
                    remedy="Send them again.",
                )
            if end is End.COMPLETE or self.checksum is None:
                await self._acknowledge(writer)
        finally:
            # Closing may have to wait for the disk too.
            await asyncio.shield(self.threads.on_disk(writer.close))
        if end is End.TURN_OVER:
            raise Problem(423, "turn_over", "A newer request has taken over this upload.")
        if end is not End.COMPLETE:
            raise Problem(
                408, "cut_off", "The bytes stopped coming.", remedy="Ask for the offset and go on from there."
            )
        return self.offset

    async def _take_all(self, writer: PartWriter) -> End:
        room = self.upload.size - self.offset
        gathered = bytearray()
        acknowledged_at = time.monotonic()
        while True:
            chunk, end = await self._next()
            room -= len(chunk)
            if room < 0:
                raise Problem(
                    413, "too_many_bytes", f"The upload has {self.upload.size:,} bytes; more than the rest came."
                )
            gathered += chunk
            if gathered and (len(gathered) >= _GATHER or end is not None):
                await self.threads.on_disk(writer.write, gathered)
                gathered = bytearray()
            if end is not None:
                return end
            if self.checksum is None:
                moment = time.monotonic()
                pending = writer.position + len(gathered) - self.offset
                if pending >= _ACKNOWLEDGE_EVERY or (pending and moment - acknowledged_at >= _ACKNOWLEDGE_SECONDS):
                    if gathered:
                        await self.threads.on_disk(writer.write, gathered)
                        gathered = bytearray()
                    # The last byte is acknowledged only once the body is known to end there.
                    if writer.position < self.upload.size:
                        await self._acknowledge(writer)
                    acknowledged_at = time.monotonic()

    async def _next(self) -> tuple[bytes, End | None]:
        receiving = asyncio.ensure_future(self.request.receive())
        await asyncio.wait({receiving, self.turn.ended}, timeout=_SILENCE, return_when=asyncio.FIRST_COMPLETED)
        if not receiving.done():
            receiving.cancel()
            return b"", End.TURN_OVER if self.turn.ended.done() else End.SILENT
        message = receiving.result()
        if message["type"] != "http.request":
            return b"", End.CUT
        return message.get("body", b""), None if message.get("more_body") else End.COMPLETE

    async def _acknowledge(self, writer: PartWriter) -> None:
        if writer.position == self.offset:
            return
        await self.threads.on_disk(writer.sync)
        position = writer.position
        await self.threads.change(acknowledge_bytes, upload=self.upload, begun_at=self.offset, offset=position)
        self.offset = position
