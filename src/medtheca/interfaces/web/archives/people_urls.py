"""Addresses of an archive's people and requests."""

from django.urls import path

from medtheca.interfaces.web.archives import people, requests
from medtheca.interfaces.web.errors import page

_ARCHIVE = "archives/<slug:slug>/"

urlpatterns = [
    path("archives/join/<str:secret>/", page(people.archive_join), name="archive_join"),
    path("archives/by-link/<str:secret>/", page(people.archive_by_link), name="archive_by_link"),
    path(f"{_ARCHIVE}people/", page(people.archive_people), name="archive_people"),
    path(f"{_ARCHIVE}leave/", page(people.archive_leave), name="archive_leave"),
    path(f"{_ARCHIVE}request/", page(requests.archive_request), name="archive_request"),
    path(f"{_ARCHIVE}requests/", page(requests.archive_requests), name="archive_requests"),
    path("account/archive-requests/", page(requests.archive_requests_own), name="archive_requests_own"),
]
