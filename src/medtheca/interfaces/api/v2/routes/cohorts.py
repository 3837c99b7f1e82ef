"""Cohorts, and what is given to them: spreadsheets and requests to publish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from medtheca.domains.provenance.access import visible_cohorts
from medtheca.domains.provenance.contributors import edit_cohort
from medtheca.domains.provenance.operations import create_cohort
from medtheca.domains.provenance.queries import cohort_for, contributor_for
from medtheca.domains.provenance.summaries import count_accessions
from medtheca.interfaces.api.v2.calling import caller_of, page_of, user_of
from medtheca.interfaces.api.v2.shapes.common import PageOut, PageQuery, isic_licence, values_given
from medtheca.interfaces.api.v2.shapes.people_of import CohortChange
from medtheca.interfaces.api.v2.shapes.provenance import CohortIn, CohortOut
from medtheca.interfaces.http.api_auth import anybody, somebody

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import Cohort

router = Router(tags=["cohorts"], auth=somebody)
_COLUMNS = {"default_copyright_license": "licence", "default_attribution": "attribution"}


@router.get("/", response=PageOut[CohortOut], url_name="cohorts")
def list_cohorts(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Cohorts that the caller belongs to; all for staff."""
    return page_of(request, visible_cohorts(user_of(request)), page, order=("created", "pk"), shape=shown_cohorts)


@router.post("/", response={201: CohortOut}, url_name="cohorts")
def make_cohort(request: HttpRequest, given: CohortIn) -> Any:
    """Make a cohort of a contributor that the caller owns."""
    user = user_of(request)
    cohort = create_cohort(
        contributor=contributor_for(user, given.contributor),
        creator=user,
        name=given.name,
        description=given.description,
        licence=given.default_copyright_license,
        attribution=given.default_attribution,
    )
    return Status(201, shown_cohorts([cohort])[0])


# 404 and not 401 for nobody: isic-cli asks before it is logged in, and takes 401 for a fault of its own.
@router.get("/{int:cohort_id}/", auth=anybody, response=CohortOut, url_name="cohort_detail")
def show_cohort(request: HttpRequest, cohort_id: int) -> Any:
    """One cohort."""
    return shown_cohorts([cohort_for(caller_of(request).user, cohort_id)])[0]


@router.patch("/{int:cohort_id}/", response=CohortOut, url_name="cohort_detail")
def change_cohort(request: HttpRequest, cohort_id: int, given: CohortChange) -> Any:
    """Change what is said of a cohort; what is left out stays."""
    user = user_of(request)
    found = cohort_for(user, cohort_id)
    return shown_cohorts([edit_cohort(cohort=found, actor=user, **values_given(given, _COLUMNS))])[0]


def shown_cohorts(cohorts: list[Cohort]) -> list[dict[str, Any]]:
    """Cohorts as the API shows them, with their counts."""
    counts = count_accessions(cohort.pk for cohort in cohorts)
    return [
        {
            "id": cohort.pk,
            "created": cohort.created,
            "creator": cohort.creator_id,
            "contributor": cohort.contributor_id,
            "name": cohort.name,
            "description": cohort.description,
            "default_copyright_license": isic_licence(cohort.licence),
            "default_license_spdx": cohort.licence,
            "default_attribution": cohort.attribution,
            "accession_count": counts[cohort.pk],
            "consent_basis": cohort.consent_basis,
            "attested": cohort.attested,
            "attested_by": cohort.attested_by_id,
            "readers": cohort.readers,
        }
        for cohort in cohorts
    ]
