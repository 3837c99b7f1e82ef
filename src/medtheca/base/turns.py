"""Whose turn it is: the jobs of one line stand behind each other, and beside those of other lines.

Start-time fair queueing (Goyal, Vin and Cheng, 1996). A job begins where the last of its line ends, though never before
the job that is next in the queue; what begins first is done first. So whoever comes anew waits for at most one job of
each other line, however long those are, and nobody waits for ever. What is known of the lines is the queue itself:
where nothing waits, everybody begins at the same point again.
"""

from __future__ import annotations

from django.db import connection

FIRST = -10
"""The highest priority in turns: behind what is not in turns, as that is short or cannot wait."""
MOST_COST = 100_000
_LAST = -2_000_000_000
# A job that waits to be tried again is no measure of where the queue is: it may have begun long ago.
_NEXT = """
    SELECT max(priority) FROM procrastinate_jobs
    WHERE status = 'todo' AND args ? 'turn' AND (scheduled_at IS NULL OR scheduled_at <= now())"""
_END_OF_LINE = """
    SELECT min(priority - (args->>'cost')::int) FROM (
        SELECT priority, args FROM procrastinate_jobs
        WHERE status IN ('todo', 'doing') AND args->>'turn' = %s ORDER BY priority LIMIT 1) AS latest"""


def line_of(user_id: int) -> str:
    """The line of what a person brings in."""
    return f"user:{user_id}"


def priority_in_turn(line: str) -> int:
    """The priority of the next job of a line: `FIRST` or lower; higher runs earlier.

    Two transactions that ask at once for one line may get the same; both jobs then run in the same round.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT ({_NEXT}), ({_END_OF_LINE})", [line])
        found: list[int] = [priority for priority in cursor.fetchone() if priority is not None]
    return max(min([FIRST, *found]), _LAST)
