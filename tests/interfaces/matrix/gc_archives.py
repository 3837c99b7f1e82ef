"""Archives in Grand Challenge's API; who is what in them is said in `archives.py`, whose world these rows use too."""

from medtheca.domains.archives.enums import IntakeState
from medtheca.domains.archives.models import Archive, Intake, ItemValue
from tests.factories.archives import image_socket
from tests.interfaces.matrix import Row, archives, cells, everybody

_NONE = "00000000-0000-0000-0000-000000000000"
_ITEM = "api/v1/archives/items/<uuidstr:item_id>/"
_READ = cells(404, 404, 200, 200, 200, 200, 200)
_VALUES = {"values": [{"interface": "matrix-score", "value": 0.5}]}


def _new_item(world):
    return {"archive": f"/api/v1/archives/{world.names['archive_key']}/"}


def _session(world):
    return {"uploads": [f"/api/v1/uploads/{_NONE}/"], "archive": world.names["archive"]}


ROWS = [
    everybody("api/v1/archives/"),
    Row(
        "GET",
        "api/v1/archives/<uuidstr:archive_id>/",
        cells(404, 404, 200, 200, 200, 200, 200),
        address="api/v1/archives/{archive_key}/",
    ),
    everybody("api/v1/archives/<uuidstr:archive_id>/", address="api/v1/archives/{open_archive_key}/"),
    everybody("api/v1/archives/items/"),
    # Of an archive that the caller is not in, a program learns what it learns of none: that there is nothing there.
    Row(
        "POST",
        "api/v1/archives/items/",
        cells(401, 400, 403, 201, 201, 403, 201),
        data=_new_item,
    ),
    Row("GET", _ITEM, _READ, address="api/v1/archives/items/{item}/"),
    Row(
        "PATCH", _ITEM, cells(401, 404, 403, 200, 200, 403, 200), address="api/v1/archives/items/{item}/", data=_VALUES
    ),
    Row("PUT", _ITEM, cells(401, 404, 403, 200, 200, 403, 200), address="api/v1/archives/items/{item}/", data=_VALUES),
    Row("DELETE", _ITEM, cells(401, 404, 403, 403, 204, 403, 204), address="api/v1/archives/items/{item}/", data={}),
    everybody("api/v1/cases/images/"),
    Row("GET", "api/v1/cases/images/<uuidstr:key>/", _READ, address="api/v1/cases/images/{archive_image}/"),
    Row("GET", "api/v1/cases/upload-sessions/", cells(401, 200, 200, 200, 200, 200, 200)),
    Row(
        "GET",
        "api/v1/cases/upload-sessions/<uuidstr:session_id>/",
        cells(401, 404, 404, 200, 200, 404, 200),
        address="api/v1/cases/upload-sessions/{session}/",
    ),
    # Who may upload there is told that there is no such upload; who may not, that they may not.
    Row(
        "POST",
        "api/v1/cases/upload-sessions/",
        cells(401, 400, 403, 400, 400, 403, 400),
        data=_session,
    ),
]


def prepare(world):
    archives.prepare(world)
    archive = Archive.objects.get(slug=world.names["archive"])
    session = Intake.objects.create(
        archive=archive, creator=world.people["edith"], socket=image_socket(), state=IntakeState.DONE
    )
    image = ItemValue.objects.get(item=world.names["item"], value__image__isnull=False).value.image
    world.names |= {
        "archive_key": archive.pk,
        "open_archive_key": Archive.objects.get(slug=world.names["open_archive"]).pk,
        "archive_image": image.key,
        "session": session.pk,
    }
