"""How items are shown: everybody reads it, whoever is signed in makes some and changes theirs; viewers, the staff."""

from medtheca.domains.viewing.operations import (
    create_configuration,
    create_hanging_protocol,
    create_look_up_table,
    create_window_preset,
    register_viewer,
)
from tests.interfaces.matrix import LOGIN, Row, cells, everybody, people

_PANELS = [{"viewport_name": "main"}]
_INTERPOLATION = {"default_image_interpolation": "CU", "default_overlay_interpolation": "NN"}
_TABLE = {"color": "[0 0 0 0, 255 210 0 4095]", "alpha": "[0 0, 1 4095]"}
_RANGE = {"range_min": "0", "range_max": "4095"}
_MIXED = {"color_interpolation": "RGB", "color_interpolation_invert": "RGB"}
_ADDRESS = "https://viewer.example.org/?item={item}"
# Alice made them.
_CHANGED = cells(401, 403, 403, 403, 200, 403, 200)
_DELETED = cells(401, 403, 403, 403, 204, 403, 204)
_STAFF = cells(401, 403, 403, 403, 403, 403, 200)


def _api(plural, slug, new, changes, *, made=None):
    route = f"api/v2/{plural}/<slug>/"
    return [
        everybody(f"api/v2/{plural}/"),
        everybody(f"api/v2/{plural}/", address=f"api/v2/{plural}/?mine=true&query=none"),
        Row("POST", f"api/v2/{plural}/", made or cells(401, *(201,) * 6), data=new),
        people(f"api/v2/{plural}/", 422, method="POST", data={}),
        everybody(route, address=f"api/v2/{plural}/{slug}/"),
        everybody(route, 404, address=f"api/v2/{plural}/nothing/"),
        Row("PATCH", route, _CHANGED if made is None else _STAFF, address=f"api/v2/{plural}/{slug}/", data=changes),
        Row(
            "DELETE",
            route,
            _DELETED if made is None else cells(401, 403, 403, 403, 403, 403, 204),
            address=f"api/v2/{plural}/{slug}/",
        ),
    ]


_FORM = {"title": "New", "description": ""}
_PANELS_TEXT = '[{"viewport_name": "main"}]'


def _pages(plural, *, new, shown=True):
    """A catalogue, making one, and what only Alice, who made it, and the staff may do."""
    shows = [
        everybody(f"{plural}/<slug:slug>/", address=f"{plural}/hers/"),
        everybody(f"{plural}/<slug:slug>/", 404, address=f"{plural}/nothing/"),
    ]
    return [
        everybody(f"{plural}/"),
        everybody(f"{plural}/", address=f"{plural}/?q=her&view=mine"),
        *(shows if shown else []),
        people(f"{plural}/new/"),
        people(f"{plural}/new/", 302, method="POST", data=new),
        people(f"{plural}/new/", method="POST", data={"title": ""}),
        *(
            Row(
                method,
                f"{plural}/<slug:slug>/{verb}/",
                cells(LOGIN, 403, 403, 403, status, 403, status),
                address=f"{plural}/hers/{verb}/",
                data=data,
            )
            for method, verb, status, data in (
                ("GET", "edit", 200, None),
                ("POST", "edit", 302, new),
                ("GET", "delete", 200, None),
                ("POST", "delete", 302, {"confirmation": "Hers"}),
            )
        ),
    ]


def _viewer_page(method, verb, status, data=None, *, rest="<slug:slug>/", which="elsewhere/"):
    return Row(
        method,
        f"viewers/{rest}{verb}/",
        cells(LOGIN, 403, 403, 403, 403, 403, status),
        address=f"viewers/{which}{verb}/",
        data=data,
    )


ROWS = [
    everybody("viewing/"),
    *_pages("hanging-protocols", new={**_FORM, "json": _PANELS_TEXT}),
    people("hanging-protocols/check/", method="POST", data={"json": _PANELS_TEXT}),
    people("hanging-protocols/check/", method="POST", data={"json": "[{"}),
    *_pages("viewer-configurations", new={**_FORM, "ghosting_slice_depth": "3", **_INTERPOLATION}),
    *_pages("window-presets", new={**_FORM, "center": "1", "width": "2"}, shown=False),
    *_pages("look-up-tables", new={**_FORM, **_TABLE, **_RANGE, **_MIXED}, shown=False),
    people("look-up-tables/check/", method="POST", data=_TABLE),
    people("look-up-tables/check/", method="POST", data={"color": "[0"}),
    everybody("viewers/"),
    _viewer_page("GET", "new", 200, rest="", which=""),
    _viewer_page("POST", "new", 302, {**_FORM, "address": _ADDRESS}, rest="", which=""),
    _viewer_page("GET", "edit", 200),
    _viewer_page("POST", "edit", 302, {**_FORM, "address": _ADDRESS}),
    _viewer_page("GET", "delete", 200),
    _viewer_page("POST", "delete", 302, {"confirmation": "Elsewhere"}),
    *_api("hanging-protocols", "hers", {"title": "New", "json": _PANELS}, {"title": "Other"}),
    *_api("viewer-configurations", "hers", {"title": "New"}, {"link_images": False}),
    *_api("window-presets", "hers", {"title": "New", "center": 1, "width": 2}, {"center": 3}),
    *_api("look-up-tables", "hers", {"title": "New", **_TABLE}, {"range_max": 100}),
    *_api(
        "viewers",
        "elsewhere",
        {"title": "New", "address": _ADDRESS},
        {"title": "Other"},
        made=cells(401, 403, 403, 403, 403, 403, 201),
    ),
    Row(
        "DELETE",
        "api/v2/viewers/<slug>/",
        cells(401, 403, 403, 403, 403, 403, 409),
        address="api/v2/viewers/medtheca-viewer/",
    ),
    # What came with the archive is the staff's, and what is in use stays.
    Row(
        "DELETE",
        "api/v2/window-presets/<slug>/",
        cells(401, 403, 403, 403, 403, 403, 409),
        address="api/v2/window-presets/ct-lung/",
    ),
    Row(
        "DELETE",
        "api/v2/look-up-tables/<slug>/",
        cells(401, 403, 403, 403, 403, 403, 409),
        address="api/v2/look-up-tables/grey/",
    ),
    everybody("api/v1/workstations/configs/"),
    everybody("api/v1/workstations/configs/", address="api/v1/workstations/configs/?slug=hers"),
    everybody(
        "api/v1/workstations/configs/<uuidstr:pk>/", address="api/v1/workstations/configs/{viewer_configuration}/"
    ),
    everybody(
        "api/v1/workstations/configs/<uuidstr:pk>/",
        404,
        address="api/v1/workstations/configs/00000000-0000-0000-0000-000000000000/",
    ),
]


def prepare(world):
    alice, sam = world.people["alice"], world.people["sam"]
    create_hanging_protocol(creator=alice, title="Hers", json=_PANELS)
    configuration = create_configuration(creator=alice, values={"title": "Hers"})
    create_window_preset(creator=alice, title="Hers", center=40, width=400)
    create_look_up_table(creator=alice, values={"title": "Hers", **_TABLE})
    register_viewer(creator=sam, title="Elsewhere", address=_ADDRESS)
    world.names |= {"viewer_configuration": str(configuration.pk)}
