"""Verdicts as a spreadsheet, sent row by row so that a hundred thousand need no memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from medtheca.interfaces.http.spreadsheets import csv_answer

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import Verdict

COLUMNS = ("ordinal", "path", "name", "size", "outcome", "code", "message", "remedy", "accession", "isic_id", "note")


def verdicts_as_csv(verdicts: QuerySet[Verdict], *, filename: str) -> StreamingHttpResponse:
    """All verdicts as CSV in UTF-8, with a header row."""
    return csv_answer(_rows(verdicts), name=filename)


def _rows(verdicts: QuerySet[Verdict]) -> Iterator[tuple[object, ...]]:
    yield COLUMNS
    for verdict in verdicts.iterator(chunk_size=2000):
        image = verdict.accession.image if verdict.accession else None
        yield (
            verdict.ordinal,
            verdict.path,
            verdict.name,
            "" if verdict.size is None else verdict.size,
            verdict.outcome,
            verdict.code,
            verdict.words,
            verdict.remedy,
            verdict.accession_id or "",
            (image.public_id or str(image.key)) if image else "",
            verdict.note,
        )
