"""Addresses of the pages. `page` turns refusals of the domains into error pages, for all of them alike."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from medtheca.interfaces.web import (
    cohorts,
    completing,
    downloading,
    finding,
    gallery,
    inspecting,
    saving,
    site,
    statistics,
    status,
    uploads,
)
from medtheca.interfaces.web.errors import View, page


def _page(route: str, view: View, name: str) -> URLPattern:
    return path(route, page(view), name=name)


urlpatterns: list[URLPattern | URLResolver] = [
    _page("", gallery.home, "home"),
    _page("find/", finding.find, "find"),
    _page("gallery/", gallery.gallery, "gallery"),
    _page("gallery/complete/", completing.gallery_complete, "gallery_complete"),
    _page("gallery/save/", saving.save, "search_save"),
    _page("account/searches/", saving.saved_searches, "saved_searches"),
    _page("account/searches/<int:saved_id>/", saving.change, "saved_search"),
    _page("account/searches/<int:saved_id>/delete/", saving.delete, "saved_search_delete"),
    # `/downloads/` is the byte plane's.
    _page("download/new/", downloading.download_new, "download_new"),
    _page("download/<uuid:download_id>/", downloading.download, "download"),
    _page("download/<uuid:download_id>/delete/", downloading.download_delete, "download_delete"),
    _page("account/downloads/", downloading.downloads, "downloads"),
    _page("contributors/new/", cohorts.contributor_create, "contributor_create"),
    _page("cohorts/", cohorts.cohorts, "cohorts"),
    _page("cohorts/new/", cohorts.cohort_create, "cohort_create"),
    _page("cohorts/<int:cohort_id>/", cohorts.cohort, "cohort"),
    _page("upload/", uploads.upload, "upload"),
    _page("upload/<int:cohort_id>/browser/", uploads.upload_browser, "upload_browser"),
    _page("inspect/", inspecting.inspect, "inspect"),
    _page("inspect/<uuid:inspection_id>/", inspecting.inspect_result, "inspect_result"),
    _page("inspect/<uuid:inspection_id>/verdicts.csv", inspecting.inspect_csv, "inspect_csv"),
    _page("uploads/", uploads.uploads, "uploads"),
    _page("uploads/<uuid:upload_id>/", uploads.upload_verdicts, "upload_verdicts"),
    _page("uploads/<uuid:upload_id>/verdicts.csv", uploads.upload_csv, "upload_csv"),
    _page("statistics/", statistics.statistics, "statistics"),
    _page("status/", status.status, "status"),
    _page("styleguide/", site.styleguide, "styleguide"),
    path("robots.txt", site.robots, name="robots"),
    path("favicon.ico", site.favicon, name="favicon"),
    path("", include("medtheca.interfaces.web.accounts.urls")),
    path("", include("medtheca.interfaces.web.oauth.urls")),
    path("", include("medtheca.interfaces.web.sheets.urls")),
    path("", include("medtheca.interfaces.web.contributing.urls")),
    path("", include("medtheca.interfaces.web.staff.urls")),
    path("", include("medtheca.interfaces.web.review.urls")),
    path("", include("medtheca.interfaces.web.collecting.urls")),
    # Before the archives: what stands here looks like an archive's name.
    path("", include("medtheca.interfaces.web.archives.people_urls")),
    path("", include("medtheca.interfaces.web.archives.urls")),
    path("", include("medtheca.interfaces.web.sockets.urls")),
    path("", include("medtheca.interfaces.web.subjects.urls")),
    path("", include("medtheca.interfaces.web.viewing.urls")),
    path("", include("medtheca.interfaces.web.telling_urls")),
    path("", include("medtheca.interfaces.web.publishing_urls")),
]
