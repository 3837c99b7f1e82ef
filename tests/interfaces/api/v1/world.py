"""Asking Grand Challenge's API as somebody: `by_token(alice, "write").post("uploads/", {"filename": "a.mha"})`."""

from tests.factories.accounts import make_token
from tests.interfaces.api.v1.described import assert_described
from tests.interfaces.api.world import Caller

ORIGIN = "https://archive.example.org"
HOST = "archive.example.org"


class GrandChallengeCaller(Caller):
    """As `Caller`, of `/api/v1/`, with the header as `gcapi` writes it."""

    def __init__(self, *, secret="", user=None):
        super().__init__(user=user)
        if secret:
            self.headers["authorization"] = f"BEARER {secret}"

    def ask(self, method, path, data=None, **headers):
        path = path.removeprefix(ORIGIN)
        answer = super().ask(method, path if path.startswith("/") else f"/api/v1/{path}", data, **headers)
        if 200 <= answer.status_code < 300 and answer.body is not None:
            assert_described(answer)
        return answer

    def patch(self, path, data, **headers):
        return self.ask("PATCH", path, data, **headers)


def by_token(user, scope="read"):
    return GrandChallengeCaller(secret=make_token(user, scope)[1])


def by_session(user):
    return GrandChallengeCaller(user=user)


def nobody():
    return GrandChallengeCaller()


def walk(caller, path):
    """Every row of a list as `gcapi` walks it: a hundred at a time, until a page is empty."""
    rows, offset = [], 0
    joint = "&" if "?" in path else "?"
    while page := caller.get(f"{path}{joint}limit=100&offset={offset}").body["results"]:
        rows += page
        offset += 100
    return rows
