"""Addresses of OAuth 2 and OpenID Connect; those that the ISIC Archive has too are the same."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from medtheca.interfaces.web.errors import page
from medtheca.interfaces.web.oauth import applications, authorize, endpoints

_authorize = page(authorize.authorize)

_oauth: list[URLPattern | URLResolver] = [
    # Clients of the ISIC Archive leave the slash out.
    path("authorize", _authorize),
    path("authorize/", _authorize, name="authorize"),
    path("token/", endpoints.token, name="token"),
    path("revoke_token/", endpoints.revoke_token, name="revoke-token"),
    path("introspect/", endpoints.introspect, name="introspect"),
    path("userinfo/", endpoints.userinfo, name="user-info"),
    path(".well-known/openid-configuration", endpoints.metadata, name="oidc-connect-discovery-info"),
    path(".well-known/oauth-authorization-server", endpoints.metadata, name="oauth-server-metadata"),
    path(".well-known/jwks.json", endpoints.keys, name="jwks-info"),
    path("applications/", page(applications.applications), name="list"),
    path("applications/register/", page(applications.application_register), name="register"),
    path("applications/<int:application_id>/", page(applications.application), name="detail"),
    path("applications/<int:application_id>/secret/", page(applications.application_secret), name="secret"),
    path("applications/<int:application_id>/delete/", page(applications.application_delete), name="delete"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("oauth/", include((_oauth, "oauth"))),
    # Where RFC 8414 looks for an issuer that has a path.
    path(".well-known/oauth-authorization-server/oauth", endpoints.metadata),
    path("account/connections/", page(applications.connections), name="connections"),
    path("account/connections/<int:connection_id>/end/", page(applications.connection_end), name="connection_end"),
]
