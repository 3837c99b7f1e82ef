"""Files of this machine go to a cohort by the same way as an upload: one delivery, its part file written here."""

from __future__ import annotations

import errno
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from medtheca.base.errors import Invalid, NoSpace, Problem
from medtheca.base.paths import find_files, text_of
from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.models import Cohort
from medtheca.domains.provenance.operations import create_cohort, create_contributor
from medtheca.domains.provenance.overviews import owned_contributors
from medtheca.domains.provenance.queries import find_cohorts_named
from medtheca.domains.storage.queries import space_is_short
from medtheca.domains.storage.uploads import part_path
from medtheca.workflows.receive import acknowledge_bytes, begin_delivery, cancel_delivery

_CHUNK = 1 << 20
Progress = Callable[[int], None]
Begun = Callable[[UUID], None]


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
    contributor = owned_contributors(user).filter(institution_name=institution).first()
    with transaction.atomic():
        if contributor is None:
            contributor = create_contributor(creator=user, institution_name=institution)
        return create_cohort(contributor=contributor, creator=user, name=name, licence=licence, attribution=attribution)


def deliver_files(
    *, user: User, cohort: Cohort, files: Sequence[Path], progress: Progress, begun: Begun = lambda _delivery: None
) -> list[UUID]:
    """Give files to a cohort: each ZIP as it is, all other files together as one; return the deliveries.

    `progress` is called with numbers of bytes copied, `begun` with each delivery before its bytes
    are there. Raises `NoSpace` where the disk is full; nothing half stays then.
    """
    zips = [path for path in files if path.suffix.lower() == ".zip"]
    loose = [path for path in files if path.suffix.lower() != ".zip"]
    whole = zips + (loose if len(loose) == 1 else [])
    deliveries = [
        _deliver(user=user, cohort=cohort, path=path, name=path.name, progress=progress, begun=begun) for path in whole
    ]
    if len(loose) > 1:
        deliveries.append(_deliver_together(user, cohort, loose, progress, begun))
    return deliveries


def deliver_paths(*, user: User, cohort: Cohort, paths: Sequence[Path], progress: Progress) -> list[UUID]:
    """`deliver_files` for all that paths mean. Raises `NotFound` and `NoSpace`."""
    return deliver_files(user=user, cohort=cohort, files=find_files(paths), progress=progress)


def _deliver(*, user: User, cohort: Cohort, path: Path, name: str, progress: Progress, begun: Begun) -> UUID:
    size = path.stat().st_size
    upload = begin_delivery(user=user, cohort_id=cohort.pk, filename=text_of(name)[-255:], size=size)
    try:
        begun(upload.pk)
        with _telling_a_full_disk(), part_path(upload.pk).open("wb") as part:
            for chunk in _read(path):
                part.write(chunk)
                progress(len(chunk))
            part.flush()
            os.fsync(part.fileno())
    except BaseException:
        # Nobody could go on with it: it would only count against the quota.
        if size:
            cancel_delivery(user=user, upload=upload)
        raise
    if size:
        acknowledge_bytes(upload=upload, begun_at=0, offset=size)
    return upload.pk


def _deliver_together(user: User, cohort: Cohort, files: Sequence[Path], progress: Progress, begun: Begun) -> UUID:
    """Pack files into one stored ZIP beside the part files, then deliver that."""
    root = Path(os.path.commonpath([path.parent for path in files]))
    needed = sum(path.stat().st_size for path in files)
    if space_is_short(needed=2 * needed):
        raise NoSpace(
            f"There is no space for {len(files):,} files of {needed:,} bytes and a copy of them on the way.",
            remedy="Make space, or give them in several parts.",
        )
    folder = settings.ENVIRONMENT.data / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    packed = folder / f"packing-{os.getpid()}.tmp"
    try:
        # A time before 1980, which a ZIP cannot hold, is no reason to refuse a file.
        with _telling_a_full_disk(), zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED, strict_timestamps=False) as made:
            for path in files:
                made.write(path, text_of(str(path.relative_to(root))))
        name = f"{root.name or 'files'}.zip"
        return _deliver(user=user, cohort=cohort, path=packed, name=name, progress=progress, begun=begun)
    finally:
        packed.unlink(missing_ok=True)


@contextmanager
def _telling_a_full_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise NoSpace("The disk is full.", remedy="Make space; nothing was stored.") from error


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
