"""Pages of archives. Bob is a user of Alice's private one, Edith an uploader, Alice its editor; Rita may only look.

Charlie edits another archive, which is public, and is a stranger to this one.
"""

from medtheca.domains.archives.items import create_items, put_values, trash_items
from medtheca.domains.sockets.operations import create_value
from medtheca.workflows.archiving.value_sheets import check_values, give_values
from tests.factories.archives import image_socket, make_archive, make_socket
from tests.factories.images import make_images
from tests.factories.storage import keep
from tests.interfaces.matrix import LOGIN, Row, cells, everybody, people

# Charlie knows that a private archive exists, and that it may be asked for; of a hidden one he knows nothing.
_SEEN = cells(404, 200, 200, 200, 200, 200, 200)

# Below `items/`, in the order of the roles: onlookers see, users also take away, uploaders change, editors settle.
_LOOKS = cells(LOGIN, 403, 200, 200, 200, 200, 200)
_TAKES = cells(LOGIN, 403, 200, 200, 200, 403, 200)
_DESCRIBED = {"title": "Another", "shown": "private", "access_requests": "manual_review", "downloads": "on"}


def _changes(status, *, nobody=LOGIN):
    return cells(nobody, 403, 403, status, status, 403, status)


def _settles(status, *, nobody=LOGIN):
    return cells(nobody, 403, 403, 403, status, 403, status)


def _below(method, rest, given, *, more="", data=None):
    """An address below the private archive."""
    return Row(method, f"archives/<slug:slug>/{rest}", given, address="archives/{archive}/" + (more or rest), data=data)


def _of_item(method, rest, given, *, more="", data=None):
    """An address below an item of the private archive."""
    route = f"archives/<slug:slug>/items/<uuid:item_id>/{rest}"
    return Row(method, route, given, address="archives/{archive}/items/{item}/" + (more or rest), data=data)


def _of_import(method, rest, given, *, data=None):
    """An address below a spreadsheet of values for the private archive, which Edith gave."""
    route = f"archives/<slug:slug>/items/import/<uuid:import_id>/{rest}"
    return Row(method, route, given, address="archives/{archive}/items/import/{values_import}/" + rest, data=data)


def _api(method, rest, given, *, more="", data=None):
    """An address of the API below the private archive, which others are not told of."""
    route = f"api/v2/archives/<archive_ref>/{rest}"
    return Row(method, route, given, address="api/v2/archives/{archive}/" + (more or rest), data=data)


