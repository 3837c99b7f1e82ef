"""Somebody who uploads by tus, in plain HTTP."""

import base64
import hashlib
import json
import secrets
import socket
from uuid import UUID

from medtheca.domains.storage.models import Upload
from medtheca.domains.storage.uploads import part_path
from tests.factories.accounts import make_token, make_user
from tests.factories.provenance import make_cohort

ROOT = "/uploads/tus/"
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = TUS | {"Content-Type": "application/offset+octet-stream"}


class Uploader:
    """Somebody with a cohort and a token that may write."""

    def __init__(self, server, name="alice"):
        self.server = server
        self.user = make_user(f"{name}-{secrets.token_hex(4)}")
        self.cohort = make_cohort(self.user, name=f"Clinic {secrets.token_hex(4)}")
        self.headers = {"Authorization": f"Bearer {make_token(self.user, 'write')[1]}"}

    def create(self, size, *, headers=None, body=None, **metadata):
        fields = {"filename": "images.zip", "filetype": "application/zip", "cohort": self.cohort.pk, **metadata}
        return self.server.request(
            "POST",
            ROOT,
            headers=self.headers
            | TUS
            | {"Upload-Length": str(size), "Upload-Metadata": encoded(fields)}
            | (headers or {}),
            body=body,
        )

    def begin(self, size, **metadata):
        answer = self.create(size, **metadata)
        assert answer.status == 201, answer.content
        return answer.headers["Location"]

    def offset(self, place):
        answer = self.server.request("HEAD", place, headers=self.headers | TUS)
        assert answer.status == 200, answer.status
        return int(answer.headers["Upload-Offset"])

    def patch(self, place, offset, data, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.request(
            "PATCH", place, headers=self.headers | BYTES | {"Upload-Offset": str(offset)} | headers, body=data
        )

    def patch_and_cut(self, place, offset, data, *, keep, claimed=None, checksum=None):
        """Begin to send `data`, then tear the connection after `keep` bytes of it."""
        lines = [f"PATCH {place} HTTP/1.1", "Host: localhost", f"Content-Length: {claimed or len(data)}"]
        lines += [f"{name}: {value}" for name, value in (self.headers | BYTES).items()]
        lines += [f"Upload-Offset: {offset}"]
        if checksum:
            lines.append(f"Upload-Checksum: {checksum}")
        connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=10)
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data[:keep])
        return connection


def encoded(fields):
    return ",".join(f"{name} {base64.b64encode(str(value).encode()).decode()}" for name, value in fields.items())


def checksum(algorithm, data):
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def stored(place):
    upload = Upload.objects.get(pk=UUID(place.rsplit("/", 1)[-1]))
    return upload, part_path(upload.pk).read_bytes()


def problem(answer):
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    body = json.loads(answer.content)
    assert set(body) == {"type", "title", "status", "detail", "code", "remedy", "support"}
    assert body["status"] == answer.status
    assert body["detail"]
    return body["code"]
