"""What programs that speak S3's multipart protocol carry in place of a log-in: signed, of one person, for a while.

A ticket stands in the address of one part, or of the completion, of one upload. A signature names an upload to the API;
a field value names a whole one. The last two count together with the log-in of the same person only.
"""

from __future__ import annotations

from uuid import UUID

from django.core import signing

TICKET_SECONDS = 24 * 3600
FIELD_SECONDS = 24 * 3600
COMPLETION = 0
"""The number that stands for the completion, among those of parts, which begin at 1."""

_SALT = "medtheca.s3-upload"
_LONGEST = 1000


def make_upload_ticket(*, owner_id: int, upload_id: UUID | str, number: int) -> str:
    """A ticket for a part of an upload, by its number, or for `COMPLETION`."""
    return _signer(upload_id, number).sign(str(owner_id))


def read_upload_ticket(text: str, *, upload_id: UUID | str, number: int) -> int | None:
    """The id of the person to whom a ticket was given; None where it is forged, too old or of something else."""
    if len(text) > _LONGEST:
        return None
    try:
        return int(_signer(upload_id, number).unsign(text, max_age=TICKET_SECONDS))
    except signing.BadSignature:
        return None


def sign_upload(*, owner_id: int, upload_id: UUID | str, purpose: str) -> str:
    """A text that names an upload of a person for one purpose: `signature` or `field`."""
    return signing.dumps([owner_id, str(upload_id)], salt=f"{_SALT}.{purpose}")


def read_upload(text: str, *, owner_id: int, purpose: str) -> UUID | None:
    """The upload that such a text names; None where it is forged, too old, or another person's."""
    if len(text) > _LONGEST:
        return None
    try:
        owner, upload_id = signing.loads(text, salt=f"{_SALT}.{purpose}", max_age=FIELD_SECONDS)
    except signing.BadSignature:
        return None
    return UUID(upload_id) if owner == owner_id else None


def _signer(upload_id: UUID | str, number: int) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"{_SALT}:{upload_id}:{number}")
