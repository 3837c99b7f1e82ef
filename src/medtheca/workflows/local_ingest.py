"""Files of this machine go to a cohort by the same way as an upload: one delivery, its part file written here."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from uuid import UUID

from medtheca.base.errors import Invalid, NotFound, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.models import Cohort
from medtheca.domains.provenance.operations import create_cohort, create_contributor
from medtheca.domains.provenance.queries import find_cohorts_named
from medtheca.domains.storage.uploads import part_path
from medtheca.workflows.receive import acknowledge_bytes, begin_delivery

_CHUNK = 1 << 20
Progress = Callable[[int], None]


def find_cohort(*, user: User, name_or_id: str) -> Cohort | None:
    """The person's cohort of this id or name; or none. Raises `Invalid` where several have the name."""
    found = find_cohorts_named(user, name_or_id)
    if len(found) > 1:
        ids = ", ".join(str(cohort.pk) for cohort in found)
        raise Invalid(
            f"Several cohorts are named {name_or_id}.",
            problems=[Problem("cohort", f"Cohorts {ids} have this name.", remedy="Give the id.")],
        )
    return found[0] if found else None


def make_cohort(*, user: User, name: str, institution: str, licence: str, attribution: str) -> Cohort:
    """Make a cohort, and its contributor where the person owns none of that name."""
    from medtheca.domains.provenance.access import visible_contributors

    contributor = visible_contributors(user).filter(institution_name=institution).first()
    if contributor is None:
        contributor = create_contributor(creator=user, institution_name=institution)
    return create_cohort(contributor=contributor, creator=user, name=name, licence=licence, attribution=attribution)


def find_files(paths: Sequence[Path]) -> list[Path]:
    """The files that paths mean, folders with all below them, in order. Raises `NotFound`."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(entry for entry in path.rglob("*") if entry.is_file() and not entry.is_symlink())
        elif path.is_file():
            files.append(path)
        else:
            raise NotFound(f"There is no file or folder {path}.")
    if not files:
        raise NotFound(f"There are no files in {', '.join(map(str, paths))}.")
    return files


def deliver_paths(*, user: User, cohort: Cohort, paths: Sequence[Path], progress: Progress) -> list[UUID]:
    """Give files to a cohort: each ZIP as it is, all other files together as one; return the deliveries.

    `progress` is called with numbers of bytes copied.
    """
    files = find_files(paths)
    zips = [path for path in files if path.suffix.lower() == ".zip"]
    loose = [path for path in files if path.suffix.lower() != ".zip"]
    whole = zips + (loose if len(loose) == 1 else [])
    deliveries = [_deliver(user=user, cohort=cohort, path=path, name=path.name, progress=progress) for path in whole]
    if len(loose) > 1:
        deliveries.append(_deliver_together(user, cohort, loose, progress))
    return deliveries


def _deliver(*, user: User, cohort: Cohort, path: Path, name: str, progress: Progress) -> UUID:
    size = path.stat().st_size
    upload = begin_delivery(user=user, cohort_id=cohort.pk, filename=name, size=size)
    with part_path(upload.pk).open("wb") as part:
        for chunk in _read(path):
            part.write(chunk)
            progress(len(chunk))
        part.flush()
        os.fsync(part.fileno())
    if size:
        acknowledge_bytes(upload=upload, begun_at=0, offset=size)
    return upload.pk


def _deliver_together(user: User, cohort: Cohort, files: Sequence[Path], progress: Progress) -> UUID:
    """Pack files into one stored ZIP beside the part files, then deliver that."""
    from django.conf import settings

    root = Path(os.path.commonpath([path.absolute().parent for path in files]))
    packed = settings.ENVIRONMENT.data / "uploads" / f"packing-{os.getpid()}.tmp"
    packed.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
            for path in files:
                archive.write(path, str(path.absolute().relative_to(root)))
        return _deliver(user=user, cohort=cohort, path=packed, name=f"{root.name or 'files'}.zip", progress=progress)
    finally:
        packed.unlink(missing_ok=True)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
