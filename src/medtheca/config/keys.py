"""Keys that are made at random once and kept in the data folder, for its owner's eyes only."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path


def secret_key(data: Path) -> str:
    """The key that signs sessions, tickets and tokens."""
    return _kept(data / "secret.key", lambda: secrets.token_urlsafe(48))


def signing_key(given: Path | None, data: Path) -> str:
    """The RSA key (PEM) that signs id tokens: the file that is given, or one of our own."""
    if given is not None:
        return given.read_text()
    return _kept(data / "signing.pem", _new_rsa_key)


def former_signing_keys(data: Path) -> list[str]:
    """Keys (PEM) that sign no more and still count: `signing.pem` under a name such as `signing-2026.pem`."""
    return [path.read_text() for path in sorted(data.glob("signing-*.pem"))]


def _kept(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.stem}.{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(make())
        try:
            # A hard link fails where the key exists, so that two processes cannot make two keys.
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()


def _new_rsa_key() -> str:
    # Only at the first start: the library takes a while to load.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode()
