"""Connections to another archive: which addresses may be spoken to, and by what."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from medtheca.workflows.importing.errors import Unusable

_PORTS = {"http": 80, "https": 443}


def origin_of(address: str) -> str:
    """Scheme, name and port, in one form for what is the same: `https://api.isic-archive.com`.

    Raises `ValueError` for what is no web address.

    >>> origin_of("HTTPS://Api.ISIC-archive.com:443/api/v2/?x=1"), origin_of("http://[::1]:8000/")
    ('https://api.isic-archive.com', 'http://[::1]:8000')
    """
    parts = urlsplit(address)
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None or parts.password is not None:
        raise ValueError(address)
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = parts.port
    return f"{parts.scheme}://{name}" + ("" if port in {None, _PORTS[parts.scheme]} else f":{port}")


def is_loopback(address: str) -> bool:
    """Whether an address names this very machine, so that nobody can listen in.

    >>> [is_loopback(url) for url in ("http://localhost:8000", "http://127.0.0.9/", "http://[::1]/", "http://10.0.0.1")]
    [True, True, True, False]
    """
    name = urlsplit(address).hostname or ""
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_inner(address: str) -> bool:
    """Whether an address says by itself that it is in a network that strangers do not reach: localhost, or by number.

    No name is looked up: what it leads to is said by whoever owns it, and may be another thing a moment later.

    >>> [is_inner(url) for url in ("http://localhost:8000", "https://10.1.2.3", "https://8.8.8.8", "https://x.org")]
    [True, True, False, False]
    """
    name = urlsplit(address).hostname or ""
    try:
        return name == "localhost" or not _is_global(name)
    except ValueError:
        return False


def pools_for(origin: str, *, connections: int, inner_network: bool = False) -> urllib3.PoolManager:
    """What requests go through: the proxy of the environment (`HTTPS_PROXY`, `NO_PROXY`), or straight.

    Straight from an archive nothing leads into an inner network: an address that points there is refused once the
    connection tells where it leads, whatever its name said. It may where whoever asks said so, with `inner_network` or
    by an inner address of the archive. What a proxy connects to is the proxy's to decide.
    """
    parts = urlsplit(origin)
    proxy = getproxies().get(parts.scheme)
    options: dict[str, Any] = {"maxsize": connections, "num_pools": 8}
    if proxy and not proxy_bypass(parts.netloc) and not is_loopback(origin):
        return urllib3.ProxyManager(proxy, **options)
    pools = urllib3.PoolManager(**options)
    if not (inner_network or is_inner(origin)):
        pools.pool_classes_by_scheme = {"http": _OuterHTTP, "https": _OuterHTTPS}
    return pools


def _is_global(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_global


def _require_outer(connection: HTTPConnection) -> None:
    assert connection.sock is not None
    peer = str(connection.sock.getpeername()[0])
    if not _is_global(peer):
        connection.close()
        raise Unusable(
            f"{connection.host} leads into an inner network, which a public archive has no business with.",
            remedy="Nothing was asked there. Tell the archive's operators; if it is your own, name --inner-network.",
        )


class _OuterHTTPConnection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _require_outer(self)


class _OuterHTTPSConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _require_outer(self)


class _OuterHTTP(HTTPConnectionPool):
    ConnectionCls = _OuterHTTPConnection


class _OuterHTTPS(HTTPSConnectionPool):
    ConnectionCls = _OuterHTTPSConnection
