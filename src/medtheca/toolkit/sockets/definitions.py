"""What a socket says of itself: completed where it is silent, and judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.sockets.kinds import KINDS, Kind
from medtheca.toolkit.sockets.overlays import check_segments
from medtheca.toolkit.sockets.own_schemas import check_schema
from medtheca.toolkit.sockets.values import check_value
from medtheca.toolkit.suggest import did_you_mean

LONGEST_TITLE = 255
LONGEST_PATH = 255
LONGEST_DESCRIPTION = 20_000
_PATH = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_NO_TITLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Definition:
    """A socket as somebody defines it.

    Attributes:
        title: what people call it.
        kind: its code.
        description: what belongs into it.
        schema: JSON schema that values obey besides that of the kind.
        default_value: what forms begin with.
        example_value: shown to who wonders what to write.
        relative_path: where services and clients find the value; made of the title where it is empty.
        store_in_database: whether JSON is kept in the database; None: where the kind may.
        overlay_segments: what the labels of a segmentation mean.
    """

    title: str
    kind: str
    description: str = ""
    schema: Any = None
    default_value: Any = None
    example_value: Any = None
    relative_path: str = ""
    store_in_database: bool | None = None
    overlay_segments: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one part of a definition."""

    field: str
    message: str
    remedy: str = ""


def faults_of(definition: Definition) -> list[Fault]:
    """Everything that is wrong with a definition; of one that can be used nothing.

    >>> [fault.field for fault in faults_of(Definition(title="", kind="SEG"))]
    ['title', 'overlay_segments']
    """
    kind = KINDS.get(definition.kind)
    if kind is None:
        near = did_you_mean(definition.kind, [*KINDS, *(one.label for one in KINDS.values())])
        return [Fault("kind", f"There is no kind {definition.kind[:60]}.", near or f"Such as {', '.join(KINDS)}.")]
    whole = completed(definition)
    return [*_faults_of_words(whole), *_faults_of_path(kind, whole.relative_path), *_faults_of_values(kind, whole)]


def _faults_of_words(definition: Definition) -> Iterator[Fault]:
    title = definition.title
    if not title or len(title) > LONGEST_TITLE or _NO_TITLE.search(title):
        words = "The title is missing." if not title else "This cannot be a title."
        yield Fault("title", words, f"Write up to {LONGEST_TITLE} characters in one line.")
    if len(definition.description) > LONGEST_DESCRIPTION or _NO_TEXT.search(definition.description):
        yield Fault(
            "description", "This cannot be a description.", f"Write {LONGEST_DESCRIPTION:,} characters at most."
        )


def _faults_of_path(kind: Kind, path: str) -> Iterator[Fault]:
    parts = path.split("/")
    right = f"Such as {path_for(kind, 'Lung volume')}."
    if len(path) > LONGEST_PATH or not _PATH.fullmatch(path) or not all(part.strip(".") for part in parts):
        yield Fault("relative_path", "A path has letters, digits and _ . - between slashes, and no .. in it.", right)
    elif path.casefold() == "inputs.json" or _UUID.search(path):
        yield Fault("relative_path", "inputs.json and paths with a UUID are for services.", right)
    elif kind.is_image and (parts[0] != "images" or len(parts) < 2 or "." in parts[-1]):
        yield Fault("relative_path", "The path of an image begins with images/ and has no suffix.", right)
    elif not kind.is_image and (parts[0] == "images" or not path.endswith(kind.extension)):
        words = f"The path of {kind.label} ends with {kind.extension}, and does not begin with images/."
        yield Fault("relative_path", words, right)


def _faults_of_values(kind: Kind, definition: Definition) -> Iterator[Fault]:
    if definition.store_in_database and (not kind.is_json or kind.always_file):
        words = f"Values of kind {kind.label} are kept as {'images' if kind.is_image else 'files'}."
        yield Fault("store_in_database", words, "Leave it out.")
    if kind.code == "SEG" and not definition.overlay_segments:
        yield Fault("overlay_segments", "A segmentation says what its labels mean.", "Add a segment for each label.")
    elif kind.code != "SEG" and definition.overlay_segments:
        yield Fault("overlay_segments", "Only a segmentation has segments.", "Leave them out.")
    else:
        yield from _fault("overlay_segments", lambda: check_segments(definition.overlay_segments))
    given = {name: getattr(definition, name) for name in ("schema", "default_value", "example_value")}
    if not kind.is_json:
        for name in (name for name, value in given.items() if value is not None):
            yield Fault(name, f"Values of kind {kind.label} are no JSON.", "Leave it out.")
        return
    wrong = list(_fault("schema", lambda: check_schema(given["schema"])))
    yield from wrong
    schema = None if wrong else given["schema"]
    for name in ("default_value", "example_value"):
        if given[name] is not None:
            yield from _fault(name, partial(check_value, kind.code, given[name], schema=schema, stored=True))


def _fault(name: str, check: Callable[[], object]) -> Iterator[Fault]:
    try:
        check()
    except Refused as refused:
        yield Fault(name, refused.message, refused.remedy)


def completed(definition: Definition) -> Definition:
    """The definition with a path and a place for its values. The kind is one that is known."""
    kind = KINDS[definition.kind]
    path = definition.relative_path.strip() or path_for(kind, definition.title)
    stored = definition.store_in_database
    if stored is None:
        stored = kind.is_json and not kind.always_file
    return replace(definition, title=definition.title.strip(), relative_path=path, store_in_database=stored)


def path_for(kind: Kind, title: str) -> str:
    """The path that a socket gets by its title.

    >>> path_for(KINDS["SEG"], "Lung nodules"), path_for(KINDS["FLT"], "Lung volume (ml)")
    ('images/lung-nodules', 'lung-volume-ml.json')
    """
    name = slug_for(title)
    return f"images/{name}" if kind.is_image else f"{name}{kind.extension}"


def slug_for(title: str) -> str:
    """A title as part of an address.

    >>> slug_for("Lung volume (ml)"), slug_for("肺")
    ('lung-volume-ml', 'socket')
    """
    return _NOT_IN_SLUG.sub("-", title.casefold()).strip("-")[:200].strip("-") or "socket"
