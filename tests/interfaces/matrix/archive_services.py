"""What items of archives are used for; who is what in them is said in `archives.py`, whose world these rows use too."""

from tests.interfaces.matrix import LOGIN, Row, archives, cells, everybody

# Users and whoever is more may; Rita only looks, and Charlie is a stranger to this private archive.
_TAKES = cells(LOGIN, 403, 200, 200, 200, 403, 200)
_SERVICE = "api/v2/archives/<archive_ref>/services/<service>/"


def _service(name, given, data):
    return Row("POST", _SERVICE, given, address=f"api/v2/archives/{{archive}}/services/{name}/", data=data)


ROWS = [
    Row("GET", "archives/<slug:slug>/collect/", _TAKES, address="archives/{archive}/collect/"),
    Row("GET", "archives/<slug:slug>/collect/", _TAKES, address="archives/{archive}/collect/?q=has:matrix-score"),
    Row(
        "GET",
        "archives/<slug:slug>/collect/",
        cells(LOGIN, 404, 200, 200, 200, 403, 200),
        address="archives/{hidden_archive}/collect/",
    ),
    # Ticked items are shown once more; what is sent then makes the collection.
    Row(
        "POST",
        "archives/<slug:slug>/collect/",
        _TAKES,
        address="archives/{archive}/collect/",
        data=lambda world: {"item": world.names["item"]},
    ),
    Row(
        "POST",
        "archives/<slug:slug>/collect/",
        cells(LOGIN, 403, 302, 302, 302, 403, 302),
        address="archives/{archive}/collect/",
        data=lambda world: {"items": world.names["item"], "collection": "new", "name": "Of the matrix"},
    ),
    Row(
        "GET",
        "api/v2/archives/<archive_ref>/services/",
        cells(404, 404, 200, 200, 200, 200, 200),
        address="api/v2/archives/{archive}/services/",
    ),
    everybody("api/v2/archives/<archive_ref>/services/", address="api/v2/archives/{open_archive}/services/"),
    Row(
        "GET",
        "api/v2/archives/<archive_ref>/uses/",
        cells(401, 404, 200, 200, 200, 200, 200),
        address="api/v2/archives/{archive}/uses/",
    ),
    Row(
        "GET",
        "api/v2/archives/<archive_ref>/uses/",
        cells(401, 200, 403, 403, 403, 403, 200),
        address="api/v2/archives/{open_archive}/uses/",
    ),
    _service("collection", cells(401, 404, 202, 202, 202, 403, 202), {"name": "Of the matrix"}),
    _service("reader_study", cells(401, 404, 403, 403, 409, 403, 409), {}),
    _service("algorithm", cells(401, 404, 403, 403, 409, 403, 409), {}),
    _service("challenge_phase", cells(401, 404, 403, 403, 409, 403, 409), {}),
]


def prepare(world):
    archives.prepare(world)
