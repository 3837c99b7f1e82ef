"""Did you mean …? Close matches for a word that is not in a list."""

from collections.abc import Sequence
from difflib import get_close_matches
from functools import lru_cache

# Nobody mistypes a word of this length; comparing one costs time that a hostile file could make us spend.
LONGEST_WORD = 200


def close_matches(word: str, known: Sequence[str], *, limit: int = 3, cutoff: float = 0.6) -> list[str]:
    """The words of `known` nearest to `word`, best first, upper and lower case counted as equal.

    >>> close_matches("diagnosys", ["diagnosis", "sex", "age"])
    ['diagnosis']
    >>> close_matches("SEX", ["diagnosis", "sex", "age"])
    ['sex']
    """
    return list(_matches(word, tuple(known), limit, cutoff))


def did_you_mean(word: str, known: Sequence[str], *, limit: int = 3) -> str:
    """A question to append to a message, or the empty string when nothing is near.

    >>> did_you_mean("diagnosys", ["diagnosis", "sex", "age"])
    "Did you mean 'diagnosis'?"
    >>> did_you_mean("nevus", ["Nevus", "Nevus, Reed", "Blue nevus", "Scar"])
    "Did you mean 'Nevus', 'Blue nevus' or 'Nevus, Reed'?"
    >>> did_you_mean("zzz", ["diagnosis"])
    ''
    """
    return as_question(close_matches(word, known, limit=limit))


def as_question(matches: Sequence[str]) -> str:
    """Matches as a question; the empty string for none.

    >>> as_question(["age", "sex"])
    "Did you mean 'age' or 'sex'?"
    """
    if not matches:
        return ""
    *head, last = (f"'{match}'" for match in matches)
    return f"Did you mean {', '.join(head)} or {last}?" if head else f"Did you mean {last}?"


@lru_cache(maxsize=4096)
def _matches(word: str, known: tuple[str, ...], limit: int, cutoff: float) -> tuple[str, ...]:
    if len(word) > LONGEST_WORD:
        return ()
    folded = {candidate.lower(): candidate for candidate in known}
    return tuple(folded[match] for match in get_close_matches(word.lower(), folded, n=limit, cutoff=cutoff))
