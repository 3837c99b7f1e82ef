"""Every address of Medtheca but those of the byte plane."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    # First, because programs ask most often, and every address before theirs is tried in vain.
    path("api/", include("medtheca.interfaces.api.v2.urls")),
    path("api/", include("medtheca.interfaces.api.v1.urls")),
    path("", include("medtheca.interfaces.web.urls")),
    path("accounts/", include("allauth.urls")),
]

handler400 = "medtheca.interfaces.web.errors.bad_request"
handler403 = "medtheca.interfaces.web.errors.forbidden"
handler404 = "medtheca.interfaces.web.errors.not_found"
handler500 = "medtheca.interfaces.web.errors.failed"
