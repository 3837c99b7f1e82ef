"""Addresses of the pages of sockets."""

from __future__ import annotations

from django.urls import URLPattern, path

from medtheca.interfaces.web.errors import View, page
from medtheca.interfaces.web.sockets import defining, lists, one


def _page(route: str, view: View, name: str) -> URLPattern:
    return path(route, page(view), name=name)


urlpatterns = [
    _page("sockets/", lists.sockets, "sockets"),
    _page("sockets/new/", defining.socket_create, "socket_create"),
    _page("sockets/<slug>/", one.socket, "socket"),
    _page("sockets/<slug>/edit/", defining.socket_edit, "socket_edit"),
]
