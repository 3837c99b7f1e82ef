"""Search over a million images through HTTP: facets, counts, pages, while others write; and what the index costs.

`python -m benchmarks --only search`; `--quick` takes 100,000 images. For the curve, by hand, another number:
`BENCH_IMAGES=10000000 python -m benchmarks --only search` (ten million need 60 GB of disk and hours to be filled in;
budgets are those of a million). Beside the facets stands their limit: numpy counting 15 columns of codes, in this
process, in the same run. A first page has 10 images, as where ISIC's clients ask for no number, or 20, as the gallery's
first rows; all that lists show of an image is in it.
"""

import http.client
import itertools
import json
import os
import statistics
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

import numpy as np

from benchmarks.api_list import cpu_seconds
from benchmarks.figures import figure, is_quick

IMAGES = int(os.environ.get("BENCH_IMAGES", "0")) or (100_000 if is_quick() else 1_000_000)
ROUNDS = 60 if is_quick() else 150
WRITES_A_SECOND = 200
FACETS = (
    *("diagnosis_1", "diagnosis_2", "diagnosis_3", "anatom_site_1", "anatom_site_2", "sex", "age_approx"),
    *("image_type", "fitzpatrick_skin_type", "diagnosis_confirm_type", "melanocytic", "dermoscopic_type"),
    *("mel_thick_mm", "copyright_license", "clin_size_long_diam_mm"),
)
QUERIES = (
    "",
    "sex:female",
    "diagnosis:Malignant age_approx:[40 TO 60]",
    "image_type:dermoscopic -diagnosis:Benign (sex:male OR fitzpatrick_skin_type:II)",
    "anatom_site:Trunk melanocytic:true mel_thick_mm:>0.8",
    "license:CC-0 AND nevus",
    "modality:CT OR pixels_x:>3000",
    'collection:"Collection 3" sex:male',
)
WORDS = ("clinic 7", '"scanner a" brain', "dermoscopic nevus", '"77.jpg"', "-melanoma collection")


def run():
    from tests.plugins.server import LiveServer, fresh_database, speaking_to

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medtheca.config.settings")
    with fresh_database() as (database, url):
        import django
        import psycopg

        django.setup()
        from benchmarks.million import fill

        with psycopg.connect(url, autocommit=True) as connection, speaking_to(database):
            begun = time.perf_counter()
            people = fill(connection, IMAGES)
            yield figure("search.filling the database", time.perf_counter() - begun, "s", images=IMAGES)
            yield from making()
            token = token_of(people["reader"])
            limit = numpy_limit()
            server = LiveServer(url)
            try:
                server.start()
                yield from serving(server, token, limit, url)
            finally:
                server.close()
            yield from catching_up(connection)


def making():
    """The index made from the tables, and loaded by a process that begins."""
    from medtheca.domains.search.index.holding import Holder
    from medtheca.domains.search.index.keeping import keep_index, status
    from medtheca.domains.search.index.snapshots import one_snapshot

    begun = time.perf_counter()
    keep_index(anew=True)
    yield figure("search.index.making", time.perf_counter() - begun, "s", images=IMAGES)
    begun = time.perf_counter()
    with one_snapshot(), Holder().view() as view:
        assert view is not None
    spent = (time.perf_counter() - begun) * 1000
    yield figure("search.index.loading", spent, "ms", megabytes=round(status().bytes / 1e6, 1))


def token_of(email):
    from medtheca.domains.accounts.models import User
    from medtheca.domains.accounts.terms import accept_terms
    from tests.factories.accounts import make_token

    return make_token(accept_terms(user=User.objects.get(email=email)))[1]


def numpy_limit():
    """Milliseconds of counting 15 columns of codes with numpy: of all images, and of the eighth that a mask keeps."""
    dice = np.random.default_rng(1)
    sizes = [2, 3, 4, 5, 5, 6, 8, 8, 10, 12, 15, 20, 25, 30, 40]
    columns = [dice.integers(0, size, IMAGES, dtype=np.uint8) for size in sizes]

    def some():
        kept = np.flatnonzero((columns[2] == 1) & (columns[7] < 4))
        return [np.bincount(column[kept], minlength=size) for column, size in zip(columns, sizes, strict=True)]

    def all_of_them():
        return [np.bincount(column, minlength=size) for column, size in zip(columns, sizes, strict=True)]

    return {"filtered": fastest(some), "all": fastest(all_of_them)}


