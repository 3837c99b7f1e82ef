"""Applications that act for people, and the steps to their tokens, as a browser and a program take them."""

import base64
import hashlib
import secrets
from urllib.parse import parse_qsl, urlencode, urlsplit

from medtheca.domains.accounts.applications import Registration, register_application

BACK = "https://app.example.org/back"
BOTH = "identity image:read image:write openid profile email read write"


def make_application(user, kind="public", *, name="Atlas", redirect_uris=(BACK,)):
    """A registered application and its secret, which is empty for a public one."""
    uris = () if kind == "service" else redirect_uris
    return register_application(user=user, given=Registration(name=name, kind=kind, redirect_uris=uris))


def make_verifier():
    """A PKCE verifier and its S256 challenge."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Flow:
    """One application and one person's browser (Django's test client, logged in or not)."""

    def __init__(self, browser, application, secret="", *, redirect_uri=BACK):
        self.browser, self.application, self.secret, self.redirect_uri = browser, application, secret, redirect_uri
        self.verifier, self.challenge = make_verifier()
        self.state = secrets.token_urlsafe(8)

    def address(self, **changes):
        """Where the application sends the person; None leaves a parameter out."""
        wish = {
            "response_type": "code",
            "client_id": self.application.client_id,
            "redirect_uri": self.redirect_uri,
            "state": self.state,
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
        } | changes
        return "/oauth/authorize/?" + urlencode({name: value for name, value in wish.items() if value is not None})

    def ask(self, **changes):
        return self.browser.get(self.address(**changes))

    def decide(self, decision="allow", **changes):
        return self.browser.post(self.address(**changes), {"decision": decision})

    def code(self, **changes):
        """The code of a person who allows it."""
        answer = self.decide(**changes)
        assert answer.status_code == 303, answer.content
        return back(answer)["code"]

    def token(self, **given):
        """What the address of tokens answers; None leaves a parameter out."""
        form = {"client_id": self.application.client_id, "client_secret": self.secret or None} | given
        return self.browser.post("/oauth/token/", {name: value for name, value in form.items() if value is not None})

    def swap(self, code, **changes):
        """The answer to a code."""
        given = {"grant_type": "authorization_code", "redirect_uri": self.redirect_uri}
        return self.token(**given | {"code": code, "code_verifier": self.verifier} | changes)

    def refresh(self, secret, **changes):
        return self.token(grant_type="refresh_token", refresh_token=secret, **changes)

    def tokens(self, scope="identity image:read"):
        """Tokens of the whole flow."""
        answer = self.swap(self.code(scope=scope))
        assert answer.status_code == 200, answer.content
        return answer.json()


def back(answer):
    """What the address holds to which an answer leads."""
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
