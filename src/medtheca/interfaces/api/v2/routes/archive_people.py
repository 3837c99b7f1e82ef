"""People of archives, requests to see them, invitations, links for reviewers; verification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from ninja import Query, Router, Status

from medtheca.domains.access.enums import Role
from medtheca.domains.accounts.queries import user_numbered
from medtheca.domains.accounts.verifying import (
    take_back_verification,
    verification_of,
    verified_among,
    vouch_for,
)
from medtheca.domains.archives import links, people, requests, terms
from medtheca.domains.archives.approving import judge, proposals
from medtheca.domains.archives.enums import PERSON_OF_ROLE
from medtheca.domains.archives.requests import archive_to_ask_for
from medtheca.domains.provenance.access import require_staff
from medtheca.interfaces.api.v2.calling import page_of, user_of
from medtheca.interfaces.api.v2.shapes.archive_people import (
    AccessRequestIn,
    AccessRequestOut,
    AccessRequestQuery,
    ArchiveInvitationOut,
    ArchiveJoinIn,
    ArchivePersonIn,
    ArchivePersonOut,
    ArchiveRoleIn,
    DecidedOut,
    DecisionIn,
    HeldOut,
    JoinedOut,
    JudgementIn,
    LinkIn,
    LinkOut,
    NewLinkOut,
    OwnRequestOut,
    ProposalOut,
    TermsIn,
    VerificationIn,
    VerificationOut,
    VouchIn,
    request_out,
)
from medtheca.interfaces.api.v2.shapes.common import PageOut, PageQuery
from medtheca.interfaces.http.api_auth import somebody
from medtheca.workflows import archive_people as inviting
from medtheca.workflows import verifying

if TYPE_CHECKING:
    from medtheca.domains.accounts.models import User
    from medtheca.domains.archives.models import Archive

router = Router(tags=["archives"], auth=somebody)
mine = Router(tags=["users"], auth=somebody)


@router.get("/{archive_ref}/people/", response=list[ArchivePersonOut], url_name="archive_people")
def list_archive_people(request: HttpRequest, archive_ref: str) -> Any:
    """Who is in an archive, editors first. For its editors and staff."""
    user = user_of(request)
    members = people.members_of(archive_to_ask_for(user, archive_ref), asker=user)
    verified = verified_among([row.user.pk for row in members])
    return [_person(row, verified=row.user.pk in verified) for row in members]


@router.post("/{archive_ref}/people/", response=ArchivePersonOut, url_name="archive_people")
def add_archive_person(request: HttpRequest, archive_ref: str, given: ArchivePersonIn) -> Any:
    """Let in who has an account with this address, or give them another role and end."""
    user = user_of(request)
    archive = archive_to_ask_for(user, archive_ref)
    added = people.add_person(archive=archive, actor=user, email=given.email, person=given.role, until=given.until)
    return _one_person(archive, added.pk, user)


@router.put("/{archive_ref}/people/{int:user_id}/", response=ArchivePersonOut, url_name="archive_person")
def set_archive_person(request: HttpRequest, archive_ref: str, user_id: int, given: ArchiveRoleIn) -> Any:
    """Give somebody in the archive another role and end."""
    user = user_of(request)
    archive = archive_to_ask_for(user, archive_ref)
    found = people.member_for(archive, user_id, asker=user).user
    people.set_person(archive=archive, actor=user, user=found, person=given.role, until=given.until)
    return _one_person(archive, user_id, user)


@router.delete("/{archive_ref}/people/{int:user_id}/", response={204: None}, url_name="archive_person")
def remove_archive_person(request: HttpRequest, archive_ref: str, user_id: int) -> Any:
    """Take somebody out, or leave oneself. Every door that the archive opened is closed within a minute."""
    user = user_of(request)
    people.remove_person(archive=archive_to_ask_for(user, archive_ref), actor=user, user_id=user_id)
    return Status(204, None)


@router.get("/{archive_ref}/invitations/", response=list[ArchiveInvitationOut], url_name="archive_invitations")
def list_archive_invitations(request: HttpRequest, archive_ref: str) -> Any:
    """Invitations that nobody has accepted or revoked, expired ones too."""
    user = user_of(request)
    rows = list(people.invitations_into(archive_to_ask_for(user, archive_ref), asker=user))
    ends = people.ends_of(rows)
    return [_invitation(row, ends.get(row.pk)) for row in rows]


@router.post("/{archive_ref}/invitations/", response={201: ArchiveInvitationOut}, url_name="archive_invitations")
def invite_to_archive(request: HttpRequest, archive_ref: str, given: ArchivePersonIn) -> Any:
    """Invite somebody by mail; they need no account yet."""
    user = user_of(request)
    archive = archive_to_ask_for(user, archive_ref)
    made = inviting.invite(archive=archive, email=given.email, person=given.role, actor=user, until=given.until)
    return Status(201, _invitation(made, given.until))


@router.post(
    "/{archive_ref}/invitations/{int:invitation_id}/resend/",
    response=ArchiveInvitationOut,
    url_name="resend_archive_invitation",
)
def resend_archive_invitation(request: HttpRequest, archive_ref: str, invitation_id: int) -> Any:
    """Send it anew with another secret; the one before it is void."""
    user = user_of(request)
    archive = archive_to_ask_for(user, archive_ref)
    made = inviting.invite_again(archive=archive, invitation_id=invitation_id, actor=user)
    return _invitation(made, people.ends_of([made]).get(made.pk))


@router.delete("/{archive_ref}/invitations/{int:invitation_id}/", response={204: None}, url_name="archive_invitation")
def revoke_archive_invitation(request: HttpRequest, archive_ref: str, invitation_id: int) -> Any:
    """End an invitation."""
    user = user_of(request)
    people.revoke_invitation(archive=archive_to_ask_for(user, archive_ref), actor=user, invitation_id=invitation_id)
    return Status(204, None)


@router.get("/{archive_ref}/requests/", response=PageOut[AccessRequestOut], url_name="archive_requests")
def list_archive_requests(request: HttpRequest, archive_ref: str, asked: Query[AccessRequestQuery]) -> Any:
    """Requests to see an archive, the latest first. For its editors and staff."""
    user = user_of(request)
    rows = requests.requests_of(archive_to_ask_for(user, archive_ref), asker=user, state=asked.state).select_related(
        "archive"
    )

    def shape(found: list[Any]) -> list[Any]:
        verified = verified_among([row.user_id for row in found])
        return [request_out(row, verified=row.user_id in verified) for row in found]

    return page_of(request, rows, asked, order=("asked", "pk"), shape=shape, descending=True)


@router.post("/{archive_ref}/requests/", response={201: OwnRequestOut}, url_name="archive_requests")
def ask_to_see_archive(request: HttpRequest, archive_ref: str, given: AccessRequestIn) -> Any:
    """Ask to see an archive. By its setting one may be in at once; `state` says so."""
    user = user_of(request)
    asked = requests.ask_to_see(
        archive=archive_to_ask_for(user, archive_ref),
        user=user,
        answers=given.answers,
        accepted_version=given.accepted_version,
    )
    return Status(201, request_out(asked))


@router.post("/{archive_ref}/requests/decide/", response=DecidedOut, url_name="archive_requests_decide")
def decide_archive_requests(request: HttpRequest, archive_ref: str, given: DecisionIn) -> Any:
    """Accept or reject requests, one or many at a time."""
    user = user_of(request)
    done = requests.decide(
        archive=archive_to_ask_for(user, archive_ref),
        editor=user,
        request_ids=[pk for pk in given.requests if 0 < pk < 2**63],
        accept=given.accept,
        reason=given.reason,
        person=given.role,
        until=given.until,
    )
    return {"decided": done}


@router.post("/{archive_ref}/accept-terms/", response={204: None}, url_name="archive_accept_terms")
def accept_archive_terms(request: HttpRequest, archive_ref: str, given: TermsIn) -> Any:
    """Accept the data-use text; who was held until then sees the archive again."""
    user = user_of(request)
    terms.accept_terms(archive=archive_to_ask_for(user, archive_ref), user=user, version=given.version)
    return Status(204, None)


@router.post("/{archive_ref}/ask-terms-anew/", response=HeldOut, url_name="archive_ask_terms_anew")
def ask_archive_terms_anew(request: HttpRequest, archive_ref: str) -> Any:
    """Let users see nothing until they accept the present data-use text. For editors and staff."""
    user = user_of(request)
    return {"held": terms.hold_until_accepted(archive=archive_to_ask_for(user, archive_ref), editor=user)}


@router.get("/{archive_ref}/links/", response=list[LinkOut], url_name="archive_links")
def list_archive_links(request: HttpRequest, archive_ref: str) -> Any:
    """Links for reviewers, also those that are over. For editors and staff."""
    user = user_of(request)
    rows = list(links.links_into(archive_to_ask_for(user, archive_ref), asker=user)[:1000])
    live = links.live_among(rows)
    return [_link(row, live=row.pk in live) for row in rows]


@router.post("/{archive_ref}/links/", response={201: NewLinkOut}, url_name="archive_links")
def make_archive_link(request: HttpRequest, archive_ref: str, given: LinkIn) -> Any:
    """Make a link by which whoever has it looks at the archive, and downloads nothing; its address is told only now."""
    user = user_of(request)
    archive = archive_to_ask_for(user, archive_ref)
    link, secret = links.make_link(archive=archive, editor=user, label=given.label, expires=given.expires)
    url = f"{settings.PUBLIC_URL}/archives/by-link/{secret}/"
    return Status(201, {**_link(link, live=True), "url": url})


@router.delete("/{archive_ref}/links/{int:link_id}/", response={204: None}, url_name="archive_link")
def revoke_archive_link(request: HttpRequest, archive_ref: str, link_id: int) -> Any:
    """End a link; it shows nothing any more within a minute."""
    user = user_of(request)
    links.revoke_link(archive=archive_to_ask_for(user, archive_ref), editor=user, link_id=link_id)
    return Status(204, None)


@mine.get("/me/archive-requests/", response=PageOut[OwnRequestOut], url_name="own_archive_requests")
def list_own_archive_requests(request: HttpRequest, asked: Query[PageQuery]) -> Any:
    """What the caller asked to see, the latest first."""
    rows = requests.requests_by(user_of(request))
    return page_of(
        request,
        rows,
        asked,
        order=("asked", "pk"),
        shape=lambda found: [request_out(row) for row in found],
        descending=True,
    )


@mine.post("/me/archive-invitations/accept/", response=JoinedOut, url_name="accept_archive_invitation")
def accept_archive_invitation(request: HttpRequest, given: ArchiveJoinIn) -> Any:
    """Accept an invitation into an archive whose secret the caller has from its mail."""
    archive = people.accept_invitation(
        secret=given.secret, user=user_of(request), with_other_address=given.with_other_address
    )
    return {"archive": archive.pk, "slug": archive.slug}


@mine.get("/me/verification/", response=VerificationOut, url_name="own_verification")
def show_own_verification(request: HttpRequest) -> Any:
    """Whether the caller is verified."""
    return _verification(user_of(request))


@mine.post("/me/verification/", response={202: VerificationOut}, url_name="own_verification")
def ask_for_own_verification(request: HttpRequest, given: VerificationIn) -> Any:
    """Have a link sent to an address at an institution; following it verifies the caller."""
    user = user_of(request)
    verifying.ask(user=user, email=given.email)
    return Status(202, _verification(user))


@mine.post("/users/{int:user_id}/verification/", response=VerificationOut, url_name="vouch_for_user")
def vouch_for_user(request: HttpRequest, user_id: int, given: VouchIn) -> Any:
    """Verify somebody by what the staff know of them."""
    staff = user_of(request)
    require_staff(staff, to="verify people")
    found = user_numbered(user_id)
    vouch_for(user=found, staff=staff, email=given.email)
    return _verification(found)


@mine.delete("/users/{int:user_id}/verification/", response={204: None}, url_name="vouch_for_user")
def end_user_verification(request: HttpRequest, user_id: int) -> Any:
    """End somebody's verification. For staff."""
    staff = user_of(request)
    require_staff(staff, to="end verifications")
    take_back_verification(user=user_numbered(user_id), actor=staff)
    return Status(204, None)


