"""Runs snippets in the environment of gcapi: a line of JSON in, a line of JSON out. Knows nothing of Medtheca."""

import contextlib
import dataclasses
import enum
import json
import logging
import sys
import traceback
import warnings


class Kept(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{record.name}: {record.getMessage()}")


def plain(thing):
    if dataclasses.is_dataclass(thing):
        return dataclasses.asdict(thing)
    if isinstance(thing, enum.Enum):
        return thing.value
    if isinstance(thing, bytes):
        return thing.decode("latin-1")
    if hasattr(thing, "__iter__"):
        return list(thing)
    return str(thing)


def client_of(gcapi, options):
    import httpx

    try:
        return gcapi.Client(**options)
    except httpx.TimeoutException:  # It gives its first question five seconds.
        return gcapi.Client(**options)


def run(code, given, options):
    import gcapi

    names = {"gcapi": gcapi, "given": given, "answer": None, "options": options}
    if "client" in code:
        names["client"] = client_of(gcapi, options)
    exec(code, names)
    return names["answer"]


def answer(line):
    asked = json.loads(line)
    kept = Kept()
    logging.basicConfig(handlers=[kept], level=logging.WARNING, force=True)
    found = {"answer": None, "error": None, "type": None, "status": None, "trace": ""}
    with warnings.catch_warnings(record=True) as warned, contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("always")
        try:
            found["answer"] = run(asked["code"], asked["given"], asked["options"])
        except Exception as error:  # noqa: BLE001 - whatever a snippet raises is what the test asks about
            found |= {"error": str(error), "type": type(error).__name__, "trace": traceback.format_exc()}
            response = getattr(error, "response", None)
            found["status"] = getattr(response, "status_code", None)
    told = {"logged": kept.lines, "warned": [str(one.message) for one in warned]}
    return json.dumps(found | told, default=plain)


for given_line in sys.stdin:
    print(answer(given_line), flush=True)
