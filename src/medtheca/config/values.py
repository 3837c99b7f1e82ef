"""What stands in an environment variable, read as the kind of value that it is.

Each takes the text and raises `ValueError` saying what would be right, in words that go on after `NAME='text': `.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import SplitResult, urlsplit


def text(value: str) -> str:
    """As it is written."""
    return value


def flag(value: str) -> bool:
    """Yes or no."""
    lowered = value.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("write yes or no")


def whole(value: str) -> int:
    """A whole number, 0 or more."""
    try:
        number = int(value)
    except ValueError:
        number = -1
    if number < 0:
        raise ValueError("write a whole number, 0 or more")
    return number


_UNITS = {
    "": 1,
    "k": 1000,
    "m": 1000**2,
    "g": 1000**3,
    "t": 1000**4,
    "ki": 1024,
    "mi": 1024**2,
    "gi": 1024**3,
    "ti": 1024**4,
}


def size(value: str) -> int:
    """Bytes, with a unit or none: 500M, 20G, 1TiB."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?\s*", value.lower())
    if match is None:
        raise ValueError("write a size such as 500M, 20G or 1TiB")
    return int(float(match[1]) * _UNITS[match[2] or ""])


def path(value: str) -> Path:
    """A path, absolute; `~` is the home folder."""
    return Path(value).expanduser().absolute()


def optional_path(value: str) -> Path | None:
    """A path, or None for nothing."""
    return path(value) if value else None


def _words(value: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(",") if word.strip())


def _split(value: str) -> SplitResult:
    """The parts of an address; its port is looked at here, because it is checked only when it is asked for."""
    parts = urlsplit(value)
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("the port is a number up to 65535") from None
    return parts


def networks(value: str) -> tuple[str, ...]:
    """Network addresses with commas between them."""
    words = _words(value)
    for word in words:
        try:
            ip_network(word)
        except ValueError:
            raise ValueError(f"{word} is no address; write such as 10.0.0.5 or 10.0.0.0/8, with commas") from None
    return words


def hosts(value: str) -> tuple[str, ...]:
    """Host names with commas between them, without scheme and port."""
    words = _words(value)
    for word in words:
        if not re.fullmatch(r"\*|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]", word):
            raise ValueError(f"{word} is no host name; write such as archive.example.org, without http:// or a port")
    return words


def domains(value: str) -> tuple[str, ...]:
    """Domains of e-mail addresses with commas between them, each with a - before it or not, in small letters."""
    words = tuple(word.lower() for word in _words(value))
    for word in words:
        if not re.fullmatch(r"-?[a-z0-9-]+(\.[a-z0-9-]+)+", word):
            raise ValueError(f"{word} is no domain; write such as mail.example or -gmx.de, with commas")
    return words


def one_of(*choices: str) -> Callable[[str], str]:
    """What reads one of a few words."""

    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError(f"write one of {', '.join(choices)}")
        return value

    return parse


def between(least: int, most: int) -> Callable[[str], int]:
    """What reads a whole number within bounds, both included."""

    def parse(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise ValueError(f"write a whole number from {least:,} to {most:,}")
        return number

    return parse


def database_url(value: str) -> str:
    """The address of a PostgreSQL, or nothing."""
    if value and _split(value).scheme not in {"postgres", "postgresql"}:
        raise ValueError("write postgresql://user:password@host:port/name; PostgreSQL 15 or newer is the one engine")
    return value


def smtp_url(value: str) -> str:
    """The address of a mail server, or nothing."""
    if value and _split(value).scheme not in {"smtp", "smtps"}:
        raise ValueError("write smtp://user:password@host:port or smtps://…")
    return value


def email(value: str) -> str:
    """One e-mail address."""
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", value):
        raise ValueError("write one e-mail address, such as support@archive.example.org")
    return value


def public_url(value: str) -> str:
    """An address that people type, or nothing."""
    parts = _split(value)
    if value and (parts.scheme not in {"http", "https"} or not parts.netloc):
        raise ValueError("write an address such as https://archive.example.org")
    return value.rstrip("/")


def issuer(value: str) -> str:
    """The address of an OpenID Connect provider, or nothing; plain http on this machine only."""
    parts = _split(value)
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if value and (not parts.netloc or (parts.scheme != "https" and not (local and parts.scheme == "http"))):
        raise ValueError("write the address of the provider, with https, such as https://login.example.org/realms/main")
    return value.rstrip("/")


def text_file(value: str) -> Path | None:
    """A file that is there, or None for nothing."""
    found = optional_path(value)
    if found is not None and not found.is_file():
        raise ValueError("there is no such file")
    return found


def prefix(value: str) -> str:
    """A prefix of public ids."""
    # With the widest id and its underscore this fills the column.
    if not re.fullmatch(r"[A-Z][A-Z0-9]{1,9}", value):
        raise ValueError("write 2 to 10 capital letters or digits, a letter first, such as ISIC")
    return value
