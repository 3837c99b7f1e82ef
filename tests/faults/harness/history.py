"""What a client did and was told: JSON lines, each synced before the client goes on."""

import json
import os
import threading
import time


class History:
    """One client's log. An intent stands here before it is carried out, an acknowledgement after it was received."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("a")
        self._lock = threading.Lock()

    def note(self, event, **facts):
        line = json.dumps({"event": event, "at": time.time(), **facts})
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())


def read_histories(folder):
    """All events of all clients, each client's in order. A line that a killed client left half is passed over."""
    events = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            try:
                events.append(json.loads(line) | {"client": path.stem})
            except ValueError:
                continue
    return events
