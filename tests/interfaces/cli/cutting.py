"""A proxy before a server that cuts connections, and notes what was asked of it."""

import contextlib
import http.client
import http.server
import threading
from urllib.parse import urlsplit


class Cutter(http.server.ThreadingHTTPServer):
    """Hands requests on. `cuts` says after how many bytes an image breaks off, if it is so long; each is used once.

    A request whose path has `held` in it waits until `go_on` is set; `reached` says that it is there.
    """

    daemon_threads = True

    def __init__(self, target):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = urlsplit(target).netloc
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.asked = []
        self.cuts = []
        self.turn = threading.Lock()
        self.held, self.reached, self.go_on = "", threading.Event(), threading.Event()

    def files(self):
        """Requests for files of downloads so far, as (path, range, status)."""
        return [(path, part, status) for path, part, _, status in self.asked if path.startswith("/downloads/")]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _hand_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.held and self.server.held in self.path:
            self.server.reached.set()
            assert self.server.go_on.wait(120)
        upstream = http.client.HTTPConnection(self.server.target, timeout=30)
        # The host stays that of this proxy, so that addresses in answers lead here.
        upstream.request(self.command, self.path, body=body, headers=dict(self.headers))
        answer = upstream.getresponse()
        data = answer.read()
        upstream.close()
        with self.server.turn:
            self.server.asked.append(
                (self.path, self.headers.get("Range"), self.headers.get("Authorization"), answer.status)
            )
            is_image = self.path.startswith("/downloads/") and "/images/" in self.path
            cut = self.server.cuts.pop(0) if is_image and answer.status < 300 and self.server.cuts else None
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"connection", "transfer-encoding", "content-length", "date", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if cut is None:
            self.wfile.write(data)
            return
        self.wfile.write(data[:cut])
        self.wfile.flush()
        self.close_connection = True

    do_GET = do_POST = do_DELETE = _hand_on  # noqa: N815 - the names that http.server asks for

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def cutter(target):
    with Cutter(target) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
