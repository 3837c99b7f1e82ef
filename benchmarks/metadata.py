"""Metadata sheets on a real `medtheca up`: checking, preview, applying and undoing 20,000 rows; memory with 100,000.

Fourteen columns a row, every row of an image that has values already, so that each is compared, versioned and linked.
Budgets: checking 20,000 rows 20 s, a page of the preview 1 s, 100,000 rows within 1.5 GB. Beside checking stands its
limit: the same rows read and validated by the same code with no database and nothing else running in the process.
`python -m benchmarks --only metadata`
"""

import json
import random
import time
from collections.abc import Iterator
from typing import Any

from benchmarks import pictures
from benchmarks.figures import figure, is_quick
from benchmarks.instance import Instance
from benchmarks.processes import PeakMemory

ROWS, MANY = 20_000, 100_000
_COLUMNS = (
    "filename;age;sex;diagnosis;anatom_site;image_type;dermoscopic_type;patient_id;lesion_id;acquisition_day;"
    "clin_size_long_diam_mm;melanocytic;diagnosis_confirm_type;camera"
)
# Accessions that wait for conversion, of blobs that are rows alone: nobody reads their bytes here.
_FILL = """
from django.db import connection
from medtheca.domains.provenance.models import Cohort
cohort = Cohort.objects.get(pk={cohort})
with connection.cursor() as cursor:
    cursor.execute(
        "WITH names AS (SELECT 'bench_' || lpad(n::text, 6, '0') || '.jpg' AS name"
        " FROM generate_series({first}, {last}) AS n),"
        " blobs AS (INSERT INTO storage_blob (sha256, size, state)"
        " SELECT encode(sha256(name::bytea), 'hex'), 1, 'stored' FROM names RETURNING id, sha256)"
        " INSERT INTO provenance_accession (cohort_id, name, name_key, original_path, creator_id, state, original_id,"
        " licence, attribution, modified)"
        " SELECT %s, name, name, name, %s, 'received', blobs.id, %s, %s, now()"
        " FROM names JOIN blobs ON blobs.sha256 = encode(sha256(name::bytea), 'hex')",
        [cohort.pk, cohort.creator_id, cohort.licence, cohort.attribution],
    )
    cursor.execute("ANALYZE provenance_accession")
"""


def run() -> Iterator[dict[str, Any]]:
    """All of it, one after the other on one instance."""
    number, many = (ROWS // 10, MANY // 10) if is_quick() else (ROWS, MANY)
    limit = _limit(_sheet(number, seed=2))
    with Instance() as instance:
        cohort = instance.prepare(pictures.photographs(8))
        instance.command("manage", "shell", "-c", _FILL.format(cohort=cohort, first=0, last=many - 1))
        first = _give(instance, cohort, _sheet(number, seed=1))
        _wait(instance, first, "ready")
        _ask(instance, first, "apply")
        _wait(instance, first, "applied")
        begun = time.perf_counter()
        second = _give(instance, cohort, _sheet(number, seed=2))
        _wait(instance, second, "ready")
        spent = time.perf_counter() - begun
        facts = {"rows": number, "limit": round(limit, 2), "ratio": round(spent / limit, 2)}
        yield figure("metadata.check", spent, "s", at_most=20 * number / ROWS, **facts)
        yield from _preview(instance, second, number)
        for verb, ended in (("apply", "applied"), ("undo", "undone")):
            begun = time.perf_counter()
            _ask(instance, second, verb)
            _wait(instance, second, ended)
            yield figure(f"metadata.{verb}", time.perf_counter() - begun, "s", rows=number)
        yield from _large(instance, cohort, many)


def _preview(instance: Instance, file: int, number: int) -> Iterator[dict[str, Any]]:
    dice = random.Random(3)
    pages = number // 50
    asked = []
    for _ in range(20):
        page = dice.randint(1, pages)
        begun = time.perf_counter()
        instance.json(f"/api/v2/metadata-files/{file}/preview/?page={page}")
        asked.append(time.perf_counter() - begun)
    yield figure("metadata.preview_page_slowest", max(asked), "s", at_most=1, median=round(sorted(asked)[10], 4))


def _large(instance: Instance, cohort: int, many: int) -> Iterator[dict[str, Any]]:
    begun = time.perf_counter()
    with PeakMemory(instance.pid) as watch:
        file = _give(instance, cohort, _sheet(many, seed=4))
        _wait(instance, file, "ready")
        checked = time.perf_counter() - begun
        _ask(instance, file, "apply")
        _wait(instance, file, "applied")
    total = time.perf_counter() - begun
    by = {name: round(megabytes, 1) for name, megabytes in sorted(watch.peak.items())}
    facts = {"rows": many, "check_s": round(checked, 1), "apply_s": round(total - checked, 1), "by": by}
    yield figure("metadata.memory_of_many", watch.peak.total(), "MB", at_most=1500, **facts)


def _sheet(number: int, *, seed: int) -> bytes:
    from medtheca.toolkit.schemas.packs.dermatology import ANATOM_SITE, DIAGNOSIS

    dice = random.Random(seed)
    lines = [_COLUMNS]
    for at in range(number):
        cells = (
            f"bench_{at:06}",
            str(dice.randrange(90)),
            dice.choice(["male", "female"]),
            dice.choice(DIAGNOSIS.values),
            dice.choice(ANATOM_SITE.values),
            "dermoscopic",
            "contact polarized",
            f"P{at // 4}",
            f"L{at // 2}",
            str(at % 9),
            f"{dice.random() * 20:.1f}".replace(".", ","),
            dice.choice(["true", "false"]),
            "histopathology",
            dice.choice(["DermLite", "Handyscope"]),
        )
        lines.append(";".join(cells))
    return "\n".join(lines).encode()


def _limit(data: bytes) -> float:
    from medtheca.toolkit.schemas import DERMATOLOGY, RowReader, plan_columns, read_sheet, validate_row

    begun = time.perf_counter()
    sheet = read_sheet(data)
    reader = RowReader(plan_columns(sheet.columns, pack=DERMATOLOGY, chosen={}), pack=DERMATOLOGY, decimal_comma=True)
    for row in sheet.rows:
        validate_row(reader.read(row).cells, pack=DERMATOLOGY)
    return time.perf_counter() - begun


def _give(instance: Instance, cohort: int, data: bytes) -> int:
    path = f"/api/v2/cohorts/{cohort}/metadata-files/?apply_when_ready=false&name=bench.csv"
    boundary = "bench-boundary"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="bench.csv"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    ).encode()
    body += data + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    made = instance.request("POST", path, headers=headers, body=body)
    return int(json.loads(made.content)["id"])


def _ask(instance: Instance, file: int, verb: str) -> None:
    headers = {"Content-Type": "application/json"}
    instance.request("POST", f"/api/v2/metadata-files/{file}/{verb}/", headers=headers, body=b"{}")


def _wait(instance: Instance, file: int, state: str, *, seconds: float = 900) -> None:
    until = time.monotonic() + seconds
    while True:
        shown = instance.json(f"/api/v2/metadata-files/{file}/")
        if shown["state"] == state:
            return
        if shown["state"] == "invalid" or time.monotonic() > until:
            raise RuntimeError(f"The sheet is {shown['state']}: {shown['report'].get('groups')}")
        time.sleep(0.1)
