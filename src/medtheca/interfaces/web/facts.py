"""What is known of an image, in the groups of its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.urls import reverse

from medtheca.domains.imaging.enums import ImageKind
from medtheca.domains.metadata.history import Difference, differences_of
from medtheca.domains.metadata.queries import versions_of
from medtheca.domains.provenance.origins import origins_of
from medtheca.domains.provenance.overviews import verdict_of
from medtheca.domains.provenance.patients import patients_for
from medtheca.domains.search.headers import FACTS
from medtheca.interfaces.web.tiles import structured_of
from medtheca.toolkit.images.terms import MODALITIES, SIDES
from medtheca.toolkit.schemas import ACQUISITION, DERMATOLOGY
from medtheca.toolkit.schemas.registry import Field, Kind
from medtheca.toolkit.schemas.vocabulary import SEPARATOR

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.imaging.models import Image
    from medtheca.domains.provenance.models import Accession, Origin

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
    said = _said_by_file(accession.image) if accession is not None and accession.image is not None else []
    came = [row for origin in origins_of(None, accession) for row in _origin_rows(origin)]
    further = (("What the file says", said), ("Where it came from", came))
    return [*shown, *({"title": title, "rows": rows} for title, rows in further if rows)]


def _origin_rows(origin: Origin) -> list[Row]:
    """An archive that an image was brought from, with the image's page there."""
    return [
        {"label": "Archive", "value": origin.host},
        {"label": "Image there", "value": origin.remote_id, "url": origin.url.replace("/api/v2/", "/", 1)},
        {"label": "Came on", "value": f"{origin.fetched:%Y-%m-%d}", "source": origin.fetched.isoformat()},
        {"label": "SHA-256 of what came", "value": origin.sha256, "is_id": True},
    ]


def _said_by_file(image: Image) -> list[Row]:
    """What the file itself says, beside what people say of it; of a photograph, nothing."""
    facts, rows = image.facts, []
    for name, key in FACTS.items():
        if name in {"body_part", "stain"} and key in facts:
            codes = facts[key] if name == "stain" else [facts[key]]
            rows += [
                _said(name, code["meaning"], code["meaning"], f"{code['scheme']} {code['value']}") for code in codes
            ]
        elif (value := facts.get(key)) is not None:
            words = {"modality": MODALITIES, "laterality": SIDES}.get(name, {}).get(value, "")
            shown = f"{value:g}" if isinstance(value, float) else str(value)
            rows.append(_said(name, shown, f"{words} ({value})" if words else shown))
    if image.depth > 1:
        rows.append({"label": "Slices", "value": f"{image.depth:,}"})
    if image.timepoints > 1:
        rows.append({"label": "Time points", "value": f"{image.timepoints:,}"})
    if image.spacing_x and image.spacing_y and image.kind == ImageKind.SLIDE:
        microns = dict.fromkeys(f"{step * 1000:.4g}" for step in (image.spacing_x, image.spacing_y))
        rows.append({"label": "Resolution", "value": f"{' by '.join(microns)} µm per pixel"})
    elif image.spacing_x and image.spacing_y:
        steps = [step for step in (image.spacing_x, image.spacing_y, image.spacing_z) if step]
        rows.append({"label": "Spacing", "value": " by ".join(f"{step:.4g}" for step in steps) + " mm"})
    return rows


def _said(name: str, value: str, words: str, code: str = "") -> Row:
    field = ACQUISITION.by_name[name]
    source = "; ".join(filter(None, [code, f"Field {name}", *field.standards[:1]]))
    shown = f"{words} {field.unit}".strip()
    return {
        "label": field.label,
        "value": shown,
        "source": source,
        "url": f"{reverse('gallery')}?{urlencode({name: value})}",
    }


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
    # The others stand in a group that everybody sees.
    hidden = [origin for origin in origins_of(user, accession) if not origin.is_public]
    rows += [row for origin in hidden for row in _origin_rows(origin)]
    if verdict := verdict_of(accession):
        rows.append({"label": "Verdict", "value": verdict.words})
    if accession.image is not None and (stated := accession.image.facts.get("stated")):
        rows.append({"label": "Device, as the header says it", "value": "; ".join(map(str, stated))})
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
