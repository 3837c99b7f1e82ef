"""Making archives and saying what they are."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.db import transaction

from medtheca.base.errors import Conflict, Invalid, NotAllowed, Problem
from medtheca.domains.access.enums import Role, ScopeKind
from medtheca.domains.access.operations import add_member, create_scope
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.access import require_editor
from medtheca.domains.archives.approving import propose, require_creation
from medtheca.domains.archives.fields import checked_fields
from medtheca.domains.archives.models import Archive
from medtheca.domains.archives.people import switch_downloads
from medtheca.domains.ledger.operations import record
from medtheca.domains.provenance.access import may_own
from medtheca.domains.provenance.enums import Licence
from medtheca.domains.provenance.models import Cohort, Contributor
from medtheca.domains.provenance.operations import create_cohort

MOST_MADE = 200
"""Archives that one person may have made: each has circles and a cohort."""

_LONGEST_SLUG = 70
_PAGES = frozenset({"new", "join", "by-link", "requests"})
"""Addresses below `/archives/` that are no archive's."""


def create_archive(*, creator: User, contributor: Contributor, title: str, **said: Any) -> Archive:
    """Make an archive of a contributor, with a circle and a cohort of its own; its creator becomes its editor.

    `said` are fields of `fields.WRITABLE`. Raises `NotAllowed` for somebody who does not own the contributor or may
    make no archives here, `Invalid`, or `Conflict` for more than `MOST_MADE`. Where staff have to agree, it waits.
    """
    agreed = require_creation(creator)
    if not creator.is_active or not may_own(creator, contributor):
        raise NotAllowed(
            "Only owners of a contributor may make an archive of it.", remedy="Choose one of yours, or make one."
        )
    fields = checked_fields({"title": title, **said})
    _refuse_hidden_public(public=fields.get("public", False), hidden=fields.get("hidden", False))
    with transaction.atomic():
        # The person's row is the queue: two at once cannot both be the last that is allowed.
        User.objects.select_for_update(no_key=True).get(pk=creator.pk)
        if Archive.objects.filter(creator=creator).count() >= MOST_MADE and not creator.is_staff:
            raise Conflict(f"You have made {MOST_MADE} archives, which is the most.", remedy="Ask the staff.")
        slug = _free_slug(fields["title"])
        scope = create_scope(kind=ScopeKind.ARCHIVE, name=fields["title"])
        cohort = _cohort_of_archive(creator, contributor, slug, fields)
        cohort.archive = scope
        cohort.save(update_fields=["archive"])
        archive = Archive.objects.create(
            creator=creator,
            contributor=contributor,
            cohort=cohort,
            scope=scope,
            slug=slug,
            approved=agreed,
            **fields,
        )
        if not agreed:
            propose(archive)
        add_member(scope=scope, user=creator, role=Role.EDITOR)
        record(
            actor_id=creator.pk,
            verb="archive.created",
            subject_type="archive",
            subject_id=archive.pk,
            cohort_id=cohort.pk,
        )
    return archive


def _cohort_of_archive(creator: User, contributor: Contributor, slug: str, fields: dict[str, Any]) -> Cohort:
    return create_cohort(
        contributor=contributor,
        creator=creator,
        name=f"Archive {slug}",
        licence=fields.get("licence") or contributor.default_licence or Licence.CC_BY_NC.value,
        attribution=(contributor.default_attribution or contributor.institution_name)[:200],
        description=f"What is uploaded to the archive {fields['title']}.",
    )


def change_archive(*, archive: Archive, actor: User, **said: Any) -> Archive:
    """Say something else of an archive: fields of `fields.WRITABLE`. Raises `NotFound`, `NotAllowed` or `Invalid`.

    Its address stays. A change of the data-use text makes a new version of it.
    """
    require_editor(actor, archive, to="change its settings")
    fields = checked_fields(said)
    with transaction.atomic():
        locked = Archive.objects.select_for_update(no_key=True, of=("self",)).get(pk=archive.pk)
        changed = {name: value for name, value in fields.items() if getattr(locked, name) != value}
        _refuse_hidden_public(public=changed.get("public", locked.public), hidden=changed.get("hidden", locked.hidden))
        # What was empty could not be accepted: the first text is version 1, whenever it is written.
        if "terms" in changed and locked.terms:
            changed["terms_version"] = locked.terms_version + 1
        if changed:
            Archive.objects.filter(pk=archive.pk).update(**changed)
            if "downloads" in changed:
                switch_downloads(locked, allowed=changed["downloads"])
            record(
                actor_id=actor.pk,
                verb="archive.changed",
                subject_type="archive",
                subject_id=archive.pk,
                cohort_id=archive.cohort_id,
                details={"fields": sorted(changed)},
            )
    return Archive.objects.get(pk=archive.pk)


def _refuse_hidden_public(*, public: bool, hidden: bool) -> None:
    if public and hidden:
        problem = Problem("hidden", "A public archive is listed and cannot be hidden.", remedy="Make it private.")
        raise Invalid("The archive cannot be both.", problems=[problem])


def _free_slug(title: str) -> str:
    """What stands in addresses: the title's letters and digits, and a number where that is taken."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_SLUG].strip("-") or "archive"
    taken = _PAGES | set(Archive.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(
        slug for slug in (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3))) if slug not in taken
    )
