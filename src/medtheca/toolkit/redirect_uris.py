"""Addresses to which an authorization server may send people back, as applications register them.

Source: RFC 6749 section 3.1.2, RFC 8252 sections 7 and 8.4, RFC 9700 section 2.1.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()+,;=%-]+")
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)+")
_LONGEST = 500


class BadRedirectUri(ValueError):
    """Nobody may be sent back to this address; the message says why, and what would be right."""


def check_redirect_uri(text: str) -> str:
    """The address as it is to be kept: https anywhere, http on the person's own machine, or an app's own scheme.

    >>> check_redirect_uri("https://app.example.org/back")
    'https://app.example.org/back'
    >>> check_redirect_uri("http://app.example.org/back")
    Traceback (most recent call last):
        ...
    medtheca.toolkit.redirect_uris.BadRedirectUri: http://app.example.org/back is not encrypted: write https, or a \
loopback address such as http://127.0.0.1/back.

    Raises `BadRedirectUri`.
    """
    uri = text.strip()
    if not uri or len(uri) > _LONGEST:
        raise BadRedirectUri(f"An address has 1 to {_LONGEST} characters.")
    if "#" in uri:
        raise BadRedirectUri(f"{uri} has a fragment: leave out what begins with #.")
    if "*" in uri:
        raise BadRedirectUri(f"{uri} has a wildcard: write each address in full, they are compared exactly.")
    if _CHARACTERS.fullmatch(uri) is None:
        raise BadRedirectUri(f"{uri!r} holds a character that no address has: write it as a browser shows it.")
    parts = _split(uri)
    if "@" in parts.netloc:
        raise BadRedirectUri(f"{uri} holds a user name: leave out what stands before the @.")
    if parts.scheme in {"https", "http"}:
        _check_web(uri, parts)
    elif _PRIVATE_SCHEME.fullmatch(parts.scheme) is None:
        raise BadRedirectUri(
            f"{uri} has a scheme that anybody could take: write https, or a name of yours reversed, such as "
            "org.example.app:/back."
        )
    return uri


def is_of_this_machine(uri: str) -> bool:
    """Whether the address leads to some program on the person's own machine, which cannot be told from another one.

    >>> [is_of_this_machine(uri) for uri in ("https://app.example.org/", "http://[::1]:7000/", "org.example.app:/back")]
    [False, True, True]
    """
    parts = urlsplit(uri)
    return parts.scheme != "https" or parts.hostname in _LOOPBACK


def host_of(uri: str) -> str:
    """Where the address leads, for people: the host with its port, or the scheme of an app.

    >>> host_of("https://app.example.org/back?x=1"), host_of("http://127.0.0.1:7000/"), host_of("org.example.app:/back")
    ('app.example.org', '127.0.0.1:7000', 'org.example.app')
    """
    parts = urlsplit(uri)
    return parts.netloc or parts.scheme


def _split(uri: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        raise BadRedirectUri(f"{uri} is no address: its host or port cannot be read.") from None
    return parts


def _check_web(uri: str, parts: SplitResult) -> None:
    if not parts.hostname:
        raise BadRedirectUri(f"{uri} names no host: write it in full, such as https://app.example.org/back.")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise BadRedirectUri(
            f"{uri} is not encrypted: write https, or a loopback address such as http://127.0.0.1/back."
        )
