"""The stage that takes private words out of wherever else they stand: tables, sessions, the cache, logs and mail."""

from __future__ import annotations

import io
import json
import mmap
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Q

from medtheca.domains.accounts.models import DataExport
from medtheca.domains.ledger.models import Event, Notification
from medtheca.domains.ledger.redaction import redact_events
from medtheca.domains.trials.models import Inspection
from medtheca.domains.trials.scratch import remove_scratch
from medtheca.workflows.erase.marks import Marks
from medtheca.workflows.erase.plans import Plan

# What may go on to name the patient: the tombstones, and the erasure with its plan, which is emptied at the end. The
# ledger is append-only and has a way of its own; its subjects are keys of rows that are gone.
_SPARED = {"storage_erasedid", "provenance_erasure", "ledger_event", "ledger_seal", "django_migrations"}
_TEXTS = {"text", "character varying", "character"}
_MOST_ROWS = 5_000
_CHUNK = 100
_FOLDERS = ("logs", "mail", "demo")


def forget_notifications(plan: Plan) -> int:
    """Remove what people were told about the patient's images; return how many."""
    urls = Q()
    for ref in [*plan.keys, *plan.public_ids]:
        urls |= Q(url__contains=ref)
    about = Q(subject_type="image", subject_id__in=[str(pk) for pk in plan.images])
    about |= Q(subject_type="accession", subject_id__in=[str(pk) for pk in plan.accessions])
    return Notification.objects.filter(urls | about if urls else about).delete()[0]


def redact_ledger(plan: Plan, marks: Marks, *, actor_id: int | None) -> int:
    """Erase the details of events about what is gone, and of those that hold a mark; return how many."""
    subjects = Q(subject_type="image", subject_id__in=[str(pk) for pk in plan.images])
    for kind, ids in (
        ("accession", plan.accessions),
        ("lesion", plan.lesions),
        ("patient", [plan.patient, *plan.public_ids]),
        ("blob", [*plan.gone]),
    ):
        subjects |= Q(subject_type=kind, subject_id__in=[str(pk) for pk in ids])
    found = set(Event.objects.filter(subjects).exclude(details={}).values_list("pk", flat=True))
    for table, column, _kind in [("ledger_event", "details", "jsonb")]:
        found |= {row[0] for row in _rows_with(table, column, marks, key="id")}
    return redact_events(event_ids=found, actor_id=actor_id)


def scrub_tables(marks: Marks) -> dict[str, int]:
    """Take marks out of every column that holds text; return how many values were changed, by table and column."""
    changed: dict[str, int] = {}
    for table, column, kind in text_columns():
        if number := _scrub_column(table, column, kind, marks):
            changed[f"{table}.{column}"] = number
    return changed


def find_in_tables(marks: Marks) -> dict[str, int]:
    """Columns in which a mark still stands, with how often; the ledger's details among them."""
    found: dict[str, int] = {}
    for table, column, _kind in [*text_columns(), ("ledger_event", "details", "jsonb")]:
        if rows := list(_rows_with(table, column, marks)):
            found[f"{table}.{column}"] = len(rows)
    return found


def scrub_sessions(marks: Marks) -> int:
    """Take what sessions keep for the next page out of those that hold a mark; return how many."""
    changed = 0
    for session in Session.objects.iterator():
        data = session.get_decoded()
        if not marks.stand_in(json.dumps(data, ensure_ascii=False, default=str)):
            continue
        kept = {key: value for key, value in data.items() if not marks.stand_in(json.dumps(value, default=str))}
        Session.objects.filter(pk=session.pk).update(session_data=SessionStore().encode(kept))
        changed += 1
    cache.clear()
    return changed


def drop_copies(marks: Marks) -> int:
    """Remove copies that people took or tried: exports of their data, and dry runs with their files; return how many.

    Both are kept for a day or so, and can be made again.
    """
    dropped = 0
    for export in DataExport.objects.filter(content__isnull=False).iterator():
        if _zip_holds(bytes(export.content or b""), marks):
            export.delete()
            dropped += 1
    for inspection in Inspection.objects.iterator():
        if marks.stand_in(json.dumps([inspection.given, inspection.report], ensure_ascii=False)):
            remove_scratch(inspection.pk)
            inspection.delete()
            dropped += 1
    return dropped


