"""A client on the other side of HTTP: sends deliveries by tus, goes on after every error, writes its history."""

import base64
import http.client
import random
import threading
import time

from tests.faults.harness.history import History
from tests.faults.harness.pictures import package

_GIVE_UP = 240
_PAUSE = 0.2


class Sender(threading.Thread):
    """Takes numbers from `numbers` until it gives None, and sends the delivery of each."""

    def __init__(self, name, *, port, token, cohorts, seed, numbers, history, pause):
        super().__init__(name=name, daemon=True)
        self.port, self.token, self.cohorts, self.seed, self.numbers = port, token, cohorts, seed, numbers
        self.pause = pause
        self.history = History(history / f"{name}.jsonl")
        self.stopping = threading.Event()
        self.failure = None

    def run(self):
        try:
            while not self.stopping.is_set() and (number := self.numbers()) is not None:
                self._send(number)
                self.stopping.wait(random.Random(f"pause {self.seed} {number}").uniform(0, self.pause))
        except Exception as error:  # noqa: BLE001 - a thread's error is told by whoever joins it
            self.failure = error

    def _send(self, number):
        rng = random.Random(f"sender {self.seed} {number}")
        parcel = package(self.seed, number)
        cohort = self.cohorts[number % len(self.cohorts)]
        self.history.note("intent", delivery=number, cohort=cohort, by="tus", **parcel.facts())
        until = time.monotonic() + _GIVE_UP
        upload = None
        while not self.stopping.is_set():
            assert time.monotonic() < until, f"delivery {number} could not be sent in {_GIVE_UP} s"
            try:
                upload = upload or self._create(number, cohort, parcel, declared=rng.random() < 0.7)
                if upload and self._send_rest(number, upload, parcel, rng):
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(_PAUSE)

    def _create(self, number, cohort, parcel, *, declared):
        values = {"cohort": str(cohort), "filename": parcel.filename}
        if declared:
            values["sha256"] = parcel.facts()["sha256"]
        told = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())
        status, headers = self._ask(
            "POST", "/uploads/tus/", {"Upload-Length": str(len(parcel.data)), "Upload-Metadata": told}
        )
        if status != 201:
            return None
        upload = headers["location"].rsplit("/", 1)[1]
        self.history.note("created", delivery=number, upload=upload)
        return upload

    def _send_rest(self, number, upload, parcel, rng):
        status, headers = self._ask("HEAD", f"/uploads/tus/{upload}", {})
        if status != 200:
            assert status not in {404, 410}, f"upload {upload} was acknowledged and answers {status}"
            return False
        offset = int(headers["upload-offset"])
        self.history.note("offset", delivery=number, upload=upload, offset=offset, by="HEAD")
        while offset < len(parcel.data):
            size = rng.randint(1, max(1, len(parcel.data) // 2)) if rng.random() < 0.7 else len(parcel.data)
            status, headers = self._ask(
                "PATCH",
                f"/uploads/tus/{upload}",
                {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"},
                parcel.data[offset : offset + size],
            )
            if status != 204:
                return False
            offset = int(headers["upload-offset"])
            self.history.note("offset", delivery=number, upload=upload, offset=offset, by="PATCH")
        self.history.note("complete", delivery=number, upload=upload)
        return True

    def _ask(self, method, path, headers, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(
                method,
                path,
                body,
                {"Tus-Resumable": "1.0.0", "Authorization": f"Bearer {self.token}", **headers},
            )
            answer = connection.getresponse()
            answer.read()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()