def fastest(function, times=9):
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        function()
        found.append((time.perf_counter() - begun) * 1000)
    return min(found)


def serving(server, token, limit, url):
    idle = pss_mb(server.process.pid)
    asker = Asker(server, token)
    anybody = Asker(server, None)
    facets = [f"/api/v2/images/facets/?fields={','.join(FACETS)}&query={quote(query)}" for query in QUERIES]
    pages = [f"/api/v2/images/search/?limit=20&query={quote(query)}" for query in QUERIES]
    tens = [page.replace("limit=20", "limit=10") for page in pages]
    words = [f"/api/v2/images/search/?limit=20&query={quote(query)}" for query in WORDS]
    asker.ask(facets[:1] + pages[:1], 5)
    yield figure("search.memory of the web process over idle", pss_mb(server.process.pid) - idle, "MB", at_most=250)
    # The budget is for a million: of fewer, the limit is less than any request.
    million = IMAGES == 1_000_000
    most = 3 * limit["filtered"] + 5 if IMAGES >= 1_000_000 else None
    facts = {"limit_ms": round(limit["filtered"], 2), "limit_of_all_ms": round(limit["all"], 2)}
    for name, who in (("a member", asker), ("anybody", anybody)):
        who.ask(facets, 2)
        found = who.ask(facets, ROUNDS // len(facets))
        yield spread(f"search.facets, 15 fields, {name}", found, at_most=most, **facts)
        for number, asked in ((10, tens), (20, pages)):
            found = who.ask(asked, ROUNDS // len(pages))
            yield spread(f"search.count and first page of {number}, {name}", found, at_most=10 if million else None)
        who.ask(words, 2)
        yield spread(f"search.free words, count and first page of 20, {name}", who.ask(words, ROUNDS // len(words)))
    whole = [page.replace("limit=20", "limit=100") for page in pages]
    yield spread("search.count and first page of 100, a member", asker.ask(whole, ROUNDS // len(pages)))
    yield from deep_pages(asker)
    with Writers(url) as writers:
        found = asker.ask(facets, ROUNDS // len(facets))
        rate = writers.rate()
        yield spread("search.facets, 15 fields, others write", found, at_most=most, writes_a_second=rate, **facts)
        found = asker.ask(pages, ROUNDS // len(pages))
        yield spread("search.count and first page of 20, others write", found, writes_a_second=writers.rate())
    yield figure("search.memory afterwards over idle", pss_mb(server.process.pid) - idle, "MB", at_most=250)


def deep_pages(asker):
    from medtheca.domains.imaging.models import Image
    from medtheca.domains.search.queries import Cursor

    path = "/api/v2/images/search/?limit=20&query="
    first = asker.ask([path], ROUNDS // 3)
    place = int(IMAGES * 0.97)
    cursor = Cursor(*Image.objects.order_by("created", "id").values_list("created", "id")[place]).encode()
    deep = asker.ask([f"{path}&cursor={cursor}"], ROUNDS // 3)
    early = Cursor(*Image.objects.order_by("created", "id").values_list("created", "id")[50]).encode()
    second = asker.ask([f"{path}&cursor={early}"], ROUNDS // 3)
    facts = {"first_page_ms": round(statistics.median(first), 2), "second_page_ms": round(statistics.median(second), 2)}
    ratio = statistics.median(deep) / statistics.median(second)
    yield figure(f"search.page after {place:,} images to an early one, p50", ratio, "times", at_most=1.2, **facts)


def catching_up(connection):
    """One process that has seen everything, after 1,000 changes by 1,000 transactions."""
    from medtheca.domains.search.index.holding import Holder
    from medtheca.domains.search.index.snapshots import one_snapshot

    holder = Holder()

    def catch_up(clock=time.perf_counter):
        begun = clock()
        with one_snapshot(), holder.view() as view:
            assert view is not None
        return (clock() - begun) * 1000

    catch_up()
    dice = np.random.default_rng(2)
    for name, write in (("1,000 changes", change), ("1,000 images shown or hidden", show_or_hide)):
        found, spent = [], []
        for _ in range(3 if is_quick() else 5):
            for image in dice.integers(1, IMAGES, 1000).tolist():
                write(connection, image)
            begun = time.process_time()
            found.append(catch_up())
            spent.append((time.process_time() - begun) * 1000)
        facts = {"cpu_ms": round(statistics.median(spent), 2), "at_rest_ms": min(catch_up() for _ in range(5))}
        yield figure(f"search.catching up after {name}", statistics.median(found), "ms", at_most=50, **facts)
    yield at_once(connection, catch_up)


def at_once(connection, catch_up):
    """As when a cohort is taken back: beside it stands one count by SQL, which would have to answer instead."""
    from medtheca.domains.search.queries import count_by_sql
    from medtheca.toolkit.querylang import parse

    many = min(IMAGES // 10, 10_000)
    connection.execute("DELETE FROM access_placement WHERE scope_id = 1 AND image_id <= %s", [many])
    spent, begun = catch_up(), time.perf_counter()
    count_by_sql(parse(QUERIES[2]), asker=None)
    by_sql = round((time.perf_counter() - begun) * 1000, 1)
    return figure("search.catching up after many were hidden at once", spent, "ms", images=many, count_by_sql_ms=by_sql)


def show_or_hide(connection, image):
    hidden = connection.execute("DELETE FROM access_placement WHERE image_id = %s AND scope_id = 1", [image])
    if not hidden.rowcount:
        connection.execute("INSERT INTO access_placement (image_id, scope_id) VALUES (%s, 1)", [image])


def change(connection, image):
    said = '{"sex": "male", "age": 40, "age_approx": 40, "diagnosis_1": "Benign", "image_type": "dermoscopic"}'
    connection.execute("UPDATE metadata_description SET structured = %s WHERE accession_id = %s", [said, image])


class Writers:
    """Somebody who changes one image after the other, 200 times a second: what is said of it, or who sees it."""

    def __init__(self, url):
        self.url, self.written, self.over = url, 0, threading.Event()
        self.thread = threading.Thread(target=self._write)

    def __enter__(self):
        self.begun = time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def rate(self):
        return round(self.written / (time.monotonic() - self.begun), 1)

    def _write(self):
        import psycopg

        dice = np.random.default_rng(3)
        with psycopg.connect(self.url, autocommit=True) as connection:
            for at in itertools.count():
                if self.over.is_set():
                    return
                image = int(dice.integers(1, IMAGES))
                if at % 4:
                    change(connection, image)
                else:
                    show_or_hide(connection, image)
                self.written += 1
                behind = self.begun + self.written / WRITES_A_SECOND - time.monotonic()
                if behind > 0:
                    time.sleep(behind)


class Asker:
    """One connection, kept alive, of somebody with a token or without. `cpu_ms` is what the last answers took of it."""

    def __init__(self, server, token):
        self.process = server.process.pid
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port)
        self.headers = {"Host": "localhost"} | ({"Authorization": f"Bearer {token}"} if token else {})

    def ask(self, paths, times):
        """Milliseconds of each answer, the paths in turns."""
        found, spent = Answers(), cpu_seconds(self.process)
        for path in list(paths) * times:
            begun = time.perf_counter()
            self.connection.request("GET", path, headers=self.headers)
            answer = self.connection.getresponse()
            body = answer.read()
            found.append((time.perf_counter() - begun) * 1000)
            assert answer.status == 200, (path, body[:500])
        # On a busy machine the clock tells little; what the web process spent tells more.
        found.cpu_ms = round((cpu_seconds(self.process) - spent) / len(found) * 1000, 2)
        return found


class Answers(list):
    """Milliseconds of answers, with what of the web process's processor one took on average."""

    cpu_ms = 0.0


def spread(name, found, *, at_most=None, **facts):
    p50, p95 = statistics.median(found), statistics.quantiles(found, n=20)[-1]
    facts = {"p50": round(p50, 2), "web_cpu_ms": found.cpu_ms, "requests": len(found), **facts}
    return figure(f"{name}, p95", p95, "ms", at_most=at_most, **facts)


def pss_mb(process):
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


if __name__ == "__main__":
    for row in run():
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()
