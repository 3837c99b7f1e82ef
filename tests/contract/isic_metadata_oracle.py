"""Runs inside the environment of isic-metadata: rows and batches in as JSON, the library's verdicts out.

In: {"rows": [{column: cell}], "batches": [[{column: cell}]]}. It knows nothing of Medtheca.
"""

import json
import sys

from isic_metadata import FIELD_REGISTRY, AnatomSiteEnum, DiagnosisEnum, MetadataBatch, MetadataRow
from pydantic import ValidationError


def judge_row(cells):
    try:
        row = MetadataRow.model_validate(dict(cells))
    except ValidationError as error:
        # Rules between fields have no location; their first field is the one that was given.
        fields = {item["loc"][0] if item["loc"] else item["ctx"]["field1"] for item in error.errors()}
        return {"accepted": False, "fields": sorted(fields)}
    values = row.model_dump(mode="json", exclude_none=True)
    return {"accepted": True, "values": values, "unstructured": row.unstructured}


def judge_batch(rows):
    context = {"ignore_rcm_model_checks": True}
    items = [MetadataRow.model_validate(dict(cells), context=context) for cells in rows]
    try:
        MetadataBatch(items=items)
    except ValidationError as error:
        return {"accepted": False, "codes": [item["type"] for item in error.errors()]}
    return {"accepted": True, "codes": []}


def main():
    asked = json.load(sys.stdin)
    answer = {
        "diagnosis": [str(term) for term in DiagnosisEnum],
        "anatom_site": [str(term) for term in AnatomSiteEnum],
        "searchable": {
            name: next(iter(field.search.es_property.values()))
            for name, field in FIELD_REGISTRY.items()
            if field.search
        },
        "groups": {name: field.type for name, field in FIELD_REGISTRY.items()},
        "rows": [judge_row(cells) for cells in asked["rows"]],
        "batches": [judge_batch(rows) for rows in asked["batches"]],
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
