"""What is wrong with what people say of an archive."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.archives.enums import AccessHandling
from medtheca.domains.provenance.enums import Licence

MOST_LISTED = 50
"""Keywords, publications and the like that one archive may name."""

LONGEST_PROSE = 100_000
_MOST_QUESTIONS = 20
_LONGEST_LABEL = 300
_NO_LINE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_DOI = re.compile(r"10\.[0-9]{4,9}/\S+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LENGTHS = {"keywords": 60, "publications": 255, "modalities": 60, "structures": 60, "organizations": 255}
_LISTS = tuple(_LENGTHS)
_PROSE = ("description", "information", "terms", "citation")
_FLAGS = ("public", "hidden", "downloads")
WRITABLE = frozenset(
    ("title", "licence", "contact_email", "access_requests", "request_form", *_PROSE, *_LISTS, *_FLAGS)
)
"""What a form or a program may say of an archive; what hangs on other things has operations of its own."""


def checked_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they are stored. Raises `Invalid` with every problem."""
    problems = [Problem(name, f"An archive has no field {name}.") for name in given if name not in WRITABLE]
    said = {name: value for name, value in given.items() if name in WRITABLE}
    said |= {name: said[name].strip() for name in ("title", "contact_email") if name in said}
    for name in _LISTS:
        if name in said:
            said[name] = _listed(name, said[name], problems)
    problems += _of_words(said)
    problems += _of_choices(said)
    if "request_form" in said:
        problems += _of_form(said["request_form"])
    if problems:
        raise Invalid("The archive cannot be described so.", problems=problems)
    return said


def questions_of(text: str, known: Iterable[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """Questions of a request as they are stored: one a line, and one that ends with * must be answered.

    What is asked already in these words (`known`) keeps its name, and so its answers.
    """
    names = {str(one["label"]): str(one["name"]) for one in known}
    found: list[dict[str, Any]] = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        label = line.removesuffix("*").strip()
        taken = {one["name"] for one in found}
        stem = names.get(label) or re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")[:30] or "question"
        stem = stem if stem[0].isalpha() else f"q_{stem}"
        name = next(one for one in (stem, *(f"{stem}_{at}" for at in range(2, 100))) if one not in taken)
        found.append({"name": name, "label": label, "required": line.endswith("*")})
    return found[: _MOST_QUESTIONS + 1]  # One more than there may be, so that it is told.


def _listed(name: str, values: list[str], problems: list[Problem]) -> list[str]:
    """Each once, as it was written first; a DOI without the address of its resolver."""
    longest = _LENGTHS[name]
    found: dict[str, str] = {}
    for value in values:
        text = value.strip()
        if name == "publications":
            text = re.sub(r"^(https?://(dx\.)?doi\.org/|doi:\s*)", "", text, flags=re.IGNORECASE)
            if text and not _DOI.fullmatch(text):
                problems.append(Problem(name, f"{text} is not a DOI.", remedy="Write it as 10.1000/182."))
        if len(text) > longest:
            problems.append(Problem(name, f"{text[:40]}… has {len(text)} characters; {longest} is the most."))
        if _NO_LINE.search(text):
            problems.append(Problem(name, f"{name.capitalize()} hold a character that is no text."))
        if text:
            found.setdefault(text.casefold(), text)
    if len(found) > MOST_LISTED:
        problems.append(Problem(name, f"{len(found)} {name} are given; {MOST_LISTED} is the most."))
    return list(found.values())


def _of_words(said: Mapping[str, Any]) -> list[Problem]:
    problems = []
    if "title" in said:
        title = said["title"]
        if not title:
            problems.append(Problem("title", "The archive has no title.", code="required", remedy="Give it one."))
        elif len(title) > 255 or _NO_LINE.search(title):
            problems.append(Problem("title", "A title is one line of up to 255 characters.", remedy="Shorten it."))
    for name in _PROSE:
        text = said.get(name, "")
        if len(text) > LONGEST_PROSE or _NO_TEXT.search(text):
            message = f"{name.capitalize()} has {len(text):,} characters, or one that is no text."
            problems.append(Problem(name, message, remedy=f"Up to {LONGEST_PROSE:,} characters are kept."))
    email = said.get("contact_email", "")
    if email and (not _EMAIL.fullmatch(email) or len(email) > 254):
        problems.append(Problem("contact_email", f"{email} is not an e-mail address.", remedy="Write one."))
    return problems


def _of_choices(said: Mapping[str, Any]) -> list[Problem]:
    problems = []
    if said.get("licence", "") not in ("", *Licence.values):
        remedy = f"One of {', '.join(Licence.values)}, or none."
        problems.append(Problem("licence", f"{said['licence']} is not a licence here.", remedy=remedy))
    handling = said.get("access_requests", AccessHandling.MANUAL_REVIEW)
    if handling not in AccessHandling.values:
        remedy = f"One of {', '.join(AccessHandling.values)}."
        problems.append(Problem("access_requests", f"{handling} is no way to handle requests.", remedy=remedy))
    return problems


def _of_form(form: object) -> list[Problem]:
    """Questions are objects with a name, a label, and whether an answer is wanted."""
    if not isinstance(form, list) or len(form) > _MOST_QUESTIONS:
        return [Problem("request_form", f"A request asks a list of up to {_MOST_QUESTIONS} questions.")]
    wrong = [message for question in form if (message := _wrong_with(question))]
    names = [question["name"] for question in form] if not wrong else []
    if len(set(names)) < len(names):
        wrong.append("Two questions have the same name.")
    return [Problem("request_form", message) for message in wrong]


def _wrong_with(question: object) -> str:
    """What is wrong with one question; empty where nothing is."""
    if not isinstance(question, dict) or set(question) - {"name", "label", "required"}:
        return "A question has a name, a label, and whether it is required."
    name, label = question.get("name"), question.get("label")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
        return "A question's name is small letters, digits and _."
    if not isinstance(label, str) or not label.strip() or len(label) > _LONGEST_LABEL or _NO_TEXT.search(label):
        return f"The question {name} has no label of up to {_LONGEST_LABEL} characters."
    if not isinstance(question.get("required", False), bool):
        return f"Whether an answer to {name} is required is true or false."
    return ""
