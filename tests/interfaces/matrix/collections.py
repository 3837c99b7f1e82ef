"""Collections: Alice's private one, shared with Bob; her public one, which Edith edits; a locked one."""

from medtheca.domains.collections.batches import send_named
from medtheca.domains.collections.enums import BatchAction
from medtheca.domains.collections.operations import set_locked
from medtheca.domains.collections.sharing import share
from tests.factories.collections import make_collection
from tests.interfaces.matrix import LOGIN, Row, cells, everybody, people, staff

# Charlie, Rita: strangers to the private one. Bob is shown it. Edith is a stranger there, and edits the public one.
_SEEN = cells(404, 404, 200, 404, 200, 404, 200)


def _private(method, rest, alice, *, nobody=401, bob=403, sam=None, data=None, more=""):
    """An address below the private collection: Bob sees it and may not, Alice and the staff may."""
    return Row(
        method,
        f"api/v2/collections/<int:collection_id>/{rest}",
        cells(nobody, 404, bob, 404, alice, 404, alice if sam is None else sam),
        address="api/v2/collections/{shared}/" + (more or rest),
        data=data,
    )


def _public(method, rest, status, *, edith, alice=None, data=None):
    """An address below the public collection: everybody sees it; Edith edits, Alice owns."""
    return Row(
        method,
        f"api/v2/collections/<int:collection_id>/{rest}",
        cells(401, 403, 403, edith, status if alice is None else alice, 403, status),
        address="api/v2/collections/{listed}/" + rest,
        data=data,
    )


def _ids(world):
    return {"isic_ids": [world.names["public"]]}


