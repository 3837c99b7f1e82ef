"""Rows of the database as parts of the index. All of it runs within the snapshot of the caller's transaction."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import numpy as np
from django.db import connection
from pyroaring import BitMap

from medtheca.base.statements import array_of, fetch_prepared
from medtheca.toolkit.bitmaps import NONE, Circle, Value, bitmap_of_numbers
from medtheca.toolkit.bitmaps.archive import LARGEST_NUMBER, TERM_FIELDS, Archive, Gathered, number_of_id
from medtheca.toolkit.querylang import FIELDS, ValueKind

_STRIDE = 20_000
# What one image may be of an archive's numbers before arrays over them would be mostly empty.
_SPARSEST, _SPARE = 8, 1_000_000
_METADATA = {name: FIELDS[name].kind for name in TERM_FIELDS if FIELDS[name].source == "metadata"}

# By hand: a million rows of it are read at once, and a thousand between a writer's commit and the next answer.
_IMAGES = """
SELECT i.id, (extract(epoch FROM i.created) * 1000000)::bigint, i.kind, i.format, i.depth, i.spacing_x, i.spacing_y,
    i.width, i.height, i.public_id, CASE WHEN i.facts = '{}' THEN NULL ELSE i.facts::text END,
    a.licence, a.attribution, a.cohort_id, p.public_id, l.public_id, d.structured::text, b.size
FROM imaging_image i
    LEFT JOIN provenance_accession a ON a.image_id = i.id
    LEFT JOIN provenance_patient p ON p.id = a.patient_id
    LEFT JOIN provenance_lesion l ON l.id = a.lesion_id
    LEFT JOIN metadata_description d ON d.accession_id = a.id
    LEFT JOIN imaging_imagefile f ON f.image_id = i.id AND f.kind = 'public'
    LEFT JOIN storage_blob b ON b.id = f.blob_id
"""
# Of what was written just now, all of it is still in the database's memory.
_SAID = """
SELECT a.image_id, d.structured::text
FROM provenance_accession a JOIN metadata_description d ON d.accession_id = a.id
WHERE a.image_id = ANY(%s::bigint[])
"""
_PLACED = """
SELECT scope_id, string_agg(int8send(image_id), ''::bytea) FROM access_placement WHERE opens IS NULL GROUP BY scope_id
"""
_WAITING = """
SELECT scope_id, image_id, (extract(epoch FROM opens) * 1000000)::bigint FROM access_placement WHERE opens IS NOT NULL
"""
_HANGING = """
SELECT scope_id, image_id, (extract(epoch FROM opens) * 1000000)::bigint FROM access_placement
WHERE image_id = ANY(%s::bigint[]) AND scope_id = ANY(%s::bigint[])
"""


class CannotIndex(Exception):
    """The archive's keys are none that bitmaps can hold: SQL has to answer, always."""


def read_archive() -> Archive:
    """The whole index, from the tables. Raises `CannotIndex`."""
    _require_dense()
    archive = Archive()
    for rows in _stream(_IMAGES):
        archive.replace(gather(rows, asked=()))
    for rows in _stream(_PLACED):
        for scope, packed in rows:
            ids = np.sort(np.frombuffer(packed, ">i8"))
            archive.circles[scope] = Circle(bitmap_of_numbers(ids))
    waiting: dict[int, dict[int, int]] = defaultdict(dict)
    for rows in _stream(_WAITING):
        for scope, image, end in rows:
            waiting[scope][image] = end
    for scope, ends in waiting.items():
        archive.place(scope, BitMap(), BitMap(), ends)
    with connection.cursor() as cursor:
        cursor.execute("SELECT image_id FROM access_withdrawal")
        archive.withdrawn = BitMap([row[0] for row in cursor.fetchall()])
    return archive


def read_described(archive: Archive, images: Iterable[int]) -> None:
    """Bring what is said of these images up to date."""
    asked = sorted(images)
    for start in range(0, len(asked), _STRIDE):
        part = asked[start : start + _STRIDE]
        rows = fetch_prepared(f"{_IMAGES} WHERE i.id = ANY(%s::bigint[])", [array_of(part)])
        archive.replace(gather(rows, asked=part))


def read_metadata(archive: Archive, images: Iterable[int]) -> None:
    """Bring what sheets say of these images up to date, and nothing else."""
    asked = sorted(images)
    terms: dict[str, dict[Value, list[int]]] = {name: defaultdict(list) for name in _METADATA}
    for image, structured in fetch_prepared(_SAID, [array_of(asked)]):
        for name, value in _described(json.loads(structured)):
            if value is not None and value != "":
                terms[name][value].append(image)
    archive.restate(BitMap(asked), terms)


