"""What is known of an image, in the groups of its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.urls import reverse

from medtheca.domains.metadata.history import Difference, differences_of
from medtheca.domains.metadata.queries import versions_of
from medtheca.domains.provenance.overviews import verdict_of
from medtheca.domains.provenance.patients import patients_for
from medtheca.interfaces.web.tiles import structured_of
from medtheca.toolkit.schemas import DERMATOLOGY
from medtheca.toolkit.schemas.registry import Field, Kind
from medtheca.toolkit.schemas.vocabulary import SEPARATOR

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.provenance.models import Accession

Row = dict[str, Any]
_GROUPS = {
    "Diagnosis": (
        "diagnosis",
        "diagnosis_confirm_type",
        "melanocytic",
        "concomitant_biopsy",
        "clin_size_long_diam_mm",
        "mel_mitotic_index",
        "mel_thick_mm",
        "mel_ulcer",
    ),
    "Patient": (
        "age",
        "sex",
        "anatom_site",
        "anatom_site_special",
        "fitzpatrick_skin_type",
        "personal_hx_mm",
        "family_hx_mm",
    ),
}
_REST = "Acquisition"
_FILTERS = {"diagnosis", "anatom_site", "sex", "image_type"}


def public_groups(accession: Accession | None) -> list[dict[str, Any]]:
    """Values that everybody who sees the image may see, by the registry's public columns; absent ones left out."""
    values = structured_of(accession)
    named = {name for names in _GROUPS.values() for name in names}
    groups = {**_GROUPS, _REST: tuple(name for name in DERMATOLOGY.by_name if name not in named)}
    shown = []
    for title, names in groups.items():
        rows = [row for name in names if (row := _row(DERMATOLOGY.by_name[name], values))]
        if title == "Patient" and accession is not None:
            rows += _subjects(accession)
        if rows:
            shown.append({"title": title, "rows": rows})
    return shown


def _row(field: Field, values: dict[str, Any]) -> Row | None:
    given = [
        (column, values[column.name])
        for column in field.columns
        if column.public and values.get(column.name) is not None
    ]
    if not given:
        return None
    column, value = given[0]
    row: Row = {"label": column.label, "value": _words(field, value), "source": f"Field {column.name}"}
    if field.kind is Kind.HIERARCHY:
        terms = [str(term) for _, term in given]
        row |= {"label": field.label, "value": " → ".join(terms), "source": f"Field {field.name}"}
        value = SEPARATOR.join(terms)
    if field.name in _FILTERS:
        row["url"] = f"{reverse('gallery')}?{urlencode({field.name: value})}"
    return row


def _words(field: Field, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value} {field.unit}" if field.unit else str(value)


def _subjects(accession: Accession) -> list[Row]:
    """Public ids of patient and lesion; the private ones never leave."""
    subjects = (("Patient", accession.patient), ("Lesion", accession.lesion))
    return [{"label": label, "value": subject.public_id, "is_id": True} for label, subject in subjects if subject]


def owner_group(user: User | None, accession: Accession) -> dict[str, Any]:
    """How the image came in, for those who belong to its cohort."""
    rows: list[Row] = [
        {"label": "File name", "value": accession.name},
        {"label": "Path in the upload", "value": accession.original_path},
        {"label": "Submission", "value": f"Accession {accession.pk}"},
    ]
    if accession.delivery_id is not None:
        rows.append(
            {
                "label": "Upload",
                "value": "What became of it",
                "url": reverse("upload_verdicts", args=[accession.delivery_id]),
            }
        )
    # Patients are for the people of the whole contributor.
    if accession.patient is not None and patients_for(user).filter(pk=accession.patient.pk).exists():
        patient = accession.patient.public_id
        rows.append({"label": "Patient over time", "value": patient, "url": reverse("patient", args=[patient])})
    if accession.lesion is not None:
        lesion = accession.lesion.public_id
        rows.append({"label": "Lesion over time", "value": lesion, "url": reverse("lesion", args=[lesion])})
    if verdict := verdict_of(accession):
        rows.append({"label": "Verdict", "value": verdict.words})
    return {"title": "Submission", "rows": rows}


def private_group(accession: Accession) -> dict[str, Any] | None:
    """Values that the public does not see, for those who belong to the cohort."""
    values = structured_of(accession)
    rows: list[Row] = [
        {"label": column.label, "value": values[column.name], "source": f"Field {column.name}"}
        for column in DERMATOLOGY.columns.values()
        if not column.public and values.get(column.name) is not None
    ]
    description = getattr(accession, "description", None)
    rows += [
        {"label": name, "value": value} for name, value in (description.unstructured if description else {}).items()
    ]
    return {"title": "Not shown to the public", "rows": rows} if rows else None


def history(accession: Accession) -> list[dict[str, Any]]:
    """Versions of the metadata, newest first, each with what it changed: of `pages/parts/metadata_versions.html`."""
    versions = list(versions_of(accession))
    return [
        {
            "number": version.number,
            "created": version.created,
            "by": version.creator.shown_name,
            "source": version.source.name if version.source else "",
            "source_url": reverse("metadata_file", args=[version.source_id]) if version.source_id else "",
            "reason": version.reason,
            "rows": rows,
            "changes": [f"{row['label']}: {_value(row['before'])} → {_value(row['after'])}" for row in rows],
        }
        for version, rows in zip(versions, map(_rows, differences_of(versions)), strict=True)
    ]


def _rows(difference: Difference) -> list[dict[str, Any]]:
    labels = {item.name: item.label for item in DERMATOLOGY.fields}
    changes = (*difference.structured.items(), *difference.unstructured.items())
    return [
        {"field": name, "label": labels.get(name, name), "before": before, "after": after}
        for name, (before, after) in changes
    ]


def _value(value: object) -> str:
    return "nothing" if value is None else str(value)
