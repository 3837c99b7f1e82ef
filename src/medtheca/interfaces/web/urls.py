"""Addresses of the pages. `page` turns refusals of the domains into error pages, for all of them alike."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from medtheca.interfaces.web import cohorts, gallery, inspecting, site, status, uploads
from medtheca.interfaces.web.errors import View, page


def _page(route: str, view: View, name: str) -> URLPattern:
    return path(route, page(view), name=name)


urlpatterns: list[URLPattern | URLResolver] = [
    _page("", gallery.home, "home"),
    _page("gallery/", gallery.gallery, "gallery"),
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
    _page("status/", status.status, "status"),
    _page("styleguide/", site.styleguide, "styleguide"),
    path("robots.txt", site.robots, name="robots"),
    path("favicon.ico", site.favicon, name="favicon"),
    path("", include("medtheca.interfaces.web.accounts.urls")),
    path("", include("medtheca.interfaces.web.sheets.urls")),
    path("", include("medtheca.interfaces.web.contributing.urls")),
    path("", include("medtheca.interfaces.web.staff.urls")),
    path("", include("medtheca.interfaces.web.review.urls")),
    path("", include("medtheca.interfaces.web.subjects.urls")),
    path("", include("medtheca.interfaces.web.telling_urls")),
    path("", include("medtheca.interfaces.web.publishing_urls")),
]
