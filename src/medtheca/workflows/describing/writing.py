"""What every change of descriptions does, whoever asks for it: versions, links to patients and lesions, review anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from django.db import transaction

from medtheca.base.steps import step
from medtheca.domains.metadata.enums import MetadataFileState, RowOutcome
from medtheca.domains.metadata.models import MetadataFile, SheetRow
from medtheca.domains.metadata.operations import Change, write_versions
from medtheca.domains.metadata.sheets import lock_file, next_rows
from medtheca.domains.provenance.longitudinal import link_subjects
from medtheca.domains.provenance.reviewing import reset_reviews
from medtheca.workflows.describing.subjects import private_ids

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.provenance.models import Contributor


def write_changes(
    *,
    changes: Sequence[Change],
    contributor: Contributor,
    creator: User,
    source: MetadataFile | None = None,
    reason: str = "",
) -> dict[int, int]:
    """Write new values of a contributor's accessions in the present transaction; return the numbers of new versions.

    What is published has been judged, and stays so; of what waits and has changed, review begins anew. The caller
    holds `lock_contributor`.
    """
    numbers = write_versions(changes=changes, creator=creator, source=source, reason=reason)
    link_subjects(
        contributor=contributor, rows=[(change.accession, *private_ids(change.structured)) for change in changes]
    )
    waiting = [change.accession.pk for change in changes if change.accession.published is None]
    reset_reviews(accession_ids=[pk for pk in waiting if pk in numbers])
    return numbers


def walk_rows(
    file_id: int,
    *,
    during: MetadataFileState,
    wanted: Callable[[MetadataFile], Sequence[RowOutcome]],
    do: Callable[[MetadataFile, Sequence[SheetRow]], None],
    finish: Callable[[MetadataFile], None],
    chunk: int,
) -> None:
    """Go through a file's rows of the wanted outcomes, a transaction a chunk, while it is in a state; then finish it.

    Cut off, a second run goes on where the first stopped: what is done has another outcome.
    """
    line = 0
    while True:
        with transaction.atomic():
            file = lock_file(file_id)
            if file.state != during:
                return
            rows = next_rows(file, wanted(file), after=line, limit=chunk)
            if not rows:
                finish(file)
                return
            line = rows[-1].line
            do(file, rows)
            file.done += len(rows)
            file.save(update_fields=["done", "modified"])
        step("describe.chunk")
