"""Addresses of the pages. `page` turns refusals of the domains into error pages, for all of them alike."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from medtheca.interfaces.web import cohorts, gallery, images, inspecting, metadata_files, publishing, site, status, uploads
from medtheca.interfaces.web.errors import View, page


def _page(route: str, view: View, name: str) -> URLPattern:
    return path(route, page(view), name=name)


urlpatterns: list[URLPattern | URLResolver] = [
    _page("", gallery.home, "home"),
    _page("gallery/", gallery.gallery, "gallery"),
    _page("images/<str:ref>/", images.image, "image"),
    _page("images/<str:ref>/withdraw/", images.image_withdraw, "image_withdraw"),
    _page("images/<str:ref>/unpublish/", images.image_unpublish, "image_unpublish"),
    _page("contributors/new/", cohorts.contributor_create, "contributor_create"),
    _page("cohorts/", cohorts.cohorts, "cohorts"),
    _page("cohorts/new/", cohorts.cohort_create, "cohort_create"),
    _page("cohorts/<int:cohort_id>/", cohorts.cohort, "cohort"),
    _page("cohorts/<int:cohort_id>/metadata/", metadata_files.metadata_upload, "metadata_upload"),
    _page("cohorts/<int:cohort_id>/publish/", publishing.publish, "publish"),
    _page("metadata-files/<int:file_id>/", metadata_files.metadata_file, "metadata_file"),
    _page("metadata-template.csv", metadata_files.metadata_template, "metadata_template"),
    _page("upload/", uploads.upload, "upload"),
    _page("upload/<int:cohort_id>/browser/", uploads.upload_browser, "upload_browser"),
    _page("inspect/", inspecting.inspect, "inspect"),
    _page("inspect/<uuid:inspection_id>/", inspecting.inspect_result, "inspect_result"),
    _page("inspect/<uuid:inspection_id>/verdicts.csv", inspecting.inspect_csv, "inspect_csv"),
    _page("uploads/", uploads.uploads, "uploads"),
    _page("uploads/<uuid:upload_id>/", uploads.upload_verdicts, "upload_verdicts"),
    _page("uploads/<uuid:upload_id>/verdicts.csv", uploads.upload_csv, "upload_csv"),
    _page("publish-requests/", publishing.publish_requests, "publish_requests"),
    _page("publish-requests/<int:request_id>/accept/", publishing.publish_accept, "publish_accept"),
    _page("publish-requests/<int:request_id>/reject/", publishing.publish_reject, "publish_reject"),
    _page("status/", status.status, "status"),
    _page("styleguide/", site.styleguide, "styleguide"),
    path("robots.txt", site.robots, name="robots"),
    path("favicon.ico", site.favicon, name="favicon"),
    path("", include("medtheca.interfaces.web.accounts.urls")),
    path("", include("medtheca.interfaces.web.contributing.urls")),
    path("", include("medtheca.interfaces.web.staff.urls")),
    path("", include("medtheca.interfaces.web.review.urls")),
    path("", include("medtheca.interfaces.web.telling_urls")),
]
