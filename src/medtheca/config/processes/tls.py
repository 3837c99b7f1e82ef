"""The certificates by which the web process speaks https: of our own authority in the data folder, or the operator's.

tls/authority.crt, authority.key     what clients are told to trust, and what signs the next one
tls/server.crt, server.key           what the web process shows; made anew when its end is near or its names change

Keys are their owner's alone (0600). An authority may speak for the names of this instance only; where those change, a
new one is made, the old one is kept beside it under its day, and clients have to be told.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from medtheca.config.environment import Environment
from medtheca.config.processes.errors import CannotRun
from medtheca.toolkit.certificates import (
    Facts,
    Signed,
    WrongCertificate,
    check_pair,
    covers,
    make_authority,
    make_server_certificate,
    permits,
    read_facts,
    was_signed_by,
)

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
RENEWED_BEFORE_END = timedelta(days=60)
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - names to leave out, not to listen on


@dataclass(frozen=True, slots=True)
class Pair:
    """Files of a certificate and its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `prepare` did: the files to serve with, and sentences that the operator has to read."""

    served: Pair
    changed: bool
    told: tuple[str, ...] = ()


def instance_names(settings: Environment) -> tuple[str, ...]:
    """Host names and addresses under which this instance may be asked, the public one first."""
    public = urlsplit(settings.address).hostname or "localhost"
    others = [settings.host, *settings.allowed_hosts]
    # A name with a dot before it stands for all below it, and an authority for a name may speak for these anyway.
    listed = [name.strip("[]").removeprefix(".") for name in (public, *LOCAL_NAMES, *others)]
    return tuple(dict.fromkeys(name.lower() for name in listed if name != "*" and name not in _EVERYWHERE))


def authority_of(data: Path) -> Pair:
    """Where our authority is, whether it has been made or not."""
    return Pair(data / "tls" / "authority.crt", data / "tls" / "authority.key")


def served_pair(settings: Environment) -> Pair:
    """The files that the web process shows: the operator's, or our own."""
    return Pair(settings.shown_certificate, settings.tls_key or settings.data / "tls" / "server.key")


def prepare(settings: Environment, *, at: datetime | None = None) -> Outcome:
    """Have a certificate ready to be served, making or renewing what is ours. Raises `CannotRun`.

    `at` is the present moment, for tests of what time brings.
    """
    at = at or datetime.now(UTC)
    served = served_pair(settings)
    if settings.tls_cert is not None:
        return Outcome(served, changed=False, told=_check_operators(served, settings, at))
    names = instance_names(settings)
    authority, told = _authority_for(settings, names, at)
    if _is_good(served, authority, names, at):
        return Outcome(served, changed=False, told=told)
    _write(served, make_server_certificate(authority=authority, names=names, at=at))
    return Outcome(served, changed=True, told=told)


def facts_of(file: Path) -> Facts | None:
    """What the certificate in a file says; None where there is none to read."""
    try:
        return read_facts(file.read_bytes())
    except (OSError, WrongCertificate):
        return None


def _authority_for(settings: Environment, names: tuple[str, ...], at: datetime) -> tuple[Signed, tuple[str, ...]]:
    """Our authority, made where there is none that may speak for all names; and what has to be said of it."""
    files = authority_of(settings.data)
    known = _read(files)
    told: tuple[str, ...] = ()
    if known is not None:
        facts = read_facts(known.certificate)
        lacking = [name for name in names if not permits(known.certificate, name)]
        if not lacking and facts.not_after - at > RENEWED_BEFORE_END:
            return known, ()
        reason = f"the old one may not speak for {', '.join(lacking)}" if lacking else "the old one ends soon"
        told = (f"A new certificate authority was made, because {reason}: trust it anew, as `medtheca tls` says",)
        for file in (files.certificate, files.key):
            file.replace(file.with_name(f"authority-{at:%Y%m%d}-{facts.sha256[:5].replace(':', '')}{file.suffix}"))
    made = make_authority(title=f"{settings.name} certificate authority", names=names, at=at)
    _write(files, made)
    return made, told


def _is_good(served: Pair, authority: Signed, names: tuple[str, ...], at: datetime) -> bool:
    known = _read(served)
    if known is None or not was_signed_by(known.certificate, authority.certificate):
        return False
    facts = read_facts(known.certificate)
    ends = min(facts.not_after, read_facts(authority.certificate).not_after)
    return facts.not_before <= at and ends - at > RENEWED_BEFORE_END and set(facts.names) == set(names)


def _check_operators(served: Pair, settings: Environment, at: datetime) -> tuple[str, ...]:
    """What is to be said of a certificate that we were given. Raises `CannotRun` where it cannot be served."""
    try:
        certificate, key = served.certificate.read_bytes(), served.key.read_bytes()
        check_pair(certificate, key)
        facts = read_facts(certificate)
    except OSError as error:
        raise CannotRun(f"{error.filename} cannot be read: {error.strerror}.") from None
    except WrongCertificate as refusal:
        raise CannotRun(f"{served.certificate} and {served.key} cannot be served. {refusal}") from None
    if facts.not_after <= at:
        raise CannotRun(f"The certificate in {served.certificate} ended on {facts.not_after:%d %B %Y}.")
    told = []
    public = urlsplit(settings.address).hostname or "localhost"
    if not covers(facts, public):
        told.append(f"The certificate is for {', '.join(facts.names) or 'no name'}, and not for {public}")
    if facts.not_after - at < timedelta(days=14):
        told.append(f"The certificate ends on {facts.not_after:%d %B %Y}")
    return tuple(told)


def _read(files: Pair) -> Signed | None:
    """What is in two files; None where one is missing or they do not belong together, as after a crash."""
    try:
        found = Signed(files.certificate.read_bytes(), files.key.read_bytes())
        check_pair(found.certificate, found.key)
    except (OSError, WrongCertificate):
        return None
    return found


def _write(files: Pair, made: Signed) -> None:
    folder = files.key.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file, content, mode in ((files.key, made.key, 0o600), (files.certificate, made.certificate, 0o644)):
        fresh = folder / f".{file.name}.{secrets.token_hex(4)}"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(handle)
        fresh.replace(file)
