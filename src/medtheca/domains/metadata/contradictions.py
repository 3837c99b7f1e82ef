"""What other accessions of a contributor say of the same lesions and cases: for rules between rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

_CHUNK = 1000
_FIELDS = ("patient_id", "lesion_id", "rcm_case_id", "image_type")
_SHARED = ("lesion_id", "rcm_case_id")

# Each list of objects is asked for by the index on `structured`, so a sheet of ten rows costs ten look-ups, however
# many images the contributor has.
_STATEMENT = """
SELECT a.id, a.name, a.cohort_id, d.structured->>'patient_id', d.structured->>'lesion_id',
       d.structured->>'rcm_case_id', d.structured->>'image_type'
FROM metadata_description d
JOIN provenance_accession a ON a.id = d.accession_id
JOIN provenance_cohort c ON c.id = a.cohort_id
WHERE d.structured @> ANY(%(wanted)s::jsonb[]) AND c.contributor_id = %(contributor)s AND a.state <> 'refused'
  AND a.id <> ALL(%(leaving_out)s)
  AND NOT EXISTS (SELECT FROM metadata_sheetrow r WHERE r.file_id = %(file)s AND r.accession_id = a.id)
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """An accession that says something of a lesion or case."""

    accession_id: int
    name: str
    cohort_id: int
    values: Mapping[str, Any]


def subjects_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that rules between rows ask for."""
    return {name: values[name] for name in _FIELDS if values.get(name)}


def stored_beside(
    *,
    contributor_id: int,
    rows: Iterable[Mapping[str, Any]],
    file_id: int | None = None,
    leaving_out: Iterable[int] = (),
) -> list[Stored]:
    """Accessions of the contributor that share a lesion or case with one of the rows.

    Those that the file itself describes are left out, and those of `leaving_out`: their new values count.
    """
    wanted = sorted({(name, str(row[name])) for row in rows for name in _SHARED if row.get(name)})
    found: dict[int, Stored] = {}
    with connection.cursor() as cursor:
        for start in range(0, len(wanted), _CHUNK):
            objects = [json.dumps({name: value}) for name, value in wanted[start : start + _CHUNK]]
            cursor.execute(
                _STATEMENT,
                {
                    "wanted": objects,
                    "contributor": contributor_id,
                    "file": file_id or 0,
                    "leaving_out": list(leaving_out),
                },
            )
            for pk, name, cohort, *values in cursor.fetchall():
                given = {key: value for key, value in zip(_FIELDS, values, strict=True) if value}
                found[pk] = Stored(pk, name, cohort, given)
    return list(found.values())
