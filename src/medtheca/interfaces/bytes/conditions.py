"""Conditional and partial requests (RFC 9110, sections 13 and 14) for bytes whose ETag is their SHA-256."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes\s*=\s*(?:(\d{1,19})-(\d{0,19})|-(\d{1,19}))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `first` to `last`, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def etag_listed(listed: str, etag: str, *, weak: bool) -> bool:
    """Whether a header such as If-None-Match names `etag` (with its quotes); `weak` comparison ignores `W/`.

    >>> etag_listed('"a", W/"b"', '"b"', weak=True), etag_listed('W/"b"', '"b"', weak=False)
    (True, False)
    >>> etag_listed("*", '"b"', weak=False)
    True
    """
    if listed.strip() == "*":
        return True
    names = [name.strip() for name in listed.split(",")]
    if weak:
        names = [name.removeprefix("W/") for name in names]
    return etag in names


def precondition_status(*, if_match: str, if_none_match: str, etag: str) -> int | None:
    """412 or 304 where the request's conditions ask for it, else None. Empty strings are absent headers.

    >>> precondition_status(if_match="", if_none_match='"a"', etag='"a"')
    304
    >>> precondition_status(if_match='"b"', if_none_match="", etag='"a"')
    412
    """
    if if_match and not etag_listed(if_match, etag, weak=False):
        return 412
    if if_none_match and etag_listed(if_none_match, etag, weak=True):
        return 304
    return None


def wanted_span(*, range_: str, if_range: str, etag: str, size: int) -> Span | None:
    """The part that is asked for; None for the whole.

    The whole answers several ranges, another unit, and an If-Range that names another file or a date, since bytes have
    no date here. Raises `ValueError` where the range lies behind the end.

    >>> wanted_span(range_="bytes=2-", if_range="", etag='"a"', size=10)
    Span(first=2, last=9)
    >>> wanted_span(range_="bytes=-3", if_range='"a"', etag='"a"', size=10)
    Span(first=7, last=9)
    >>> wanted_span(range_="bytes=0-1,4-5", if_range="", etag='"a"', size=10) is None
    True
    """
    if not range_ or (if_range and if_range != etag):
        return None
    match = _RANGE.fullmatch(range_.strip())
    if match is None:
        return None
    first_text, last_text, suffix = match.groups()
    if suffix is not None:
        if int(suffix) == 0 or size == 0:
            raise ValueError("no byte is asked for")
        return Span(max(0, size - int(suffix)), size - 1)
    first = int(first_text)
    last = min(int(last_text), size - 1) if last_text else size - 1
    if last_text and int(last_text) < first:
        return None  # Not a range at all, so it is ignored.
    if first >= size:
        raise ValueError("the range lies behind the end")
    return Span(first, last)
