"""Speaking to one archive: its API with a token, its files without one, and nobody else at all."""

from __future__ import annotations

import ipaddress
import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from medtheca.workflows.fetching.errors import HostOdd, HostRefuses, HostSilent

_PORTS = {"http": 80, "https": 443}
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_TRIES = 6
_LONGEST_WAIT = 60.0
_MOST_JSON = 1 << 30
"""Bytes of an answer that is read whole: a list of a million files has about 300 MB."""
_REMEDIES = {
    401: "Give a token that is still good: --token-file.",
    404: "See that the address is that of a Medtheca.",
}


def origin_of(address: str) -> str:
    """Scheme, name and port in one form. Raises ValueError for what is no web address.

    >>> origin_of("HTTPS://Archive.Example.org:443/api/v2/"), origin_of("http://[::1]:8000")
    ('https://archive.example.org', 'http://[::1]:8000')
    """
    parts = urlsplit(address)
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        raise ValueError(address)
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = parts.port
    return f"{parts.scheme}://{name}" + ("" if port in {None, _PORTS[parts.scheme]} else f":{port}")


def is_this_machine(origin: str) -> bool:
    """Whether an address names this machine itself, so that nobody can listen in.

    >>> [is_this_machine(url) for url in ("http://localhost:8000", "http://127.0.0.1", "http://10.0.0.1")]
    [True, True, False]
    """
    name = urlsplit(origin).hostname or ""
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


@dataclass
class Host:
    """An archive at `origin`. `token` goes to its API alone; `timeout` is in seconds, for each answer to begin."""

    origin: str
    token: str = ""
    connections: int = 4
    timeout: float = 60.0
    pause: float = 1.0
    _pools: urllib3.PoolManager = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.origin)
        proxy = getproxies().get(parts.scheme)
        options: dict[str, Any] = {"maxsize": self.connections, "block": False, "retries": False}
        if proxy and not proxy_bypass(parts.netloc) and not is_this_machine(self.origin):
            self._pools = urllib3.ProxyManager(proxy, **options)
        else:
            self._pools = urllib3.PoolManager(**options)

    def ask(self, method: str, path: str, *, given: dict[str, Any] | None = None) -> Any:
        """What the API answers, as JSON. Raises `HostRefuses`, `HostSilent` or `HostOdd`."""
        headers = {"Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        body = None
        if given is not None:
            headers["Content-Type"], body = "application/json", json.dumps(given).encode()
        for last in self._tries():
            try:
                with self._answer(method, self.origin + path, headers, body) as answer:
                    if self._is_passing(answer, last=last):
                        continue
                    return _read_json(answer)
            except HTTPError as error:
                if last:
                    raise HostSilent(f"{self.origin} does not answer: {error}.") from error
        raise AssertionError  # The last try returns or raises.

    @contextmanager
    def stream(self, url: str, headers: dict[str, str]) -> Iterator[BaseHTTPResponse]:
        """The answer of a file, to be read in pieces, asked for once and without the token.

        Raises `HostOdd` for an address of another host, and urllib3's HTTPError.
        """
        if origin_of(url) != self.origin:
            raise HostOdd(
                f"The archive says that a file is at {origin_of(url)}, which is another host.",
                remedy=f"Where that is right, ask it: --host {origin_of(url)}",
            )
        with self._answer("GET", url, {"Accept-Encoding": "identity", **headers}, None) as answer:
            yield answer

    @contextmanager
    def _answer(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Iterator[BaseHTTPResponse]:
        answer = self._pools.request(
            method, url, headers=headers, body=body, preload_content=False, redirect=False, timeout=self.timeout
        )
        with closing(answer):
            if 300 <= answer.status < 400 and answer.status != 304:
                where = answer.headers.get("Location", "nowhere")
                raise HostOdd(f"{self.origin} leads on to {where}.", remedy="Give the address where the archive is.")
            yield answer
            answer.release_conn()

    def _tries(self) -> Iterator[bool]:
        """Whether it is the last try, for each; with pauses between them."""
        for number in range(_TRIES):
            if number:
                time.sleep(min(_LONGEST_WAIT, self.pause * 2 ** (number - 1)))
            yield number == _TRIES - 1

    def _is_passing(self, answer: BaseHTTPResponse, *, last: bool) -> bool:
        if last or answer.status not in _PASSING:
            return False
        wait = seconds_asked(answer)
        if wait > _LONGEST_WAIT:
            return False  # The refusal says so itself.
        time.sleep(wait)
        return True


def seconds_asked(answer: BaseHTTPResponse) -> float:
    """For how long the archive asks to be left alone."""
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 0.0


def is_passing(status: int) -> bool:
    """Whether the same may be answered otherwise a moment later."""
    return status in _PASSING


def refusal(answer: BaseHTTPResponse) -> HostRefuses:
    """What the archive says in refusing, in its words where it has some."""
    said: dict[str, Any] = {}
    try:
        found = json.loads(answer.read(64_000, decode_content=True))
        said = found if isinstance(found, dict) else {}
    except (ValueError, HTTPError):
        pass
    # As the ISIC Archive's clients know it, `detail` has less to say than `message`.
    words = next((said[key] for key in ("message", "error", "detail") if isinstance(said.get(key), str)), "")
    wait = seconds_asked(answer)
    remedy = str(said.get("remedy") or _REMEDIES.get(answer.status, ""))
    if wait:
        remedy = f"{remedy} Try again in {wait / 60:.0f} minutes.".strip()
    return HostRefuses(words or f"The archive answered {answer.status}.", status=answer.status, remedy=remedy)


def _read_json(answer: BaseHTTPResponse) -> Any:
    if answer.status >= 400:
        raise refusal(answer)
    try:
        data = answer.read(_MOST_JSON, decode_content=True)
        return json.loads(data) if data else None
    except ValueError as error:
        raise HostOdd("The archive's answer is no JSON.", remedy=_REMEDIES[404]) from error
