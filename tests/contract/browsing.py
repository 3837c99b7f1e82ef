"""Somebody's browser without a window: forms are read from the pages and sent as a browser does."""

import html
import re
from urllib.parse import urljoin, urlsplit

import requests

PASSWORD = "correct horse battery staple"
_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
_COPY = re.compile(r'data-copy="([^"]+)"')


class Visitor:
    """Somebody with an account at an archive, in a session of `requests`."""

    def __init__(self, url, email):
        self.url, self.email = url, email
        self.session = requests.Session()

    def get(self, address, **options):
        return self.session.get(urljoin(self.url, address), timeout=30, **options)

    def send(self, page, values, *, action="", follow=True):
        """Send the form of a page whose `action` holds this text, with what its hidden fields say and these values."""
        forms = [(re.search(r'action="([^"]*)"', head), body) for head, body in _FORM.findall(page.text)]
        where, body = next(
            (html.unescape(found[1]), body) for found, body in forms if found and action in html.unescape(found[1])
        )
        hidden = {name: html.unescape(value) for name, value in _HIDDEN.findall(body)}
        return self.session.post(
            urljoin(page.url, where),
            hidden | values,
            headers={"Referer": page.url},
            allow_redirects=follow,
            timeout=30,
        )

    def log_in(self):
        answer = self.send(
            self.get("/accounts/login/"), {"login": self.email, "password": PASSWORD}, action="/accounts/login/"
        )
        assert answer.ok, answer.text
        assert "sessionid" in self.session.cookies

    def register(self, name, kind, redirect_uri=""):
        """Register an application; return its identifier and secret, None for a public one."""
        page = self.get("/oauth/applications/register/")
        values = {"name": name, "kind": kind, "redirect_uris": redirect_uri}
        made = self.send(page, values, action="/oauth/applications/register/")
        assert f"{name}</h1>" in made.text, made.text
        copied = [html.unescape(text) for text in _COPY.findall(made.text)]
        secret = next((text for text in copied if text.startswith("mc_")), None)
        return next(text for text in copied if not text.startswith("mc_")), secret

    def allow(self, address):
        """Follow an application's link and allow it; return where that leads, or the code that the page shows."""
        # Under the name under which they are logged in: a cookie of localhost is none of 127.0.0.1's.
        parts = urlsplit(address)
        page = self.get(f"{parts.path}?{parts.query}")
        assert page.ok, page.text
        answer = self.send(page, {"decision": "allow"}, action="/oauth/authorize", follow=False)
        if answer.status_code == 303:
            return answer.headers["Location"]
        assert answer.status_code == 200, answer.text
        return html.unescape(_COPY.search(answer.text)[1])

    def disconnect(self):
        """Disconnect the application allowed last."""
        answer = self.send(self.get("/account/connections/"), {}, action="/end/")
        assert answer.ok, answer.text

    def path_of(self, answer):
        return urlsplit(answer.url).path
