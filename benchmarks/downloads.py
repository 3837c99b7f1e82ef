"""A ZIP of 5,000 public files of 100 KB, streamed with its length, permission checked: beside what nginx sends by
sendfile of the same bytes in one file, and zipstream-ng making one of the same files.

All are asked in turns by curl over loopback. Budgets: at least 0.4 of sendfile, at least 1.2 times zipstream-ng. What
freezing costs, the memory of the web process while it sends, and the time to the first byte of a resumed download are
told beside. Needs nginx (Debian's nginx-light), curl, and for zipstream-ng a Python that has it and uvicorn
(`BENCH_ZIPSTREAM_PYTHON`).
"""

import contextlib
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from benchmarks.figures import figure, is_quick, skipped
from benchmarks.processes import memory_mb

NUMBER = 1000 if is_quick() else 5000
SIZE = 100_000
ROUNDS = 3 if is_quick() else 7
OF_SENDFILE, OF_ZIPSTREAM = 0.4, 1.2
_PEER = Path(__file__).parent / "peers" / "zipstream_app.py"
_NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; sendfile on; tcp_nopush on;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


def run() -> Iterator[dict[str, Any]]:
    """Measured in a process of its own: its database and its settings are not those of the other benchmarks."""
    command = [sys.executable, "-m", "benchmarks.downloads", "--measure"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    yield from (json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{"))


def main() -> None:
    from tests.plugins.server import LiveServer, fresh_database, speaking_to

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medtheca.config.settings")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="medtheca-downloads-", dir="/var/tmp")))
        os.environ["MEDTHECA_DATA"] = str(folder / "data")
        (folder / "data").mkdir()
        name, url = stack.enter_context(fresh_database())
        import django

        django.setup()
        with speaking_to(name):
            make_files(folder / "files")
        server = LiveServer(url)
        stack.callback(server.close)
        server.start()
        told, seconds = freeze(server)
        again = freeze(server)[1]
        doors = {"medtheca": told["url"]}
        doors["sendfile"] = serve_file(folder, doors["medtheca"], stack)
        if python := os.environ.get("BENCH_ZIPSTREAM_PYTHON"):
            doors["zipstream"] = serve_zipstream(python, folder / "files", stack)
        facts = {
            "images": NUMBER,
            "bytes": told["size"],
            "freeze_s": round(seconds, 2),
            "freeze_again_s": round(again, 2),
        }
        for row in compare(doors, server, facts):
            print(json.dumps(row), flush=True)
        print(json.dumps(resumed(doors["medtheca"], told["size"])), flush=True)


def make_files(folder: Path) -> None:
    """Public images whose files are random bytes, and the same files in a folder."""
    from tests.factories.accounts import make_user
    from tests.factories.downloads import make_files as make
    from tests.factories.provenance import make_cohort

    folder.mkdir()
    made = make(make_cohort(make_user("alice")), NUMBER, sizes=(SIZE, SIZE))
    for image, data in made:
        (folder / f"{image.public_id}.jpg").write_bytes(data)


def freeze(server: Any) -> tuple[dict[str, Any], float]:
    """Ask for a download of everything, until it is ready; and how long that took."""
    urlopen(f"{server.url}/api/v2/images/?limit=1").close()  # Warm: the first request loads all addresses.
    began = time.perf_counter()
    wanted = Request(f"{server.url}/api/v2/downloads/", b"{}", {"Content-Type": "application/json"})
    with urlopen(wanted) as answer:
        told = json.load(answer)
    if told["state"] != "ready":  # Without a worker: what a job would do is done here.
        from uuid import UUID

        from medtheca.workflows.downloading import prepare
        from tests.plugins.server import speaking_to

        with speaking_to(server.database_url.rpartition("/")[2].partition("?")[0]):
            prepare(download_id=UUID(told["id"]))
    return told, time.perf_counter() - began


def serve_file(folder: Path, address: str, stack: contextlib.ExitStack) -> str:
    """The ZIP as one file, sent by nginx."""
    subprocess.run(["curl", "-sf", "-o", folder / "all.zip", address], check=True)
    port = free_port()
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port))
    start(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], port, stack)
    return f"http://127.0.0.1:{port}/all.zip"


def serve_zipstream(python: str, folder: Path, stack: contextlib.ExitStack) -> str:
    """The same files, by the peer."""
    port = free_port()
    start([python, str(_PEER), str(folder), str(port)], port, stack)
    return f"http://127.0.0.1:{port}/"


def start(command: list[str], port: int, stack: contextlib.ExitStack) -> None:
    process = subprocess.Popen(command)

    def end() -> None:
        process.send_signal(signal.SIGTERM)
        process.wait(10)

    stack.callback(end)
    until = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if time.monotonic() > until:
            raise RuntimeError(f"{command[0]} does not answer")
        time.sleep(0.1)


def fetch(address: str) -> float:
    """Megabytes a second of one client."""
    told = subprocess.run(
        ["curl", "-sf", "-w", "%{stderr}%{size_download} %{time_total}", address],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    size, seconds = told.stderr.split()
    return float(size) / float(seconds) / 1e6


def compare(doors: dict[str, str], server: Any, facts: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Ask all in turns, and say how they compare: the median of the ratios of neighbouring rounds."""
    for address in doors.values():
        fetch(address)  # Warm.
    before = sum(memory_mb(server.process.pid).values())
    rates: dict[str, list[float]] = {name: [] for name in doors}
    for number in range(ROUNDS):
        # Who goes first changes, so that a machine that slows down favours nobody.
        for name in sorted(doors, reverse=number % 2 == 1):
            rates[name].append(fetch(doors[name]))
    facts |= {f"{name}_mb_s": round(statistics.median(found)) for name, found in rates.items()}
    facts |= {"rounds": ROUNDS, "memory_grown_mb": round(sum(memory_mb(server.process.pid).values()) - before, 1)}
    budgets = {"sendfile": OF_SENDFILE, "zipstream": OF_ZIPSTREAM}
    for name, budget in budgets.items():
        if name not in rates:
            yield skipped(f"downloads.zip_of_{name}", "BENCH_ZIPSTREAM_PYTHON names no Python that has zipstream-ng")
            continue
        ratios = [ours / theirs for ours, theirs in zip(rates["medtheca"], rates[name], strict=True)]
        yield figure(
            f"downloads.zip_of_{name}",
            statistics.median(ratios),
            f"x {name}",
            at_least=budget,
            least=round(min(ratios), 2),
            **facts,
        )


def resumed(address: str, size: int) -> dict[str, Any]:
    """How long it takes until a part from somewhere in the ZIP is there."""
    draw, times = random.Random(1), []
    for _ in range(20 if is_quick() else 100):
        first = draw.randrange(size - 1000)
        began = time.perf_counter()
        with urlopen(Request(address, headers={"Range": f"bytes={first}-{first + 999}"})) as answer:
            assert len(answer.read()) == 1000
        times.append(time.perf_counter() - began)
    p50, p95 = (round(sorted(times)[int(len(times) * share)] * 1000, 1) for share in (0.5, 0.95))
    return figure("downloads.resumed", p95, "ms p95 to 1,000 bytes", p50=p50)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        main()
    else:
        for row in run():
            print(json.dumps(row))
