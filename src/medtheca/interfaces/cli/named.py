"""Contributors, cohorts, groups and collections as people name them: by id or whole name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from medtheca.base.errors import Invalid, NotFound, Problem
from medtheca.base.paths import text_of
from medtheca.domains.access.groups import groups_for
from medtheca.domains.collections import queries as collections
from medtheca.domains.provenance.selecting import find_one_contributor
from medtheca.workflows.local_ingest import find_cohort

if TYPE_CHECKING:
    from medtheca.domains.access.models import Scope
    from medtheca.domains.accounts.models import User
    from medtheca.domains.collections.models import Collection
    from medtheca.domains.provenance.models import Cohort, Contributor


def contributor_named(user: User, name_or_id: str) -> Contributor:
    """The person's contributor of this id or name. Raises `Invalid` where there is not just one."""
    return find_one_contributor(user, text_of(name_or_id), field="contributor")


def cohort_named(user: User, name_or_id: str) -> Cohort:
    """The person's cohort of this id or name. Raises `NotFound`, or `Invalid` where several have the name."""
    wanted = text_of(name_or_id)
    found = find_cohort(user=user, name_or_id=wanted)
    if found is None:
        raise NotFound(f"There is no cohort {wanted}.")
    return found


def thing_named(user: User, *, contributor: str | None, cohort: str | None) -> Contributor | Cohort:
    """The one of the two that was named. Raises `UsageError` unless just one was, else as the two above."""
    if (contributor is None) == (cohort is None):
        raise click.UsageError("Say of which: one of --contributor, --cohort.")
    return contributor_named(user, contributor) if contributor is not None else cohort_named(user, cohort or "")


def collection_named(user: User, name_or_id: str) -> Collection:
    """The collection of this id or name that the person sees; their own goes before others'.

    Raises `Invalid` where there is not just one.
    """
    wanted = text_of(name_or_id)
    found = collections.named(user, wanted)
    own = [row for row in found if row.creator_id == user.pk]
    found = own if len(found) > 1 and own else found
    if len(found) != 1:
        words = f"There is no collection {wanted}." if not found else f"Several collections are named {wanted}."
        raise Invalid("The collection is not clear.", problems=[Problem("collection", words, remedy="Give the id.")])
    return found[0]


def group_named(user: User, name_or_id: str) -> Scope:
    """The person's group of this id or name. Raises `Invalid` where there is not just one."""
    wanted = text_of(name_or_id)
    mine = groups_for(user)
    is_id = wanted.isdecimal() and len(wanted) < 19
    found = list(mine.filter(pk=int(wanted))) if is_id else []
    found = found or list(mine.filter(name=wanted))
    if len(found) != 1:
        words = f"You are in no group {wanted}." if not found else f"Several groups are named {wanted}."
        raise Invalid("The group is not clear.", problems=[Problem("group", words, remedy="Give the id.")])
    return found[0]
