"""Addresses of the API and of its reference page; included under `/api/`."""

from __future__ import annotations

from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from medtheca.interfaces.api.v2.api import api
from medtheca.interfaces.api.v2.envelope import envelope
from medtheca.interfaces.api.v2.errors import no_such_address
from medtheca.interfaces.api.v2.reference import show_reference

_patterns, _app_name, _namespace = api.urls

urlpatterns = [
    path("v2/", include((envelope.around_all(_patterns), _app_name), namespace=_namespace)),
    # Only what ends with a slash, so that Django still adds one where it was forgotten.
    # It changes nothing, so nobody has to prove who asked.
    re_path(r"^v2/(?:[\s\S]*/)?$", csrf_exempt(envelope.around(no_such_address))),
    path("docs/", show_reference, name="api_docs"),
]
