"""What staff, and for licences owners, change in many images at once: a preview unless the caller says otherwise."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from medtheca.domains.provenance.licensing import plan_relicense, relicense
from medtheca.domains.provenance.purging import plan_purge, purge
from medtheca.domains.provenance.selecting import Selection, select
from medtheca.interfaces.api.v2.calling import user_of
from medtheca.interfaces.api.v2.plans import planned
from medtheca.interfaces.api.v2.shapes.people_of import PlanOut, PurgeIn, RelicenseIn, RemoveFieldIn, SelectionIn
from medtheca.interfaces.http.api_auth import somebody
from medtheca.workflows.reconvert import begin_reconversion, plan_reconversion
from medtheca.workflows.remove_field import plan_field_removal, remove_field

router = Router(tags=["curation"], auth=somebody)


@router.post("/relicense/", response=PlanOut, url_name="curate_relicense")
def relicense_images(request: HttpRequest, given: RelicenseIn) -> Any:
    """Give images another licence. For owners of all of them, and staff."""
    user = user_of(request)
    chosen: dict[str, Any] = {
        "selection": _selection(request, given),
        "licence": given.copyright_license,
        "actor": user,
    }
    return planned(
        dry_run=given.dry_run,
        look=lambda: plan_relicense(**chosen),
        do=lambda: relicense(**chosen, reason=given.reason, expected=given.expected, default=given.default),
    )


@router.post("/remove-field/", response=PlanOut, url_name="curate_remove_field")
def remove_metadata_field(request: HttpRequest, given: RemoveFieldIn) -> Any:
    """Take a metadata field out, as a version of each image's metadata. For staff."""
    user = user_of(request)
    chosen: dict[str, Any] = {"selection": _selection(request, given), "field": given.field, "actor": user}
    return planned(
        dry_run=given.dry_run,
        look=lambda: plan_field_removal(**chosen),
        do=lambda: remove_field(**chosen, reason=given.reason, expected=given.expected),
    )


@router.post("/purge/", response=PlanOut, url_name="curate_purge")
def purge_images(request: HttpRequest, given: PurgeIn) -> Any:
    """Remove images that were never published, for good. For staff."""
    user = user_of(request)
    selection = _selection(request, given)
    return planned(
        dry_run=given.dry_run,
        look=lambda: plan_purge(selection=selection, actor=user),
        do=lambda: purge(selection=selection, reason=given.reason, actor=user, expected=given.expected),
    )


@router.post("/reconvert/", response=PlanOut, url_name="curate_reconvert")
def reconvert_images(request: HttpRequest, given: SelectionIn) -> Any:
    """Have images made again from their originals, by jobs. For staff."""
    user = user_of(request)
    selection = _selection(request, given)
    return planned(
        dry_run=given.dry_run,
        look=lambda: plan_reconversion(selection=selection, actor=user),
        do=lambda: begin_reconversion(selection=selection, actor=user, expected=given.expected),
    )


def _selection(request: HttpRequest, given: SelectionIn) -> Selection:
    return select(
        user=user_of(request),
        cohort_id=given.cohort,
        contributor_id=given.contributor,
        accession_ids=given.accessions,
    )
