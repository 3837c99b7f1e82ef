"""Settings from the environment: declared once, checked at the start, documented by a generated table.

A wrong value stops the start and names itself. `python -m medtheca.config.environment` prints the table
that stands in `docs/reference/settings.md`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit


class WrongSetting(Exception):
    """One or more environment variables hold something that cannot be used; the message names each."""


def _text(value: str) -> str:
    return value


def _flag(value: str) -> bool:
    lowered = value.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("write yes or no")


def _whole(value: str) -> int:
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


def _size(value: str) -> int:
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?\s*", value.lower())
    if match is None:
        raise ValueError("write a size such as 500M, 20G or 1TiB")
    return int(float(match[1]) * _UNITS[match[2] or ""])


def _path(value: str) -> Path:
    return Path(value).expanduser().absolute()


def _optional_path(value: str) -> Path | None:
    return _path(value) if value else None


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


def _networks(value: str) -> tuple[str, ...]:
    words = _words(value)
    for word in words:
        try:
            ip_network(word)
        except ValueError:
            raise ValueError(f"{word} is no address; write such as 10.0.0.5 or 10.0.0.0/8, with commas") from None
    return words


def _hosts(value: str) -> tuple[str, ...]:
    words = _words(value)
    for word in words:
        if not re.fullmatch(r"\*|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]", word):
            raise ValueError(f"{word} is no host name; write such as archive.example.org, without http:// or a port")
    return words


def _between(least: int, most: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise ValueError(f"write a whole number from {least:,} to {most:,}")
        return number

    return parse


def _database_url(value: str) -> str:
    if value and _split(value).scheme not in {"postgres", "postgresql"}:
        raise ValueError("write postgresql://user:password@host:port/name; PostgreSQL 15 or newer is the one engine")
    return value


def _smtp_url(value: str) -> str:
    if value and _split(value).scheme not in {"smtp", "smtps"}:
        raise ValueError("write smtp://user:password@host:port or smtps://…")
    return value


def _email(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", value):
        raise ValueError("write one e-mail address, such as support@archive.example.org")
    return value


def _public_url(value: str) -> str:
    parts = _split(value)
    if value and (parts.scheme not in {"http", "https"} or not parts.netloc):
        raise ValueError("write an address such as https://archive.example.org")
    return value.rstrip("/")


def _issuer(value: str) -> str:
    parts = _split(value)
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if value and (not parts.netloc or (parts.scheme != "https" and not (local and parts.scheme == "http"))):
        raise ValueError("write the address of the provider, with https, such as https://login.example.org/realms/main")
    return value.rstrip("/")


def _text_file(value: str) -> Path | None:
    path = _optional_path(value)
    if path is not None and not path.is_file():
        raise ValueError("there is no such file")
    return path


def _prefix(value: str) -> str:
    # With the widest id and its underscore this fills the column.
    if not re.fullmatch(r"[A-Z][A-Z0-9]{1,9}", value):
        raise ValueError("write 2 to 10 capital letters or digits, a letter first, such as ISIC")
    return value


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable: where it goes, how it is read, what it means."""

    variable: str
    attribute: str
    parse: Callable[[str], Any]
    default: str
    help: str
    secret: bool = False
    formerly: str = ""


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "MEDTHECA_DATA",
        "data",
        _path,
        "data",
        "Folder of everything Medtheca keeps: database, blobs, uploads, mail, logs, keys.",
    ),
    Setting(
        "DATABASE_URL",
        "database_url",
        _database_url,
        "",
        "Outside PostgreSQL, 15 or newer. Empty: Medtheca runs its own inside the data folder.",
        secret=True,
    ),
    Setting(
        "MEDTHECA_SECRET_KEY",
        "secret_key",
        _text,
        "",
        "Key that signs sessions, tickets and tokens. Empty: made at random once, kept in the data folder.",
        secret=True,
    ),
    Setting("MEDTHECA_HOST", "host", _text, "127.0.0.1", "Address that the web process listens on."),
    Setting("MEDTHECA_PORT", "port", _between(1, 65535), "8000", "Port that the web process listens on."),
    Setting("MEDTHECA_WORKERS", "workers", _whole, "1", "Worker processes that `medtheca up` starts."),
    Setting(
        "MEDTHECA_DECODERS", "decoders", _between(1, 256), "2", "Decoder children of one worker that may run at once."
    ),
    Setting(
        "MEDTHECA_UNSAFE_DECODERS",
        "unsafe_decoders",
        _flag,
        "no",
        "Decode even where the kernel offers no fence (Landlock and seccomp). Not for files from strangers.",
    ),
    Setting(
        "MEDTHECA_PUBLIC_URL",
        "public_url",
        _public_url,
        "",
        "Address that people type, for links in e-mail. Empty: http://localhost:PORT.",
    ),
    Setting(
        "MEDTHECA_ALLOWED_HOSTS",
        "allowed_hosts",
        _hosts,
        "",
        "Further host names of requests, with commas, beside localhost, the listening and the public address.",
    ),
    Setting(
        "MEDTHECA_TRUSTED_PROXIES",
        "trusted_proxies",
        _networks,
        "",
        "Addresses of reverse proxies, with commas, whose X-Forwarded-For, -Proto and -Host headers are believed.",
    ),
    Setting(
        "MEDTHECA_SMTP_URL",
        "smtp_url",
        _smtp_url,
        "",
        "Mail server. Empty: messages are files in the data folder, shown on the development mailbox page.",
        secret=True,
    ),
    Setting("MEDTHECA_MAIL_FROM", "mail_from", _text, "Medtheca <noreply@localhost>", "Sender of e-mail."),
    Setting(
        "MEDTHECA_SUPPORT_EMAIL",
        "support_email",
        _email,
        "support@localhost",
        "Where people ask for help: in the footer, in errors, in mail and in the API's description.",
        formerly="SUPPORT_EMAIL",
    ),
    Setting("MEDTHECA_NAME", "name", _text, "Medtheca", "Name of this instance, in titles and e-mail."),
    Setting(
        "MEDTHECA_TERMS",
        "terms",
        _text_file,
        "",
        "File with terms of use of your own (UTF-8; a first line `Version: …` names the version). Empty: ours.",
    ),
    Setting(
        "MEDTHECA_PRIVACY", "privacy", _text_file, "", "File with a privacy notice of your own (UTF-8). Empty: ours."
    ),
    Setting(
        "MEDTHECA_STAFF_SECOND_FACTOR",
        "staff_second_factor",
        _flag,
        "no",
        "Staff without a second factor may do nothing by browser but set one up. API tokens are not affected.",
    ),
    Setting(
        "MEDTHECA_OIDC_ISSUER",
        "oidc_issuer",
        _issuer,
        "",
        "Address of an OpenID Connect provider, for single sign-on. Empty: there is none.",
    ),
    Setting("MEDTHECA_OIDC_CLIENT_ID", "oidc_client_id", _text, "", "Name of this instance at the provider."),
    Setting(
        "MEDTHECA_OIDC_CLIENT_SECRET",
        "oidc_client_secret",
        _text,
        "",
        "Secret of this instance at the provider.",
        secret=True,
    ),
    Setting(
        "MEDTHECA_OIDC_NAME",
        "oidc_name",
        _text,
        "single sign-on",
        "What the button of single sign-on says after “with”.",
    ),
    Setting(
        "MEDTHECA_OIDC_ONLY", "oidc_only", _flag, "no", "Log in by single sign-on alone: no passwords, no sign-up here."
    ),
    Setting(
        "MEDTHECA_OIDC_DOMAINS",
        "oidc_domains",
        _hosts,
        "",
        "Domains of e-mail addresses, with commas, that single sign-on lets in. Empty: all.",
    ),
    Setting("MEDTHECA_ID_PREFIX", "id_prefix", _prefix, "ISIC", "Prefix of public image ids."),
    Setting(
        "MEDTHECA_ID_WIDTH",
        "id_width",
        _between(1, 12),
        "7",
        "Digits of public image ids; wider ones are minted when they run out.",
    ),
    Setting(
        "MEDTHECA_BLOB_STORE",
        "blob_store",
        _text,
        "local",
        "Where blobs live: local (a folder in the data folder), or the dotted path of a factory.",
    ),
    Setting(
        "MEDTHECA_DISK_RESERVE",
        "disk_reserve",
        _size,
        "512M",
        "Free space below which uploads and conversions are refused, so that a full disk never damages anything.",
    ),
    Setting("MEDTHECA_MAX_UPLOAD", "max_upload", _size, "50G", "Largest single upload."),
    Setting(
        "MEDTHECA_UPLOAD_QUOTA",
        "upload_quota",
        _size,
        "200G",
        "Bytes that one person may have in unfinished and unreceived uploads.",
    ),
    Setting("MEDTHECA_MAX_MEMBERS", "max_members", _whole, "100000", "Most files in one ZIP."),
    Setting(
        "MEDTHECA_SAMPLES",
        "samples",
        _optional_path,
        "",
        "Folder of sample images for the demo and the tests. Empty: shared/data beside the repository, if any.",
    ),
    Setting(
        "MEDTHECA_DEMO",
        "demo",
        _flag,
        "no",
        "Set by `medtheca up --demo`: demo logins exist and are refused from other machines.",
    ),
    Setting("MEDTHECA_DEBUG", "debug", _flag, "no", "Django's error pages. Never on a machine that others reach."),
    Setting(
        "MEDTHECA_FAULT_STEPS",
        "fault_steps",
        _optional_path,
        "",
        "Folder in which each thread notes the named step it is in, and finds orders to abort in one; for crash tests.",
    ),
)


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings of this process, read and checked."""

    data: Path
    database_url: str
    secret_key: str
    host: str
    port: int
    workers: int
    decoders: int
    unsafe_decoders: bool
    public_url: str
    allowed_hosts: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    smtp_url: str
    mail_from: str
    support_email: str
    name: str
    terms: Path | None
    privacy: Path | None
    staff_second_factor: bool
    oidc_issuer: str
    oidc_client_id: str
    oidc_client_secret: str
    oidc_name: str
    oidc_only: bool
    oidc_domains: tuple[str, ...]
    id_prefix: str
    id_width: int
    blob_store: str
    disk_reserve: int
    max_upload: int
    upload_quota: int
    max_members: int
    samples: Path | None
    demo: bool
    debug: bool
    fault_steps: Path | None


def read_environment(variables: Mapping[str, str]) -> Environment:
    """Read and check every setting; raise `WrongSetting` naming all that cannot be used."""
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for setting in SETTINGS:
        text = variables.get(setting.variable, variables.get(setting.formerly, setting.default))
        try:
            values[setting.attribute] = setting.parse(text)
        except ValueError as error:
            shown = "(not shown)" if setting.secret else repr(text)
            wrong.append(f"{setting.variable}={shown}: {error}")
    if values.get("oidc_issuer") and not values.get("oidc_client_id"):
        wrong.append("MEDTHECA_OIDC_CLIENT_ID is empty: a provider (MEDTHECA_OIDC_ISSUER) knows us by it")
    if values.get("oidc_only") and not values.get("oidc_issuer", True):
        wrong.append("MEDTHECA_OIDC_ONLY=yes lets nobody in while MEDTHECA_OIDC_ISSUER is empty")
    # MEDTHECA_CI is read by the tests alone: with 1, what they would skip is a failure.
    known = {setting.variable for setting in SETTINGS} | {"MEDTHECA_CI"}
    strangers = sorted(name for name in variables if name.startswith("MEDTHECA_") and name not in known)
    wrong += [f"{name} is not a setting of Medtheca; `medtheca settings` lists them" for name in strangers]
    if wrong:
        raise WrongSetting("Settings that cannot be used:\n  " + "\n  ".join(wrong))
    return Environment(**values)


@cache
def environment() -> Environment:
    """The settings of this process. Read once."""
    return read_environment(os.environ)


def settings_table() -> str:
    """All settings as a Markdown table."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    lines += [
        f"| `{setting.variable}` | {f'`{setting.default}`' if setting.default else '(empty)'} | {setting.help} |"
        for setting in SETTINGS
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(settings_table() + "\n")
