"""What a change of many things would do, told before it is done."""

from __future__ import annotations

from dataclasses import dataclass, field

from medtheca.base.errors import Conflict


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that would change: what it is, as it is, as it would be."""

    subject: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one thing is left alone or stands in the way, and what would help."""

    subject: str
    words: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done. Subjects are names that only the cohort's people and staff may read.

    Attributes:
        number: how many things would change; whoever goes on names it.
        facts: further counts by their words.
        steps: every change, one by one.
        left: what stays as it is, though it was asked for.
        obstacles: what has to be put right first; with one of them nothing is done.
    """

    number: int = 0
    facts: dict[str, int] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    left: list[Reason] = field(default_factory=list)
    obstacles: list[Reason] = field(default_factory=list)

    @property
    def is_possible(self) -> bool:
        """Whether there is something to do and nothing in the way."""
        return bool(self.number) and not self.obstacles


def require_as_planned(plan: Plan, *, expected: int | None) -> None:
    """Raise `Conflict` where something is in the way, nothing would change, or not as much as was seen before."""
    if plan.obstacles:
        first = plan.obstacles[0]
        more = f" There are {len(plan.obstacles) - 1:,} more." if len(plan.obstacles) > 1 else ""
        raise Conflict(f"{first.subject}: {first.words}{more}", code="obstacles", remedy=first.remedy)
    if not plan.number:
        raise Conflict("Nothing would change.", code="nothing_to_do", remedy="Nothing needs to be done.")
    if expected is not None and plan.number != expected:
        raise Conflict(
            f"{plan.number:,} would change now, not {expected:,}: the archive has changed since the preview.",
            code="changed_meanwhile",
            remedy="Look at the preview again.",
        )
