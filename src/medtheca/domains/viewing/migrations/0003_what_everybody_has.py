"""The built-in viewer, window presets as radiologists know them, and plain hanging protocols and a configuration."""

from typing import Any

from django.db import migrations

VIEWERS = [
    {
        "slug": "medtheca-viewer",
        "title": "Medtheca viewer",
        "description": "Shows volumes, slides and photographs in the browser; nothing has to be installed or started.",
        "built_in": True,
    }
]
PRESETS: list[dict[str, Any]] = [
    {"slug": "ct-lung", "title": "CT lung", "description": "Airways, vessels and lung tissue.", "c": -600, "w": 1500},
    {"slug": "ct-abdomen", "title": "CT abdomen", "description": "Soft tissue of the abdomen.", "c": 40, "w": 400},
    {"slug": "ct-bone", "title": "CT bone", "description": "Cortical and spongy bone.", "c": 400, "w": 1800},
    {"slug": "ct-brain", "title": "CT brain", "description": "Grey and white matter.", "c": 40, "w": 80},
    {"slug": "ct-mediastinum", "title": "CT mediastinum", "description": "Heart, vessels, nodes.", "c": 50, "w": 350},
    {
        "slug": "percentiles-2-98",
        "title": "Percentiles 2 to 98",
        "description": "What lies between two hundredths at either end. For MR, whose numbers have no unit.",
        "lower_percentile": 2,
        "upper_percentile": 98,
    },
]
_PANEL = {"fullsizable": True, "selectable": True, "draggable": False, "order": 0}


def _panel(name: str, x: int, y: int, w: int, h: int, **more: Any) -> dict[str, Any]:
    return {"viewport_name": name, "x": x, "y": y, "w": w, "h": h, **_PANEL, **more}


PROTOCOLS: list[dict[str, Any]] = [
    {
        "slug": "one-panel",
        "title": "One panel",
        "description": "One image, as large as the window.",
        "json": [_panel("main", 0, 0, 1, 1)],
    },
    {
        "slug": "two-side-by-side",
        "title": "Two side by side",
        "description": "Two images of one case: two dates, two sequences, two projections.",
        "json": [
            _panel("main", 0, 0, 1, 1, linkable=True),
            _panel("secondary", 1, 0, 1, 1, linkable=True),
        ],
    },
    {
        "slug": "four-panels",
        "title": "Four panels",
        "description": "Two rows of two images.",
        "json": [
            _panel("main", 0, 0, 1, 1, linkable=True),
            _panel("secondary", 1, 0, 1, 1, linkable=True),
            _panel("tertiary", 0, 1, 1, 1, linkable=True),
            _panel("quaternary", 1, 1, 1, 1, linkable=True),
        ],
    },
    {
        "slug": "axial-coronal-sagittal",
        "title": "Axial, coronal, sagittal",
        "description": "One volume cut along three planes; lines show where the axial slice lies in the other two.",
        "json": [
            _panel("main", 0, 0, 2, 2, orientation="axial", label="Axial", show_current_slice=True),
            _panel(
                "secondary", 2, 0, 1, 1, orientation="coronal", label="Coronal", slice_plane_indicator="main"
            ),
            _panel(
                "tertiary", 2, 1, 1, 1, orientation="sagittal", label="Sagittal", slice_plane_indicator="main"
            ),
        ],
    },
    {
        "slug": "slide-with-overview",
        "title": "Slide with overview",
        "description": "A slide with the whole of it small in a corner.",
        "json": [
            _panel("main", 0, 0, 10, 10, order=1, scalebar_visible=True),
            {
                **_panel("overview", 8, 0, 2, 2, order=0, fullsizable=False),
                "specialized_view": "minimap",
                "parent_id": "main",
            },
        ],
    },
]


def make(apps: Any, schema_editor: object) -> None:  # noqa: ARG001 - Django passes it
    viewers, presets, protocols, configurations = (
        apps.get_model("viewing", name) for name in ("Viewer", "WindowPreset", "HangingProtocol", "ViewerConfiguration")
    )
    for row in VIEWERS:
        viewers.objects.create(**row)
    made = []
    for row in PRESETS:
        numbers = {"center": row["c"], "width": row["w"]} if "c" in row else {}
        kept = {name: value for name, value in row.items() if name not in ("c", "w")}
        made.append(presets.objects.create(**kept, **numbers))
    for row in PROTOCOLS:
        protocols.objects.create(**row)
    configuration = configurations.objects.create(
        slug="default",
        title="Default",
        description="All tools but those for special purposes, and the usual window presets.",
    )
    configuration.window_presets.set(made)
    tables = apps.get_model("sockets", "LookUpTable").objects.all()
    configuration.overlay_luts.set(tables)


class Migration(migrations.Migration):
    dependencies = [("viewing", "0002_look_up_tables")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
