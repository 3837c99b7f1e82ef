"""Applications that act for people: Alice's own, and one of Bob's that acts for her."""

from medtheca.domains.accounts.connections import allow
from tests.factories.oauth import BACK, make_application
from tests.interfaces.matrix import LOGIN, Row, cells, everybody, people

HERS = cells(LOGIN, 404, 404, 404, 200, 404, 404)
VALUES = {"name": "Atlas", "redirect_uris": BACK}
WISH = (
    "oauth/authorize{slash}?response_type=code&client_id={client}&redirect_uri=https%3A%2F%2Fapp.example.org%2Fback"
    "&code_challenge=" + "x" * 43 + "&code_challenge_method=S256"
)
WITHOUT_SLASH, WITH_SLASH = WISH.replace("{slash}", ""), WISH.replace("{slash}", "/")
OWN = "oauth/applications/<int:application_id>/"
OWN_ADDRESS = "oauth/applications/{application}/"


ROWS = [
    people("oauth/authorize", address=WITHOUT_SLASH),
    people("oauth/authorize", 303, method="POST", address=WITHOUT_SLASH, data={"decision": "allow"}),
    people("oauth/authorize/", address=WITH_SLASH),
    people("oauth/authorize/", 303, method="POST", address=WITH_SLASH, data={"decision": "allow"}),
    # Programs prove themselves by what they send, never by a log-in.
    everybody("oauth/token/", 405),
    everybody("oauth/token/", 400, method="POST", data={"grant_type": "authorization_code"}),
    everybody("oauth/revoke_token/", 405),
    everybody("oauth/revoke_token/", 401, method="POST", data={"token": "mo_x"}),
    everybody("oauth/introspect/", 405),
    everybody("oauth/introspect/", 401, method="POST", data={"token": "mo_x"}),
    everybody("oauth/userinfo/", 401),
    everybody("oauth/userinfo/", 401, method="POST"),
    everybody("oauth/.well-known/openid-configuration"),
    everybody("oauth/.well-known/oauth-authorization-server"),
    everybody("oauth/.well-known/jwks.json"),
    everybody(".well-known/oauth-authorization-server/oauth"),
    people("oauth/applications/"),
    people("oauth/applications/register/"),
    people("oauth/applications/register/", method="POST", data={**VALUES, "kind": "web"}),
    Row("GET", OWN, HERS, OWN_ADDRESS),
    Row("POST", OWN, cells(LOGIN, 404, 404, 404, 302, 404, 404), OWN_ADDRESS, VALUES),
    Row("POST", f"{OWN}secret/", HERS, f"{OWN_ADDRESS}secret/"),
    Row("GET", f"{OWN}delete/", HERS, f"{OWN_ADDRESS}delete/"),
    Row(
        "POST",
        f"{OWN}delete/",
        cells(LOGIN, 404, 404, 404, 302, 404, 404),
        f"{OWN_ADDRESS}delete/",
        {"typed_name": "Atlas"},
    ),
    people("account/connections/"),
    Row(
        "POST",
        "account/connections/<int:connection_id>/end/",
        cells(LOGIN, 404, 404, 404, 302, 404, 404),
        "account/connections/{connection}/end/",
    ),
]


def prepare(world):
    """Applications of both, and Alice's consent to Bob's."""
    own, _ = make_application(world.people["alice"], "web")
    other, _ = make_application(world.people["bob"], name="Bob's")
    connection = allow(user=world.people["alice"], application=other, scopes=["image:read"])
    world.names |= {"application": own.pk, "client": other.client_id, "connection": connection.pk}
