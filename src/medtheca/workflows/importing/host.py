"""Asking another archive: politely, with bounds on everything, and with the token for that archive alone."""

from __future__ import annotations

import contextlib
import email.utils
import hashlib
import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, LocationValueError, SSLError

from medtheca.workflows.importing.connections import is_loopback, origin_of, pools_for
from medtheca.workflows.importing.errors import AsksToWait, Denied, Mismatch, Passing, Unavailable, Unusable

_T = TypeVar("_T")
_REDIRECTS = {301, 302, 303, 307, 308}
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_MOST_REDIRECTS = 5
_MOST_JSON = 32 << 20
_MOST_MISMATCHES = 2
_CHUNK = 1 << 16
_LONGEST_PAUSE = 60.0
_GRACE = 600.0
_SLOWEST = 10_000
"""Bytes a second, below which an answer is given up, after so many seconds of grace."""
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a host is asked. `delay` and `patience` in seconds; `tries` for each thing that is asked for.

    A host that asks to be left alone for longer than `patience` ends the run. With `inner_network` its addresses may
    lead into networks that strangers do not reach.
    """

    agent: str
    delay: float = 0.5
    tries: int = 6
    patience: float = 600.0
    timeout: float = 60.0
    connections: int = 1
    insecure_http: bool = False
    inner_network: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that came whole. `size` in bytes."""

    sha256: str
    size: int
    media_type: str


