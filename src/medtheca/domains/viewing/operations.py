"""Making, changing and deleting hanging protocols, configurations, window presets, look-up tables and viewers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from medtheca.base.errors import Conflict, Invalid, NotFound, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.operations import record
from medtheca.domains.sockets.models import LookUpTable
from medtheca.domains.viewing.access import AnySetting, Asker, Setting, plural_of, require_changing, require_creating
from medtheca.domains.viewing.checking import (
    TABLE_FIELDS,
    configuration_problems,
    preset_problems,
    protocol_problems,
    table_problems,
    viewer_problems,
    words_problems,
)
from medtheca.domains.viewing.errors import InUse
from medtheca.domains.viewing.models import HangingProtocol, Viewer, ViewerConfiguration, WindowPreset
from medtheca.domains.viewing.queries import usage_of
from medtheca.toolkit.suggest import did_you_mean
from medtheca.toolkit.viewing.faults import said
from medtheca.toolkit.viewing.protocols import viewport_names

MOST_MADE = 1000
"""Settings of one kind that one person may have made: rows cost the maker nothing."""

_VERBS: dict[tuple[type[Setting], str], str] = {
    (HangingProtocol, "created"): "hanging_protocol.created",
    (HangingProtocol, "changed"): "hanging_protocol.changed",
    (HangingProtocol, "deleted"): "hanging_protocol.deleted",
    (ViewerConfiguration, "created"): "viewer_configuration.created",
    (ViewerConfiguration, "changed"): "viewer_configuration.changed",
    (ViewerConfiguration, "deleted"): "viewer_configuration.deleted",
    (WindowPreset, "created"): "window_preset.created",
    (WindowPreset, "changed"): "window_preset.changed",
    (WindowPreset, "deleted"): "window_preset.deleted",
    (LookUpTable, "created"): "look_up_table.created",
    (LookUpTable, "changed"): "look_up_table.changed",
    (LookUpTable, "deleted"): "look_up_table.deleted",
    (Viewer, "created"): "viewer.registered",
    (Viewer, "changed"): "viewer.changed",
    (Viewer, "deleted"): "viewer.removed",
}
_PRESET_NUMBERS = ("center", "width", "lower_percentile", "upper_percentile")
_TOGETHER: dict[type[Setting], tuple[str, ...]] = {WindowPreset: _PRESET_NUMBERS, LookUpTable: TABLE_FIELDS}
"""Fields that are judged by each other."""

_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")
_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,255}")
_RESERVED = {"new", "check"}
"""Last parts of addresses of pages, which are no thing's."""

_TRIES = 20


def create_hanging_protocol(*, creator: Asker, title: str, json: Any, description: str = "") -> HangingProtocol:
    """Make a hanging protocol. Raises `NotAllowed`, `Invalid` with every rule that is broken, or `Conflict`."""
    return _create(HangingProtocol, creator, {"title": title, "description": description, "json": json})


def change_hanging_protocol(*, protocol: HangingProtocol, actor: Asker, changes: Mapping[str, Any]) -> HangingProtocol:
    """Change `title`, `description` or `json`. Its creator and staff.

    Raises `NotAllowed`, `Invalid`, or `InUse` where something refers to it and viewports would come or go: what is
    shown in them is said there, by their names.
    """
    return _change(protocol, actor, changes, _require_same_viewports)


def create_window_preset(
    *,
    creator: Asker,
    title: str,
    description: str = "",
    center: int | None = None,
    width: int | None = None,
    lower_percentile: int | None = None,
    upper_percentile: int | None = None,
) -> WindowPreset:
    """Make a window preset of a centre and width, or of two percentiles. Raises `NotAllowed`, `Invalid`, `Conflict`."""
    numbers = (center, width, lower_percentile, upper_percentile)
    values = {"title": title, "description": description, **dict(zip(_PRESET_NUMBERS, numbers, strict=True))}
    return _create(WindowPreset, creator, values)


def change_window_preset(*, preset: WindowPreset, actor: Asker, changes: Mapping[str, Any]) -> WindowPreset:
    """Change what is given; None takes a number away. Its creator and staff. Raises `NotAllowed` or `Invalid`."""
    return _change(preset, actor, changes)


def create_look_up_table(*, creator: Asker, values: Mapping[str, Any]) -> LookUpTable:
    """Make a look-up table of fields by their names; what is not given has its default.

    Raises `NotAllowed`, `Invalid` with every problem by field, or `Conflict`.
    """
    unsaid = LookUpTable()
    return _create(LookUpTable, creator, {name: getattr(unsaid, name) for name in TABLE_FIELDS} | dict(values))


