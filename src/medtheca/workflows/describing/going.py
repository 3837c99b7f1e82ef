"""A metadata file taken in hand: who may, whether it is in a state for it, and its job set going."""

from __future__ import annotations

from medtheca.base.jobs import enqueue
from medtheca.domains.accounts.models import User
from medtheca.domains.metadata.enums import MetadataFileState
from medtheca.domains.metadata.models import MetadataFile
from medtheca.domains.metadata.queries import metadata_file_for
from medtheca.domains.metadata.sheets import CHANGEABLE, lock_file, require_state, set_going
from medtheca.domains.provenance.access import require_editor

DOING = "describe its images"


def file_to_edit(user: User, file_id: int) -> MetadataFile:
    """A metadata file of a cohort that the person may describe. Raises `NotFound` or `NotAllowed`."""
    file = metadata_file_for(user, file_id)
    require_editor(user, file.cohort, to=DOING)
    return file


def locked_file(user: User, file_id: int) -> MetadataFile:
    """As `file_to_edit`, locked until the present transaction ends."""
    file_to_edit(user, file_id)
    return lock_file(file_id)


def changeable_file(user: User, file_id: int, *, to: str) -> MetadataFile:
    """As `locked_file`. Raises `Conflict` where it is being applied or undone, or was applied."""
    file = locked_file(user, file_id)
    require_state(file, CHANGEABLE, to=to)
    return file


def check_anew(file: MetadataFile, user: User) -> MetadataFile:
    """Set the checking of a locked file going again."""
    file.revision += 1
    # Whoever mends a sheet wants to see what it changes before it does.
    file.apply_when_ready = False
    set_going(file, MetadataFileState.CHECKING, actor=user)
    enqueue_work(file)
    return file


def enqueue_work(file: MetadataFile) -> None:
    """Enqueue the job that does what the file's state says."""
    # One after the other for a contributor: what one sheet says of a lesion binds the next.
    # The line of all its spreadsheets, whoever gives them: they are to be applied in the order in which they came.
    whose = f"contributor:{file.cohort.contributor_id}"
    enqueue("describe.file", file_id=file.pk, lock=f"describe:{file.cohort.contributor_id}", turn=whose)
