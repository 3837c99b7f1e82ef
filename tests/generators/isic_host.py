"""A host that speaks as the ISIC Archive's API does, as well or as badly as a test wants.

Each path has answers; the last one stays. An answer is a status, headers and a body, or a function of the request.
"""

import contextlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FILE = "/content/{}.jpg"


@dataclass
class Answer:
    """`length` is what Content-Length says, if not the truth; after `cut` bytes the connection ends."""

    status: int = 200
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    length: int | None = None
    cut: int | None = None


def as_json(value, status=200, **headers):
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})


def as_file(data, **options):
    return Answer(200, data, {"Content-Type": "image/jpeg"}, **options)


def image_of(isic_id, data, *, site, licence="CC-BY", attribution="Clinic of Exampleton", **clinical):
    """An image as the API tells of it: no more than ISIC itself does."""
    return {
        "isic_id": isic_id,
        "public": True,
        "copyright_license": licence,
        "attribution": attribution,
        "files": {
            "full": {"url": site + FILE.format(isic_id) + "?Signature=secret", "size": len(data)},
            "thumbnail_256": {"url": site + "/no", "size": 1},
        },
        "metadata": {
            "acquisition": {"pixels_x": 83, "pixels_y": 61, "image_type": "dermoscopic"},
            "clinical": clinical,
        },
    }


class IsicHost:
    """Answers on a port of its own; `asked` are the requests so far, as (path with query, headers)."""

    def __init__(self):
        self.answers, self.asked = {}, []
        self._lock = threading.Lock()
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                host.answer(self)

            def log_message(self, *words):
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.site = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def paths(self):
        return [urlsplit(path).path for path, _ in self.asked]

    def on(self, path, *answers):
        """What a path answers, one after the other."""
        self.answers[path] = list(answers)

    def holds(self, pictures, *, page=100, **said):
        """A list of images, their details and their files; `pictures` are bytes by id."""
        images = {key: image_of(key, data, site=self.site, **said) for key, data in pictures.items()}
        keys = list(images)
        for number, start in enumerate(range(0, max(1, len(keys)), page)):
            after = f"{self.site}/api/v2/images/page{number + 1}/?limit=100" if start + page < len(keys) else None
            body = {
                "results": [images[key] for key in keys[start : start + page]],
                "count": len(keys) if number == 0 else None,
                "next": after,
                "previous": None,
            }
            self.on("/api/v2/images/" + (f"page{number}/" if number else ""), as_json(body))
        for key, data in pictures.items():
            self.on(FILE.format(key), as_file(data))
            self.on(f"/api/v2/images/{key}/", as_json(images[key]))
        return images

    def answer(self, request):
        path = urlsplit(request.path).path
        with self._lock:
            self.asked.append((request.path, dict(request.headers)))
            waiting = self.answers.get(path, [Answer(404, b"{}")])
            found = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        found = found(request) if callable(found) else found
        length = len(found.body) if found.length is None else found.length
        with contextlib.suppress(ConnectionError):
            request.send_response(found.status)
            for name, value in found.headers.items():
                request.send_header(name, value)
            request.send_header("Content-Length", str(length))
            request.end_headers()
            request.wfile.write(found.body if found.cut is None else found.body[: found.cut])
        if found.cut is not None or length != len(found.body):
            request.close_connection = True