def change_look_up_table(*, table: LookUpTable, actor: Asker, changes: Mapping[str, Any]) -> LookUpTable:
    """Change what is given. Its creator and staff.

    Raises `NotAllowed`, `Invalid`, or `InUse` where what somebody else made uses it and it would look otherwise there:
    colours are what people read values by.
    """
    return _change(table, actor, changes, _require_same_colours)


def create_configuration(*, creator: Asker, values: Mapping[str, Any]) -> ViewerConfiguration:
    """Make a viewer configuration of fields by their names; what is not given has its default.

    `window_presets` and `overlay_luts` are lists of slugs, `default_window_preset` and `default_overlay_lut` slugs or
    None. Raises `NotAllowed`, `Invalid` or `Conflict`.
    """
    return _create(ViewerConfiguration, creator, values)


def change_configuration(
    *, configuration: ViewerConfiguration, actor: Asker, changes: Mapping[str, Any]
) -> ViewerConfiguration:
    """Change fields that are given, as `create_configuration` takes them. Its creator and staff."""
    return _change(configuration, actor, changes)


def register_viewer(*, creator: Asker, title: str, address: str, description: str = "") -> Viewer:
    """Offer a viewer elsewhere, opened by an address. Staff only. Raises `NotAllowed`, `Invalid` or `Conflict`."""
    return _create(Viewer, creator, {"title": title, "description": description, "address": address})


def change_viewer(*, viewer: Viewer, actor: Asker, changes: Mapping[str, Any]) -> Viewer:
    """Change `title`, `description` or `address`. Staff only. The built-in viewer has no address to change."""
    if viewer.built_in and changes.get("address"):
        problem = Problem("address", "The built-in viewer has no address.", remedy="Register another viewer instead.")
        raise Invalid("The viewer cannot be changed so.", problems=[problem])
    return _change(viewer, actor, {key: value for key, value in changes.items() if key != "address" or value})


def delete_setting(*, row: AnySetting, actor: Asker) -> None:
    """Take one away for good. Its creator and staff; viewers, the staff.

    Raises `NotAllowed`, `Conflict` for the built-in viewer, or `InUse`.
    """
    user = require_changing(actor, row, to="delete it")
    if isinstance(row, Viewer) and row.built_in:
        raise Conflict("The built-in viewer cannot be deleted.")
    with transaction.atomic():
        # Whoever makes a row point to this one waits for it, so that nothing points to it unseen.
        held = _held(row)
        usage = usage_of(held)
        if usage.is_used:
            raise InUse(
                f"{held.title} cannot be deleted",
                named=usage.named,
                elsewhere=usage.elsewhere,
                remedy="Choose something else there first.",
            )
        _record(user, "deleted", held)
        held.delete()


def _create(kind: type[AnySetting], creator: Asker, values: Mapping[str, Any]) -> AnySetting:
    user = require_creating(creator, kind)
    plain, many = _checked(kind, {"title": "", **values}, whole=True)
    with transaction.atomic():
        # The person's row is the queue: two at once cannot both be the last that is allowed.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if kind._default_manager.filter(creator=user).count() >= MOST_MADE:
            raise Conflict(
                f"You have made {MOST_MADE:,} {plural_of(kind)}, which is the most.", remedy="Delete one first."
            )
        made = _insert(kind, user, plain)
        for name, rows in many.items():
            getattr(made, name).set(rows)
        _record(user, "created", made)
    return made


def _insert(kind: type[AnySetting], user: User, values: dict[str, Any]) -> AnySetting:
    """The row with the first slug of its title that is free."""
    stem = slug_for(values["title"])
    taken = set(kind._default_manager.filter(slug__startswith=stem).values_list("slug", flat=True)) | _RESERVED
    free = (slug for number in range(1, len(taken) + _TRIES) if (slug := _numbered(stem, number)) not in taken)
    for slug in free:
        try:
            with transaction.atomic():
                return kind._default_manager.create(creator=user, slug=slug, **values)
        except IntegrityError as error:
            if "slug" not in str(error):
                raise
    raise Conflict("Others are making the same at this moment.", remedy="Try again.")


