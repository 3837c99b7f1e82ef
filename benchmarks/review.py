"""How fast one reviews: the real page in a real browser, and the search for near-duplicates among 100,000 images.

The browser accepts each picture as soon as it is decoded and on the screen, so what is measured is the machine's
share of reviewing: a person's eye comes on top. Beside it stands the limit: the same decisions sent one after the other
by HTTP, without a page. `python -m benchmarks --only review`
"""

import http.client
import os
import random
import shutil
import statistics
import time
import urllib.parse
from itertools import count

from benchmarks.api_list import fill
from benchmarks.figures import figure, is_quick, skipped

IMAGES = 240
SIZE = (1600, 1200)
ARCHIVE = 100_000
ASKED = 60
A_MINUTE, NEAR_P95_MS = 120, 50
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_serial = count(1)


def run():
    from tests.plugins.server import LiveServer, fresh_database, speaking_to

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medtheca.config.settings")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in this thread
    with fresh_database() as (database, url):
        import django

        django.setup()
        with speaking_to(database):
            images = IMAGES // 6 if is_quick() else IMAGES
            first, second = _queue(images), _queue(images)
            server = LiveServer(url)
            try:
                server.start()
                yield from _by_browser(server, *first, images)
                yield from _by_http(server, *second, images)
            finally:
                server.close()
    with fresh_database() as (database, url):
        yield from _near(database, url)


def _queue(images):
    """A cohort with pictures that wait, and the session of somebody who may judge them."""
    from django.test import Client

    from medtheca.domains.access.enums import Role
    from medtheca.domains.access.operations import add_member
    from medtheca.toolkit.synthetic.cohort import draw_lesion
    from medtheca.workflows.decoding import close_decoder_pool
    from tests.factories.accounts import make_user
    from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs

    serial = next(_serial)
    alice, rita = make_user(f"alice{serial}"), make_user(f"rita{serial}")
    cohort = make_cohort(alice, name=f"Review {serial}")
    add_member(scope=cohort.scope, user=rita, role=Role.REVIEWER)
    # A dozen drawings, each made different by its last bytes: drawing takes longer than reviewing.
    drawn = [draw_lesion(number, size=SIZE).jpeg for number in range(12)]
    files = [(f"IMG_{at:04}.jpg", drawn[at % 12][:-2] + _comment(serial, at) + b"\xff\xd9") for at in range(images)]
    deliver(alice, cohort, make_zip(files))
    run_jobs()
    close_decoder_pool()
    client = Client()
    client.force_login(rita)
    return cohort.pk, client.cookies["sessionid"].value


def _comment(serial, at):
    text = f"{serial}/{at}".encode()
    return b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text


def _by_browser(server, cohort, session, images):
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        yield skipped("reviewing in a browser", "there is no Chromium on the PATH")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": "sessionid", "value": session, "url": server.url}])
        page = context.new_page()
        page.goto(f"{server.url}/review/{cohort}/?view=all")  # what a web process does once is done
        begun = time.perf_counter()
        page.goto(f"{server.url}/review/{cohort}/")
        shown = "async () => { const i = document.querySelector('[data-picture] img'); await i.decode(); return i.src }"
        page.evaluate(shown)
        yield figure(
            "opening the review gallery, until its picture is there", 1000 * (time.perf_counter() - begun), "ms"
        )
        steps, begun = [], time.perf_counter()
        for _ in range(images - 1):
            pressed = time.perf_counter()
            page.keyboard.press("a")
            page.evaluate(shown)
            steps.append(time.perf_counter() - pressed)
        page.keyboard.press("a")
        page.get_by_text(f"{images} decisions saved").wait_for(timeout=120_000)
        taken = time.perf_counter() - begun
        browser.close()
    yield figure(
        "reviewing in a browser, every picture decoded, all decisions saved",
        60 * images / taken,
        "images a minute",
        at_least=A_MINUTE,
        images=images,
        pixels="x".join(map(str, SIZE)),
    )
    steps.sort()
    yield figure(
        "from the key to the next picture on the screen",
        1000 * statistics.median(steps),
        "ms",
        p95=round(1000 * steps[int(0.95 * len(steps))], 1),
    )


def _by_http(server, cohort, session, images):
    """The limit: nothing but the decisions, one after the other on one connection."""
    from medtheca.domains.provenance.models import Accession

    pks = list(Accession.objects.filter(cohort=cohort).order_by("pk").values_list("pk", flat=True))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    token = "c" * 32
    headers = {
        "Cookie": f"sessionid={session}; csrftoken={token}",
        "X-CSRFToken": token,
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    begun = time.perf_counter()
    for pk in pks:
        body = urllib.parse.urlencode({"act": "accepted", "accessions": pk})
        connection.request("POST", f"/review/{cohort}/decide/", body=body, headers=headers)
        answer = connection.getresponse()
        told = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"deciding answered {answer.status}: {told[:200]!r}")
    taken = time.perf_counter() - begun
    connection.close()
    yield figure("limit: the same decisions by HTTP alone", 60 * images / taken, "images a minute", images=images)


def _near(database, url):
    """Near-duplicates of one image among many; a tenth of the archive are near copies of others."""
    import psycopg

    from tests.plugins.server import speaking_to

    number = ARCHIVE // 10 if is_quick() else ARCHIVE
    with psycopg.connect(url, autocommit=True) as connection:
        fill(connection, number)
        _spread_hashes(connection)
        with speaking_to(database):
            from medtheca.domains.access.queries import ANYBODY, Viewer, visible_images
            from medtheca.domains.imaging.models import Image
            from medtheca.domains.imaging.similar import near

            hashes = list(Image.objects.order_by("?").values_list("perceptual_hash", flat=True)[:ASKED])
            for who, viewer in (("staff", Viewer(None, is_staff=True)), ("anybody", ANYBODY)):
                times, found = [], 0
                for one in hashes:
                    begun = time.perf_counter()
                    found += len(list(near(visible_images(viewer), one).values_list("pk", "distance")[:12]))
                    times.append(1000 * (time.perf_counter() - begun))
                times.sort()
                yield figure(
                    f"near-duplicates for {who} among {number:,} images, p95",
                    times[int(0.95 * len(times))],
                    "ms",
                    at_most=NEAR_P95_MS,
                    p50=round(statistics.median(times), 2),
                    found=found,
                )
            yield figure("limit: comparing with every image", _scan(connection, hashes[:10]), "ms")


def _spread_hashes(connection):
    chance = random.Random(7)
    ids = [pk for (pk,) in connection.execute("SELECT id FROM imaging_image ORDER BY id")]
    hashes = [chance.getrandbits(64) for _ in ids]
    for at in range(1, len(ids), 10):
        hashes[at] = hashes[at - 1] ^ sum(1 << bit for bit in chance.sample(range(64), chance.randrange(8)))
    signed = [one - (1 << 64) if one >= 1 << 63 else one for one in hashes]
    connection.execute(
        "UPDATE imaging_image SET perceptual_hash = given.hash FROM unnest(%s::bigint[], %s::bigint[])"
        " AS given (id, hash) WHERE imaging_image.id = given.id",
        [ids, signed],
    )
    connection.execute("VACUUM ANALYZE imaging_image")


def _scan(connection, hashes):
    times = []
    for one in hashes:
        begun = time.perf_counter()
        connection.execute(
            "SELECT id FROM imaging_image WHERE bit_count((perceptual_hash # %s::bigint)::bit(64)) <= 10", [one]
        ).fetchall()
        times.append(1000 * (time.perf_counter() - begun))
    return statistics.median(times)
