"""How items of an archive are shown, and its sockets; who is what in them is said in `archives.py`."""

from tests.interfaces.matrix import LOGIN, Row, archives, cells

_SETTLES = cells(LOGIN, 403, 403, 403, 200, 403, 200)

ROWS = [
    Row(verb, f"archives/<slug:slug>/settings/{name}/", answers, address=f"archives/{{archive}}/settings/{name}/")
    for name, verb, answers in (
        ("viewing", "GET", _SETTLES),
        # Without anything each item arranges itself, which is a choice too.
        ("viewing", "POST", cells(LOGIN, 403, 403, 403, 302, 403, 302)),
        ("sockets", "GET", _SETTLES),
    )
]
prepare = archives.prepare
