"""Plans as answers: a preview unless the caller says that it is to be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medtheca.domains.provenance.plans import Plan


def planned(*, dry_run: bool, look: Callable[[], Plan], do: Callable[[], Plan]) -> dict[str, Any]:
    """What would change, or what was changed."""
    return {"dry_run": dry_run, **asdict(look() if dry_run else do())}
