"""Look for barriers on a page with axe-core.

The script is taken from `frontend/node_modules` where that is installed, else from the copy in `vendor/`
(Mozilla Public License 2.0, used by tests only). It is evaluated through the browser's debugging interface,
which the page's policy does not bind.
"""

from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
_INSTALLED = _HERE.parents[1] / "frontend/node_modules/axe-core/axe.min.js"
_COPY = _HERE / "vendor/axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@cache
def axe_source() -> str:
    """The script itself."""
    return (_INSTALLED if _INSTALLED.exists() else _COPY).read_text(encoding="utf-8")


def find_barriers(page: Any) -> list[str]:
    """What axe finds on a page of Playwright's sync API: a line an element, with rule, place and remedy."""
    page.evaluate(axe_source())
    result = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})",
        _RULES,
    )
    if not result["passes"]:
        raise AssertionError("axe checked nothing: the page is empty, or the script did not run")
    return [
        f"{violation['impact']}: {violation['id']} at {' '.join(map(str, node['target']))}: "
        + " ".join(node["failureSummary"].split())
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


def assert_no_barriers(page: Any) -> None:
    """Fail with the list of what axe finds."""
    found = find_barriers(page)
    assert not found, f"{page.url} has barriers:\n" + "\n".join(found)
