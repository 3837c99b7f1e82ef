"""Damaged files through the sandbox: each ends as an image or as a refusal with a reason, or is an offender."""

import json
import logging
import shutil
import struct
import tempfile
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from medtheca.toolkit.images.case_reports import CASE_PARTS, find_case_fault
from medtheca.toolkit.images.reports import find_fault
from medtheca.toolkit.sandbox import DecoderPool
from tests.damage import limits
from tests.damage.specimens import CANARY, specimens

OURS = {
    "decoder_crashed": "the decoder died",
    "decoder_timeout": "the decoder did not end",
    "decoder_memory": "the decoder took too much memory, which the header could have told",
    "decoder_error": "the decoder threw what is no refusal",
    "decoder_output": "the decoder wrote too much or what is no report",
    "input_unreadable": "the file could not be opened",
    "disk_full": "the disk is full",
}
"""Verdicts that are refusals for whoever sent the file, and for us findings."""


@dataclass(frozen=True)
class Result:
    """What became of a file: `accepted` or the code of its refusal; `offence` says what must not be, or is empty."""

    code: str
    offence: str
    words: str = ""
    seconds: float = 0.0
    peak: int = 0


class Trials:
    """A pool of decoders, and a folder in which cases are laid out."""

    def __init__(self, *, size=2, case_task="tests.damage.task:run_case", wall_seconds=90):
        specimens()  # before there are threads that would make them twice
        self._wall_seconds = wall_seconds
        self._scratch = Path(tempfile.mkdtemp(prefix="medtheca-damage-"))
        self._scratch.chmod(0o700)
        self._log = _Log()
        logging.getLogger("medtheca.toolkit.sandbox").addHandler(self._log)
        self._pool = DecoderPool("tests.damage.task:run", case_task=case_task, size=size, limits=limits.PHOTO)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pool.close()
        logging.getLogger("medtheca.toolkit.sandbox").removeHandler(self._log)
        shutil.rmtree(self._scratch, ignore_errors=True)

    def check(self, one):
        """Decode a specimen. May be called by as many threads as the pool has places."""
        begun = time.monotonic()
        folder = self._scratch / f"{threading.get_ident()}"
        try:
            _lay_out(folder / "case", one)
            report, refusal, heads, peak = (self._photo if one.photo else self._case)(one, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        seconds = time.monotonic() - begun
        if refusal is None:
            fault = find_fault(report, heads) if one.photo else find_case_fault(report, heads)
            offence = f"its report is not sound: {fault}" if fault else _told(report)
            return Result("accepted", offence, seconds=seconds, peak=peak)
        # A header's name for a file that is missing is told to whoever sent it.
        words = [] if refusal.code == "missing_file" else [refusal.message, refusal.remedy]
        offence = OURS.get(refusal.code, "") or _told(words)
        if not (refusal.message and refusal.remedy):
            offence = "it is refused without a reason or a way out"
        words = refusal.message + (self._log.last() if refusal.code == "decoder_error" else "")
        return Result(refusal.code, offence, words, seconds, peak)

    def _photo(self, one, folder):
        [outcome] = self._pool.run([("a", folder / "case" / one.main)], {"memory": limits.MEMORY})
        report = dict(outcome.report or {})
        return report, outcome.refusal, outcome.parts, report.pop(limits.PEAK, 0)

    def _case(self, one, folder):
        outputs = {name: folder / name for name in (*CASE_PARTS, limits.PEAK)}
        outcome = self._pool.run_case(
            {"main": one.main, "memory": limits.MEMORY},
            folder=folder / "case",
            outputs=outputs,
            limits=limits.case(one.main, wall_seconds=self._wall_seconds),
        )
        heads = {name: _head(outputs[name]) for name, size in outcome.sizes.items() if size}
        peak = heads.pop(limits.PEAK, b"")
        return outcome.report, outcome.refusal, heads, struct.unpack("<Q", peak)[0] if len(peak) == 8 else 0


def _told(words):
    """Whether the patient's name came out of the sandbox."""
    return "it tells who the patient is" if CANARY in json.dumps(words) else ""


def _head(path):
    with path.open("rb") as file:
        return file.read(4096)


def _lay_out(folder, one):
    folder.mkdir(parents=True, mode=0o755)
    for name, data in one.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        path.write_bytes(data)
        path.chmod(0o444)


class _Log(logging.Handler):
    """What the pool says of an error: where in the code it was."""

    def __init__(self):
        super().__init__()
        self._lines = deque(maxlen=4)

    def emit(self, record):
        self._lines.append(record.getMessage())

    def last(self):
        places = [line.strip() for line in "\n".join(self._lines).splitlines() if "medtheca" in line and "line" in line]
        return " at " + places[-1] if places else ""
