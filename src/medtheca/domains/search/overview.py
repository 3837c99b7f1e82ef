"""What somebody sees, counted in several ways, all of one moment."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC

import numpy as np
from django.db.models import Count
from django.db.models.functions import TruncMonth

from medtheca.domains.search.facets import bytes_of, count_values
from medtheca.domains.search.index.asking import asking
from medtheca.domains.search.index.snapshots import one_snapshot
from medtheca.domains.search.naming import Asker
from medtheca.domains.search.queries import count, find
from medtheca.toolkit.querylang import Everything

_FIELDS = ("copyright_license", "diagnosis_1", "diagnosis_3", "image_type", "modality", "attribution")


@dataclass(frozen=True, slots=True)
class Overview:
    """Numbers of the images that an asker sees: by value of a field, and by the month in which they came (UTC).

    `bytes` are those of the files that are served. In `months`, such as 2026-11, none is left out between the first
    and the last. `values` are by field, the most frequent first; what has no value is in `missing`.
    """

    images: int
    bytes: int
    months: dict[str, int]
    values: dict[str, dict[str, int]]
    missing: dict[str, int]


def overview_for(asker: Asker) -> Overview:
    """Count, exactly and now."""
    with one_snapshot():
        counted = count_values(Everything(), _FIELDS, asker=asker)
        return Overview(
            images=count(Everything(), asker=asker),
            bytes=bytes_of(Everything(), asker=asker),
            months=_months(asker),
            values={
                name: dict(sorted(found.values.items(), key=lambda one: (-one[1], one[0])))
                for name, found in counted.items()
            },
            missing={name: found.missing or 0 for name, found in counted.items()},
        )


def _months(asker: Asker) -> dict[str, int]:
    with asking(Everything(), asker=asker) as answer:
        if answer is not None:
            months = answer.moments().astype("datetime64[us]").astype("datetime64[M]")
            values, numbers = np.unique(months, return_counts=True)
            return _without_gaps(dict(zip(values.astype(str).tolist(), numbers.tolist(), strict=True)))
    rows = find(Everything(), asker=asker).order_by().annotate(month=TruncMonth("created", tzinfo=UTC))
    counted = rows.values_list("month").annotate(number=Count("pk"))
    return _without_gaps({f"{month:%Y-%m}": number for month, number in counted})


def _without_gaps(counted: dict[str, int]) -> dict[str, int]:
    if not counted:
        return {}
    months: Counter[str] = Counter(counted)
    every = np.arange(np.datetime64(min(counted)), np.datetime64(max(counted)) + 1)
    return {month: months[month] for month in every.astype(str).tolist()}
