"""Which accessions are meant: those of a cohort, of a contributor, or chosen one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from medtheca.base.errors import Invalid, NotFound, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.access import visible_accessions
from medtheca.domains.provenance.models import Accession, Cohort, Contributor
from medtheca.domains.provenance.queries import cohort_for, contributor_for

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


def selected(selection: Selection) -> QuerySet[Accession]:
    """The accessions that are meant, in order, with cohort, contributor and image."""
    rows = Accession.objects.select_related("cohort__contributor", "image").order_by("pk")
    if selection.cohort is not None:
        return rows.filter(cohort=selection.cohort)
    if selection.contributor is not None:
        return rows.filter(cohort__contributor=selection.contributor)
    return rows.filter(pk__in=selection.accession_ids or ())


def label_of(accession: Accession) -> str:
    """How owners and staff call an accession: its public id, or its name before it has one."""
    image = accession.image
    return image.public_id if image is not None and image.public_id else accession.name


def was_published(accession: Accession) -> bool:
    """Whether an accession is or once was visible to others: then it has a public id for ever."""
    return accession.published is not None or bool(accession.image and accession.image.public_id)
