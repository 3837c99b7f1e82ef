"""How items are shown: hanging protocols, viewer configurations, window presets, look-up tables, viewers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from medtheca.domains.viewing.access import may_change
from medtheca.domains.viewing.operations import (
    change_configuration,
    change_viewer,
    change_window_preset,
    create_configuration,
    create_hanging_protocol,
    create_look_up_table,
    create_window_preset,
    register_viewer,
)
from medtheca.domains.viewing.queries import (
    configuration_named,
    configurations,
    creator_named,
    hanging_protocol_named,
    hanging_protocols,
    look_up_table_named,
    look_up_tables,
    matching,
    viewer_named,
    viewers,
    window_preset_named,
    window_presets,
)
from medtheca.interfaces.api.v2.calling import caller_of, page_of, user_of
from medtheca.interfaces.api.v2.shapes.common import Given, PageOut
from medtheca.interfaces.api.v2.shapes.viewing import (
    BEHAVIOUR,
    HangingProtocolChangeIn,
    HangingProtocolIn,
    HangingProtocolOut,
    LookUpTableChangeIn,
    LookUpTableFields,
    LookUpTableIn,
    LookUpTableOut,
    SettingsQuery,
    ViewerChangeIn,
    ViewerConfigurationChangeIn,
    ViewerConfigurationIn,
    ViewerConfigurationOut,
    ViewerIn,
    ViewerOut,
    WindowPresetChangeIn,
    WindowPresetIn,
    WindowPresetOut,
)
from medtheca.interfaces.http.api_auth import anybody, somebody
from medtheca.toolkit.viewing.pictures import svg_icon
from medtheca.toolkit.viewing.protocols import viewport_names
from medtheca.workflows.viewing import change_hanging_protocol, change_look_up_table, delete_setting

if TYPE_CHECKING:
    from medtheca.domains.sockets.models import LookUpTable
    from medtheca.domains.viewing.access import Asker, Setting
    from medtheca.domains.viewing.models import HangingProtocol, Viewer, ViewerConfiguration, WindowPreset

router = Router(tags=["viewing"], auth=anybody)
_BY_TITLE = ("title", "pk")


@router.get("/hanging-protocols/", response=PageOut[HangingProtocolOut], by_alias=True, url_name="hanging_protocols")
def list_hanging_protocols(request: HttpRequest, wanted: Query[SettingsQuery]) -> Any:
    """Hanging protocols: everybody sees all of them."""
    asker = caller_of(request).user
    rows = matching(hanging_protocols(), asker, text=wanted.query, mine=wanted.mine)
    return page_of(request, rows, wanted, order=_BY_TITLE, shape=lambda found: [_protocol(row, asker) for row in found])


@router.post(
    "/hanging-protocols/",
    auth=somebody,
    response={201: HangingProtocolOut},
    by_alias=True,
    url_name="hanging_protocols",
)
def make_hanging_protocol(request: HttpRequest, given: HangingProtocolIn) -> Any:
    """Make a hanging protocol. What is wrong is told by viewport and key: `json[1].parent_id`."""
    user = user_of(request)
    made = create_hanging_protocol(creator=user, title=given.title, description=given.description, json=given.json_)
    return Status(201, _protocol(made, user))


@router.get("/hanging-protocols/{slug}/", response=HangingProtocolOut, by_alias=True, url_name="hanging_protocol")
def show_hanging_protocol(request: HttpRequest, slug: str) -> Any:
    """One hanging protocol, by slug or id."""
    return _protocol(hanging_protocol_named(slug), caller_of(request).user)


@router.patch(
    "/hanging-protocols/{slug}/", auth=somebody, response=HangingProtocolOut, by_alias=True, url_name="hanging_protocol"
)
def change_one_hanging_protocol(request: HttpRequest, slug: str, given: HangingProtocolChangeIn) -> Any:
    """Change a hanging protocol; its slug stays. Its creator and staff.

    While something uses it, no viewport can be added, renamed or removed.
    """
    user = user_of(request)
    changed = change_hanging_protocol(protocol=hanging_protocol_named(slug), actor=user, changes=_given(given))
    return _protocol(changed, user)


@router.delete("/hanging-protocols/{slug}/", auth=somebody, response={204: None}, url_name="hanging_protocol")
def delete_hanging_protocol(request: HttpRequest, slug: str) -> Any:
    """Delete a hanging protocol that nothing uses. Its creator and staff."""
    delete_setting(row=hanging_protocol_named(slug), actor=user_of(request))
    return Status(204, None)


@router.get("/viewer-configurations/", response=PageOut[ViewerConfigurationOut], url_name="viewer_configurations")
def list_viewer_configurations(request: HttpRequest, wanted: Query[SettingsQuery]) -> Any:
    """Viewer configurations: everybody sees all of them."""
    asker = caller_of(request).user
    rows = matching(configurations(), asker, text=wanted.query, mine=wanted.mine)
    return page_of(
        request, rows, wanted, order=_BY_TITLE, shape=lambda found: [_configuration(row, asker) for row in found]
    )


@router.post(
    "/viewer-configurations/", auth=somebody, response={201: ViewerConfigurationOut}, url_name="viewer_configurations"
)
def make_viewer_configuration(request: HttpRequest, given: ViewerConfigurationIn) -> Any:
    """Make a viewer configuration; what is left out has its default."""
    user = user_of(request)
    made = create_configuration(creator=user, values=_given(given))
    return Status(201, _configuration(configuration_named(made.slug), user))


@router.get("/viewer-configurations/{slug}/", response=ViewerConfigurationOut, url_name="viewer_configuration")
def show_viewer_configuration(request: HttpRequest, slug: str) -> Any:
    """One viewer configuration, by slug or id."""
    return _configuration(configuration_named(slug), caller_of(request).user)


@router.patch(
    "/viewer-configurations/{slug}/", auth=somebody, response=ViewerConfigurationOut, url_name="viewer_configuration"
)
def change_one_viewer_configuration(request: HttpRequest, slug: str, given: ViewerConfigurationChangeIn) -> Any:
    """Change a viewer configuration; fields that are left out stay as they are. Its creator and staff."""
    user = user_of(request)
    found = configuration_named(slug)
    change_configuration(configuration=found, actor=user, changes=_given(given))
    return _configuration(configuration_named(found.slug), user)


@router.delete("/viewer-configurations/{slug}/", auth=somebody, response={204: None}, url_name="viewer_configuration")
def delete_viewer_configuration(request: HttpRequest, slug: str) -> Any:
    """Delete a viewer configuration that nothing uses. Its creator and staff."""
    delete_setting(row=configuration_named(slug), actor=user_of(request))
    return Status(204, None)


@router.get("/window-presets/", response=PageOut[WindowPresetOut], url_name="window_presets")
def list_window_presets(request: HttpRequest, wanted: Query[SettingsQuery]) -> Any:
    """Window presets: everybody sees all of them."""
    asker = caller_of(request).user
    rows = matching(window_presets(), asker, text=wanted.query, mine=wanted.mine)
    return page_of(request, rows, wanted, order=_BY_TITLE, shape=lambda found: [_preset(row, asker) for row in found])


@router.post("/window-presets/", auth=somebody, response={201: WindowPresetOut}, url_name="window_presets")
def make_window_preset(request: HttpRequest, given: WindowPresetIn) -> Any:
    """Make a window preset: of a centre and width, or of two percentiles."""
    user = user_of(request)
    return Status(201, _preset(create_window_preset(creator=user, **given.model_dump()), user))


@router.get("/window-presets/{slug}/", response=WindowPresetOut, url_name="window_preset")
def show_window_preset(request: HttpRequest, slug: str) -> Any:
    """One window preset, by slug or id."""
    return _preset(window_preset_named(slug), caller_of(request).user)


@router.patch("/window-presets/{slug}/", auth=somebody, response=WindowPresetOut, url_name="window_preset")
def change_one_window_preset(request: HttpRequest, slug: str, given: WindowPresetChangeIn) -> Any:
    """Change a window preset. Its creator and staff."""
    user = user_of(request)
    changed = change_window_preset(preset=window_preset_named(slug), actor=user, changes=_given(given))
    return _preset(changed, user)


@router.delete("/window-presets/{slug}/", auth=somebody, response={204: None}, url_name="window_preset")
def delete_window_preset(request: HttpRequest, slug: str) -> Any:
    """Delete a window preset that no viewer configuration uses. Its creator and staff."""
    delete_setting(row=window_preset_named(slug), actor=user_of(request))
    return Status(204, None)


@router.get("/look-up-tables/", response=PageOut[LookUpTableOut], url_name="look_up_tables")
def list_look_up_tables(request: HttpRequest, wanted: Query[SettingsQuery]) -> Any:
    """Look-up tables: everybody sees all of them."""
    asker = caller_of(request).user
    rows = matching(look_up_tables(), asker, text=wanted.query, mine=wanted.mine)
    return page_of(request, rows, wanted, order=_BY_TITLE, shape=lambda found: [_table(row, asker) for row in found])


@router.post("/look-up-tables/", auth=somebody, response={201: LookUpTableOut}, url_name="look_up_tables")
def make_look_up_table(request: HttpRequest, given: LookUpTableIn) -> Any:
    """Make a look-up table; what is left out has its default. What is wrong is told by field, all at once."""
    user = user_of(request)
    return Status(201, _table(create_look_up_table(creator=user, values=_given(given)), user))


@router.get("/look-up-tables/{slug}/", response=LookUpTableOut, url_name="look_up_table")
def show_look_up_table(request: HttpRequest, slug: str) -> Any:
    """One look-up table, by slug or id."""
    return _table(look_up_table_named(slug), caller_of(request).user)


@router.patch("/look-up-tables/{slug}/", auth=somebody, response=LookUpTableOut, url_name="look_up_table")
def change_one_look_up_table(request: HttpRequest, slug: str, given: LookUpTableChangeIn) -> Any:
    """Change a look-up table; its slug stays. Its creator and staff.

    While a socket or a viewer configuration that somebody else made uses it, only its title and description change.
    """
    user = user_of(request)
    changed = change_look_up_table(table=look_up_table_named(slug), actor=user, changes=_given(given))
    return _table(changed, user)


@router.delete("/look-up-tables/{slug}/", auth=somebody, response={204: None}, url_name="look_up_table")
def delete_look_up_table(request: HttpRequest, slug: str) -> Any:
    """Delete a look-up table that no socket and no viewer configuration uses. Its creator and staff."""
    delete_setting(row=look_up_table_named(slug), actor=user_of(request))
    return Status(204, None)


@router.get("/viewers/", response=PageOut[ViewerOut], url_name="viewers")
def list_viewers(request: HttpRequest, wanted: Query[SettingsQuery]) -> Any:
    """Programs that show items: everybody sees all of them."""
    asker = caller_of(request).user
    rows = matching(viewers(), asker, text=wanted.query, mine=wanted.mine)
    return page_of(request, rows, wanted, order=_BY_TITLE, shape=lambda found: [_viewer(row, asker) for row in found])


@router.post("/viewers/", auth=somebody, response={201: ViewerOut}, url_name="viewers")
def make_viewer(request: HttpRequest, given: ViewerIn) -> Any:
    """Register a viewer elsewhere. Staff only."""
    user = user_of(request)
    return Status(201, _viewer(register_viewer(creator=user, **given.model_dump()), user))


@router.get("/viewers/{slug}/", response=ViewerOut, url_name="viewer")
def show_viewer(request: HttpRequest, slug: str) -> Any:
    """One viewer, by slug or id."""
    return _viewer(viewer_named(slug), caller_of(request).user)


@router.patch("/viewers/{slug}/", auth=somebody, response=ViewerOut, url_name="viewer")
def change_one_viewer(request: HttpRequest, slug: str, given: ViewerChangeIn) -> Any:
    """Change how a viewer is described and opened. Staff only."""
    user = user_of(request)
    return _viewer(change_viewer(viewer=viewer_named(slug), actor=user, changes=_given(given)), user)


@router.delete("/viewers/{slug}/", auth=somebody, response={204: None}, url_name="viewer")
def delete_viewer(request: HttpRequest, slug: str) -> Any:
    """Take a viewer off the list, unless it is built in or something uses it. Staff only."""
    delete_setting(row=viewer_named(slug), actor=user_of(request))
    return Status(204, None)


def _given(given: Given) -> dict[str, Any]:
    """What the caller said, by the names that it was said by; what was left out is absent."""
    return given.model_dump(exclude_unset=True, by_alias=True)


def _said(row: Setting, asker: Asker) -> dict[str, Any]:
    names = ("id", "slug", "title", "description", "created", "modified")
    return {name: getattr(row, name) for name in names} | {
        "creator": creator_named(row, asker),
        "may_change": may_change(asker, row),
    }


def _protocol(row: HangingProtocol, asker: Asker) -> dict[str, Any]:
    return _said(row, asker) | {
        "json": row.json,
        "viewports": list(viewport_names(row.json)),
        "svg_icon": svg_icon(row.json),
    }


def _configuration(row: ViewerConfiguration, asker: Asker) -> dict[str, Any]:
    preset, table = row.default_window_preset, row.default_overlay_lut
    return (
        _said(row, asker)
        | {name: getattr(row, name) for name in BEHAVIOUR}
        | {
            "window_presets": [one.slug for one in row.window_presets.all()],
            "default_window_preset": preset.slug if preset else None,
            "overlay_luts": [one.slug for one in row.overlay_luts.all()],
            "default_overlay_lut": table.slug if table else None,
        }
    )


def _preset(row: WindowPreset, asker: Asker) -> dict[str, Any]:
    names = ("center", "width", "lower_percentile", "upper_percentile")
    return _said(row, asker) | {name: getattr(row, name) for name in names}


def _table(row: LookUpTable, asker: Asker) -> dict[str, Any]:
    return _said(row, asker) | {name: getattr(row, name) for name in LookUpTableFields.model_fields}


def _viewer(row: Viewer, asker: Asker) -> dict[str, Any]:
    return _said(row, asker) | {"built_in": row.built_in, "address": row.address}
