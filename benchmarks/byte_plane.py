"""A 200 KB file with its permission checked, beside a bare ASGI application that sends the same bytes.

Both run in the same server with one worker, and are asked in turns by this process, over loopback. Budget: at least
0.4 of the bare application's rate.
"""

import asyncio
import hashlib
import json
import os
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import figure, is_quick

SIZE = 200_000
CONNECTIONS = 8
REQUESTS = 1200
ROUNDS = 3 if is_quick() else 9
BUDGET = 0.4


def run() -> Iterator[dict[str, Any]]:
    """Measured in a process of its own: its database and its settings are not those of the other benchmarks."""
    command = [sys.executable, "-m", "benchmarks.byte_plane", "--measure"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    yield from (json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{"))


async def fetch_many(port, path, digest, seconds):
    """Ask on one connection as often as there are numbers left; note how long each took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    for number in range(REQUESTS // CONNECTIONS):
        begun = time.perf_counter()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        body = await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r")[0]))
        seconds.append(time.perf_counter() - begun)
        if number == 0:
            assert hashlib.sha256(body).hexdigest() == digest
    writer.close()
    await writer.wait_closed()


def measure(port, path, digest):
    """Requests a second, and the time of each, over one round."""
    seconds = []

    async def all_connections():
        await asyncio.gather(*(fetch_many(port, path, digest, seconds) for _ in range(CONNECTIONS)))

    begun = time.perf_counter()
    asyncio.run(all_connections())
    return len(seconds) / (time.perf_counter() - begun), seconds


def serve_bare(port, path):
    """The bare application, in the same server as Medtheca's web process."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server.embed import Server

    content = Path(path).read_bytes()
    headers = [(b"content-type", b"image/jpeg"), (b"content-length", b"%d" % len(content))]

    async def application(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": content})

    async def serve():
        server = Server(
            application,
            port=port,
            interface=Interfaces.ASGINL,
            backpressure=512,
            websockets=False,
            log_level=LogLevels.warning,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, server.stop)
        await server.serve()

    asyncio.run(serve())


def public_image(content):
    """A public image whose full file is these bytes."""
    from medtheca.domains.access.enums import Visibility
    from medtheca.domains.access.operations import set_visibility
    from medtheca.domains.imaging.enums import FileKind
    from medtheca.domains.imaging.models import Image, ImageFile
    from medtheca.domains.imaging.operations import assign_public_ids, create_images
    from medtheca.domains.storage.operations import keeping_blobs, store_blobs
    from medtheca.domains.storage.queries import blob_store

    with keeping_blobs():
        staged = blob_store().stage([content])
        blob = store_blobs([staged])[staged.sha256]
        image = Image(
            format="jpeg",
            media_type="image/jpeg",
            width=1,
            height=1,
            colour_space="RGB",
            bits=8,
            channels=3,
            pixel_hash="0" * 64,
            perceptual_hash=0,
        )
        file = ImageFile(image=image, kind=FileKind.PUBLIC, blob=blob, media_type="image/jpeg", recipe="benchmark")
        create_images(images=[image], files=[file])
        assign_public_ids(image_ids=[image.pk])
        set_visibility(image_ids=[image.pk], visibility=Visibility.PUBLIC)
    image.refresh_from_db()
    return image, blob_store().path(staged.sha256)


def percentile(seconds, share):
    return round(sorted(seconds)[int(len(seconds) * share)] * 1000, 2)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    from tests.plugins.server import LiveServer, fresh_database, speaking_to

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medtheca.config.settings")
    content = secrets.token_bytes(SIZE)
    digest = hashlib.sha256(content).hexdigest()
    with fresh_database() as (name, url):
        import django

        django.setup()
        from medtheca.interfaces.http.file_urls import FileKind, file_url

        with speaking_to(name):
            image, place = public_image(content)
            path = file_url(image, FileKind.PUBLIC, media_type="image/jpeg")
        server = LiveServer(url)
        bare_port = free_port()
        bare = subprocess.Popen([sys.executable, "-m", "benchmarks.byte_plane", "--bare", str(bare_port), str(place)])
        try:
            server.start()
            compare({"bare": (bare_port, "/"), "checked": (server.port, path)}, digest)
        finally:
            bare.terminate()
            bare.wait(10)
            server.close()


def compare(doors, digest):
    """Ask both in turns, and say how they compare: the median of the ratios of neighbouring rounds."""
    for port, path in doors.values():
        measure(port, path, digest)  # Warm.
    rates = {name: [] for name in doors}
    seconds = {name: [] for name in doors}
    for number in range(ROUNDS):
        # Who goes first changes, so that a machine that slows down favours neither.
        for name in sorted(doors, reverse=number % 2 == 1):
            rate, times = measure(*doors[name], digest)
            rates[name].append(rate)
            seconds[name] += times
    ratios = [checked / plain for checked, plain in zip(rates["checked"], rates["bare"], strict=True)]
    facts = {"bytes": SIZE, "connections": CONNECTIONS, "rounds": ROUNDS, "least": round(min(ratios), 2)}
    for name, times in seconds.items():
        facts[f"{name}_rps"] = round(statistics.median(rates[name]))
        facts[f"{name}_p50_ms"] = percentile(times, 0.5)
        facts[f"{name}_p95_ms"] = percentile(times, 0.95)
    row = figure("byte_plane.file_200_kb", statistics.median(ratios), "x bare ASGI", at_least=BUDGET, **facts)
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bare"]:
        serve_bare(int(sys.argv[2]), sys.argv[3])
    elif sys.argv[1:2] == ["--measure"]:
        main()
    else:
        for row in run():
            print(json.dumps(row))
