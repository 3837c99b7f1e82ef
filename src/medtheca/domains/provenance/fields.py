"""What is wrong with words that people give contributors and cohorts."""

from __future__ import annotations

import re

from medtheca.base.errors import Problem
from medtheca.domains.provenance.enums import Licence
from medtheca.domains.provenance.models import Cohort, Contributor

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_WEB_ADDRESS = re.compile(r"https?://[^\s\x00]+")


def required(**fields: str) -> list[Problem]:
    """Which of the fields are empty."""
    return [
        Problem(name, f"{name.replace('_', ' ').capitalize()} is missing.", code="required")
        for name, value in fields.items()
        if not value.strip()
    ]


def unstorable(model: type[Contributor | Cohort], **fields: str) -> list[Problem]:
    """What the columns cannot hold: too many characters, NUL, halves of characters; and addresses that are none."""
    problems = []
    for name, value in fields.items():
        words = name.replace("_", " ").capitalize()
        most: int | None = getattr(model._meta.get_field(name), "max_length", None)
        if most is not None and len(value) > most:
            message = f"{words} has {len(value):,} characters; {most} is the most."
            problems.append(Problem(name, message, code="too_long", remedy="Shorten it."))
        if _NO_TEXT.search(value):
            message = f"{words} holds NUL or half a character."
            problems.append(Problem(name, message, code="no_text", remedy="Write it anew."))
        if name == "institution_url" and value and not _WEB_ADDRESS.fullmatch(value):
            # The page links there: anything but a web address could be a script.
            problems.append(Problem(name, f"{value} is not a web address.", remedy="Write https://…"))
    return problems


def licence_problems(field: str, licence: str) -> list[Problem]:
    """That a licence is none of ours."""
    if licence in Licence.values:
        return []
    return [
        Problem(field, f"{licence or 'Nothing'} is not a licence here.", remedy=f"One of {', '.join(Licence.values)}.")
    ]
