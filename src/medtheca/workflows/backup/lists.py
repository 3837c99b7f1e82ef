"""Erasure lists: what is needed to erase a patient again in a restored database, and names nobody.

```
erasures/<id of the erasure>.json    one entry each, in the data folder and in every known backup folder
erasures/as-of.json                  until when the list of a backup folder is known to be whole
```

Private ids and SHA-256 stand there as hashes under a key that is made from the archive's secret key; submissions by
their number and a hash of the moment at which they were made, because a restored database gives numbers a second time.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac

from medtheca.base.clock import now
from medtheca.base.errors import Invalid
from medtheca.domains.provenance.models import Accession
from medtheca.workflows.backup.layout import SECRET, write_synced

FOLDER = "erasures"
_AS_OF = "as-of.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One erasure as it is kept beside the database."""

    erasure: str
    at: str
    patient: str
    contributor: int
    reason: str
    private: str
    accessions: list[list[Any]] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    erased_ids: list[str] = field(default_factory=list)
    blobs: list[str] = field(default_factory=list)
    requester: int | None = None
    decider: int | None = None
    format: int = _FORMAT

    @classmethod
    def read(cls, path: Path) -> Entry:
        """Read a file. Raises `Invalid` where it is none of ours."""
        try:
            values = json.loads(path.read_text())
            if values["format"] != _FORMAT:
                raise Invalid(f"{path} has format {values['format']}; this Medtheca reads {_FORMAT}.")
            UUID(values["erasure"])
            return cls(**values)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Invalid(f"The erasure {path} cannot be read: {error}.", remedy="Take it from another copy.") from None


def keyed(text: str) -> str:
    """A hash of a private text; without the archive's secret key nobody can try what it is of."""
    return salted_hmac("medtheca.erasure", text, secret=_secret(), algorithm="sha256").hexdigest()


def _secret() -> str:
    """The archive's key as it is now: a restore may have brought back another than this process began with."""
    file: Path = settings.ENVIRONMENT.data / SECRET
    if settings.ENVIRONMENT.secret_key or not file.exists():
        return str(settings.SECRET_KEY)
    return file.read_text().strip()


def keyed_private_id(contributor_id: int, private_id: str) -> str:
    """As `keyed`, of a patient's private id at a contributor."""
    return keyed(f"{contributor_id}:{private_id}")


def proof_of(accession: Accession) -> str:
    """Tells an accession from a later one that was given the same number."""
    return keyed(f"{accession.pk}:{accession.created.isoformat()}")


def own_list() -> Path:
    """The list of this archive, in its data folder."""
    folder: Path = settings.ENVIRONMENT.data / FOLDER
    return folder


def write_entry(entry: Entry, folders: Iterable[Path]) -> None:
    """Write an entry, synced, into the data folder, and the whole list into other folders as far as there are any."""
    own = own_list()
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_synced(own / f"{entry.erasure}.json", _text(asdict(entry)))
    for folder in folders:
        # A disk that is away gets it with the next backup that is written to it.
        with contextlib.suppress(OSError):
            if (folder / "snapshots").is_dir():
                share_list(folder / FOLDER)


def share_list(target: Path) -> None:
    """Bring the list in a backup folder up to date with this archive's, and note that it is."""
    moment = now()
    copy_list(target, entries_in(own_list()).values())
    write_synced(target / _AS_OF, _text({"at": moment.isoformat()}))


def entries_in(*folders: Path) -> dict[str, Entry]:
    """Entries of several lists by erasure. Raises `Invalid` for one that cannot be read: it may not be left out."""
    found: dict[str, Entry] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
            if path.name != _AS_OF:
                entry = Entry.read(path)
                found[entry.erasure] = entry
    return found


def copy_list(target: Path, entries: Iterable[Entry]) -> None:
    """Write entries that a list lacks."""
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for entry in entries:
        path = target / f"{entry.erasure}.json"
        # One that is being planned again may have become longer.
        if not path.exists() or Entry.read(path) != entry:
            write_synced(path, _text(asdict(entry)))


def as_of(folder: Path) -> datetime | None:
    """Until when a list is known to be whole; nothing where nobody noted it."""
    try:
        return datetime.fromisoformat(json.loads((folder / _AS_OF).read_text())["at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def pairs(entry: Entry) -> Iterator[tuple[int, str]]:
    """Numbers of the submissions of an entry, each with its proof."""
    for pk, proof in entry.accessions:
        yield int(pk), str(proof)


def _text(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, indent=1, sort_keys=True) + "\n").encode()
