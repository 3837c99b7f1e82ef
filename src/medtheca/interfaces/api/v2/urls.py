"""Addresses of the API and of its reference page; included under `/api/`."""

from __future__ import annotations

from django.urls import include, path, re_path

from medtheca.interfaces.api.v2.api import api
from medtheca.interfaces.api.v2.envelope import enveloped, wrap_patterns
from medtheca.interfaces.api.v2.errors import no_such_address
from medtheca.interfaces.api.v2.reference import show_reference

_patterns, _app_name, _namespace = api.urls

urlpatterns = [
    path("v2/", include((wrap_patterns(_patterns), _app_name), namespace=_namespace)),
    # Only what ends with a slash, so that Django still adds one where it was forgotten.
    re_path(r"^v2/(?:.*/)?$", enveloped(no_such_address)),
    path("docs/", show_reference, name="api_docs"),
]
