"""Reading what says how items are shown."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Model, Prefetch, Q, QuerySet

from medtheca.base.errors import NotFound
from medtheca.base.references import fields_pointing_to
from medtheca.domains.sockets.models import LookUpTable, Socket
from medtheca.domains.viewing.access import AnySetting, Asker, Setting, person_of
from medtheca.domains.viewing.models import HangingProtocol, Viewer, ViewerConfiguration, WindowPreset
from medtheca.toolkit.suggest import did_you_mean

_LARGEST_INT = 2**31 - 1


def hanging_protocols() -> QuerySet[HangingProtocol]:
    """All of them, by title."""
    return HangingProtocol.objects.select_related("creator").order_by("title", "pk")


def configurations() -> QuerySet[ViewerConfiguration]:
    """All of them with what belongs to them, by title."""
    return (
        ViewerConfiguration.objects.select_related("creator", "default_window_preset", "default_overlay_lut")
        .prefetch_related(
            Prefetch("window_presets", WindowPreset.objects.order_by("title", "pk")),
            Prefetch("overlay_luts", LookUpTable.objects.order_by("title", "pk")),
        )
        .order_by("title", "pk")
    )


def window_presets() -> QuerySet[WindowPreset]:
    """All of them, by title."""
    return WindowPreset.objects.select_related("creator").order_by("title", "pk")


def look_up_tables() -> QuerySet[LookUpTable]:
    """All of them, by title."""
    return LookUpTable.objects.select_related("creator").order_by("title", "pk")


def viewers() -> QuerySet[Viewer]:
    """Programs that show items, the built-in one first."""
    return Viewer.objects.select_related("creator").order_by("-built_in", "title", "pk")


def matching(rows: QuerySet[AnySetting], asker: Asker, *, text: str = "", mine: bool = False) -> QuerySet[AnySetting]:
    """Those of the rows in whose title or description all words are, and of them those that the person made."""
    for word in text.replace("\0", " ").split()[:20]:
        rows = rows.filter(Q(title__icontains=word) | Q(description__icontains=word))
    user = person_of(asker)
    if mine:
        return rows.filter(creator=user) if user else rows.none()
    return rows


def hanging_protocol_named(slug: str) -> HangingProtocol:
    """By slug or key. Raises `NotFound`."""
    return _named(hanging_protocols(), slug, "hanging protocol")


def configuration_named(slug: str) -> ViewerConfiguration:
    """By slug or key. Raises `NotFound`."""
    return _named(configurations(), slug, "viewer configuration")


def window_preset_named(slug: str) -> WindowPreset:
    """By slug or number. Raises `NotFound`."""
    return _named(window_presets(), slug, "window preset")


def viewer_named(slug: str) -> Viewer:
    """By slug or number. Raises `NotFound`."""
    return _named(viewers(), slug, "viewer")


def look_up_table_named(slug: str) -> LookUpTable:
    """By slug or number. Raises `NotFound`."""
    return _named(look_up_tables(), slug, "look-up table")


def creator_named(row: Setting, asker: Asker) -> str:
    """What the asker calls whoever made it: a name for who is signed in, a pseudonym in public, empty for ours."""
    if row.creator is None:
        return ""
    return row.creator.shown_name if person_of(asker) else f"User {row.creator.hash_id}"


@dataclass(frozen=True, slots=True)
class Usage:
    """What refers to something: what everybody knows of by name, and whether there is more."""

    named: tuple[str, ...]
    elsewhere: bool

    @property
    def is_used(self) -> bool:
        """Whether anything refers to it."""
        return bool(self.named) or self.elsewhere


def usage_of(row: Setting, *, by_others: bool = False) -> Usage:
    """What refers to a row, found among all tables so that none is forgotten.

    With `by_others`, what its creator made is left out; of things of the instance, those of the instance.
    """
    named: set[str] = set()
    elsewhere = False
    # What belongs to the row itself goes with it.
    own = {field.remote_field.through for field in type(row)._meta.many_to_many}
    for field in fields_pointing_to(type(row)):
        if field.model in own:
            continue
        pointing = field.model._default_manager.filter(**{field.name: row})
        known = _KNOWN.get(field.model)
        if known is None:
            elsewhere = elsewhere or pointing.exists()
            continue
        words, thing = known
        if by_others:
            pointing = pointing.exclude(**{f"{thing}creator": row.creator_id})
        if field.model is Socket:
            # Those of an archive are for its people to know.
            elsewhere = elsewhere or pointing.filter(scope__isnull=False).exists()
            pointing = pointing.filter(scope__isnull=True)
        named.update(f"{words} {title}" for title in pointing.values_list(f"{thing}title", flat=True))
    return Usage(tuple(sorted(named)), elsewhere)


_CONFIGURATION = "the viewer configuration"
_KNOWN: dict[type[Model], tuple[str, str]] = {
    ViewerConfiguration: (_CONFIGURATION, ""),
    ViewerConfiguration.window_presets.through: (_CONFIGURATION, "viewerconfiguration__"),
    ViewerConfiguration.overlay_luts.through: (_CONFIGURATION, "viewerconfiguration__"),
    Socket: ("the socket", ""),
}
"""Tables whose rows are named where they use something: what they are called, and the way to the thing itself."""


def _named(rows: QuerySet[AnySetting], slug: str, what: str) -> AnySetting:
    by_number = rows.model in (WindowPreset, LookUpTable, Viewer)
    found = rows.filter(_name_is(slug, by_number=by_number)).first()
    if found is None:
        near = did_you_mean(slug, list(rows.values_list("slug", flat=True)[:2000])) if len(slug) < 100 else ""
        raise NotFound(f"There is no {what} {slug[:100]}.", remedy=near)
    return found


def _name_is(slug: str, *, by_number: bool) -> Q:
    if "\0" in slug:
        return Q(pk__in=[])
    if by_number:
        is_number = slug.isascii() and slug.isdecimal() and len(slug) < 11 and int(slug) <= _LARGEST_INT
        # A slug of digits goes before a number, which the API gives only where there is no slug of it.
        return Q(slug=slug) | Q(pk=int(slug)) if is_number else Q(slug=slug)
    try:
        return Q(pk=UUID(slug)) if len(slug) in (32, 36) else Q(slug=slug)
    except ValueError:
        return Q(slug=slug)
