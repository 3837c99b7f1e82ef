"""Tiles of a slide and parts of a photograph over HTTP, permission checked, beside iipsrv and a bare ASGI application.

Stored tiles are sent as they are: at least four times iipsrv's rate, and 0.4 of an application that sends the same
bytes from memory, in the same server. What has to be decoded and coded anew, in the sandbox: at least 0.8 of iipsrv's
rate. Beside the rates stands the processor time of an answer, and how many answers Medtheca gives for that of one by
the peer (`answers_per_cpu`): that says something also where a figure is `noisy`, as the machine had other work.

iipsrv runs as two processes behind nginx (`peers/iipsrv.py`) and is given the very pyramid that Medtheca serves; of a
photograph, which it cannot read as it is, a pyramid. Medtheca is one web process with its decoders.
"""

import asyncio
import http.client
import io
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import machine, processes
from benchmarks.figures import figure, is_quick, skipped
from benchmarks.peers import iipsrv, wrk

CONNECTIONS = (1, 4, 16)
ROUNDS, SECONDS = (1, 1) if is_quick() else (3, 2)
PASSED_OF_IIPSRV, PASSED_OF_BARE, MADE_OF_IIPSRV = 4.0, 0.4, 0.8
ACROSS = 24 if is_quick() else 80  # tiles a side of the slide: 20,480 pixels
TILE = 256
PHOTOGRAPH = (4000, 3000)
WANTED = 400  # different addresses


@dataclass(frozen=True, slots=True)
class Door:
    """Whom to ask, for what, as whom; and the processes that answer, with all their children."""

    port: int
    processes: list[int]
    paths: list[str]
    headers: dict[str, str] = field(default_factory=dict)


