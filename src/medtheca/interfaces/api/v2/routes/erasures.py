"""Erasing patients: asked for, looked at, confirmed by a second person, and the receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Status

from medtheca.domains.provenance.erasing import (
    confirm_erasure,
    decline_erasure,
    erasure_for,
    erasures_for,
    may_confirm,
    request_erasure,
)
from medtheca.interfaces.api.v2.calling import page_of, user_of
from medtheca.interfaces.api.v2.shapes.common import PageOut, PageQuery
from medtheca.interfaces.api.v2.shapes.subjects import (
    ConfirmationIn,
    DecliningIn,
    ErasureIn,
    ErasureOut,
    ErasurePreviewOut,
)
from medtheca.interfaces.http.api_auth import somebody
from medtheca.workflows.erase.previewing import preview_erasure

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.provenance.models import Erasure

router = Router(tags=["erasures"], auth=somebody)


@router.get("/patients/{public_id}/erasure-preview/", response=ErasurePreviewOut, url_name="erasure_preview")
def preview_erasing(request: HttpRequest, public_id: str) -> Any:
    """What erasing a patient would remove now; changes nothing. Owners of the contributor and staff."""
    return preview_erasure(user=user_of(request), patient_public_id=public_id).to_json()


@router.get("/erasures/", response=PageOut[ErasureOut], url_name="erasures")
def list_erasures(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Erasures of the contributors that the caller owns, newest first; all for staff."""
    user = user_of(request)
    return page_of(
        request,
        erasures_for(user),
        page,
        order=("created", "pk"),
        shape=lambda found: [_shown(user, row) for row in found],
        descending=True,
    )


@router.post("/erasures/", response={201: ErasureOut}, url_name="erasures")
def ask_to_erase(request: HttpRequest, given: ErasureIn) -> Any:
    """Ask that a patient be erased; a second person confirms it. Owners of the contributor and staff."""
    user = user_of(request)
    made = request_erasure(user=user, patient_public_id=given.patient, reason=given.reason, words=given.words)
    return Status(201, _shown(user, made))


@router.get("/erasures/{uuid:erasure_id}/", response=ErasureOut, url_name="erasure_detail")
def show_erasure(request: HttpRequest, erasure_id: UUID) -> Any:
    """One erasure: how far it has come, and its receipt when it is done."""
    user = user_of(request)
    return _shown(user, erasure_for(user, erasure_id))


@router.post("/erasures/{uuid:erasure_id}/confirm/", response=ErasureOut, url_name="erasure_confirm")
def confirm(request: HttpRequest, erasure_id: UUID, given: ConfirmationIn) -> Any:
    """Confirm an erasure as the second person; one of the two is of the staff. It cannot be taken back."""
    user = user_of(request)
    confirm_erasure(user=user, erasure_id=erasure_id, typed=given.patient)
    return _shown(user, erasure_for(user, erasure_id))


@router.post("/erasures/{uuid:erasure_id}/decline/", response=ErasureOut, url_name="erasure_decline")
def decline(request: HttpRequest, erasure_id: UUID, given: DecliningIn) -> Any:
    """Decline an erasure that waits, or take one's own request back."""
    user = user_of(request)
    decline_erasure(user=user, erasure_id=erasure_id, because=given.because)
    return _shown(user, erasure_for(user, erasure_id))


def _shown(user: User, row: Erasure) -> dict[str, Any]:
    return {
        "id": row.pk,
        "patient": row.patient_public_id,
        "contributor": row.contributor_id,
        "reason": row.reason,
        "words": row.words,
        "state": row.state,
        "stage": row.stage,
        "trouble": row.trouble,
        "requester": row.requester_id,
        "requested": row.requested,
        "decider": row.decider_id,
        "decided": row.decided,
        "declined_because": row.declined_because,
        "finished": row.finished,
        "replayed": row.replayed,
        "may_confirm": may_confirm(user, row),
        "receipt": row.receipt or None,
    }
