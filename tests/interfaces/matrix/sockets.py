"""Sockets: everybody's are the staff's to define, an archive's its editors', and nobody else knows of those."""

from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.sockets.defining import define_socket
from medtheca.toolkit.sockets.definitions import Definition
from tests.factories.archives import make_archive
from tests.interfaces.matrix import LOGIN, Row, cells, everybody, people

# Of the archive Alice is owner, Edith an editor, Rita a user.
_SEEN = cells(404, 404, 404, 200, 200, 200, 200)
_NEW = {"title": "New", "kind": "FLT"}
_HERS = {"title": "New", "kind": "FLT", "archive": "sockets-of-hers"}
_FORM = {"title": "New", "kind": "FLT", "archive": ""}
_FORM_OF_HERS = {**_FORM, "archive": "sockets-of-hers"}


ROWS = [
    everybody("api/v1/components/interfaces/"),
    everybody("api/v1/components/interfaces/", address="api/v1/components/interfaces/?slug=generic-medical-image"),
    Row("GET", "api/v1/components/interfaces/<int:socket_id>/", _SEEN, address="api/v1/components/interfaces/{hers}/"),
    everybody("api/v1/components/interfaces/<int:socket_id>/", address="api/v1/components/interfaces/{common}/"),
    everybody("api/v1/components/interfaces/<int:socket_id>/", 404, address="api/v1/components/interfaces/99999999/"),
    everybody("api/v2/socket-kinds/"),
    everybody("api/v2/sockets/"),
    everybody("api/v2/sockets/", address="api/v2/sockets/?query=score&kind=FLT"),
    Row(
        "GET",
        "api/v2/sockets/",
        cells(404, 404, 404, 200, 200, 200, 200),
        address="api/v2/sockets/?archive=sockets-of-hers",
    ),
    Row("POST", "api/v2/sockets/", cells(401, 403, 403, 403, 403, 403, 201), data=_NEW),
    Row("POST", "api/v2/sockets/", cells(401, 404, 404, 201, 201, 403, 201), data=_HERS),
    people("api/v2/sockets/", 422, method="POST", data={}),
    Row("GET", "api/v2/sockets/<slug>/", _SEEN, address="api/v2/sockets/hers/"),
    everybody("api/v2/sockets/<slug>/", address="api/v2/sockets/generic-overlay/"),
    Row(
        "PATCH",
        "api/v2/sockets/<slug>/",
        cells(401, 404, 404, 200, 200, 403, 200),
        address="api/v2/sockets/hers/",
        data={"description": "New"},
    ),
    Row(
        "PATCH",
        "api/v2/sockets/<slug>/",
        cells(401, 403, 403, 403, 403, 403, 200),
        address="api/v2/sockets/generic-overlay/",
        data={"description": "New"},
    ),
    Row(
        "POST",
        "api/v2/sockets/<slug>/check/",
        cells(401, 404, 404, 200, 200, 200, 200),
        address="api/v2/sockets/hers/check/",
        data={"value": 1},
    ),
    Row(
        "POST",
        "api/v2/sockets/<slug>/check/",
        cells(401, 404, 404, 400, 400, 400, 400),
        address="api/v2/sockets/hers/check/",
        data={"value": "one"},
    ),
    people(
        "api/v2/sockets/<slug>/check/",
        400,
        method="POST",
        address="api/v2/sockets/generic-overlay/check/",
        data={"value": 1},
    ),
    # Pages.
    everybody("sockets/"),
    everybody("sockets/", address="sockets/?q=hers&kind=FLT"),
    Row("GET", "sockets/", cells(404, 404, 404, 200, 200, 200, 200), address="sockets/?archive=sockets-of-hers"),
    Row("GET", "sockets/<slug>/", _SEEN, address="sockets/hers/"),
    everybody("sockets/<slug>/", address="sockets/generic-overlay/"),
    everybody("sockets/<slug>/", address="sockets/metrics-json-file/"),
    Row("GET", "sockets/new/", cells(LOGIN, 403, 403, 200, 200, 403, 200)),
    Row(
        "GET",
        "sockets/new/",
        cells(LOGIN, 404, 404, 200, 200, 403, 200),
        address="sockets/new/?archive=sockets-of-hers",
    ),
    # For editors of one archive the form offers nothing else, so that what it did not offer is a mistake in it.
    Row("POST", "sockets/new/", cells(LOGIN, 403, 403, 200, 200, 403, 302), data=_FORM),
    Row("POST", "sockets/new/", cells(LOGIN, 403, 403, 302, 302, 403, 302), data=_FORM_OF_HERS),
    Row("GET", "sockets/<slug>/edit/", cells(LOGIN, 404, 404, 200, 200, 403, 200), address="sockets/hers/edit/"),
    Row(
        "POST",
        "sockets/<slug>/edit/",
        cells(LOGIN, 404, 404, 302, 302, 403, 302),
        address="sockets/hers/edit/",
        data={"title": "Hers"},
    ),
    Row(
        "POST",
        "sockets/<slug>/edit/",
        cells(LOGIN, 403, 403, 403, 403, 403, 302),
        address="sockets/score/edit/",
        data={"title": "Score"},
    ),
]


def prepare(world):
    alice = world.people["alice"]
    archive = make_archive(alice, title="Sockets of hers")
    add_member(scope=archive.scope, user=world.people["edith"], role=Role.EDITOR)
    add_member(scope=archive.scope, user=world.people["rita"], role=Role.VIEWER)
    hers = define_socket(creator=alice, definition=Definition("Hers", "FLT"), scope=archive.scope)
    common = define_socket(creator=world.people["sam"], definition=Definition("Score", "FLT"))
    world.names |= {"hers": hers.pk, "common": common.pk}
