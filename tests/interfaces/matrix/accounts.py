"""Accounts: log-in, addresses, second factors, sessions, terms, exports, deletion, tokens."""

from medtheca.domains.accounts.taking import finish_export, request_export
from tests.interfaces.matrix import LOGIN, Row, cells, everybody, people

NOTHING = "00000000-0000-0000-0000-000000000000"
SECOND_FACTOR = "accounts/2fa/"
# Nobody is asked for a password here, so whoever is signed in is asked to prove themselves: 302.
ASKED_AGAIN = cells(LOGIN, *(302,) * 6)


def signed_in(method, route, status=200, **options):
    return Row(method, route, cells(LOGIN, *(status,) * 6), **options)


# Addresses of former releases of allauth, which lead on whatever the verb.
OLD_ADDRESSES = ("login/cancelled", "login/error", "signup", "connections")
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# allauth's forms take PUT as they take POST; one without values changes nothing.
FORMS = {
    "accounts/3rdparty/": 200,
    "accounts/email/": 302,
    "accounts/password/change/": 200,
    "accounts/reauthenticate/": 200,
    "accounts/sessions/": 302,
}


ROWS = [
    # Ours.
    everybody("terms/"),
    everybody("privacy/"),
    people("account/"),
    people("account/", 302, method="POST", data={"first_name": "A"}),
    people("account/terms/"),
    people("account/terms/", 302, method="POST", data={"version": "1"}),
    people("account/sessions/"),
    people("account/sessions/end/", 302, method="POST"),
    people("account/sessions/<int:session_id>/end/", 404, address="account/sessions/999999999/end/", method="POST"),
    people("account/exports/"),
    Row("POST", "account/exports/", ASKED_AGAIN),
    Row(
        "GET",
        "account/exports/<uuid:export_id>.zip",
        cells(LOGIN, 404, 404, 404, 200, 404, 404),
        address="account/exports/{export}.zip",
    ),
    people("account/delete/"),
    Row("POST", "account/delete/", ASKED_AGAIN),
    people("account/tokens/"),
    people("account/tokens/", method="POST", data={"name": "x", "scope": "read", "expiry": "7"}),
    people("account/tokens/<int:token_id>/revoke/", 404, address="account/tokens/1/revoke/", method="POST"),
    # The API.
    Row("PATCH", "api/v2/users/me/", cells(401, *(200,) * 6), data={"affiliation": "Clinic"}),
    everybody("api/v2/users/terms/"),
    people("api/v2/users/me/tokens/"),
    people("api/v2/users/me/tokens/", 201, method="POST", data={"name": "notebook"}),
    people("api/v2/users/me/tokens/<int:token_id>/", 404, address="api/v2/users/me/tokens/0/", method="DELETE"),
    # allauth's.
    Row("GET", "accounts/login/", cells(200, *(302,) * 6)),
    Row("GET", "accounts/signup/", cells(200, *(302,) * 6)),
    Row("GET", "accounts/logout/", cells(302, *(200,) * 6)),
    everybody("accounts/logout/", 302, method="POST"),
    everybody("accounts/inactive/"),
    people("accounts/reauthenticate/"),
    people("accounts/reauthenticate/", method="POST"),
    people("accounts/email/"),
    people("accounts/email/", method="POST", data={"action_add": "", "email": "no address"}),
    everybody("accounts/confirm-email/"),
    people("accounts/password/change/"),
    people("accounts/password/change/", method="POST"),
    people("accounts/password/set/", 302),
    everybody("accounts/password/reset/"),
    everybody("accounts/password/reset/", method="POST"),
    everybody("accounts/login/code/confirm/", 302),
    everybody(r"accounts/^confirm-email/(?P<key>[-:\w]+)/$", address="accounts/confirm-email/x/"),
    everybody(r"accounts/^confirm-email/(?P<key>[-:\w]+)/$", 404, address="accounts/confirm-email/x/", method="POST"),
    everybody("accounts/password/reset/key/done/"),
    everybody(
        "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        address="accounts/password/reset/key/1-x/",
    ),
    everybody("accounts/password/reset/done/"),
    # Second factors.
    people(SECOND_FACTOR),
    everybody(f"{SECOND_FACTOR}authenticate/", 302),
    people(f"{SECOND_FACTOR}reauthenticate/", 302),
    Row("GET", f"{SECOND_FACTOR}totp/activate/", ASKED_AGAIN),
    people(f"{SECOND_FACTOR}totp/deactivate/", 404),
    people(f"{SECOND_FACTOR}recovery-codes/", 404),
    Row("GET", f"{SECOND_FACTOR}recovery-codes/generate/", ASKED_AGAIN),
    people(f"{SECOND_FACTOR}recovery-codes/download/", 404),
    people(f"{SECOND_FACTOR}webauthn/"),
    Row("GET", f"{SECOND_FACTOR}webauthn/add/", ASKED_AGAIN),
    people(f"{SECOND_FACTOR}webauthn/reauthenticate/", 302),
    Row(
        "GET", f"{SECOND_FACTOR}webauthn/keys/<int:pk>/remove/", ASKED_AGAIN, f"{SECOND_FACTOR}webauthn/keys/1/remove/"
    ),
    Row("GET", f"{SECOND_FACTOR}webauthn/keys/<int:pk>/edit/", ASKED_AGAIN, f"{SECOND_FACTOR}webauthn/keys/1/edit/"),
    everybody(f"{SECOND_FACTOR}webauthn/login/", 302),
    *(people(route, status, method="PUT") for route, status in FORMS.items()),
    everybody("accounts/password/reset/", method="PUT"),
    # Sessions and single sign-on.
    people("accounts/sessions/"),
    people("accounts/sessions/", 302, method="POST"),
    people("accounts/3rdparty/"),
    people("accounts/3rdparty/", method="POST"),
    everybody("accounts/3rdparty/login/cancelled/"),
    everybody("accounts/3rdparty/login/error/", 401),
    everybody("accounts/3rdparty/signup/", 302),
    *(everybody(f"accounts/social/{old}/", 301, method=verb) for old in OLD_ADDRESSES for verb in VERBS),
    everybody("accounts/oidc/^(?P<provider_id>[^/]+)/login/", 404, address="accounts/oidc/sso/login/"),
    everybody(
        "accounts/oidc/^(?P<provider_id>[^/]+)/login/callback/", 404, address="accounts/oidc/sso/login/callback/"
    ),
]


def prepare(world):
    """An export of Alice's that is ready."""
    export = request_export(user=world.people["alice"])
    finish_export(export=export, content=b"PK")
    world.names["export"] = export.pk
