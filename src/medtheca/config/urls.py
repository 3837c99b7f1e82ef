"""Every address of Medtheca but those of the byte plane."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("medtheca.interfaces.web.urls")),
    path("accounts/", include("allauth.urls")),
]
