"""Dry runs. A person's own is theirs alone; that of nobody in particular is opened by its random id."""

import io

from django.utils import timezone

from medtheca.domains.trials.models import Inspection
from tests.interfaces.matrix import Row, cells, everybody


def _files(_world):
    file = io.BytesIO(b"filename,sex\nphoto.jpg,male\n")
    file.name = "values.csv"
    return {"files": [file]}


_HERS = cells(404, 404, 404, 404, 200, 404, 404)

ROWS = [
    everybody("inspect/"),
    everybody("inspect/", 302, method="POST", data=_files),
    everybody("inspect/<uuid:inspection_id>/", address="inspect/{strangers_inspection}/"),
    Row("GET", "inspect/<uuid:inspection_id>/", _HERS, address="inspect/{inspection}/"),
    everybody("inspect/<uuid:inspection_id>/verdicts.csv", address="inspect/{strangers_inspection}/verdicts.csv"),
    Row("GET", "inspect/<uuid:inspection_id>/verdicts.csv", _HERS, address="inspect/{inspection}/verdicts.csv"),
    # JSON has no files: the request is understood, and refused for want of any.
    everybody("api/v2/inspections/", 400, method="POST", data={}),
    everybody("api/v2/inspections/<uuidstr:inspection_id>/", address="api/v2/inspections/{strangers_inspection}/"),
    Row("GET", "api/v2/inspections/<uuidstr:inspection_id>/", _HERS, address="api/v2/inspections/{inspection}/"),
]


def prepare(world):
    """Alice's dry run, and one of nobody in particular."""
    report = {"clean": True, "counts": {}, "refused": [], "files": [], "metadata": None}
    for name, owner in (("inspection", world.people["alice"]), ("strangers_inspection", None)):
        world.names[name] = str(
            Inspection.objects.create(
                owner=owner,
                given=[{"name": "a.jpg", "size": 1, "is_sheet": False}],
                size=1,
                state="done",
                report=report,
                expires=timezone.now() + timezone.timedelta(hours=1),
            ).pk
        )