ROWS = [
    everybody("archives/"),
    everybody("archives/", address="archives/?q=ct&view=mine&modality=CT"),
    Row("GET", "archives/<slug:slug>/", _SEEN, address="archives/{archive}/"),
    everybody("archives/<slug:slug>/", address="archives/{open_archive}/"),
    Row("GET", "archives/<slug:slug>/", cells(404, 404, 200, 200, 200, 200, 200), address="archives/{hidden_archive}/"),
    everybody("archives/<slug:slug>/", 404, address="archives/nothing/"),
    _below("GET", "logo/", _SEEN),
    Row(
        "GET",
        "archives/<slug:slug>/logo/",
        cells(404, 404, 200, 200, 200, 200, 200),
        address="archives/{hidden_archive}/logo/?size=small",
    ),
    people("archives/new/"),
    people("archives/new/", 302, method="POST", data=_DESCRIBED | {"contributor": "new", "contributor_name": "Me"}),
    _below("GET", "settings/", _settles(200)),
    _below("POST", "settings/", _settles(302), data=_DESCRIBED),
    _below("GET", "settings/logo/", _settles(200)),
    _below("POST", "settings/logo/", _settles(302), data={"action": "remove"}),
    _below("GET", "activity/", _settles(200)),
    _below("GET", "export/", _TAKES),
    _below("GET", "export/images.csv", _TAKES),
    _below("GET", "export/manifest.csv", _TAKES),
    _below("GET", "items/", _LOOKS),
    _below("GET", "items/", _LOOKS, more="items/?view=pictures&q=matrix&sort=-matrix-score"),
    Row(
        "GET",
        "archives/<slug:slug>/items/",
        cells(LOGIN, 404, 200, 200, 200, 200, 200),
        address="archives/{hidden_archive}/items/",
    ),
    # Being an editor elsewhere, or finding a public archive, opens no items.
    Row(
        "GET",
        "archives/<slug:slug>/items/",
        cells(LOGIN, 200, 403, 403, 403, 403, 200),
        address="archives/{open_archive}/items/",
    ),
    _below("POST", "items/", _settles(302), data=lambda world: {"action": "trash", "item": world.names["item"]}),
    _below(
        "POST",
        "items/",
        _changes(302),
        data=lambda world: {
            "action": "set",
            "item": world.names["item"],
            "socket": "matrix-score",
            "value": "1",
        },
    ),
    _below("GET", "items/new/", _changes(200)),
    _below("POST", "items/new/", _changes(302), data={"title": "Another"}),
    _below("GET", "items/trash/", _settles(200)),
    _below(
        "POST",
        "items/trash/",
        _settles(302),
        data=lambda world: {"action": "restore", "item": world.names["trashed_item"]},
    ),
    _below("GET", "items/values.csv", _TAKES),
    _below("GET", "items/values.xlsx", _TAKES),
    _below("GET", "items/import/", _changes(200)),
    _below("POST", "items/import/", _changes(200), data={"reason": "No file"}),
    _of_import("GET", "", _changes(200)),
    _of_import("POST", "", _changes(302), data={"action": "apply"}),
    _of_import("POST", "", _changes(302), data={"action": "check"}),
    _of_import("POST", "", _changes(302), data={"action": "away"}),
    _of_import("GET", "errors.csv", _changes(200)),
    # Whoever uploads elsewhere reads nobody's spreadsheet at their own archive's address.
    Row(
        "GET",
        "archives/<slug:slug>/items/import/<uuid:import_id>/",
        cells(LOGIN, 404, 403, 403, 403, 403, 404),
        address="archives/{open_archive}/items/import/{values_import}/",
    ),
    _of_item("GET", "", _LOOKS),
    Row(
        "GET",
        "archives/<slug:slug>/items/<uuid:item_id>/",
        cells(LOGIN, 403, 404, 404, 404, 404, 404),
        address="archives/{archive}/items/{trashed_item}/",
    ),
    _of_item("POST", "", _changes(302), data={"action": "title", "title": "Other"}),
    _of_item("POST", "", _changes(302), data={"action": "remove", "socket": "matrix-score"}),
    _of_item("POST", "", _settles(302), data={"action": "trash"}),
    _of_item("GET", "value/", _changes(200)),
    _of_item("POST", "value/", _changes(302), more="value/?socket=matrix-score", data={"value": "0.5"}),
    # Alice owns the cohort of this image. Edith edits it in the world's cohort; nobody else here may pass it on.
    _of_item(
        "POST",
        "value/",
        cells(LOGIN, 403, 403, 302, 302, 403, 302),
        more="value/?socket=generic-medical-image",
        data=lambda world: {"value": world.names["private"]},
    ),
    _of_item("GET", "upload/", _changes(200)),
    _of_item("POST", "upload/", _changes(200), data={"socket": "nothing"}),
    # The API.
    everybody("api/v2/archives/"),
    everybody("api/v2/archives/", address="api/v2/archives/?q=ct&mine=true"),
    Row(
        "POST",
        "api/v2/archives/",
        # Alice owns the contributor, for which Edith is nobody; what she does not see is not there.
        cells(401, 404, 404, 404, 201, 404, 201),
        data=lambda world: {"title": "By API", "contributor": world.names["archive_contributor"]},
    ),
    _api("GET", "", cells(404, 404, 200, 200, 200, 200, 200)),
    everybody("api/v2/archives/<archive_ref>/", address="api/v2/archives/{open_archive}/"),
    _api("PATCH", "", cells(401, 404, 403, 403, 200, 403, 200), data={"description": "Other"}),
    _api("GET", "logo/", cells(404, 404, 200, 200, 200, 200, 200)),
    everybody("api/v2/archives/<archive_ref>/logo/", address="api/v2/archives/{open_archive}/logo/?size=small"),
    # What a decoder says of it is asked only for those who may.
    _api("PUT", "logo/", cells(401, 404, 403, 403, 400, 403, 400), data=("image/png", b"no picture")),
    _api("DELETE", "logo/", cells(401, 404, 403, 403, 200, 403, 200)),
    _api("GET", "items/", cells(401, 404, 200, 200, 200, 200, 200)),
    _api("POST", "items/", cells(401, 404, 403, 201, 201, 403, 201), data={"title": "By API"}),
    _api("GET", "items/<uuidstr:item_id>/", cells(401, 404, 200, 200, 200, 200, 200), more="items/{item}/"),
    _api(
        "PATCH",
        "items/<uuidstr:item_id>/",
        cells(401, 404, 403, 200, 200, 403, 200),
        more="items/{item}/",
        data={"values": {"matrix-score": 1.5}},
    ),
]


def prepare(world):
    charlie, bob, edith, alice, rita = (world.people[name] for name in ("charlie", "bob", "edith", "alice", "rita"))
    inside = {"uploaders": [edith], "users": [bob], "onlookers": [rita]}
    archive = make_archive(alice, title="Private CT", **inside)
    hidden = make_archive(alice, title="Hidden CT", hidden=True, **inside)
    public = make_archive(charlie, title="Public CT", public=True)
    score, report = make_socket("Matrix score"), make_socket("Matrix report", "PDF")
    item, trashed = create_items(archive=archive, creator=edith, titles=["Matrix", "Trashed"])
    (image,) = make_images(archive.cohort, 1)
    file = create_value(socket=report, creator=edith, blob=keep(b"%PDF-1.7\n%%EOF\n"), filename="report.pdf")
    held = [
        create_value(socket=score, creator=edith, value=0.25),
        create_value(socket=image_socket(), creator=edith, image=image),
    ]
    put_values(item=item, actor=edith, values=[file, *held])
    trash_items(archive=archive, actor=alice, item_ids=[trashed.pk])
    world.names |= {"item": str(item.pk), "trashed_item": str(trashed.pk), "file_value": file.pk}
    sheet = give_values(
        archive=archive, user=edith, name="v.csv", data=b"title,matrix-score\nMatrix,9\n", work_now=True
    )
    check_values(import_id=sheet.pk)
    world.names["values_import"] = str(sheet.pk)
    world.names["archive_contributor"] = archive.contributor_id
    world.names |= {"archive": archive.slug, "hidden_archive": hidden.slug, "open_archive": public.slug}
