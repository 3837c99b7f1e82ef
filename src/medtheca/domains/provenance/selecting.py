"""Which accessions are meant: those of a cohort, of a contributor, or chosen one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from medtheca.base.errors import Invalid, NotFound, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.access import visible_accessions, visible_contributors
from medtheca.domains.provenance.models import Accession, Cohort, Contributor
from medtheca.domains.provenance.queries import accessions_by_name, cohort_for, contributor_for, find_cohorts_named

MOST_CHOSEN = 100_000


@dataclass(frozen=True, slots=True)
class Selection:
    """Exactly one of the three."""

    cohort: Cohort | None = None
    contributor: Contributor | None = None
    accession_ids: tuple[int, ...] | None = None

    @property
    def label(self) -> str:
        """What is meant, in words."""
        if self.cohort is not None:
            return f"the cohort {self.cohort.name}"
        if self.contributor is not None:
            return f"the contributor {self.contributor.institution_name}"
        return f"{len(self.accession_ids or ()):,} chosen images"


def select(
    *,
    user: User,
    cohort_id: int | None = None,
    contributor_id: int | None = None,
    accession_ids: Sequence[int] | None = None,
) -> Selection:
    """What the person means. Raises `Invalid` unless one of the three is given, `NotFound` for what they cannot see."""
    if sum(given is not None for given in (cohort_id, contributor_id, accession_ids)) != 1:
        problem = Problem("cohort", "Name a cohort, a contributor or accessions, and only one of them.")
        raise Invalid("It is not clear which images are meant.", problems=[problem])
    if cohort_id is not None:
        return Selection(cohort=cohort_for(user, cohort_id))
    if contributor_id is not None:
        return Selection(contributor=contributor_for(user, contributor_id))
    wanted = sorted(set(accession_ids or ()))
    if not wanted or len(wanted) > MOST_CHOSEN:
        problem = Problem("accessions", f"{len(wanted):,} accessions are named; 1 to {MOST_CHOSEN:,} can be.")
        raise Invalid("No images are named, or too many.", problems=[problem])
    seen = set(visible_accessions(user).filter(pk__in=wanted).values_list("pk", flat=True))
    if strange := next((pk for pk in wanted if pk not in seen), None):
        raise NotFound(f"There is no accession {strange}.")
    return Selection(accession_ids=tuple(wanted))


def select_named(*, user: User, kind: str, given: str) -> Selection:
    """What somebody means who writes it: a cohort or contributor by id or whole name, or images one a line.

    Images are named by public id or by the number of their accession. Raises `Invalid` or `NotFound`.
    """
    if kind == "images":
        return select(user=user, accession_ids=_accessions_named(user, given.split()))
    name = given.strip()
    find: Any = find_cohorts_named if kind == "cohort" else find_contributors_named
    found = find(user, name)
    if len(found) != 1:
        words = f"{'Several are' if found else 'None is'} called {name or 'so'}."
        problem = Problem("given", words, remedy="Give the id, or the whole name.")
        raise Invalid(f"There is no such {kind}, or more than one.", problems=[problem])
    return Selection(cohort=found[0]) if kind == "cohort" else Selection(contributor=found[0])


def find_contributors_named(user: User, name_or_id: str) -> list[Contributor]:
    """The person's contributors of this id, or else of this name."""
    mine = visible_contributors(user)
    if name_or_id.isdecimal() and len(name_or_id) < 19 and (found := mine.filter(pk=int(name_or_id)).first()):
        return [found]
    return list(mine.filter(institution_name=name_or_id).order_by("pk"))


def find_one_contributor(user: User, name_or_id: str, *, field: str) -> Contributor:
    """The person's contributor of this id or name. Raises `Invalid` that names `field` where there is not just one."""
    name = name_or_id.strip()
    found = find_contributors_named(user, name)
    if len(found) != 1:
        words = f"{'Several are' if found else 'None is'} called {name or 'so'}."
        problem = Problem(field, words, remedy="Give the id, or the whole name.")
        raise Invalid("There is no such contributor, or more than one.", problems=[problem])
    return found[0]


def _accessions_named(user: User, words: Sequence[str]) -> list[int]:
    numbers = {word for word in words if word.isdecimal() and len(word) < 19}
    public = {word for word in words if word not in numbers}
    rows = visible_accessions(user).filter(image__public_id__in=public).values_list("image__public_id", "pk")
    found = dict(rows)
    if strange := sorted(public - found.keys()):
        problem = Problem("given", f"There is no image {', '.join(strange[:10])}.", remedy="Correct them.")
        raise Invalid("Some images were not found.", problems=[problem])
    return [*found.values(), *map(int, numbers)]


def selected(selection: Selection) -> QuerySet[Accession]:
    """The accessions that are meant, in order, with cohort, contributor and image."""
    rows = Accession.objects.select_related("cohort__contributor", "image").order_by("pk")
    if selection.cohort is not None:
        return rows.filter(cohort=selection.cohort)
    if selection.contributor is not None:
        return rows.filter(cohort__contributor=selection.contributor)
    return rows.filter(pk__in=selection.accession_ids or ())


def accessions_listed(cohort: Cohort, names: Sequence[str] | None) -> list[int] | None:
    """Accessions of a cohort by public ids or file names; None for None. Raises `Invalid` naming those not found."""
    if names is None:
        return None
    rows = Accession.objects.filter(cohort=cohort)
    public = dict(rows.filter(image__public_id__in=names).values_list("image__public_id", "pk"))
    others = [name for name in names if name not in public]
    named = accessions_by_name(cohort, others)
    strange = [name for name in others if name not in named]
    if strange:
        more = f" and {len(strange) - 10:,} more" if len(strange) > 10 else ""
        words = f"The cohort has no {', '.join(strange[:10])}{more}."
        raise Invalid(
            "Some images were not found.",
            problems=[Problem("listed", words, code="unknown", remedy="Take them out, or correct them.")],
        )
    return sorted({*public.values(), *(row.pk for row in named.values())})


def label_of(accession: Accession) -> str:
    """How owners and staff call an accession: its public id, or its name before it has one."""
    image = accession.image
    return image.public_id if image is not None and image.public_id else accession.name


def was_published(accession: Accession) -> bool:
    """Whether an accession is or once was visible to others: then it has a public id for ever."""
    return accession.published is not None or bool(accession.image and accession.image.public_id)
