"""Addresses of archives. Each tab has one, by the names of `frame.TABS`."""

from django.urls import path

from medtheca.interfaces.web import activity
from medtheca.interfaces.web.archives import (
    collecting,
    exporting,
    importing,
    information,
    item,
    items,
    lists,
    logo,
    putting,
    settling,
    showing,
    uploads,
    values,
)
from medtheca.interfaces.web.errors import page

_ARCHIVE = "archives/<slug:slug>/"
_IMPORT = f"{_ARCHIVE}items/import/<uuid:import_id>/"
_ITEM = f"{_ARCHIVE}items/<uuid:item_id>/"

urlpatterns = [
    path("archives/", page(lists.archives), name="archives"),
    path("archives/new/", page(settling.archive_create), name="archive_create"),
    path(_ARCHIVE, page(information.archive), name="archive"),
    path(f"{_ARCHIVE}logo/", page(logo.archive_logo), name="archive_logo"),
    path(f"{_ARCHIVE}uploads/", page(uploads.archive_uploads), name="archive_uploads"),
    path(f"{_ARCHIVE}uploads/rule/", page(uploads.archive_grouping), name="archive_grouping"),
    path(f"{_ARCHIVE}uploads/<uuid:intake_id>/", page(uploads.archive_upload), name="archive_upload"),
    path(f"{_ARCHIVE}settings/", page(settling.archive_settings), name="archive_settings"),
    path(f"{_ARCHIVE}settings/logo/", page(logo.archive_logo_choose), name="archive_logo_choose"),
    path(f"{_ARCHIVE}settings/viewing/", page(showing.archive_viewing), name="archive_viewing"),
    path(f"{_ARCHIVE}settings/sockets/", page(showing.archive_sockets), name="archive_sockets"),
    path(f"{_ARCHIVE}activity/", page(activity.archive_events), name="archive_activity"),
    path(f"{_ARCHIVE}collect/", page(collecting.archive_collect), name="archive_collect"),
    path(f"{_ARCHIVE}export/", page(exporting.archive_export), name="archive_export"),
    path(f"{_ARCHIVE}export/images.csv", page(exporting.archive_images_csv), name="archive_images_csv"),
    path(f"{_ARCHIVE}export/manifest.csv", page(exporting.archive_manifest), name="archive_manifest"),
    path(f"{_ARCHIVE}items/", page(items.archive_items), name="archive_items"),
    path(f"{_ARCHIVE}items/new/", page(item.archive_item_create), name="archive_item_create"),
    path(f"{_ARCHIVE}items/trash/", page(items.archive_trash), name="archive_trash"),
    path(f"{_ARCHIVE}items/values.csv", page(exporting.archive_values_csv), name="archive_values_csv"),
    path(f"{_ARCHIVE}items/values.xlsx", page(exporting.archive_values_xlsx), name="archive_values_xlsx"),
    path(f"{_ARCHIVE}items/import/", page(importing.archive_values_import), name="archive_values_import"),
    path(_IMPORT, page(importing.archive_values_imported), name="archive_values_imported"),
    path(f"{_IMPORT}errors.csv", page(importing.archive_values_errors), name="archive_values_errors"),
    path(_ITEM, page(item.archive_item), name="archive_item"),
    path(f"{_ITEM}value/", page(values.archive_item_value), name="archive_item_value"),
    path(f"{_ITEM}upload/", page(putting.archive_item_upload), name="archive_item_upload"),
]