ROWS = [
    # Pinned images: the staff's alone; others know that there are such by the order of lists.
    staff("staff/pins/"),
    staff("staff/pins/", 302, method="POST", data=lambda world: {"action": "pin", "image": world.names["public"]}),
    staff("staff/pins/", 409, method="POST", data={"action": "pin", "image": "ISIC_0000000"}),
    Row(
        "POST",
        "api/v2/images/<isic_id>/set-pinned/",
        cells(401, 403, 403, 403, 403, 403, 200),
        address="api/v2/images/{public}/set-pinned/",
        data={"pinned": True},
    ),
    Row(
        "POST",
        "api/v2/images/<isic_id>/set-pinned/",
        cells(401, 404, 403, 403, 403, 403, 400),
        address="api/v2/images/{private}/set-pinned/",
        data={"pinned": True},
    ),
    Row(
        "POST",
        "api/v2/images/pins/reorder/",
        cells(401, 403, 403, 403, 403, 403, 400),
        data={"order": ["ISIC_0000000"]},
    ),
    Row("POST", "api/v2/images/pins/reorder/", cells(401, 403, 403, 403, 403, 403, 200), data={"order": []}),
    # Pages.
    everybody("collections/"),
    everybody("collections/", address="collections/?view=mine"),
    people("collections/new/"),
    people("collections/new/", 302, method="POST", data={"name": "New"}),
    people("collections/add/", address="collections/add/?image={public}"),
    people("collections/add/", address="collections/add/?sex=male"),
    Row(
        "GET",
        "collections/add/",
        # Bob sees it through the collection that is shared with him.
        cells(LOGIN, 404, 200, 200, 200, 200, 200),
        address="collections/add/?image={private}",
    ),
    people(
        "collections/add/",
        302,
        method="POST",
        address="collections/add/?image={public}",
        data={"collection": "new", "name": "New"},
    ),
    # Whoever may not edit it is not offered it.
    Row(
        "POST",
        "collections/add/",
        cells(LOGIN, 200, 200, 302, 302, 200, 200),
        address="collections/add/?image={public}",
        data=lambda world: {"collection": str(world.names["listed"])},
    ),
    Row("GET", "collections/<int:collection_id>/", _SEEN, address="collections/{shared}/"),
    everybody("collections/<int:collection_id>/", address="collections/{listed}/"),
    Row(
        "POST",
        "collections/<int:collection_id>/",
        cells(LOGIN, 403, 403, 403, 302, 403, 302),
        address="collections/{listed}/",
        data={"action": "lock"},
    ),
    Row(
        "POST",
        "collections/<int:collection_id>/",
        cells(LOGIN, 403, 403, 403, 403, 403, 302),
        address="collections/{listed}/",
        data={"action": "pin"},
    ),
    Row(
        "POST",
        "collections/<int:collection_id>/",
        cells(LOGIN, 403, 403, 302, 302, 403, 302),
        address="collections/{listed}/",
        data=lambda world: {"action": "remove", "image": world.names["public"]},
    ),
    Row(
        "POST",
        "collections/<int:collection_id>/",
        # It is shared with Bob alone, and its owner cannot leave it.
        cells(404, 404, 302, 404, 404, 404, 404),
        address="collections/{shared}/",
        data={"action": "leave"},
    ),
    *(
        Row(
            method,
            f"collections/<int:collection_id>/{verb}/",
            cells(LOGIN, 403, 403, edith, status, 403, status),
            address=f"collections/{{listed}}/{verb}/",
            data=data,
        )
        for method, verb, edith, status, data in (
            ("GET", "edit", 200, 200, None),
            ("POST", "edit", 302, 302, {"name": "Other", "description": "Other", "public": "on"}),
            ("GET", "people", 403, 200, None),
            ("GET", "delete", 403, 200, None),
            ("POST", "delete", 403, 302, {"confirmation": "Public"}),
        )
    ),
    Row(
        "GET",
        "collections/<int:collection_id>/people/",
        cells(LOGIN, 404, 403, 404, 200, 404, 200),
        address="collections/{shared}/people/",
    ),
    Row(
        "POST",
        "collections/<int:collection_id>/people/",
        cells(LOGIN, 404, 403, 404, 302, 404, 302),
        address="collections/{shared}/people/",
        data={"emails": "edith@example.org"},
    ),
    # The API.
    everybody("api/v2/collections/"),
    everybody("api/v2/collections/", address="api/v2/collections/?pinned=true&sort=name"),
    people("api/v2/collections/", 201, method="POST", data={"name": "New"}),
    people(
        "api/v2/collections/create-from-isic-ids/",
        202,
        method="POST",
        data=lambda world: {"name": "New", **_ids(world)},
    ),
    everybody("api/v2/collections/autocomplete/", address="api/v2/collections/autocomplete/?query=mol"),
    Row("GET", "api/v2/collections/<int:collection_id>/", _SEEN, address="api/v2/collections/{shared}/"),
    everybody("api/v2/collections/<int:collection_id>/", address="api/v2/collections/{listed}/"),
    everybody("api/v2/collections/<int:collection_id>/", 404, address="api/v2/collections/999999999/"),
    Row(
        "GET",
        "api/v2/collections/<int:collection_id>/attribution/",
        _SEEN,
        address="api/v2/collections/{shared}/attribution/",
    ),
    _private("PATCH", "", 200, data={"name": "Other"}),
    _public("PATCH", "", 200, edith=200, data={"description": "Other"}),
    _public("PATCH", "", 200, edith=403, data={"public": False}),
    _private("DELETE", "", 204),
    _public("DELETE", "", 204, edith=403),
    # Nobody changes what is locked, not even the staff.
    Row(
        "DELETE",
        "api/v2/collections/<int:collection_id>/",
        cells(401, 403, 403, 403, 409, 403, 409),
        address="api/v2/collections/{locked}/",
    ),
    _private("POST", "populate-from-list/", 200, data=_ids),
    _public("POST", "populate-from-list/", 200, edith=200, data=_ids),
    _private("POST", "remove-from-list/", 200, data=_ids),
    _public("POST", "remove-from-list/", 200, edith=200, data=_ids),
    _private("POST", "populate-from-isic-ids/", 202, data=_ids),
    _public("POST", "populate-from-isic-ids/", 202, edith=202, data=_ids),
    _private("POST", "populate-from-search/", 202, data={"query": ""}),
    _public("POST", "populate-from-search/", 202, edith=202, data={"query": ""}),
    _private("POST", "remove-from-search/", 202, data={"query": ""}),
    _public("POST", "remove-from-search/", 202, edith=202, data={"query": ""}),
    Row(
        "GET",
        "api/v2/collections/<int:collection_id>/batches/<uuidstr:batch_id>/",
        # Bob sees the collection, not what its owner is doing with it.
        cells(401, 404, 404, 404, 200, 404, 200),
        address="api/v2/collections/{shared}/batches/{batch}/",
    ),
    _public("POST", "set-pinned/", 200, edith=403, alice=403, data={"pinned": True}),
    _private("POST", "set-pinned/", 403, sam=400, data={"pinned": True}),
    _private("POST", "set-locked/", 200, data={"locked": True}),
    _public("POST", "set-locked/", 200, edith=403, data={"locked": True}),
    _private("POST", "share/", 202, data=lambda world: {"user_ids": [world.names["edith"]]}),
    _public("POST", "share/", 202, edith=403, data=lambda world: {"user_ids": [world.names["rita"]]}),
    Row(
        "POST",
        "api/v2/collections/<int:collection_id>/revoke/",
        # Bob leaves by himself.
        cells(401, 404, 200, 404, 200, 404, 200),
        address="api/v2/collections/{shared}/revoke/",
        data=lambda world: {"user_ids": [world.names["bob"]]},
    ),
    Row(
        "GET",
        "api/v2/collections/sharing-info/",
        cells(401, 404, 403, 404, 200, 404, 200),
        address="api/v2/collections/sharing-info/?collection_ids={shared}",
    ),
]


def prepare(world):
    alice, bob, sam = (world.people[name] for name in ("alice", "bob", "sam"))
    shared = make_collection(alice, [world.public, world.private], name="Moles")
    share(collection=shared, actor=sam, users=[bob], tell=False)
    listed = make_collection(alice, [world.public], name="Public", public=True, editors=[world.people["edith"]])
    locked = make_collection(alice, [world.public], name="Locked", public=True)
    set_locked(collection=locked, actor=alice, locked=True)
    batch = send_named(collection=shared, actor=alice, action=BatchAction.ADD, refs=["ISIC_0000000"])
    world.names |= {"shared": shared.pk, "listed": listed.pk, "locked": locked.pk, "batch": str(batch.pk)}
