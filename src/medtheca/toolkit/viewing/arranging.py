"""What an item shows and where: by its archive's protocol and content, and by itself where these say nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medtheca.toolkit.sockets.kinds import OVERLAYS
from medtheca.toolkit.viewing.contents import ALONE, ANNOTATIONS, IMAGES, LABELS
from medtheca.toolkit.viewing.layouts import Protocol, grid, in_order
from medtheca.toolkit.viewing.protocols import VIEWPORTS


@dataclass(frozen=True, slots=True)
class Slot:
    """A socket in which an item has a value: its slug and the code of its kind."""

    slug: str
    kind: str


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What is shown.

    Attributes:
        protocol: a hanging protocol.
        content: slugs of sockets for each viewport of it that shows something; the image first, then what lies over it.
        left_out: slugs of sockets that have no viewport.
    """

    protocol: list[dict[str, Any]]
    content: dict[str, list[str]]
    left_out: tuple[str, ...]


def default_layout(sockets: Sequence[Slot]) -> Arrangement:
    """How an item is shown where its archive says nothing.

    Each image has a viewport, the first is main; overlays and annotations lie over the image whose slug begins as
    theirs does, or over the first; texts and numbers are labels of main; charts, films and documents follow, alone.

    >>> shown = default_layout([Slot("ct", "IMG"), Slot("lungs", "SEG"), Slot("score", "FLT"), Slot("report", "PDF")])
    >>> shown.content
    {'main': ['ct', 'lungs', 'score'], 'secondary': ['report']}
    >>> two = default_layout([Slot("frontal-x-ray", "IMG"), Slot("lateral-x-ray", "IMG"), Slot("lateral-mask", "SEG")])
    >>> two.content
    {'main': ['frontal-x-ray'], 'secondary': ['lateral-x-ray', 'lateral-mask']}
    """
    groups = _groups(sockets)
    content = dict(zip(VIEWPORTS, groups, strict=False)) or {"main": []}
    return Arrangement(grid(list(content)), _only_filled(content), _left_out(sockets, content))


def arrange(
    sockets: Sequence[Slot], *, protocol: Protocol | None = None, content: Mapping[str, Sequence[str]] | None = None
) -> Arrangement:
    """What an item shows with the protocol and content of its archive, either of which may be missing.

    Content names sockets that an item may lack; those are passed over. Without content, the groups of `default_layout`
    go into the viewports of the protocol one after the other. Without a protocol, viewports are those of the content.
    """
    if content:
        there = {slot.slug for slot in sockets}
        kept = {name: [slug for slug in content[name] if slug in there] for name in in_order(list(content))}
        made = [dict(one) for one in protocol] if protocol else grid(list(kept))
        return Arrangement(made, _only_filled(kept), _left_out(sockets, kept))
    if not protocol:
        return default_layout(sockets)
    takers = [str(one["viewport_name"]) for one in protocol if "specialized_view" not in one]
    filled = dict(zip(in_order(takers), _groups(sockets), strict=False))
    return Arrangement([dict(one) for one in protocol], _only_filled(filled), _left_out(sockets, filled))


def _groups(sockets: Sequence[Slot]) -> list[list[str]]:
    """Sockets that are shown together, one group a viewport."""
    images = [slot.slug for slot in sockets if slot.kind in IMAGES]
    overlays = [slot.slug for slot in sockets if slot.kind in OVERLAYS]
    if not images and overlays:
        images, overlays = overlays[:1], overlays[1:]
    groups: dict[str, list[str]] = {slug: [slug] for slug in images}
    over = [*overlays, *(slot.slug for slot in sockets if slot.kind in ANNOTATIONS)]
    labels = [slot.slug for slot in sockets if slot.kind in LABELS]
    loose: list[str] = []
    for slug in over:
        (groups[_nearest(slug, images)] if images else loose).append(slug)
    (groups[images[0]] if images else loose).extend(labels)
    alone = [[slot.slug] for slot in sockets if slot.kind in ALONE]
    return [group for group in [*groups.values(), loose] if group] + alone


def _nearest(slug: str, images: Sequence[str]) -> str:
    """The image whose slug has most first words in common with another slug; the first of those that are equal."""
    words = slug.split("-")

    def common(image: str) -> int:
        shared = 0
        for mine, its in zip(words, image.split("-"), strict=False):
            if mine != its:
                break
            shared += 1
        return shared

    return max(images, key=common)


def _only_filled(content: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {name: list(slugs) for name, slugs in content.items() if slugs}


def _left_out(sockets: Iterable[Slot], content: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    used = {slug for slugs in content.values() for slug in slugs}
    return tuple(slot.slug for slot in sockets if slot.slug not in used)
