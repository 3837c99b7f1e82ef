"""What tus 1.0 says in headers (https://tus.io/protocols/resumable-upload, version 1.0.0)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from medtheca.interfaces.bytes.wire import Problem

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
OFFSET_TYPE = "application/offset+octet-stream"
CHECKSUMS = {"sha256": 32, "sha1": 20, "md5": 16}
"""Algorithms of Upload-Checksum and the bytes of their digests, the best first."""

_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the client says that the bytes of this request hash to."""

    algorithm: str
    digest: bytes

    def new_hash(self) -> Any:
        """An empty hash of the algorithm. It guards against accidents, so an old one is no harm."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a new upload is said to be: for a cohort, or in the place of an accession's file, with the reason."""

    filename: str
    media_type: str
    cohort_id: int
    sha256: str
    accession_id: int = 0
    reason: str = ""


def read_number(text: str, header: str) -> int:
    """A header that is a whole number. Raises `Problem` naming the header."""
    if not _NUMBER.fullmatch(text):
        raise Problem(400, "bad_header", f"{header} is to be a whole number; it is {text[:40]!r}.")
    return int(text)


def read_checksum(text: str) -> Checksum | None:
    """Upload-Checksum, None where it is absent. Raises `Problem` for one that cannot be checked.

    >>> read_checksum("md5 1B2M2Y8AsgTpgAmY7PhCfg==").digest.hex()
    'd41d8cd98f00b204e9800998ecf8427e'
    """
    if not text:
        return None
    algorithm, _, encoded = text.partition(" ")
    if algorithm not in CHECKSUMS:
        raise Problem(
            400,
            "unknown_checksum",
            f"Upload-Checksum names {algorithm[:40]!r}, which is not known here.",
            remedy=f"Use one of {', '.join(CHECKSUMS)}.",
        )
    digest = _decoded(encoded.strip())
    if digest is None or len(digest) != CHECKSUMS[algorithm]:
        raise Problem(
            400,
            "bad_header",
            f"Upload-Checksum is to be {algorithm} and the digest's {CHECKSUMS[algorithm]} bytes in Base64.",
        )
    return Checksum(algorithm, digest)


def read_metadata(text: str) -> dict[str, str]:
    """Upload-Metadata as keys and texts. Raises `Problem` for what is not Base64 of UTF-8.

    >>> read_metadata("filename YS5qcGc=,is_confidential")
    {'filename': 'a.jpg', 'is_confidential': ''}
    """
    values: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        key, _, encoded = pair.partition(" ")
        raw = _decoded(encoded.strip())
        try:
            if raw is None:
                raise ValueError  # noqa: TRY301 - both ways to be wrong get the one answer below
            values[key] = raw.decode()
        except ValueError:
            raise Problem(400, "bad_metadata", f"Upload-Metadata: {key[:40]!r} is not Base64 of UTF-8.") from None
    return values


def read_declaration(text: str) -> Declaration:
    """Upload-Metadata of a new upload. Raises `Problem` naming the field that is missing."""
    values = read_metadata(text)
    filename = values.get("filename") or values.get("name", "")
    media_type = values.get("filetype") or values.get("type", "")
    sha256 = values.get("sha256", "")
    if _NUMBER.fullmatch(accession := values.get("accession", "")):
        return Declaration(filename, media_type, 0, sha256, int(accession), values.get("reason", ""))
    cohort = values.get("cohort", "")
    if not _NUMBER.fullmatch(cohort):
        raise Problem(
            400,
            "cohort_missing",
            "Upload-Metadata has to name the cohort by its number.",
            remedy="Send `cohort` and the number in Base64 in Upload-Metadata.",
        )
    return Declaration(filename, media_type, int(cohort), sha256)


def _decoded(encoded: str) -> bytes | None:
    try:
        return base64.b64decode(encoded.encode(), validate=True)
    except (binascii.Error, ValueError):
        return None