def read_placed(archive: Archive, changed: Mapping[int, set[int]]) -> None:
    """Bring up to date how images hang in scopes: of each scope, these images."""
    images = sorted(set().union(*changed.values()))
    placed: dict[int, list[int]] = defaultdict(list)
    waiting: dict[int, dict[int, int]] = defaultdict(dict)
    for scope, image, end in fetch_prepared(_HANGING, [array_of(images), array_of(list(changed))]):
        if image not in changed[scope]:
            continue
        if end is None:
            placed[scope].append(image)
        else:
            waiting[scope][image] = end
    for scope, numbers in changed.items():
        archive.place(scope, BitMap(numbers), BitMap(placed[scope]), waiting[scope])


def read_withdrawn(archive: Archive, images: set[int]) -> None:
    """Bring up to date which of these images are withdrawn."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT image_id FROM access_withdrawal WHERE image_id = ANY(%s)", [sorted(images)])
        archive.withdraw(BitMap(images), BitMap([row[0] for row in cursor.fetchall()]))


def has_more_images_than(number: int) -> bool:
    """Whether there are more images than so many, without counting them all."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM (SELECT 1 FROM imaging_image LIMIT %s) found", [number + 1])
        return int(cursor.fetchone()[0]) > number


def gather(rows: Iterable[tuple[Any, ...]], *, asked: Iterable[int]) -> Gathered:
    """What rows say of images, by field; `asked` are the images of which rows were wanted. Raises `CannotIndex`."""
    gathered = Gathered(BitMap(asked))
    terms: dict[str, dict[Value, list[int]]] = {name: defaultdict(list) for name in TERM_FIELDS}
    values: dict[str, dict[int, int]] = defaultdict(dict)
    for row in rows:
        _note(row, gathered, terms, values)
    gathered.numbers.update(gathered.moments)
    gathered.terms = terms
    gathered.values = dict(values)
    return gathered


def _note(
    row: tuple[Any, ...],
    gathered: Gathered,
    terms: Mapping[str, dict[Value, list[int]]],
    values: Mapping[str, dict[int, int]],
) -> None:
    (image, moment, kind, form, depth, spacing_x, spacing_y, width, height, public_id, facts) = row[:11]
    (licence, attribution, cohort, patient, lesion, structured, size) = row[11:]
    if image > LARGEST_NUMBER:
        raise CannotIndex(f"Image {image} has a key beyond {LARGEST_NUMBER}.")
    gathered.moments[image] = moment
    said: list[tuple[str, Value | None]] = [
        ("image_kind", kind),
        ("format", form),
        ("slices", float(depth)),
        ("pixel_spacing", (spacing_x, spacing_y) if spacing_x is not None and spacing_y is not None else None),
        ("isic_id", public_id.partition("_")[0] if public_id else None),
        ("copyright_license", licence),
        ("attribution", attribution),
        ("cohort", str(cohort) if cohort is not None else None),
    ]
    if facts is not None:
        said += _facts(json.loads(facts))
    if structured is not None:
        said += _described(json.loads(structured))
    for name, value in said:
        if value is not None and value != "":
            terms[name][value].append(image)
    for field, number in (
        ("pixels_x", width),
        ("pixels_y", height),
        ("file_size", size),
        ("patient_id", number_of_id(patient)),
        ("lesion_id", number_of_id(lesion)),
    ):
        if number is not None and number != NONE:
            values[field][image] = number


def _described(structured: Mapping[str, Any]) -> Iterator[tuple[str, Value | None]]:
    for name, value in structured.items():
        kind = _METADATA.get(name)
        if kind is None or value is None:
            continue
        if kind is ValueKind.NUMBER:
            yield name, float(value)
        else:
            yield name, value if isinstance(value, bool) else str(value)


def _facts(facts: Mapping[str, Any]) -> Iterator[tuple[str, Value | None]]:
    for name in ("modality", "laterality", "manufacturer"):
        yield name, _text(facts.get(name))
    yield "manufacturer_model", _text(facts.get("model"))
    if facts.get("magnification") is not None:
        yield "magnification", float(facts["magnification"])
    if part := facts.get("body_part"):
        yield "body_part", str(part["meaning"])
    for code in facts.get("stain") or ():
        yield "stain", str(code["meaning"])


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _stream(statement: str) -> Iterator[list[tuple[Any, ...]]]:
    """Rows in strides, so that a million are never here at once."""
    raw = cast("Any", connection.connection)
    with connection.wrap_database_errors, raw.cursor(name="search_index") as cursor:
        cursor.itersize = _STRIDE
        cursor.execute(statement)
        while rows := cursor.fetchmany(_STRIDE):
            yield rows


def _require_dense() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0), count(*) FROM imaging_image")
        largest, number = cursor.fetchone()
    if largest > LARGEST_NUMBER or largest > number * _SPARSEST + _SPARE:
        raise CannotIndex(f"{number:,} images have keys up to {largest:,}, too far apart for bitmaps over keys.")
