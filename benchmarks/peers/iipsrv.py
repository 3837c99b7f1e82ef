"""iipsrv, the image server in C++ that slides are commonly served by: two processes of it behind nginx.

Debian has them: `apt install iipimage-server nginx-light`.
"""

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

_BINARIES = ("/usr/lib/iipimage-server/iipsrv.fcgi", "/usr/local/bin/iipsrv.fcgi")
_NGINX = """
worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.err; daemon off; {user}
events {{ worker_connections 512; }}
http {{
  access_log off; keepalive_requests 1000000;
  client_body_temp_path {folder}/body; fastcgi_temp_path {folder}/fastcgi; proxy_temp_path {folder}/proxy;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream iipsrv {{ least_conn; {servers} }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      fastcgi_param QUERY_STRING $query_string; fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param SERVER_NAME localhost; fastcgi_param SERVER_PORT {port};
      fastcgi_param SERVER_PROTOCOL $server_protocol; fastcgi_param REQUEST_URI $request_uri;
      fastcgi_param HTTP_HOST $host; fastcgi_pass iipsrv;
    }}
  }}
}}
"""


def missing() -> str:
    """What is not installed here, in words; empty where all is."""
    absent = [
        package
        for package, found in (("iipimage-server", _binary()), ("nginx-light", shutil.which("nginx", path=_path())))
        if not found
    ]
    return f"{' and '.join(absent)} (packages of Debian) not installed" if absent else ""


@contextlib.contextmanager
def serving(images: Path, folder: Path, *, processes: int = 2, quality: int = 87) -> Iterator[tuple[int, list[int]]]:
    """iipsrv over the folder `images`, with its state in `folder`.

    Gives the port that answers `/fcgi?IIIF=NAME/…`, and the numbers of its processes.

    Its cache of decoded tiles is as by default, 10 MB a process.
    """
    binary, nginx = _binary(), shutil.which("nginx", path=_path())
    if binary is None or nginx is None:
        raise RuntimeError(missing())
    environment = os.environ | {
        "FILESYSTEM_PREFIX": f"{images}/",
        "VERBOSITY": "0",
        "LOGFILE": str(folder / "iipsrv.log"),
        "JPEG_QUALITY": str(quality),
        "MAX_IMAGE_CACHE_SIZE": "10",
    }
    ports = [_free_port() for _ in range(processes)]
    port = _free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    servers = " ".join(f"server 127.0.0.1:{number};" for number in ports)
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, user=user, servers=servers, port=port))
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = []
    with contextlib.ExitStack() as stack:
        for number in ports:
            process = subprocess.Popen([binary, "--bind", f"127.0.0.1:{number}"], env=environment, **quiet)
            stack.callback(_stop, process)
            started.append(process.pid)
        front = subprocess.Popen([nginx, "-c", str(folder / "nginx.conf")], **quiet)
        stack.callback(_stop, front)
        _wait(port, front, folder)
        yield port, [*started, front.pid]


def _wait(port: int, front: "subprocess.Popen[bytes]", folder: Path) -> None:
    until = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/fcgi?IIP=1.0")
            if connection.getresponse().status < 500:
                return
        if front.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"iipsrv does not answer: {(folder / 'nginx.err').read_text()[-2000:]}")
        time.sleep(0.1)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _binary() -> str | None:
    return next((path for path in _BINARIES if os.access(path, os.X_OK)), None)


def _path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