@dataclass(slots=True)
class Host:
    """Another archive. `origin` is its scheme, name and port.

    Raises `Unusable` where it is no web address, or one that others could listen in on.
    """

    origin: str
    manners: Manners
    token: str = field(default="", repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    _pools: urllib3.PoolManager = field(init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _not_before: float = field(default=0.0, init=False, repr=False)

    def __post_init__(self) -> None:
        self._require_private(self.origin)
        self.origin = origin_of(self.origin)
        if self.token and not _TOKEN.fullmatch(self.token):
            # Not repeated here: messages are kept in logs.
            raise Unusable("The token holds a blank or another character that no token has.", remedy="Copy it again.")
        manners = self.manners
        self._pools = pools_for(self.origin, connections=manners.connections, inner_network=manners.inner_network)

    @property
    def name(self) -> str:
        """Name and port, such as `api.isic-archive.com`."""
        return urlsplit(self.origin).netloc

    def here(self, path: str) -> str:
        """An address of this host with the path and query of `path`, which may be a whole address of wherever.

        An archive behind a proxy often writes its inner name into the addresses of its pages. Raises `Unusable`.
        """
        try:
            parts = urlsplit(path)
        except ValueError:
            raise Unusable(f"{self.name} names {shown(path)!r} for an address, which is none.") from None
        return f"{self.origin}{parts.path}" + (f"?{parts.query}" if parts.query else "")

    def ask(self, url: str) -> Any:
        """The JSON at an address of this host. Raises `HostError`."""
        return self._patiently(url, lambda: self._ask_once(url))

    def fetch(self, url: str, *, into: Path, limit: int, size: int | None = None, sha256: str = "") -> Fetched:
        """Write a file of at most `limit` bytes, synced. Raises `HostError`; what is in `into` is worth nothing then.

        What is not of the promised size or SHA-256 is tried again, as what was cut is.
        """
        return self._patiently(url, lambda: self._fetch_once(url, into, limit, size, sha256))

    def _ask_once(self, url: str) -> Any:
        with self._opened(url, accept="application/json") as response:
            _require_plain(response, url)
            body = bytearray()
            for chunk in _chunks(response, url):
                body += chunk
                if len(body) > _MOST_JSON:
                    raise Unusable(f"{shown(url)} answers with more than {_MOST_JSON:,} bytes of JSON.")
        try:
            return json.loads(bytes(body))
        except (ValueError, RecursionError):
            raise Passing(f"{shown(url)} answers with something that is not JSON.") from None

    def _fetch_once(self, url: str, into: Path, limit: int, size: int | None, sha256: str) -> Fetched:
        with self._opened(url, accept="*/*") as response:
            _require_plain(response, url)
            media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if media_type in {"text/html", "application/json", "application/problem+json"}:
                raise Unusable(f"The host answers with {media_type} where its file should be.")
            _require_length(response, limit)
            digest, came = hashlib.sha256(), 0
            with into.open("wb") as file:
                for chunk in _chunks(response, url):
                    came += len(chunk)
                    if came > limit:
                        raise Unusable(f"Its file has more than {limit:,} bytes.")
                    digest.update(chunk)
                    file.write(chunk)
        if size is not None and came != size:
            raise Mismatch(f"Of its file {came:,} bytes came where the host says {size:,}.")
        if sha256 and digest.hexdigest() != sha256:
            raise Mismatch("The bytes that came have another SHA-256 than the host says.")
        return Fetched(digest.hexdigest(), came, media_type)

    def _patiently(self, url: str, what: Callable[[], _T]) -> _T:
        """Do it, again where that may help, after as long as the host asks or ever longer, and not for ever."""
        for attempt in range(1, self.manners.tries + 1):
            try:
                return what()
            except Passing as problem:
                if problem.after is not None and problem.after > self.manners.patience:
                    raise AsksToWait(
                        f"{self.name} asks to be left alone for {problem.after:,.0f} seconds.",
                        remedy="Run the same command again after that; it goes on where it was.",
                    ) from None
                if isinstance(problem, Mismatch) and attempt == min(_MOST_MISMATCHES, self.manners.tries):
                    raise Unusable(f"{problem.message} It came so {attempt} times.") from None
                if attempt == self.manners.tries:
                    times = f"{attempt} times" if attempt > 1 else "once"
                    raise Unavailable(f"{problem.message} It was tried {times}.") from None
                growing = min(_LONGEST_PAUSE, max(self.manners.delay, 0.05) * 2**attempt)
                # A little chance, so that many who were sent away together do not come back together.
                self._leave_alone(max(problem.after or 0.0, growing * random.uniform(0.75, 1.25)))  # noqa: S311 - no secret hangs on it
        raise AssertionError("unreachable: the last try returns or raises")

    @contextlib.contextmanager
    def _opened(self, url: str, *, accept: str) -> Iterator[urllib3.BaseHTTPResponse]:
        """The answer to a request, redirects followed; its body is read by the caller. Raises `HostError`."""
        response: urllib3.BaseHTTPResponse | None = None
        try:
            response = self._follow(url, accept)
            _require_ok(response, url, with_token=bool(self.token))
            yield response
        except SSLError as error:
            raise Unusable(
                f"{shown(url)} cannot be trusted: {error.args[0] if error.args else error}.",
                remedy="A certificate authority of your own goes into SSL_CERT_FILE.",
            ) from error
        except HTTPError as error:
            raise Passing(f"{shown(url)} could not be read to its end: {_words(error)}.") from error
        finally:
            if response is not None:
                # What was not read to its end cannot be used for another request.
                response.close()
                response.release_conn()

    def _follow(self, url: str, accept: str) -> urllib3.BaseHTTPResponse:
        address = url
        for _ in range(_MOST_REDIRECTS + 1):
            self._require_private(address)
            self._wait_for_turn()
            try:
                response = self._pools.request(
                    "GET",
                    address,
                    headers=self._headers(address, accept),
                    redirect=False,
                    retries=False,
                    preload_content=False,
                    decode_content=False,
                    timeout=urllib3.Timeout(connect=min(20.0, self.manners.timeout), read=self.manners.timeout),
                )
            except (LocationValueError, UnicodeError):
                raise Unusable(f"{shown(address)} is no address.") from None
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or not location:
                return response
            response.close()
            try:
                address = urljoin(address, location)
            except ValueError:
                raise Unusable(f"{shown(url)} leads to {shown(location)!r}, which is no address.") from None
        raise Unusable(f"{shown(url)} leads from one address to the next without end.")

    def _headers(self, address: str, accept: str) -> dict[str, str]:
        # Compressed bodies could grow without bounds, and images hardly shrink.
        headers = {"User-Agent": self.manners.agent, "Accept": accept, "Accept-Encoding": "identity"}
        # Asked for each hop: a signed address of another host, or a redirect to one, must not learn the token.
        if self.token and origin_of(address) == self.origin:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers

    def _require_private(self, address: str) -> None:
        try:
            origin = origin_of(address)
        except ValueError:
            raise Unusable(
                f"{shown(address)} is no web address.", remedy="Write https://archive.example.org."
            ) from None
        if origin.startswith("http:") and not (self.manners.insecure_http or is_loopback(origin)):
            raise Unusable(
                f"{shown(address)} is not encrypted.",
                remedy="Use https; where nobody else can listen in, --insecure-http allows it.",
            )

    def _wait_for_turn(self) -> None:
        with self._lock:
            at = max(time.monotonic(), self._not_before)
            self._not_before = at + self.manners.delay
        pause = at - time.monotonic()
        if pause > 0:
            self.sleep(pause)

    def _leave_alone(self, seconds: float) -> None:
        """Nobody asks the host anything for so long."""
        with self._lock:
            self._not_before = max(self._not_before, time.monotonic() + seconds)


def shown(url: str) -> str:
    """An address for people and logs: without a query, which may hold a signature or a ticket, or a password.

    >>> shown("https://me:secret@x.org/a.jpg?Signature=secret")
    'https://x.org/a.jpg'
    """
    return re.sub(r"//[^/]*@", "//", url.partition("?")[0].partition("#")[0])[:200]


def _require_ok(response: urllib3.BaseHTTPResponse, url: str, *, with_token: bool) -> None:
    status = response.status
    if status == 200:
        return
    if status in _PASSING:
        raise Passing(f"{shown(url)} answers {status}.", after=_retry_after(response.headers.get("Retry-After")))
    told, remedy = "", ""
    if status not in {401, 403}:
        told = _told(response)
    else:
        # Nothing of what is said then: it may repeat the token.
        remedy = "Is the token valid, and may it read images?" if with_token else "It may need a token."
    raise Denied(f"{shown(url)} answers {status}{told}.", status=status, remedy=remedy)


def _told(response: urllib3.BaseHTTPResponse) -> str:
    """What the host says of its refusal, where that is one line of JSON."""
    with contextlib.suppress(ValueError, RecursionError, HTTPError):
        # What the first packet holds: there is no waiting for words.
        body = json.loads(response.read1(16_384))
        words = body.get("message") or body.get("detail") if isinstance(body, dict) else None
        if isinstance(words, str) and words.isprintable():
            return f": {words[:300].rstrip('.')}"
    return ""


def _chunks(response: urllib3.BaseHTTPResponse, url: str) -> Iterator[bytes]:
    """The body as it comes in. Raises `Passing` for one that comes drop by drop, which no timeout of a read ends."""
    came, began = 0, time.monotonic()
    # What is there already: a read of so many bytes would wait for the last of them.
    while chunk := response.read1(_CHUNK):
        came += len(chunk)
        if time.monotonic() - began > _GRACE + came / _SLOWEST:
            raise Passing(f"{shown(url)} answers too slowly: {came:,} bytes in {_GRACE:,.0f} seconds and more.")
        yield chunk


def _require_plain(response: urllib3.BaseHTTPResponse, url: str) -> None:
    if response.headers.get("Content-Encoding", "identity") not in {"", "identity"}:
        raise Unusable(f"{shown(url)} answers compressed though it was asked not to.")


def _require_length(response: urllib3.BaseHTTPResponse, limit: int) -> None:
    declared = response.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared[:30]) > limit:
        raise Unusable(f"Its file has {int(declared[:30]):,} bytes; {limit:,} is the most here.")


def _retry_after(value: str | None) -> float | None:
    """Seconds, of a number or a date. What is neither says nothing."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value.strip()[:12])
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    return None


def _words(error: HTTPError) -> str:
    """What kind of failure it was; the library's own words hold whole addresses."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__.removesuffix("Error")).lower()
