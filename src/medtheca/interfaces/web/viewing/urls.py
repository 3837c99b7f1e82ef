"""Addresses of viewing settings."""

from django.urls import path

from medtheca.interfaces.web.errors import page
from medtheca.interfaces.web.viewing import configurations, others, protocols, tables

urlpatterns = [
    path("viewing/", page(others.guide), name="viewing_guide"),
    path("hanging-protocols/", page(protocols.protocols), name="hanging_protocols"),
    path("hanging-protocols/new/", page(protocols.protocol_create), name="hanging_protocol_create"),
    path("hanging-protocols/check/", page(protocols.protocol_check), name="hanging_protocol_check"),
    path("hanging-protocols/<slug:slug>/", page(protocols.protocol), name="hanging_protocol"),
    path("hanging-protocols/<slug:slug>/edit/", page(protocols.protocol_edit), name="hanging_protocol_edit"),
    path("hanging-protocols/<slug:slug>/delete/", page(protocols.protocol_delete), name="hanging_protocol_delete"),
    path("viewer-configurations/", page(configurations.configuration_list), name="viewer_configurations"),
    path("viewer-configurations/new/", page(configurations.configuration_create), name="viewer_configuration_create"),
    path("viewer-configurations/<slug:slug>/", page(configurations.configuration), name="viewer_configuration"),
    path(
        "viewer-configurations/<slug:slug>/edit/",
        page(configurations.configuration_edit),
        name="viewer_configuration_edit",
    ),
    path(
        "viewer-configurations/<slug:slug>/delete/",
        page(configurations.configuration_delete),
        name="viewer_configuration_delete",
    ),
    path("window-presets/", page(others.preset_list), name="window_presets"),
    path("window-presets/new/", page(others.preset_create), name="window_preset_create"),
    path("window-presets/<slug:slug>/edit/", page(others.preset_edit), name="window_preset_edit"),
    path("window-presets/<slug:slug>/delete/", page(others.preset_delete), name="window_preset_delete"),
    path("look-up-tables/", page(tables.table_list), name="look_up_tables"),
    path("look-up-tables/new/", page(tables.table_create), name="look_up_table_create"),
    path("look-up-tables/check/", page(tables.table_check), name="look_up_table_check"),
    path("look-up-tables/<slug:slug>/edit/", page(tables.table_edit), name="look_up_table_edit"),
    path("look-up-tables/<slug:slug>/delete/", page(tables.table_delete), name="look_up_table_delete"),
    path("viewers/", page(others.viewer_list), name="viewers"),
    path("viewers/new/", page(others.viewer_create), name="viewer_create"),
    path("viewers/<slug:slug>/edit/", page(others.viewer_edit), name="viewer_edit"),
    path("viewers/<slug:slug>/delete/", page(others.viewer_delete), name="viewer_delete"),
]
