"""Which backups there are, as far as this archive wrote them: `backups.jsonl` in the data folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from medtheca.workflows.backup.layout import MANIFEST, read_manifest, write_synced

_FILE = "backups.jsonl"


@dataclass(frozen=True, slots=True)
class KnownBackup:
    """A snapshot that was written: into which folder (as it was given), under which name, when."""

    folder: Path
    snapshot: str
    at: datetime

    @property
    def reachable(self) -> bool:
        """Whether its folder is there now; one on a disk that is away may come back."""
        return (self.folder / "snapshots").is_dir()

    def holds_any_of(self, sha256s: set[str]) -> bool | None:
        """Whether it is there and holds one of these blobs; nothing where that cannot be told."""
        if not self.reachable:
            return None
        path = self.folder / "snapshots" / self.snapshot
        if not (path / MANIFEST).is_file():
            return False
        return any(blob.sha256 in sha256s for blob in read_manifest(path))


def note_backup(folder: Path, snapshot: str, at: datetime) -> None:
    """Remember a backup. Those that were pruned from a folder that can be reached are forgotten."""
    made = KnownBackup(folder, snapshot, at)
    kept = [known for known in known_backups() if known != made and not _is_pruned(known)]
    lines = [
        json.dumps({"folder": str(known.folder), "snapshot": known.snapshot, "at": known.at.isoformat()})
        for known in [*kept, made]
    ]
    write_synced(settings.ENVIRONMENT.data / _FILE, "".join(f"{line}\n" for line in lines).encode())


def known_backups() -> list[KnownBackup]:
    """Backups that this archive wrote, oldest first."""
    path: Path = settings.ENVIRONMENT.data / _FILE
    if not path.exists():
        return []
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    return [KnownBackup(Path(row["folder"]), row["snapshot"], datetime.fromisoformat(row["at"])) for row in rows]


def known_folders() -> list[Path]:
    """Folders of known backups, each once."""
    return list(dict.fromkeys(known.folder for known in known_backups()))


def _is_pruned(known: KnownBackup) -> bool:
    return known.reachable and not (known.folder / "snapshots" / known.snapshot).exists()
