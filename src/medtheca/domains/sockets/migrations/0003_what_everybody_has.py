"""The sockets that Grand Challenge has from the first day, each with a path of its own, and look-up tables.

Reserved are those that challenges and algorithms write.
"""

from typing import Any

from django.db import migrations

SOCKETS: list[dict[str, Any]] = [
    {
        "title": "Generic Medical Image",
        "slug": "generic-medical-image",
        "description": "Any image. What is uploaded to an archive without saying more comes here.",
        "kind": "IMG",
        "relative_path": "images/generic-medical-image",
    },
    {
        "title": "Generic Overlay",
        "slug": "generic-overlay",
        "description": "Any overlay of numbers, such as the probabilities that a model gives.",
        "kind": "HMAP",
        "relative_path": "images/generic-overlay",
        "look_up_table": "hot",
    },
    {
        "title": "Results JSON File",
        "slug": "results-json-file",
        "description": "What an algorithm found.",
        "kind": "JSON",
        "relative_path": "results.json",
        "reserved": True,
    },
    {
        "title": "Predictions JSON File",
        "slug": "predictions-json-file",
        "description": "Predictions that a challenge evaluates.",
        "kind": "JSON",
        "relative_path": "predictions.json",
        "reserved": True,
    },
    {
        "title": "Predictions CSV File",
        "slug": "predictions-csv-file",
        "description": "Predictions that a challenge evaluates.",
        "kind": "CSV",
        "relative_path": "predictions.csv",
        "reserved": True,
    },
    {
        "title": "Predictions ZIP File",
        "slug": "predictions-zip-file",
        "description": "Predictions that a challenge evaluates.",
        "kind": "ZIP",
        "relative_path": "predictions.zip",
        "reserved": True,
    },
    {
        "title": "Metrics JSON File",
        "slug": "metrics-json-file",
        "description": "What the evaluation of a challenge gives.",
        "kind": "JSON",
        "relative_path": "metrics.json",
        "reserved": True,
    },
]
TABLES: list[dict[str, Any]] = [
    {
        "slug": "grey",
        "title": "Grey",
        "description": "From black to white.",
        "color": "[0 0 0 0, 255 255 255 4095]",
        "color_invert": "[255 255 255 0, 0 0 0 4095]",
        "alpha": "[1 0, 1 4095]",
        "alpha_invert": "[1 0, 1 4095]",
    },
    {
        "slug": "hot",
        "title": "Hot",
        "description": "From nothing over red and yellow to white: for probabilities over a grey image.",
        "color": "[0 0 0 0, 230 0 0 1365, 255 210 0 2730, 255 255 255 4095]",
        "color_invert": "[255 255 255 0, 255 210 0 1365, 230 0 0 2730, 0 0 0 4095]",
        "alpha": "[0 0, 0.6 1365, 0.8 2730, 1 4095]",
        "alpha_invert": "[1 0, 0.8 1365, 0.6 2730, 0 4095]",
        "relative": True,
    },
]


def make(apps: Any, editor: Any) -> None:
    table_model = apps.get_model("sockets", "LookUpTable")
    socket_model = apps.get_model("sockets", "Socket")
    tables = {row["slug"]: table_model.objects.create(**row) for row in TABLES}
    for row in SOCKETS:
        table = tables[row["look_up_table"]] if "look_up_table" in row else None
        socket_model.objects.create(**{**row, "store_in_database": False, "look_up_table": table})


class Migration(migrations.Migration):
    dependencies = [("sockets", "0002_values_never_change")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
