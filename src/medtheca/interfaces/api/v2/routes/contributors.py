"""Contributors, which only their own people and staff see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from medtheca.domains.provenance.access import visible_cohorts, visible_contributors
from medtheca.domains.provenance.contributors import edit_contributor
from medtheca.domains.provenance.operations import create_contributor
from medtheca.domains.provenance.overviews import edited_contributors
from medtheca.domains.provenance.queries import contributor_for
from medtheca.domains.provenance.summaries import count_accessions, owners_of
from medtheca.interfaces.api.v2.calling import page_of, user_of
from medtheca.interfaces.api.v2.shapes.common import PageOut, PageQuery, isic_licence, values_given
from medtheca.interfaces.api.v2.shapes.people_of import ContributorChange
from medtheca.interfaces.api.v2.shapes.provenance import ContributorDetailOut, ContributorIn, ContributorOut
from medtheca.interfaces.http.api_auth import somebody

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.provenance.models import Contributor

router = Router(tags=["contributors"], auth=somebody)
_COLUMNS = {"default_copyright_license": "default_licence"}


@router.get("/", response=PageOut[ContributorOut], url_name="contributors")
def list_contributors(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Contributors that the caller belongs to; all for staff."""
    user = user_of(request)
    return page_of(
        request, visible_contributors(user), page, order=("created", "pk"), shape=lambda rows: _shown(rows, user)
    )


@router.post("/", response={201: ContributorOut}, url_name="contributors")
def make_contributor(request: HttpRequest, given: ContributorIn) -> Any:
    """Make a contributor, whose first owner the caller becomes."""
    user = user_of(request)
    contributor = create_contributor(
        creator=user,
        institution_name=given.institution_name,
        institution_url=given.institution_url,
        legal_contact_info=given.legal_contact_info,
        default_licence=given.default_copyright_license,
        default_attribution=given.default_attribution,
    )
    return Status(201, _shown([contributor], user)[0])


@router.get("/{int:contributor_id}/", response=ContributorDetailOut, url_name="contributor_detail")
def show_contributor(request: HttpRequest, contributor_id: int) -> Any:
    """One contributor with its cohorts."""
    user = user_of(request)
    contributor = contributor_for(user, contributor_id)
    cohorts = list(visible_cohorts(user).filter(contributor=contributor).order_by("created", "pk"))
    counts = count_accessions(cohort.pk for cohort in cohorts)
    return {
        **_shown([contributor], user)[0],
        "cohorts": [{"id": cohort.pk, "name": cohort.name, "accession_count": counts[cohort.pk]} for cohort in cohorts],
        "cohort_count": len(cohorts),
        "accession_count": sum(counts.values()),
    }


@router.patch("/{int:contributor_id}/", response=ContributorOut, url_name="contributor_detail")
def change_contributor(request: HttpRequest, contributor_id: int, given: ContributorChange) -> Any:
    """Change what is said of a contributor; what is left out stays."""
    user = user_of(request)
    found = contributor_for(user, contributor_id)
    changed = edit_contributor(contributor=found, actor=user, **values_given(given, _COLUMNS))
    return _shown([changed], user)[0]


def _shown(contributors: list[Contributor], user: User) -> list[dict[str, Any]]:
    edited = set(edited_contributors(user).filter(pk__in=[row.pk for row in contributors]).values_list("pk", flat=True))
    owners = owners_of(contributors)
    return [
        {
            "id": contributor.pk,
            "created": contributor.created,
            "creator": contributor.creator_id,
            "owners": owners[contributor.pk],
            "institution_name": contributor.institution_name,
            "institution_url": contributor.institution_url,
            # Whom to ask about consent is not for viewers.
            "legal_contact_info": contributor.legal_contact_info if contributor.pk in edited else "",
            "default_copyright_license": isic_licence(contributor.default_licence),
            "default_license_spdx": contributor.default_licence,
            "default_attribution": contributor.default_attribution,
        }
        for contributor in contributors
    ]
