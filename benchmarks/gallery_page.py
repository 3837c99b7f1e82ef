"""The gallery's first screen of thumbnails, 1440 by 900 pixels, on a line of 10 Mbit/s and 100 ms: bytes and requests.

Headless Chromium opens it with an empty cache, slowed by the browser itself, as nobody in particular. Pictures are
those of the ISIC 2017 challenge where the samples have them. Counted is what was asked for and what had come, headers
included, when the last thumbnail that is seen had come whole. Budgets: 700 KB, 40 requests. Told beside: seconds until
then, what the page costs until it rests, and what a second visit costs. Needs Playwright and Chromium.
"""

import contextlib
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks import pictures
from benchmarks.figures import figure, is_quick, skipped

MOST_BYTES, MOST_REQUESTS = 700_000, 40
WIDTH, HEIGHT = 1440, 900
_PICTURES = 60 if is_quick() else 150
_LINE = {"offline": False, "latency": 100, "downloadThroughput": 10e6 / 8, "uploadThroughput": 10e6 / 8}
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_SEEN = """() => [...document.querySelectorAll(".tile > img")].filter((picture) => {
  const box = picture.getBoundingClientRect();
  return box.top < innerHeight && box.bottom > 0;
}).map((picture) => picture.currentSrc)"""


def run() -> Iterator[dict[str, Any]]:
    """Measured in a process of its own: its database and its settings are not those of the other benchmarks."""
    if (lacking := _lacking()) is not None:
        yield skipped("gallery_page", lacking)
        return
    command = [sys.executable, "-m", "benchmarks.gallery_page", "--measure"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    yield from (json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{"))


def _lacking() -> str | None:
    if importlib.util.find_spec("playwright") is None:
        return "Playwright is not installed"
    return None if _chromium() else "there is no Chromium on the PATH"


def _chromium() -> str | None:
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


def main() -> None:
    from tests.plugins.server import LiveServer, fresh_database, speaking_to

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medtheca.config.settings")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="medtheca-gallery-", dir="/var/tmp")))
        os.environ["MEDTHECA_DATA"] = str(folder / "data")
        (folder / "data").mkdir()
        name, url = stack.enter_context(fresh_database())
        import django

        django.setup()
        with speaking_to(name):
            number = publish_pictures()
        server = LiveServer(url)
        stack.callback(server.close)
        server.start()
        # Warm: the first request loads all addresses, the second the index.
        for _ in range(2):
            assert server.request("GET", "/gallery/").status == 200
        for row in measure(f"{server.url}/gallery/", {"pictures": number, "samples": pictures.challenge() is not None}):
            print(json.dumps(row), flush=True)


def publish_pictures() -> int:
    """Public images with metadata, as many as fill two pages of the gallery; how many."""
    from django.db import transaction

    from medtheca.domains.access.operations import set_visibility
    from medtheca.domains.imaging.operations import assign_public_ids
    from medtheca.domains.metadata.operations import Change, describe_accessions
    from medtheca.domains.provenance.models import Accession
    from tests.factories.accounts import make_user
    from tests.factories.provenance import deliver, make_cohort, run_jobs
    from tests.factories.storage import make_wide_scopes

    make_wide_scopes()
    alice = make_user("alice")
    cohort = make_cohort(alice, name="Pigmented lesion clinic")
    deliver(alice, cohort, _zipped())
    run_jobs()
    rows = list(Accession.objects.filter(cohort=cohort, image__isnull=False).order_by("pk"))
    values = [_values(at) for at in range(len(rows))]
    with transaction.atomic():
        describe_accessions(changes=[Change(*pair) for pair in zip(rows, values, strict=True)], creator=alice)
    images = [row.image_id for row in rows if row.image_id is not None]
    assign_public_ids(image_ids=images)
    set_visibility(image_ids=images, visibility="public")
    return len(images)


def _zipped() -> bytes:
    """Photographs as they came: the challenge's, else drawn ones."""
    file = io.BytesIO()
    source = pictures.challenge() or pictures.photographs(_PICTURES)
    with zipfile.ZipFile(source) as there, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as packed:
        names = sorted(name for name in there.namelist() if name.lower().endswith(".jpg"))
        for name in names[:_PICTURES]:
            packed.writestr(name.rpartition("/")[2], there.read(name))
    return file.getvalue()


def _values(at: int) -> dict[str, Any]:
    return {
        "diagnosis_1": ("Benign", "Malignant")[at % 5 == 0],
        "sex": ("female", "male")[at % 2],
        "age_approx": 20 + 5 * (at % 13),
        "image_type": "dermoscopic",
    }


@dataclass
class Log:
    """What the browser says of its network: per request when it began, how much came when, and when it ended."""

    began: dict[str, float] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    came: list[tuple[str, float, int]] = field(default_factory=list)
    ended: dict[str, tuple[float, int]] = field(default_factory=dict)

    def listen(self, session: Any) -> None:
        for name, hear in self._heard.items():
            session.on(name, hear)

    def stop(self, session: Any) -> None:
        for name, hear in self._heard.items():
            session.remove_listener(name, hear)

    @cached_property
    def _heard(self) -> dict[str, Callable[[dict[str, Any]], None]]:
        return {
            "Network.requestWillBeSent": self._begin,
            "Network.responseReceived": self._answer,
            "Network.dataReceived": self._data,
            "Network.loadingFinished": self._end,
        }

    def _begin(self, event: dict[str, Any]) -> None:
        if not event["request"]["url"].startswith(("data:", "blob:")):
            self.began.setdefault(event["requestId"], event["timestamp"])
            self.urls[event["requestId"]] = event["request"]["url"]

    def _answer(self, event: dict[str, Any]) -> None:
        self.came.append((event["requestId"], event["timestamp"], int(event["response"]["encodedDataLength"])))

    def _data(self, event: dict[str, Any]) -> None:
        self.came.append((event["requestId"], event["timestamp"], int(event["encodedDataLength"])))

    def _end(self, event: dict[str, Any]) -> None:
        self.ended[event["requestId"]] = (event["timestamp"], int(event["encodedDataLength"]))

    def until(self, moment: float) -> tuple[int, int]:
        """Requests that had been made, and bytes that had come."""
        total = 0
        for request in self.began:
            end = self.ended.get(request)
            if end and end[0] <= moment:
                total += end[1]
            else:
                total += sum(size for one, at, size in self.came if one == request and at <= moment)
        return sum(1 for at in self.began.values() if at <= moment), total

    def seen_at(self, urls: set[str]) -> float:
        """When the last of these had come whole."""
        return max(
            self.ended[request][0] for request, url in self.urls.items() if url in urls and request in self.ended
        )


def measure(address: str, facts: dict[str, Any]) -> Iterator[dict[str, Any]]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=_chromium(), args=arguments)
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", _LINE)
        logs = []
        for _ in range(2):
            logs.append(log := Log())
            log.listen(session)
            page.goto(address, wait_until="load")
            page.wait_for_load_state("networkidle")
            seen = set(page.evaluate(_SEEN))
            assert seen, "no thumbnail is seen"
            if len(logs) == 1:
                first = seen
            log.stop(session)
        browser.close()
    log, again = logs
    moment = log.seen_at(first)
    requests, size = log.until(moment)
    rest = log.until(float("inf"))
    facts = facts | {
        "thumbnails": len(first),
        "seconds": round(moment - min(log.began.values()), 2),
        "until_rest": {"requests": rest[0], "bytes": rest[1]},
        "kinds": kinds_of(log, moment),
    }
    yield figure("gallery_first_screen_bytes", size, "B", at_most=MOST_BYTES, **facts)
    yield figure("gallery_first_screen_requests", requests, "requests", at_most=MOST_REQUESTS, **facts)
    second = again.until(again.seen_at(first) if any(url in first for url in again.urls.values()) else float("inf"))
    yield figure("gallery_second_visit_bytes", second[1], "B", requests=second[0])


def kinds_of(log: Log, moment: float) -> dict[str, dict[str, int]]:
    """Bytes and requests by what was asked for."""
    found: dict[str, dict[str, int]] = {}
    for request, url in log.urls.items():
        if log.began[request] > moment:
            continue
        path = url.partition("?")[0]
        kind = path.rpartition(".")[2] if "/static/" in path else "thumbnail" if "/files/" in path else "page"
        size = log.ended[request][1] if request in log.ended and log.ended[request][0] <= moment else 0
        one = found.setdefault(kind, {"requests": 0, "bytes": 0})
        one["requests"] += 1
        one["bytes"] += size
    return found


if __name__ == "__main__":
    main()
