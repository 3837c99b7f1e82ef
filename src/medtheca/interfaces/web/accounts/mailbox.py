"""Reading the files that mail becomes where no mail server is set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from email.utils import parsedate_to_datetime
from itertools import islice
from pathlib import Path

# Django's backend ends each message of a connection with 79 dashes; a line of dashes inside one is not its end.
_BETWEEN = re.compile(rb"\n-{79}\n(?=Content-Type: |MIME-Version: |\Z)")
_LINK = re.compile(r"https?://[^\s<>\"']+")
_LONGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a text; `path` where it is a link to ourselves."""

    text: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """One message, as plain text."""

    subject: str
    sender: str
    recipients: str
    sent: datetime | None
    body: tuple[Piece, ...]


def newest_mail(folder: Path, *, public_url: str, limit: int = 50) -> list[Mail]:
    """The last `limit` messages in a folder of Django's file backend, newest first."""
    return list(islice(_messages(folder, public_url), limit))


def _messages(folder: Path, public_url: str) -> Iterator[Mail]:
    files = [(path.stat().st_mtime_ns, path) for path in folder.glob("*.log")] if folder.is_dir() else []
    for _, path in sorted(files, reverse=True):
        with path.open("rb") as file:
            content = file.read(_LONGEST)
        for part in reversed([part for part in _BETWEEN.split(content) if part.strip()]):
            yield _read(part, public_url)


def _read(content: bytes, public_url: str) -> Mail:
    message = message_from_bytes(content, policy=modern)
    return Mail(
        subject=str(message["Subject"] or "(no subject)"),
        sender=str(message["From"] or ""),
        recipients=str(message["To"] or ""),
        sent=_date(message),
        body=tuple(pieces(_text(message).strip(), public_url)),
    )


def _text(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain",))
    return str(part.get_content()) if part is not None else "(This message has no plain text.)"


def _date(message: EmailMessage) -> datetime | None:
    try:
        sent = parsedate_to_datetime(str(message["Date"]))
    except ValueError:
        return None
    # Django writes -0000, which says UTC and gives a time without a zone.
    return sent if sent.tzinfo else sent.replace(tzinfo=UTC)


def pieces(text: str, public_url: str) -> Iterator[Piece]:
    """Cut a text into words and links to ourselves; links to elsewhere stay words.

    >>> [(piece.text, piece.path) for piece in pieces("See http://a:1/x?y=1 or http://a:12/", "http://a:1")]
    [('See ', ''), ('http://a:1/x?y=1', '/x?y=1'), (' or http://a:12/', '')]
    """
    done = 0
    for match in _LINK.finditer(text):
        # The slash after it keeps http://localhost:8000@elsewhere and port 80001 out.
        if match[0].startswith(public_url + "/"):
            if match.start() > done:
                yield Piece(text[done : match.start()])
            yield Piece(match[0], match[0].removeprefix(public_url))
            done = match.end()
    if done < len(text):
        yield Piece(text[done:])