def run() -> Iterator[dict[str, Any]]:
    """Measured in a process of its own: its database and its settings are not those of the other benchmarks."""
    if why := wrk.missing():
        yield skipped("tiles", f"{why}; nothing is measured")
        return
    if why := iipsrv.missing():
        yield skipped("tiles.of_iipsrv", f"{why}: Medtheca is compared with the bare application only")
    command = [sys.executable, "-m", "benchmarks.tiles", "--measure"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as measuring:
        assert measuring.stdout is not None
        for line in measuring.stdout:
            if line.startswith("{"):
                yield json.loads(line)
    if measuring.returncode:
        raise RuntimeError(f"the measurement ended with code {measuring.returncode}, see above")


# -- what is asked for


def tissue(width, height):
    """A picture with the fine grain of a scan, so that its JPEG has the size of a real one: some 15 kB a tile."""
    import numpy as np

    from tests.generators import slides

    grain = np.random.default_rng(7).normal(0, 5, (height, width, 1))
    return np.clip(slides.tissue(width, height) + grain, 0, 255).astype(np.uint8)


class Repeated:
    """A slide of any size that repeats one picture. See `medtheca.toolkit.images.slide.Slide`."""

    microns_per_pixel = None
    jpeg_tiles = None

    def __init__(self, picture, width, height):
        from medtheca.toolkit.images.slide import Level

        self.picture = picture
        self.levels = (Level(width, height, 1.0),)

    def region(self, _level, x, y, width, height):
        import numpy as np

        rows, columns = np.arange(y, y + height), np.arange(x, x + width)
        return np.take(np.take(self.picture, rows, 0, mode="wrap"), columns, 1, mode="wrap")


def draw_photograph():
    """A JPEG of twelve megapixels."""
    from PIL import Image

    width, height = PHOTOGRAPH
    file = io.BytesIO()
    part = Image.fromarray(tissue(width // 4, height // 4))
    part.resize((width, height), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
    return file.getvalue()


def whole_tiles():
    """Levels (0 is the finest), columns and rows: three in four of the finest, as a person sees who zooms in."""
    dice = random.Random(3)
    kinds = [0] * 12 + [1] * 3 + [2]
    found = []
    for _ in range(WANTED):
        level = dice.choice(kinds)
        side = ACROSS >> level
        found.append((level, dice.randrange(side), dice.randrange(side)))
    return found


def parts(size, region, shown):
    """Parts of `region` pixels square at any place, shown as `shown` pixels, in the words of IIIF."""
    dice = random.Random(5)
    width, height = size
    places = [(dice.randrange(1, width - region), dice.randrange(1, height - region)) for _ in range(WANTED)]
    return [f"{x},{y},{region},{region}/{shown},/0/default.jpg" for x, y in places]


# -- the three servers


def make_image(data, media_type, *, size, visibility):
    """An image whose public file is these bytes, and where they lie."""
    from medtheca.domains.access.operations import place_images, set_visibility
    from medtheca.domains.imaging.enums import FileKind
    from medtheca.domains.imaging.models import Image, ImageFile
    from medtheca.domains.imaging.operations import assign_public_ids, create_images
    from medtheca.domains.storage.operations import keeping_blobs, store_blobs
    from medtheca.domains.storage.queries import blob_store
    from tests.factories.accounts import make_token, make_user
    from tests.factories.provenance import make_cohort

    owner = make_user(f"bench-{visibility}-{len(data)}")
    cohort = make_cohort(owner, name=f"Bench {visibility} {len(data)}")
    with keeping_blobs():
        staged = blob_store().stage([data])
        blob = store_blobs([staged])[staged.sha256]
        image = Image(
            format="jpeg",
            media_type=media_type,
            width=size[0],
            height=size[1],
            colour_space="RGB",
            bits=8,
            channels=3,
            pixel_hash="0" * 64,
            perceptual_hash=0,
        )
        file = ImageFile(image=image, kind=FileKind.PUBLIC, blob=blob, media_type=media_type, recipe="benchmark")
        create_images(images=[image], files=[file])
        if visibility == "public":
            assign_public_ids(image_ids=[image.pk])
        place_images(image_ids=[image.pk], scope_ids=[cohort.scope_id, cohort.contributor.scope_id])
        set_visibility(image_ids=[image.pk], visibility=visibility)
    image.refresh_from_db()
    reference = image.public_id or str(image.key)
    headers = {} if visibility == "public" else {"Authorization": f"Bearer {make_token(owner)[1]}"}
    return reference, headers, blob_store().path(staged.sha256)


def make_pyramid(picture, size):
    """The pyramid that a conversion makes of a slide that repeats a picture."""
    from medtheca.toolkit.renditions import pyramid

    file = io.BytesIO()
    pyramid.write(Repeated(picture, *size), file)
    return file.getvalue()


def serve_bare(port, listed):
    """The bare application, in the same server as Medtheca's web process: bytes by path, all in memory."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server.embed import Server

    content = {}
    for path, place, offset, count in json.loads(Path(listed).read_text()):
        with Path(place).open("rb") as file:
            file.seek(offset)
            content[path] = file.read(count)

    async def application(scope, receive, send):
        if scope["type"] == "http":
            body = content[scope["path"]]
            headers = [(b"content-type", b"image/jpeg"), (b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

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


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# -- measuring


def check(name, doors, size):
    """All answer the first few addresses with a JPEG of that size; doors of stored tiles with the same bytes."""
    from PIL import Image

    for number in range(5):
        bodies = {}
        for who, door in doors.items():
            connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=60)
            connection.request("GET", door.paths[number], headers=door.headers)
            answer = connection.getresponse()
            bodies[who] = answer.read()
            connection.close()
            assert answer.status == 200, (name, who, door.paths[number], answer.status, bodies[who][:300])
            picture = Image.open(io.BytesIO(bodies[who]))
            assert (picture.format, picture.size) == ("JPEG", size), (name, who, picture.format, picture.size)
        if "bare" in bodies:
            assert bodies["bare"] == bodies["medtheca"], name


def cpu_seconds(door):
    """Processor time so far of all who answer at a door."""
    return sum(processes.cpu_seconds(root).total() for root in door.processes)


def compare(name, doors, *, size, budgets, **facts):
    """Ask all doors in turns at each number of connections, and print how Medtheca's rate compares with each peer's."""
    if sys.argv[2:] and name.removeprefix("tiles.") not in sys.argv[2:]:
        return
    check(name, doors, size)
    for connections in CONNECTIONS:
        loads, costs = {who: [] for who in doors}, {who: [] for who in doors}
        for door in doors.values():
            wrk.ask(door.port, door.paths, connections=connections, seconds=1, headers=door.headers)
        before = machine.contention()
        for number in range(ROUNDS):
            # Who goes first changes, so that a machine that slows down favours nobody.
            for who in sorted(doors, reverse=number % 2 == 1):
                door = doors[who]
                spent = cpu_seconds(door)
                load = wrk.ask(door.port, door.paths, connections=connections, seconds=SECONDS, headers=door.headers)
                loads[who].append(load)
                costs[who].append((cpu_seconds(door) - spent) / (load.rate * SECONDS) * 1e3)
        noise = max(before, machine.contention())
        found = {"connections": connections, "rounds": ROUNDS, "contention": noise, "noisy": noise > machine.QUIET}
        for who, all_of in loads.items():
            middle = sorted(all_of, key=lambda load: load.rate)[len(all_of) // 2]
            found |= {f"{who}_rps": round(middle.rate), f"{who}_p50_ms": middle.p50, f"{who}_p95_ms": middle.p95}
            found[f"{who}_cpu_ms"] = round(statistics.median(costs[who]), 3)
        for who in doors:
            if who == "medtheca":
                continue
            ratios = [one.rate / other.rate for one, other in zip(loads["medtheca"], loads[who], strict=True)]
            row = figure(
                f"{name}.c{connections}.of_{who}",
                statistics.median(ratios),
                f"x {who}",
                at_least=budgets.get(who),
                least=round(min(ratios), 3),
                answers_per_cpu=round(found[f"{who}_cpu_ms"] / found["medtheca_cpu_ms"], 3),
                **found,
                **facts,
            )
            print(json.dumps(row), flush=True)


def measure_all(server, bare_server, peer_server, things):
    """Every figure."""
    slide, private, photograph = things["slide"], things["private"], things["photograph"]
    tiles = whole_tiles()
    side = ACROSS * TILE
    depth = things["levels"] - 1
    names = [f"tiles_files/{depth - level}/{column}_{row}.jpg" for level, column, row in tiles]
    regions = [
        f"{column * TILE << level},{row * TILE << level},{TILE << level},{TILE << level}/{TILE},{TILE}/0/default.jpg"
        for level, column, row in tiles
    ]
    bare = [f"/{level}/{column}_{row}.jpg" for level, column, row in tiles]
    # Its numbers grow towards the finest level, as those of Deep Zoom do, but begin at its smallest page.
    finest = things["peer_levels"] - 1
    jtl = [f"/fcgi?FIF=slide.tif&JTL={finest - lv},{row * (ACROSS >> lv) + col}" for lv, col, row in tiles]

    def ours(path, image=slide):
        return Door(server.port, [server.process.pid], path(image[0]), image[1])

    def against(medtheca, theirs, **others):
        peer = {"iipsrv": Door(*peer_server, theirs)} if peer_server else {}
        return {"medtheca": medtheca, **peer, **others}

    passed = {"iipsrv": PASSED_OF_IIPSRV, "bare": PASSED_OF_BARE}
    made = {"iipsrv": MADE_OF_IIPSRV}
    same = {"bare": Door(*bare_server, bare)}
    doors = against(ours(lambda ref: [f"/files/images/{ref}/{name}" for name in names]), jtl, **same)
    compare("tiles.deepzoom", doors, size=(TILE, TILE), budgets=passed)
    theirs = [f"/fcgi?IIIF=slide.tif/{region}" for region in regions]
    doors = against(ours(lambda ref: [f"/iiif/{ref}/{region}" for region in regions]), theirs, **same)
    compare("tiles.iiif", doors, size=(TILE, TILE), budgets=passed)
    doors = against(ours(lambda ref: [f"/files/images/{ref}/{name}" for name in names], private), jtl, **same)
    compare("tiles.deepzoom_private", doors, size=(TILE, TILE), budgets=passed)
    for name, image, size, region, shown in (
        ("tiles.slide_part", slide, (side, side), 256, 256),
        ("tiles.slide_part_scaled", slide, (side, side), 700, 256),
        ("tiles.photograph_part", photograph, PHOTOGRAPH, 512, 512),
        ("tiles.photograph_part_scaled", photograph, PHOTOGRAPH, 1500, 256),
    ):
        asked = parts(size, region, shown)
        file = "slide.tif" if image is slide else "photograph.tif"
        theirs = [f"/fcgi?IIIF={file}/{words}" for words in asked]
        doors = against(ours(lambda ref, asked=asked: [f"/iiif/{ref}/{words}" for words in asked], image), theirs)
        if len(doors) > 1:
            compare(name, doors, size=(shown, shown), budgets=made)


def main():
    import numpy as np
    from PIL import Image as Picture

    from tests.plugins.server import LiveServer, fresh_database, speaking_to

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medtheca.config.settings")
    with fresh_database() as (database, url), tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        import django

        django.setup()
        from medtheca.toolkit.tiles.index import read_index

        folder = Path(name)
        images = folder / "images"
        images.mkdir()
        with speaking_to(database):
            things, places = {}, {}
            grain = tissue(4 * TILE + 40, 4 * TILE + 24)  # no two neighbouring tiles are alike
            pyramid, photograph = make_pyramid(grain, (ACROSS * TILE,) * 2), draw_photograph()
            for key, data, kind, size, visibility in (
                ("slide", pyramid, "image/tiff", (ACROSS * TILE,) * 2, "public"),
                ("private", pyramid, "image/tiff", (ACROSS * TILE,) * 2, "private"),
                ("photograph", photograph, "image/jpeg", PHOTOGRAPH, "public"),
            ):
                reference, headers, places[key] = make_image(data, kind, size=size, visibility=visibility)
                things[key] = (reference, headers)
        shutil.copy(places["slide"], images / "slide.tif")
        pixels = np.asarray(Picture.open(io.BytesIO(photograph)))
        (images / "photograph.tif").write_bytes(make_pyramid(pixels, PHOTOGRAPH))
        with places["slide"].open("rb") as file:
            index = read_index(file.fileno())
        things["levels"] = len(index.levels)
        things["peer_levels"] = count_pages(images / "slide.tif")
        listed = [
            (f"/{level}/{column}_{row}.jpg", str(places["slide"]), *index.place(level, column, row))
            for level, column, row in whole_tiles()
        ]
        (folder / "listed.json").write_text(json.dumps(listed))
        server = LiveServer(url)
        bare_port = free_port()
        bare = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.tiles", "--bare", str(bare_port), str(folder / "listed.json")]
        )
        try:
            server.start()
            if iipsrv.missing():
                measure_all(server, (bare_port, [bare.pid]), None, things)
            else:
                with iipsrv.serving(images, folder) as peer_server:
                    measure_all(server, (bare_port, [bare.pid]), peer_server, things)
        finally:
            bare.terminate()
            bare.wait(10)
            server.close()


def count_pages(path):
    """The levels that a reader of TIFF sees."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        return len(file.pages)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bare"]:
        serve_bare(int(sys.argv[2]), sys.argv[3])
    elif sys.argv[1:2] == ["--measure"]:
        main()
    else:
        for row in run():
            print(json.dumps(row))
