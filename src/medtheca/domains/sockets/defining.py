"""Defining sockets, and changing what may change of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.access.models import Scope
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.operations import record
from medtheca.domains.sockets.access import require_defining
from medtheca.domains.sockets.models import LookUpTable, Socket
from medtheca.domains.sockets.queries import has_values
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.sockets.definitions import Definition, Fault, completed, faults_of, slug_for
from medtheca.toolkit.sockets.overlays import check_extension

MOST_OF_A_SCOPE = 1000
"""Sockets of one archive: rows cost their editors nothing."""

NEVER = ("kind", "relative_path", "store_in_database")
"""What of a socket never changes: services and clients rely on it."""

# Who defines waits for who defines: a title or path of everybody's may not be one of any archive's.
_DEFINING_LOCK = 0x4D544C50
_DEFINED = tuple(field.name for field in fields(Definition))


def define_socket(
    *, creator: User, definition: Definition, scope: Scope | None = None, look_up_table: LookUpTable | None = None
) -> Socket:
    """Define a socket for everybody, or for the archive whose scope is given.

    Raises `NotAllowed`, or `Invalid` with everything that is wrong by field.
    """
    require_defining(creator, scope, to="define a socket")
    _require_sound(definition, look_up_table)
    whole = completed(definition)
    with transaction.atomic():
        _wait_for_others()
        _require_free(whole, scope)
        if scope is not None and Socket.objects.filter(scope=scope).count() >= MOST_OF_A_SCOPE:
            raise Invalid(f"The archive has {MOST_OF_A_SCOPE:,} sockets, which is the most.")
        made = Socket.objects.create(
            **asdict(whole), slug=_free_slug(whole.title), look_up_table=look_up_table, scope=scope, creator=creator
        )
        _record(creator, "socket.defined", made)
    return made


def check_definition(definition: Definition, *, look_up_table: LookUpTable | None = None) -> None:
    """Raise `Invalid` for what would be refused whoever defines it; what is taken already is not looked at."""
    _require_sound(definition, look_up_table)


def change_socket(*, socket: Socket, actor: User, changes: Mapping[str, Any]) -> Socket:
    """Change parts of a socket, by the names of `Definition`, and `look_up_table`; return it as it is now.

    Once there are values its schema stays, and overlay segments are only added to. Raises `NotAllowed`, or `Invalid`
    with everything that is wrong by field.
    """
    require_defining(actor, socket.scope_id, to="change a socket")
    known = {*_DEFINED, "look_up_table"}
    with transaction.atomic():
        _wait_for_others()
        # Whoever makes a value at this moment has the row, or finds it as it will be.
        held = Socket.objects.select_for_update(of=("self",)).select_related("look_up_table").get(pk=socket.pk)
        changed = {name: value for name, value in changes.items() if name not in known or value != getattr(held, name)}
        _require_changeable(held, changed, known)
        before = {name: getattr(held, name) for name in _DEFINED}
        table = changed.get("look_up_table", held.look_up_table)
        after = Definition(**{**before, **{name: value for name, value in changed.items() if name in _DEFINED}})
        _require_sound(after, table)
        if "title" in changed:
            _require_free(completed(after), held.scope, besides=held)
        for name in changed:
            setattr(held, name, table if name == "look_up_table" else getattr(completed(after), name))
        if changed:
            held.save(update_fields=[*changed, "modified"])
            _record(actor, "socket.changed", held, fields=sorted(changed))
    return held


def _require_changeable(socket: Socket, changed: Mapping[str, Any], known: set[str]) -> None:
    problems = [Problem(name, f"A socket has no {name}.") for name in changed if name not in known]
    remedy = "Define another socket."
    problems += [
        Problem(name, f"The {name} of a socket never changes.", remedy=remedy) for name in NEVER if name in changed
    ]
    if {"schema", "overlay_segments"} & set(changed) and has_values(socket):
        if "schema" in changed:
            words = "There are values already, which were checked by the schema as it is."
            problems.append(Problem("schema", words, remedy=remedy))
        try:
            check_extension(socket.overlay_segments, changed.get("overlay_segments", socket.overlay_segments))
        except Refused as refused:
            problems.append(Problem("overlay_segments", refused.message, remedy=refused.remedy))
    if problems:
        raise _cannot(problems)


def _require_sound(definition: Definition, look_up_table: LookUpTable | None) -> None:
    faults = faults_of(definition)
    if look_up_table is not None and not any(fault.field == "kind" for fault in faults):
        faults += _faults_of_table(definition)
    if faults:
        raise _cannot([Problem(fault.field, fault.message, remedy=fault.remedy) for fault in faults])


def _faults_of_table(definition: Definition) -> list[Fault]:
    if completed(definition).relative_path.startswith("images/"):
        return []
    return [Fault("look_up_table", "Only images are shown with a look-up table.", "Leave it out.")]


def _require_free(definition: Definition, scope: Scope | None, *, besides: Socket | None = None) -> None:
    """Raise `Invalid` for a title or path that a socket has which could be in one item with this one."""
    among = Socket.objects.all() if scope is None else Socket.objects.filter(Q(scope__isnull=True) | Q(scope=scope))
    if besides is not None:
        among = among.exclude(pk=besides.pk)
    problems = []
    if among.filter(title__iexact=definition.title).exists():
        words = f"There is a socket {definition.title} already."
        problems.append(Problem("title", words, remedy="Use it, or choose another title."))
    if among.filter(relative_path=definition.relative_path).exists():
        words = f"Another socket has the path {definition.relative_path}."
        problems.append(Problem("relative_path", words, remedy="Choose another path."))
    if problems:
        raise _cannot(problems)


def _free_slug(title: str) -> str:
    slug = slug_for(title)
    taken = set(Socket.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
    return next(name for name in (slug, *(f"{slug}-{n}" for n in range(2, len(taken) + 3))) if name not in taken)


def _wait_for_others() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_DEFINING_LOCK])


def _cannot(problems: list[Problem]) -> Invalid:
    first = problems[0]
    return Invalid(f"The socket cannot be so: {first.message}", problems=problems, remedy=first.remedy)


def _record(actor: User, verb: str, socket: Socket, **details: Any) -> None:
    told = {"slug": socket.slug, **details}
    record(actor_id=actor.pk, verb=verb, subject_type="socket", subject_id=socket.pk, details=told)
