"""The items of an archive, over HTTP: a page of the table, filtered, sorted, searched, and the export as CSV.

10,000 items with 5 values each: an image, a score, an age, a word, a yes or no. Budgets for a page: p50 50 ms, p95
100 ms. The limit of the export is the same rows fetched by one statement and written by the same CSV writer, in a
process that does nothing else.
"""

import contextlib
import csv
import http.client
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import figure, is_quick

_ITEMS = 1_000 if is_quick() else 10_000
_ROUNDS = 40 if is_quick() else 200
_P50, _P95 = 50.0, 100.0
_PAGES = {
    "table": "",
    "deep_page": f"?page={_ITEMS // 50 // 2}",
    "filter_by_value": "?q=score+%3E+0.5+-has:note&sort=-score",
    "filter_by_column": "?in.score=0.2+..+0.3&sort=age",
    "words": "?q=contrast",
    "pictures": "?view=pictures",
}
_ROWS_AS_THEY_ARE = """
SELECT item.id, item.title,
       (SELECT array_agg(coalesce(value.value::text, image.key::text) ORDER BY held.socket_id)
        FROM archives_itemvalue held JOIN sockets_value value ON value.id = held.value_id
        LEFT JOIN imaging_image image ON image.id = value.image_id WHERE held.item_id = item.id)
FROM archives_item item WHERE item.trashed IS NULL ORDER BY item.number
"""


def run() -> Iterator[dict[str, Any]]:
    """Measured in a process of its own: its database and its settings are not those of the other benchmarks."""
    command = [sys.executable, "-m", "benchmarks.archive_items", "--measure"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    yield from (json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{"))


def main() -> None:
    from tests.plugins.server import LiveServer, fresh_database, speaking_to

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medtheca.config.settings")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="medtheca-items-", dir="/var/tmp")))
        os.environ["MEDTHECA_DATA"] = str(folder / "data")
        (folder / "data").mkdir()
        name, url = stack.enter_context(fresh_database())
        import django

        django.setup()
        with speaking_to(name):
            slug, session = fill()
        server = LiveServer(url)
        stack.callback(server.close)
        server.start()
        for row in measure(server.url, slug, session):
            print(json.dumps(row), flush=True)
        with speaking_to(name):
            print(json.dumps(limit()), flush=True)


def fill() -> tuple[str, str]:
    """An archive of so many items; its slug, and the session of its editor."""
    from django.db import connection
    from django.test import Client

    from medtheca.domains.access.operations import place_images
    from medtheca.domains.archives.items import create_items, sortable
    from medtheca.domains.archives.models import ItemValue
    from medtheca.domains.sockets.models import Value
    from tests.factories.accounts import make_user
    from tests.factories.archives import image_socket, make_archive, make_socket
    from tests.factories.images import make_images
    from tests.factories.storage import make_wide_scopes

    make_wide_scopes()
    alice = make_user("alice")
    archive = make_archive(alice, title="Chest CT")
    scoped: dict[str, Any] = {"scope": archive.scope, "creator": alice}
    sockets = {
        "image": image_socket(),
        "score": make_socket("Score", "FLT", **scoped),
        "age": make_socket("Age", "INT", **scoped),
        "word": make_socket("Protocol", "STR", **scoped),
        "flag": make_socket("Smoker", "BOOL", **scoped),
    }
    make_socket("Note", "STR", **scoped)
    images = make_images(archive.cohort, _ITEMS)
    items = create_items(archive=archive, creator=alice, titles=[f"Patient {at:05}" for at in range(_ITEMS)])
    values = []
    for at, image in enumerate(images):
        said = {"score": (at * 7919 % 10_000) / 10_000, "age": 20 + at % 70, "flag": at % 3 == 0}
        said["word"] = ("no contrast", "contrast", "low dose")[at % 3]
        values.append(Value(socket=sockets["image"], creator=alice, image=image))
        values += [
            Value(socket=sockets[name], creator=alice, has_value=True, value=value) for name, value in said.items()
        ]
    made = Value.objects.bulk_create(values, batch_size=5000)
    held = []
    for at, value in enumerate(made):
        number, text = sortable(value)
        item = items[at // 5]
        held.append(ItemValue(item=item, archive=archive, socket=value.socket, value=value, number=number, text=text))
    ItemValue.objects.bulk_create(held, batch_size=5000)
    place_images(image_ids=sorted(image.pk for image in images), scope_ids=[archive.scope_id])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    client = Client()
    client.force_login(alice)
    return archive.slug, client.cookies["sessionid"].value


def measure(base: str, slug: str, session: str) -> Iterator[dict[str, Any]]:
    """Each page so many times, one after the other, by one connection; then the export."""
    host = base.partition("//")[2]
    connection = http.client.HTTPConnection(host, timeout=120)
    headers = {"Cookie": f"sessionid={session}", "Host": host}

    def ask(path: str) -> tuple[float, bytes]:
        begun = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (answer.status, path, body[:300])
        return (time.perf_counter() - begun) * 1e3, body

    for name, query in _PAGES.items():
        path = f"/archives/{slug}/items/{query}"
        for _ in range(5):
            _, body = ask(path)
        spent = sorted(ask(path)[0] for _ in range(_ROUNDS))
        facts = {"items": _ITEMS, "values": 5 * _ITEMS, "rounds": _ROUNDS, "bytes": len(body)}
        yield figure(f"archive_items_{name}_p50_ms", statistics.median(spent), "ms", at_most=_P50, **facts)
        yield figure(f"archive_items_{name}_p95_ms", spent[int(len(spent) * 0.95)], "ms", at_most=_P95, **facts)
    times = []
    for _ in range(3):
        spent_ms, body = ask(f"/archives/{slug}/items/values.csv")
        times.append(spent_ms / 1e3)
    lines = body.count(b"\r\n")
    assert lines == _ITEMS + 1
    yield figure("archive_items_csv_seconds", min(times), "s", lines=lines, bytes=len(body))


def limit() -> dict[str, Any]:
    """The same rows by one statement, written by the same writer."""
    from django.db import connection

    times = []
    for _ in range(3):
        begun = time.perf_counter()
        file = io.StringIO()
        writer = csv.writer(file)
        with connection.cursor() as cursor:
            cursor.execute(_ROWS_AS_THEY_ARE)
            for item, title, held in cursor.fetchall():
                writer.writerow([item, title, *held])
        times.append(time.perf_counter() - begun)
    return figure("archive_items_csv_limit_seconds", min(times), "s", lines=_ITEMS)


if __name__ == "__main__":
    main()
