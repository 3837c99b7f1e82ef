"""Metadata files by API, corrections of one image, and its versions."""

from medtheca.domains.metadata.models import MetadataFile, SheetRow
from medtheca.domains.provenance.models import Accession
from tests.factories.storage import keep
from tests.interfaces.matrix import Row, cells, editors, everybody, members

_FILE = "api/v2/metadata-files/<int:file_id>/"
_CORRECTION = {"metadata": {"sex": "female"}, "reason": "The pathologist looked again."}


def _file(verb, status, *, file="ready_file", method="POST", data=None):
    return editors(
        f"{_FILE}{verb}", status, method=method, address=f"api/v2/metadata-files/{{{file}}}/{verb}", data=data
    )


ROWS = [
    editors(_FILE, 204, method="DELETE", address="api/v2/metadata-files/{ready_file}/"),
    _file("mapping/", 202, method="PUT", data={"mapping": {"sex": {"ignore": True}}}),
    _file("matches/", 202, method="PUT", data={"matches": {"nobody": None}}),
    _file("edits/", 202, data={"cells": {"2": {"sex": "male"}}}),
    _file("replacements/", 202, data={"column": "sex", "old": "x", "new": "male"}),
    _file("errors.csv", 200, method="GET"),
    _file("check/", 202),
    _file("preview/", 200, method="GET"),
    _file("problems/", 200, method="GET"),
    _file("apply/", 202),
    _file("apply/", 409, file="file"),
    _file("undo/", 202, file="file"),
    _file("undo/", 409),
    everybody("api/v2/metadata-fields/"),
    everybody("api/v2/metadata-fields/template.csv"),
    everybody("api/v2/images/<isic_id>/metadata-versions/", address="api/v2/images/{public}/metadata-versions/"),
    Row(
        "GET",
        "api/v2/images/<isic_id>/metadata-versions/",
        cells(404, 404, 404, 200, 200, 200, 200),
        address="api/v2/images/{private}/metadata-versions/",
    ),
    # Everybody sees a public image, so whoever may not change it is told so.
    Row(
        "PATCH",
        "api/v2/images/<isic_id>/metadata/",
        cells(401, 403, 403, 200, 200, 403, 200),
        address="api/v2/images/{public}/metadata/",
        data=_CORRECTION,
    ),
    Row(
        "PATCH",
        "api/v2/images/<isic_id>/metadata/",
        cells(401, 403, 403, 400, 400, 403, 400),
        address="api/v2/images/{public}/metadata/",
        data={"metadata": {"sex": "female"}},
    ),
    editors(
        "api/v2/images/<isic_id>/metadata/",
        method="PATCH",
        address="api/v2/images/{private}/metadata/",
        data=_CORRECTION,
    ),
    editors(
        "api/v2/accessions/<int:accession_id>/metadata/",
        method="PATCH",
        address="api/v2/accessions/{accession}/metadata/",
        data=_CORRECTION,
    ),
    members(
        "api/v2/accessions/<int:accession_id>/metadata-versions/",
        address="api/v2/accessions/{accession}/metadata-versions/",
    ),
]


def prepare(world):
    """A sheet that was checked and waits."""
    file = MetadataFile.objects.create(
        cohort=world.cohort,
        creator=world.people["alice"],
        name="ready.csv",
        blob=keep(b"filename,sex\na,x\n"),
        state="ready",
        rows=1,
        report={"columns": [{"column": "filename"}, {"column": "sex"}], "changing": 1},
    )
    SheetRow.objects.create(
        file=file,
        line=2,
        name="a",
        accession=Accession.objects.get(pk=world.names["accession"]),
        structured={"sex": [None, "male"]},
    )
    world.names["ready_file"] = file.pk