@mine.get("/archive-proposals/", response=list[ProposalOut], url_name="archive_proposals")
def list_archive_proposals(request: HttpRequest) -> Any:
    """Archives that wait for the staff to agree to them."""
    require_staff(user_of(request), to="see what waits for the staff")
    return [
        {
            "archive": row.archive_id,
            "slug": row.archive.slug,
            "title": row.archive.title,
            "creator": row.archive.creator_id,
            "asked": row.asked,
        }
        for row in proposals()[:1000]
    ]


@mine.post("/archive-proposals/{uuid:archive_id}/judge/", response={204: None}, url_name="archive_proposal_judge")
def judge_archive_proposal(request: HttpRequest, archive_id: UUID, given: JudgementIn) -> Any:
    """Agree to an archive, or decline it with a reason. For staff."""
    judge(archive_id=archive_id, staff=user_of(request), agree=given.agree, reason=given.reason)
    return Status(204, None)


def _one_person(archive: Archive, user_id: int, asker: User) -> dict[str, Any]:
    row = people.member_for(archive, user_id, asker=asker)
    return _person(row, verified=bool(verified_among([user_id])))


def _person(row: people.Member, *, verified: bool) -> dict[str, Any]:
    return {
        "user": row.user.pk,
        "name": row.user.full_name,
        "email": row.user.email,
        "affiliation": row.user.affiliation,
        "verified": verified,
        "role": row.person.value,
        "since": row.since,
        "until": row.until,
        "held": row.held,
    }


def _invitation(row: Any, until: Any) -> dict[str, Any]:
    return {
        "id": row.pk,
        "email": row.email,
        "role": PERSON_OF_ROLE[Role(row.role)].value,
        "by": row.by_id,
        "created": row.created,
        "expires": row.expires,
        "until": until,
    }


def _link(row: Any, *, live: bool) -> dict[str, Any]:
    return {
        "id": row.pk,
        "label": row.label,
        "by": row.by_id,
        "created": row.created,
        "expires": row.expires,
        "revoked": row.revoked,
        "live": live,
        "uses": row.uses,
        "used": row.used,
    }


def _verification(user: User) -> dict[str, Any]:
    found = verification_of(user)
    confirmed = found.confirmed if found else None
    return {"verified": confirmed is not None, "email": found.email if found else None, "confirmed": confirmed}