def _zip_holds(data: bytes, marks: Marks) -> bool:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return any(marks.stand_in(archive.read(name).decode(errors="replace")) for name in archive.namelist())


def blot_files(marks: Marks) -> int:
    """Cross marks out in logs and mail files of the data folder, in place; return in how many files."""
    return sum(_blot(path, marks) for path in _files())


def files_with(marks: Marks) -> list[str]:
    """Files of the data folder, but for the database's and the store's, in which a mark stands."""
    return [path.name for path in _files() if any(text.encode() in path.read_bytes() for text in marks.texts)]


def text_columns() -> list[tuple[str, str, str]]:
    """Table, column and type of every column of the database that holds text or JSON, but for those spared."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c
            JOIN information_schema.tables t USING (table_schema, table_name)
            WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
            AND c.data_type IN ('text', 'character varying', 'character', 'json', 'jsonb')
            AND c.is_generated = 'NEVER' ORDER BY 1, 2"""
        )
        return [row for row in cursor.fetchall() if row[0] not in _SPARED]


def _scrub_column(table: str, column: str, kind: str, marks: Marks) -> int:
    quote = connection.ops.quote_name
    with transaction.atomic():
        changed = 0
        with connection.cursor() as cursor:
            # Values of sockets never change, but for this.
            cursor.execute("SELECT set_config('medtheca.erasing', 'on', true)")
        for place, text in _rows_with(table, column, marks):
            value = marks.without(text) if kind in _TEXTS else json.dumps(marks.scrubbed(json.loads(text)))
            if value == text:
                continue
            with connection.cursor() as cursor:
                cursor.execute(
                    f"UPDATE {quote(table)} SET {quote(column)} = %s::{kind} WHERE ctid = %s::tid",  # noqa: S608 - names from the catalogue
                    [value, place],
                )
            changed += 1
        return changed


def _rows_with(table: str, column: str, marks: Marks, *, key: str = "ctid") -> Iterator[tuple[Any, str]]:
    """Place and text of rows in which a mark stands as a word of its own."""
    quote = connection.ops.quote_name
    for start in range(0, len(marks.texts), _CHUNK):
        # In JSON as PostgreSQL writes it a quote or backslash of the mark is escaped; all else stands as it is.
        patterns = {f"%{_like(text)}%" for text in marks.texts[start : start + _CHUNK]}
        patterns |= {
            f"%{_like(json.dumps(text, ensure_ascii=False)[1:-1])}%" for text in marks.texts[start : start + _CHUNK]
        }
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {key}::text, {quote(column)}::text FROM {quote(table)}"  # noqa: S608 - names from the catalogue
                f" WHERE {quote(column)}::text LIKE ANY(%s) LIMIT {_MOST_ROWS}",
                [sorted(patterns)],
            )
            rows = cursor.fetchall()
        for place, text in rows:
            plain = text if marks.stand_in(text) else _unescaped(text)
            if marks.stand_in(plain):
                yield (int(place) if key != "ctid" else place), text


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _unescaped(text: str) -> str:
    return text.replace("\\\\", "\\").replace('\\"', '"')


def _files() -> Iterator[Path]:
    data: Path = settings.ENVIRONMENT.data
    for name in _FOLDERS:
        yield from (path for path in sorted((data / name).rglob("*")) if path.is_file() and path.stat().st_size)


def _blot(path: Path, marks: Marks) -> bool:
    # In place and of the same length: other processes go on writing at the end of it meanwhile.
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as held:
        changed = False
        for text in marks.texts:
            mark = text.encode()
            place = held.find(mark)
            while place >= 0:
                held[place : place + len(mark)] = b"x" * len(mark)
                changed = True
                place = held.find(mark, place + len(mark))
        if changed:
            held.flush()
        return changed