def slug_for(title: str) -> str:
    """A title as part of an address.

    >>> slug_for("CT: axial & Übersicht"), slug_for("肺")
    ('ct-axial-ubersicht', 'untitled')
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().casefold()
    return _NOT_IN_SLUG.sub("-", plain).strip("-")[:80].strip("-") or "untitled"


def _numbered(stem: str, number: int) -> str:
    return stem if number == 1 else f"{stem}-{number}"


def _change(
    row: AnySetting,
    actor: Asker,
    changes: Mapping[str, Any],
    require: Callable[[AnySetting, Mapping[str, Any]], None] | None = None,
) -> AnySetting:
    user = require_changing(actor, row, to="change it")
    kind = type(row)
    with transaction.atomic():
        held = _held(row)
        given = dict(changes)
        together = _TOGETHER.get(kind, ())
        given = {name: getattr(held, name) for name in together} | given
        plain: dict[str, Any]
        many: dict[str, list[Any]]
        plain, many = _checked(kind, given, whole=False)
        if require is not None:
            require(held, plain)
        changed: list[str] = sorted(name for name, value in plain.items() if value != getattr(held, name))
        for name in changed:
            setattr(held, name, plain[name])
        for name, rows in many.items():
            if {one.pk for one in rows} != set(getattr(held, name).values_list("pk", flat=True)):
                getattr(held, name).set(rows)
                changed.append(name)
        if changed:
            held.save(update_fields=[*(one for one in changed if one not in many), "modified"])
            _record(user, "changed", held, fields=changed)
    return held


def _held(row: AnySetting) -> AnySetting:
    """The row as it is now, locked. Raises `NotFound` where somebody deleted it."""
    held = type(row)._default_manager.select_for_update().filter(pk=row.pk).first()
    if held is None:
        raise NotFound(f"{row.title} was deleted meanwhile.")
    return held


def _require_same_viewports(held: HangingProtocol, changes: Mapping[str, Any]) -> None:
    if "json" not in changes or set(viewport_names(held.json)) == set(viewport_names(changes["json"])):
        return
    usage = usage_of(held)
    if usage.is_used:
        raise InUse(
            f"No viewport of {held.title} can be added, renamed or removed",
            named=usage.named,
            elsewhere=usage.elsewhere,
            remedy="Make a copy with other viewports, and choose it there.",
        )


def _require_same_colours(held: LookUpTable, changes: Mapping[str, Any]) -> None:
    if all(changes[name] == getattr(held, name) for name in TABLE_FIELDS):
        return
    usage = usage_of(held, by_others=True)
    if usage.is_used:
        raise InUse(
            f"The colours, opacities and range of {held.title} cannot be changed",
            named=usage.named,
            elsewhere=usage.elsewhere,
            remedy="Others read their values by them. Make a copy with other colours, and choose it where you want it.",
        )


def _checked(
    kind: type[Setting], given: Mapping[str, Any], *, whole: bool
) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Values of plain fields, and rows of many-valued ones. Raises `Invalid` with every problem."""
    values = {key: value.strip() if key in ("title", "description") else value for key, value in given.items()}
    problems = words_problems(values)
    many: dict[str, list[Any]] = {}
    if kind is HangingProtocol:
        problems += protocol_problems(values)
    elif kind is Viewer:
        problems += viewer_problems(values)
    elif kind is WindowPreset:
        problems += preset_problems(values)
    elif kind is LookUpTable:
        values = {key: value.strip() if isinstance(value, str) else value for key, value in values.items()}
        problems += table_problems(values)
    else:
        problems += _references(values, many)
        problems += configuration_problems(values)
    if problems:
        raise Invalid(
            f"The {kind._meta.verbose_name} cannot be {'made' if whole else 'changed'} so.", problems=problems
        )
    return values, many


def _references(values: dict[str, Any], many: dict[str, list[Any]]) -> list[Problem]:
    """Look-up tables and presets that are given by slug, as rows: one into `values`, several into `many`."""
    problems: list[Problem] = []
    for one, several, model, what in (
        ("default_window_preset", "window_presets", WindowPreset, "window preset"),
        ("default_overlay_lut", "overlay_luts", LookUpTable, "look-up table"),
    ):
        if several in values:
            many[several] = list(_rows(model, values.pop(several), several, what, problems).values())
        if values.get(one) is not None:
            slug = values[one]
            values[one] = _rows(model, [slug], one, what, problems).get(slug)
    return problems


def _rows(
    model: type[WindowPreset | LookUpTable], slugs: Sequence[str], field: str, what: str, problems: list[Problem]
) -> dict[str, Any]:
    rows = {
        row.slug: row
        for row in model._default_manager.filter(slug__in=[slug for slug in slugs if _SLUG.fullmatch(slug)])
    }
    for slug in slugs:
        if slug not in rows:
            known = list(model._default_manager.values_list("slug", flat=True)[:2000])
            near = did_you_mean(slug, known)
            problems.append(Problem(field, f"There is no {what} {said(slug)}.", code="unknown", remedy=near))
    return rows


def _record(actor: User, done: str, row: Setting, **details: Any) -> None:
    verb = _VERBS[type(row), done]
    record(
        actor_id=actor.pk,
        verb=verb,
        subject_type=verb.partition(".")[0],
        subject_id=row.pk,
        details={"slug": row.slug, **details},
    )
