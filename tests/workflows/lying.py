"""A decoder that files named so have taken over: it answers what no honest one would."""

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images import examine as honest

LIES = {
    b"web page": lambda report, parts: (report | {"media_type": "text/html"}, parts),
    b"script": lambda report, parts: (
        report | {"parts": {"public": {"media_type": "image/jpeg"}}},
        parts | {"public": b"<!doctype html><script>alert(1)</script>"},
    ),
    b"number": lambda report, parts: (report | {"upright_width": 2**40}, parts),
    b"nothing": lambda report, parts: (dict.fromkeys(report), dict.fromkeys(parts, b"")),
    b"name": lambda report, parts: (report, parts | {"original": b"\xff\xd8\xff"}),
}


def examine(data, options):
    """As the honest one, unless the file's comment names a lie."""
    for word, lie in LIES.items():
        if b"lie: " + word in bytes(data):
            return lie(*honest.examine(data, options))
    if b"lie: retry" in bytes(data):
        raise Refused("input_unreadable", "Try me for ever.", "None.")
    return honest.examine(data, options)


warm_up = honest.warm_up
