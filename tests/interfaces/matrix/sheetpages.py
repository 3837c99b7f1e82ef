"""Spreadsheets, correcting an image, and dry runs.

A person's own dry run is theirs alone; that of nobody in particular is opened by its random id.
"""

import io
from datetime import timedelta

from medtheca.base.clock import now
from medtheca.domains.provenance.models import Accession
from medtheca.domains.trials.models import Inspection
from medtheca.workflows.describe import describe_file, give_metadata
from tests.interfaces.matrix import LOGIN, Row, cells, editors, everybody, members


def _files(_world):
    file = io.BytesIO(b"filename,sex\nphoto.jpg,male\n")
    file.name = "values.csv"
    return {"files": [file]}


def _correct(image, method, status):
    """Who may not correct a public image is told so; a private one is not there for strangers."""
    stranger = 403 if image == "public" else 404
    given = cells(LOGIN, stranger, stranger, status, status, 403, status)
    data = {"sex": "female", "reason": "Mistyped."} if method == "POST" else None
    return Row(method, "images/<str:ref>/correct/", given, address=f"images/{{{image}}}/correct/", data=data)


_HERS = cells(404, 404, 404, 404, 200, 404, 404)

_FILE = "metadata-files/<int:file_id>/"

ROWS = [
    members("cohorts/<int:cohort_id>/metadata-files/", address="cohorts/{cohort}/metadata-files/"),
    *(
        editors(f"{_FILE}{step}/", address=f"metadata-files/{{sheet}}/{step}/")
        for step in ("columns", "names", "problems", "preview", "undo")
    ),
    editors(f"{_FILE}errors.csv", address="metadata-files/{sheet}/errors.csv"),
    editors(f"{_FILE}columns/", 302, method="POST", address="metadata-files/{sheet}/columns/", data={}),
    # Nothing is chosen and no cell is changed: the page says so.
    editors(f"{_FILE}names/", 200, method="POST", address="metadata-files/{sheet}/names/", data={}),
    editors(f"{_FILE}problems/", 400, method="POST", address="metadata-files/{sheet}/problems/", data={}),
    editors(f"{_FILE}check/", 302, method="POST", address="metadata-files/{sheet}/check/"),
    editors(f"{_FILE}apply/", 302, method="POST", address="metadata-files/{sheet}/apply/"),
    # It was never applied.
    editors(f"{_FILE}undo/", 409, method="POST", address="metadata-files/{sheet}/undo/"),
    editors(f"{_FILE}discard/", 302, method="POST", address="metadata-files/{sheet}/discard/"),
    _correct("public", "GET", 200),
    _correct("private", "GET", 200),
    _correct("public", "POST", 302),
    _correct("private", "POST", 302),
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
    """A spreadsheet that is ready; Alice's dry run, and one of nobody in particular."""
    name = Accession.objects.get(pk=world.names["accession"]).name
    sheet = give_metadata(
        user=world.people["alice"],
        cohort_id=world.cohort.pk,
        name="sheet.csv",
        data=f"filename,sex\n{name},male\n".encode(),
        apply_when_ready=False,
    )
    describe_file(file_id=sheet.pk)
    world.names["sheet"] = sheet.pk
    report = {"clean": True, "counts": {}, "refused": [], "files": [], "metadata": None}
    for name, owner in (("inspection", world.people["alice"]), ("strangers_inspection", None)):
        world.names[name] = str(
            Inspection.objects.create(
                owner=owner,
                given=[{"name": "a.jpg", "size": 1, "is_sheet": False}],
                size=1,
                state="done",
                report=report,
                expires=now() + timedelta(hours=1),
            ).pk
        )
