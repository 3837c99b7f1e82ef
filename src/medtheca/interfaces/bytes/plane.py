"""The byte plane as one ASGI application: which requests are its own, and what every answer of it has in common."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging

from django.db import InterfaceError, OperationalError

from medtheca.base.errors import DomainError
from medtheca.interfaces.bytes.deepzoom import DeepZoom
from medtheca.interfaces.bytes.door import PREFLIGHT, Door
from medtheca.interfaces.bytes.downloads import Downloads
from medtheca.interfaces.bytes.files import Files
from medtheca.interfaces.bytes.iiif import ROOT as IIIF_ROOT
from medtheca.interfaces.bytes.iiif import Iiif
from medtheca.interfaces.bytes.item_files import ItemFiles
from medtheca.interfaces.bytes.listening import listen
from medtheca.interfaces.bytes.memory import Memory
from medtheca.interfaces.bytes.multipart import ROOT as PARTS_ROOT
from medtheca.interfaces.bytes.multipart import MultipartUploads
from medtheca.interfaces.bytes.public_table import PublicTable
from medtheca.interfaces.bytes.pyramids import Pyramids
from medtheca.interfaces.bytes.rendering import Renderer
from medtheca.interfaces.bytes.slices import Slices
from medtheca.interfaces.bytes.static import StaticFiles
from medtheca.interfaces.bytes.threads import Threads
from medtheca.interfaces.bytes.uploads import Uploads
from medtheca.interfaces.bytes.wire import Headers, Problem, Receive, Request, Scope, Send, problem_of
from medtheca.interfaces.bytes.workshop import Workshop
from medtheca.interfaces.http.download_urls import DOWNLOADS, PUBLIC_TABLE
from medtheca.interfaces.http.file_urls import ITEM_FILES
from medtheca.interfaces.http.refusals import Refused

_log = logging.getLogger(__name__)


class BytePlane:
    """Uploads, files of images with their slices and tiles, static files, and whether all is well."""

    def __init__(self) -> None:
        self.threads = Threads()
        self.memory = Memory()
        self._uploads = Uploads(self.threads)
        self._multipart = MultipartUploads(self.threads)
        self._door = Door(self.threads, self.memory)
        self._workshop = Workshop()
        self._files = Files(self.threads, self._door)
        self._item_files = ItemFiles(self.threads, self._door)
        self._downloads = Downloads(self.threads, self._door, self.memory)
        self._public_table = PublicTable(self.threads)
        self._slices = Slices(self._door, self._workshop)
        pyramids = Pyramids(self.threads)
        self._renderer = Renderer()
        self._deepzoom = DeepZoom(self._door, pyramids)
        self._iiif = Iiif(self._door, pyramids, self._renderer)
        self._static = StaticFiles(self.threads)
        self._listening: asyncio.Task[None] | None = None

    def serves(self, path: str) -> bool:
        """Whether a path belongs to the byte plane."""
        return path.startswith(("/files/", DOWNLOADS, IIIF_ROOT, "/uploads/tus/", PARTS_ROOT, "/static/")) or path in {
            "/uploads/tus",
            "/healthz",
        }

    async def start(self) -> None:
        """Begin to hear what changes. Until that works, nothing is remembered for longer than two seconds."""
        self._listening = asyncio.create_task(listen(self.memory, self._door.callers))

    async def stop(self) -> None:
        """Hear no more, and let the threads end."""
        if self._listening is not None:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening
        self._workshop.close()
        # Here and not in a thread: the server does not wait for what takes further turns of the loop.
        self._renderer.close()
        self.threads.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; refusals are problem details, and nothing else gets out."""
        request = Request.of(scope, receive, send)
        extra = self._extra_of(request.path)
        try:
            await self._answer(request)
        except Problem as problem:
            await request.answer_problem(problem, extra)
        except (DomainError, Refused) as error:
            await request.answer_problem(problem_of(error), extra)
        except (OperationalError, InterfaceError):
            _log.exception("The database does not answer.")
            await self._answer_late(request, _database_is_away(), extra)
        except Exception:  # noqa: BLE001 - the outermost place: logged, and answered with a 500
            _log.exception("%s %s failed.", request.method, request.path)
            await self._answer_late(request, _failed(), extra)

    def _extra_of(self, path: str) -> Headers:
        if path.startswith(PARTS_ROOT):
            return self._multipart.extra
        if path.startswith("/uploads/"):
            return self._uploads.extra
        # Refusals say the same to everybody, so pages elsewhere may read why they get nothing.
        return self._iiif.extra if path.startswith((IIIF_ROOT, "/files/", DOWNLOADS)) else []

    async def _answer(self, request: Request) -> None:
        if request.path.startswith("/files/"):
            await self._answer_file(request)
        elif request.path.startswith(DOWNLOADS):
            await self._answer_download(request)
        elif request.path.startswith(IIIF_ROOT):
            await self._iiif(request)
        elif request.path.startswith(PARTS_ROOT):
            await self._multipart(request)
        elif request.path.startswith("/uploads/"):
            await self._uploads(request)
        elif request.path == "/healthz":
            await self._tell_health(request)
        else:
            await self._static(request)

    async def _answer_file(self, request: Request) -> None:
        if request.method == "OPTIONS":
            await request.answer(204, PREFLIGHT)
        elif request.path == PUBLIC_TABLE:
            await self._public_table(request)
        elif request.path.startswith(ITEM_FILES):
            await self._item_files(request)
        elif "/slices/" in request.path:
            await self._slices(request)
        elif "/tiles" in request.path:
            await self._deepzoom(request)
        else:
            await self._files(request)

    async def _answer_download(self, request: Request) -> None:
        if request.method == "OPTIONS":
            await request.answer(204, PREFLIGHT)
        else:
            await self._downloads(request)

    async def _answer_late(self, request: Request, problem: Problem, extra: Headers) -> None:
        if request.answered:
            raise ConnectionError("the answer broke off")
        await request.answer_problem(problem, extra)

    async def _tell_health(self, request: Request) -> None:
        if not await self.threads.database_answers():
            raise _database_is_away()
        body = {"status": "ok", "database": "ok", "hears_changes": self.memory.hears}
        headers: Headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        await request.answer(200, headers, json.dumps(body).encode())


def _database_is_away() -> Problem:
    return Problem(
        503,
        "database_away",
        "The database does not answer at the moment.",
        remedy="Try again in a few seconds.",
        headers={"Retry-After": "5"},
    )


def _failed() -> Problem:
    return Problem(
        500, "failed", "Something went wrong here; it is in the log.", remedy="Try again, or tell the support."
    )
