"""A page of 100 of 100,000 public images with its exact count, through HTTP and the real server.

Beside each list stands its limit: the same SQL through psycopg alone, measured in turns in the same run. Budget of the
plain list: half of the answers within 25 ms, 95 % within 50 ms. `python -m benchmarks --only api_list`
"""

import http.client
import json
import os
import statistics
import sys
import time
from pathlib import Path

from benchmarks.figures import figure, is_quick

IMAGES = 100_000
ROUNDS = 20
REQUESTS = 10
P50_MS, P95_MS = 25, 50
_FILL = Path(__file__).with_suffix(".sql")


def run():
    from tests.plugins.server import LiveServer, fresh_database, speaking_to

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medtheca.config.settings")
    with fresh_database() as (database, url):
        import django
        import psycopg

        django.setup()
        with psycopg.connect(url, autocommit=True) as connection:
            begun = time.perf_counter()
            fill(connection, IMAGES // 10 if is_quick() else IMAGES)
            yield figure("filling the database", time.perf_counter() - begun, "s")
            with speaking_to(database):
                lists = {name: (path, statements_of(path)) for name, path in paths_of(connection).items()}
                server = LiveServer(url)
                try:
                    server.start()
                    for name, (path, statements) in lists.items():
                        yield from compare(name, server, path, connection, statements)
                finally:
                    server.close()


def fill(connection, images):
    """Published images with descriptions, by SQL alone; batches of 64 have one time each, as conversion makes them."""
    connection.execute("SELECT set_config('bench.images', %s, false)", [str(images)])
    connection.execute(_FILL.read_text())
    connection.execute("VACUUM ANALYZE")


def paths_of(connection):
    """The lists to ask for. The cursor of page 500 is where a walk arrives after 49,900 images."""
    from medtheca.domains.search.queries import Cursor

    beyond = connection.execute("SELECT count(*) / 2 - 100 FROM imaging_image").fetchone()[0]
    order = "SELECT created, id FROM imaging_image ORDER BY created, id OFFSET %s LIMIT 1"
    cursor = Cursor(*connection.execute(order, [beyond]).fetchone()).encode()
    return {
        "plain": "/api/v2/images/",
        "filtered": "/api/v2/images/?sex=female&diagnosis=Malignant&age_from=40",
        "page in the middle": f"/api/v2/images/?cursor={cursor}",
    }


def statements_of(path):
    """The SQL of one request, as this very code sends it."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"host": "localhost"})
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    assert answer.status_code == 200, answer.content
    assert len(answer.json()["results"]) == 100
    return [query["sql"] for query in captured.captured_queries]


def compare(name, server, path, connection, statements):
    asked, limits, spent = [], [], 0.0
    http_connection = http.client.HTTPConnection("127.0.0.1", server.port)
    ask(http_connection, path, 20)
    execute(connection, statements, 10)
    for _ in range(3 if is_quick() else ROUNDS):
        before = cpu_seconds(server.process.pid)
        asked += ask(http_connection, path, REQUESTS)
        spent += cpu_seconds(server.process.pid) - before
        limits += execute(connection, statements, REQUESTS)
    budgets = {"p50": P50_MS, "p95": P95_MS} if name == "plain" else {}
    # On a busy machine the clock tells little; what the web process spent tells more.
    web_cpu = round(spent / len(asked) * 1000, 2)
    facts = {"queries": len(statements), "requests": len(asked), "web_cpu_ms": web_cpu}
    for share, place in (("p50", 50), ("p95", 95)):
        value, limit = percentile(asked, place), percentile(limits, place)
        facts_here = {**facts, "limit": round(limit, 2), "ratio": round(value / limit, 2)}
        yield figure(f"list, {name}, {share}", value, "ms", at_most=budgets.get(share), **facts_here)


def ask(connection, path, times):
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        connection.request("GET", path, headers={"Host": "localhost"})
        answer = connection.getresponse()
        body = answer.read()
        found.append((time.perf_counter() - begun) * 1000)
        assert answer.status == 200, body
    return found


def execute(connection, statements, times):
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        for statement in statements:
            connection.execute(statement).fetchall()
        found.append((time.perf_counter() - begun) * 1000)
    return found


def cpu_seconds(pid):
    """Processor time of a process and its threads so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentile(values, place):
    return statistics.quantiles(values, n=100)[place - 1]


if __name__ == "__main__":
    for row in run():
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()
