"""The rules of view content: which sockets are shown in which viewport."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from medtheca.toolkit.sockets.kinds import KINDS, OVERLAYS
from medtheca.toolkit.suggest import did_you_mean
from medtheca.toolkit.viewing.faults import Fault, one_of, shown
from medtheca.toolkit.viewing.protocols import VIEWPORTS, viewport_names

IMAGES = ("IMG", "DCMIS")
"""Kinds of which a viewport shows one at most; overlays lie over it."""

ALONE = ("CHART", "PDF", "JPEG", "PNG", "MP4")
"""Kinds that need a viewport to themselves."""

NOT_SHOWN = ("CSV", "ZIP", "OBJ", "NEWCK", "BIOM")
"""Kinds that no viewport can show."""

LABELS = ("STR", "INT", "FLT", "BOOL", "CHOI", "MCHO")
"""Kinds that are written over the picture."""

ANNOTATIONS = tuple(
    code for code, kind in KINDS.items() if kind.is_json and code not in (*LABELS, "JSON", "CHART", "ATRG")
)
"""Kinds that are drawn over the picture."""

_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,255}")
MOST_SOCKETS = 100
"""Sockets of one viewport."""


def content_faults(content: object, *, protocol: object = None, kinds: Mapping[str, str] | None = None) -> list[Fault]:
    """Every rule that view content breaks.

    With a hanging protocol its viewports and those of the content must be the same; viewports with names of their own
    (minimaps and side views) show what their parents show, and have no content. With the kinds of sockets by slug, each
    slug must be one of them, and kinds must go together. Empty content is right: it says nothing.

    >>> content_faults({"main": ["ct", "lungs"]}, kinds={"ct": "IMG", "lungs": "SEG"})
    []
    >>> faults = content_faults({"main": ["ct", "report"], "secondry": ["ct"]}, kinds={"ct": "IMG", "report": "PDF"})
    >>> for fault in faults:
    ...     print(fault.place, "|", fault.message)
    main | Viewport main: report is a PDF file, which needs a viewport to itself.
    secondry | There is no viewport "secondry".
    """
    if not isinstance(content, dict):
        remedy = 'Write an object, such as {"main": ["ct-image"]}.'
        return [Fault((), "no_object", f"View content is an object, and this is {shown(content)}.", remedy)]
    faults: list[Fault] = []
    for viewport, sockets in content.items():
        if viewport not in VIEWPORTS:
            remedy = one_of(VIEWPORTS, viewport)
            faults.append(Fault((viewport,), "unknown_viewport", f"There is no viewport {shown(viewport)}.", remedy))
        else:
            faults += _viewport_faults(viewport, sockets, kinds)
    if content and protocol:
        faults += _match_faults([key for key in content if key in VIEWPORTS], viewport_names(protocol))
    return faults


def _viewport_faults(viewport: str, sockets: Any, kinds: Mapping[str, str] | None) -> Iterator[Fault]:
    if not isinstance(sockets, list) or not sockets or len(sockets) > MOST_SOCKETS:
        message = f"Viewport {viewport}: what it shows is a list of at least one socket."
        yield Fault((viewport,), "no_list", message, 'Write the slugs of sockets, such as ["ct-image"].')
        return
    read: list[str] = []
    for number, slug in enumerate(sockets):
        if not isinstance(slug, str) or not _SLUG.fullmatch(slug):
            message = f"Viewport {viewport}: {shown(slug)} is no slug of a socket."
            yield Fault((viewport, number), "no_slug", message, 'Write a text, such as "ct-image".')
        elif slug in read:
            message = f"Viewport {viewport}: {slug} is there twice."
            yield Fault((viewport, number), "socket_twice", message, "Keep one of them.")
        elif kinds is not None and slug not in kinds:
            message = f"Viewport {viewport}: there is no socket {shown(slug)}."
            remedy = did_you_mean(slug, sorted(kinds)) or "The catalogue of sockets lists those that can be used."
            yield Fault((viewport, number), "unknown_socket", message, remedy)
        else:
            read.append(slug)
    if kinds is not None:
        yield from _kind_faults(viewport, read, kinds)


def _kind_faults(viewport: str, slugs: Sequence[str], kinds: Mapping[str, str]) -> Iterator[Fault]:
    for slug in slugs:
        label = KINDS[kinds[slug]].label
        if kinds[slug] in NOT_SHOWN:
            message = f"Viewport {viewport}: {slug} is a {label}, which no viewport can show."
            yield Fault((viewport,), "not_shown", message, "Take it out; it stays in the item and can be downloaded.")
        elif kinds[slug] in ALONE and len(slugs) > 1:
            others = ", ".join(other for other in slugs if other != slug)
            message = f"Viewport {viewport}: {slug} is a {label}, which needs a viewport to itself."
            yield Fault((viewport,), "needs_viewport", message, f"Move it or {others} to another viewport.")
    images = [slug for slug in slugs if kinds[slug] in IMAGES]
    if len(images) > 1:
        message = f"Viewport {viewport}: {' and '.join(images)} are images, and a viewport shows one."
        remedy = f"Move all but one to other viewports. Over an image lie kinds {_labels(OVERLAYS)}."
        yield Fault((viewport,), "several_images", message, remedy)


def _match_faults(given: Sequence[str], names: Sequence[str]) -> Iterator[Fault]:
    wanted = [name for name in names if name in VIEWPORTS]
    for name in wanted:
        if name not in given:
            message = f"Viewport {name} of the hanging protocol has no content."
            yield Fault((name,), "viewport_empty", message, "Give it at least one socket, or leave all content out.")
    for name in given:
        if name not in wanted:
            message = f"Viewport {name} is not in the hanging protocol."
            yield Fault((name,), "viewport_not_there", message, f"Take it out. {one_of(wanted)}" if wanted else "")


def _labels(codes: Sequence[str]) -> str:
    *head, last = (KINDS[code].label for code in codes)
    return f"{', '.join(head)} and {last}"
