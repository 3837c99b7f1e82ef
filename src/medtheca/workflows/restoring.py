"""Restoring an archive: a backup, and then everybody erased since it was made is erased again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from medtheca.base.errors import Conflict
from medtheca.workflows.backup.known import note_backup
from medtheca.workflows.backup.layout import Bar, Snapshot, snapshots_in
from medtheca.workflows.backup.lists import FOLDER, as_of, copy_list, entries_in, own_list
from medtheca.workflows.backup.restoring import RestoreReport, restore_backup
from medtheca.workflows.erase.replaying import Replayed, replay_erasures


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore brought back, whom it erased again, and until when it knows of erasures (nothing: not known)."""

    report: RestoreReport
    replayed: tuple[Replayed, ...]
    list_as_of: datetime | None


def restore_archive(
    *,
    folder: Path,
    snapshot: str | None = None,
    lists: Sequence[Path] = (),
    known_until: datetime | None = None,
    bar: Bar | None = None,
) -> Restored:
    """As `restore_backup`; erasures of all lists that are found are applied before the archive can be started.

    Args:
        folder: of the backup; the list in it is read.
        snapshot: its name; the newest otherwise.
        lists: further lists, such as `erasures` of the data folder that was lost, or the folder that holds it.
        known_until: refuse where the newest list is older than this.
        bar: told of the progress.

    Raises what `restore_backup` raises, and `Conflict` (code `erasures_too_old`) before anything is changed.
    """
    places = [folder / FOLDER, own_list(), *(_list_in(path) for path in lists)]
    moment = max((found for place in places if (found := as_of(place))), default=None)
    if known_until is not None and (moment is None or moment < known_until):
        known = f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "no time that is noted"
        raise Conflict(
            f"The erasures that can be found are known until {known}; {known_until:%Y-%m-%d %H:%M} UTC was asked for.",
            code="erasures_too_old",
            remedy="Give a newer list with --erasures: the folder `erasures` of the data folder, or of another backup.",
        )
    entries = entries_in(*places)
    replayed: list[Replayed] = []

    def erase_again() -> None:
        # Beside the database first: a restore that is cut off here is begun anew with them.
        copy_list(own_list(), entries.values())
        replayed.extend(replay_erasures(entries.values()))

    report = restore_backup(folder=folder, snapshot=snapshot, bar=bar, before_check=erase_again)
    for path in snapshots_in(folder):
        note_backup(folder.absolute(), path.name, datetime.fromisoformat(Snapshot.read(path).created))
    return Restored(report, tuple(replayed), moment)


def _list_in(path: Path) -> Path:
    return path / FOLDER if (path / FOLDER).is_dir() else path
