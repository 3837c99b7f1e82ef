"""Who gets what at every address: a module of rows for each area, asked by `tests/interfaces/test_matrix.py`.

To add an area, write a module here with `ROWS`, and with `prepare(world)` where its addresses need more things than
`world.py` makes. A row gives the answer's status for each of `PEOPLE`; an address or verb without a row fails the test.

    ROWS = [
        members("erasures/<int:erasure_id>/", address="erasures/{erasure}/"),
        Row("POST", "erasures/<int:erasure_id>/confirm/", cells(LOGIN, 404, 404, 403, 302, 403, 302), ...),
    ]

    def prepare(world):
        world.names["erasure"] = make_erasure(world.cohort).pk

What a person may not know of is 404, never 403. `LOGIN` is a redirect to the log-in. Each request is made in a
transaction of its own that is rolled back, so rows do not depend on each other. Addresses below `api/` are asked by
session with the proof of a page (CSRF), and `data` is sent as JSON; others are forms. `data` may be a function of the
world. Every row of the API that changes something is also asked with a token that only reads, and with a revoked one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

LOGIN = "login"

# Nobody is signed in. Charlie is a stranger; Bob owns another contributor. Of the cohort asked for, Edith is an editor,
# Alice an owner (of its contributor), Rita a reviewer; Sam is of the staff.
PEOPLE = ("nobody", "charlie", "bob", "edith", "alice", "rita", "sam")


@dataclass(frozen=True)
class Row:
    """One verb of one address. `route` is as the URL tree writes it; `address` fills it in with `{names}`."""

    method: str
    route: str
    cells: tuple[object, ...]
    address: str = ""
    data: object = None
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert len(self.cells) == len(PEOPLE), f"{self} has {len(self.cells)} cells, for {len(PEOPLE)} people."

    def __str__(self) -> str:
        return f"{self.method} {self.address or self.route}"

    @property
    def is_api(self) -> bool:
        return self.route.startswith("api/")


def cells(*statuses: object) -> tuple[object, ...]:
    """Statuses in the order of `PEOPLE`."""
    return statuses


def _row(method: str, route: str, given: tuple[object, ...], **options) -> Row:
    return Row(method, route, given, **options)


def _nobody(route: str) -> object:
    return 401 if route.startswith("api/") else LOGIN


def everybody(route: str, status: object = 200, *, method: str = "GET", **options) -> Row:
    """The same for all, nobody in particular included."""
    return _row(method, route, (status,) * 7, **options)


def people(route: str, status: object = 200, *, method: str = "GET", **options) -> Row:
    """The same for whoever is signed in."""
    return _row(method, route, (_nobody(route), *(status,) * 6), **options)


def members(route: str, status: object = 200, *, method: str = "GET", **options) -> Row:
    """Editor, owner, reviewer and staff; for others there is nothing."""
    return _row(method, route, (_nobody(route), 404, 404, status, status, status, status), **options)


def editors(route: str, status: object = 200, *, method: str = "GET", **options) -> Row:
    """Editor, owner and staff; the reviewer may not; for others there is nothing."""
    return _row(method, route, (_nobody(route), 404, 404, status, status, 403, status), **options)


def owners(route: str, status: object = 200, *, method: str = "GET", **options) -> Row:
    """Owner and staff; editor and reviewer may not; for others there is nothing."""
    return _row(method, route, (_nobody(route), 404, 404, 403, status, 403, status), **options)


def reviewers(route: str, status: object = 200, *, method: str = "GET", **options) -> Row:
    """Reviewer and staff; editor and owner may not; for others there is nothing."""
    return _row(method, route, (_nobody(route), 404, 404, 403, 403, status, status), **options)


def staff(route: str, status: object = 200, *, refused: object = 404, method: str = "GET", **options) -> Row:
    """The staff alone; others get `refused`."""
    return _row(method, route, (_nobody(route), *(refused,) * 5, status), **options)


Prepare = Callable[[object], None]
