"""Addresses of the API; included under `/api/`."""

from __future__ import annotations

from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from medtheca.interfaces.api.v1.api import api
from medtheca.interfaces.api.v1.errors import no_such_address, unreadable, wrong_method
from medtheca.interfaces.http.enveloping import Envelope

_envelope = Envelope(no_such_address=no_such_address, wrong_method=wrong_method, unreadable=unreadable)
_patterns, _app_name, _namespace = api.urls

urlpatterns = [
    path("v1/", include((_envelope.around_all(_patterns), _app_name), namespace=_namespace)),
    # With a slash at the end or without: `gcapi` takes Django's redirect to the address with one for a failure.
    # It changes nothing, so nobody has to prove who asked.
    re_path(r"^v1(?:/[\s\S]*)?$", csrf_exempt(_envelope.around(no_such_address))),
]
