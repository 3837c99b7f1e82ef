"""People of archives, requests to see them, invitations and links for reviewers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, Field

from medtheca.interfaces.api.v2.shapes.common import Given, PageQuery, ShortText, Text

PersonRole = Literal["editor", "uploader", "user"]
_UNTIL = "Until when they stay; nothing: until somebody removes them."


class ArchivePersonOut(Schema):
    """Somebody in an archive."""

    user: int
    name: str
    email: str
    affiliation: str
    verified: bool = Field(description="Whether they confirmed an address at an institution.")
    role: PersonRole
    since: datetime
    until: datetime | None
    held: bool = Field(description="Whether they see nothing until they accept the present data-use text.")


class ArchivePersonIn(Given):
    """Whom to let in or to invite, as what, and until when."""

    email: ShortText
    role: PersonRole = "user"
    until: AwareDatetime | None = Field(None, description=_UNTIL)


class ArchiveRoleIn(Given):
    """What somebody is to be, and until when."""

    role: PersonRole
    until: AwareDatetime | None = Field(None, description=_UNTIL)


class ArchiveInvitationOut(Schema):
    """An invitation into an archive; its link is in the mail alone."""

    id: int
    email: str
    role: PersonRole
    by: int
    created: datetime
    expires: datetime
    until: datetime | None = Field(description="Until when they would stay.")


class ArchiveJoinIn(Given):
    """The secret of an invitation's link."""

    secret: ShortText
    with_other_address: bool = Field(False, description="Accept what was sent to another address than yours.")


class JoinedOut(Schema):
    """An archive that one now belongs to."""

    archive: UUID
    slug: str


class AccessRequestQuery(PageQuery):
    """Which requests."""

    state: Literal["", "pending", "accepted", "rejected"] = ""


class AccessRequestIn(Given):
    """What goes with a request: answers by the names of the archive's `request_form`, and the accepted version."""

    answers: dict[str, str] = {}
    accepted_version: int | None = Field(None, description="Of the data-use text that was read, where there is one.")


class OwnRequestOut(Schema):
    """What one asked to see, and what became of it."""

    id: int
    archive: UUID
    archive_title: str
    state: Literal["pending", "accepted", "rejected"]
    asked: datetime
    answers: dict[str, str]
    terms_version: int | None
    decided: datetime | None
    reason: str


class AccessRequestOut(OwnRequestOut):
    """A request, for editors."""

    user: int
    name: str
    email: str
    affiliation: str
    verified: bool
    decided_by: int | None = Field(description="Nobody where the archive's setting decided.")


class DecisionIn(Given):
    """What becomes of requests that wait. A rejection has a reason; whoever asked reads it."""

    requests: list[int] = Field(min_length=1, max_length=1000)
    accept: bool
    reason: Text = ""
    role: PersonRole = "user"
    until: AwareDatetime | None = Field(None, description=_UNTIL)


class DecidedOut(Schema):
    """How many were decided; those that somebody else decided meanwhile are not counted."""

    decided: int


class TermsIn(Given):
    """The version of the data-use text that was read."""

    version: int


class HeldOut(Schema):
    """How many users see nothing until they accept the present text."""

    held: int


class LinkIn(Given):
    """For whom a link is, and until when."""

    label: ShortText
    expires: AwareDatetime | None = Field(None, description="Nothing: for 90 days. A year is the most.")


class LinkOut(Schema):
    """A link for reviewers."""

    id: int
    label: str
    by: int
    created: datetime
    expires: datetime
    revoked: datetime | None
    live: bool
    uses: int
    used: datetime | None


class NewLinkOut(LinkOut):
    """A link that was just made, with its address, which is shown only now."""

    url: str


class VerificationOut(Schema):
    """Whether one is verified, and by which address."""

    verified: bool
    email: str | None
    confirmed: datetime | None


class VerificationIn(Given):
    """An address at an institution, to which a link is sent."""

    email: ShortText


class VouchIn(Given):
    """By which address staff vouch for somebody; without one it is the account's."""

    email: ShortText = ""


class ProposalOut(Schema):
    """An archive that waits for the staff."""

    archive: UUID
    slug: str
    title: str
    creator: int
    asked: datetime


class JudgementIn(Given):
    """Whether the staff agree. A refusal has a reason, which whoever made the archive reads."""

    agree: bool
    reason: Text = ""


def request_out(row: Any, *, verified: bool | None = None) -> dict[str, Any]:
    """`OwnRequestOut`; with `verified` `AccessRequestOut`."""
    own = {
        "id": row.pk,
        "archive": row.archive_id,
        "archive_title": row.archive.title,
        "state": row.state,
        "asked": row.asked,
        "answers": row.answers,
        "terms_version": row.terms_version,
        "decided": row.decided,
        "reason": row.reason,
    }
    if verified is None:
        return own
    who = {"user": row.user_id, "name": row.user.full_name, "email": row.user.email}
    return (
        own
        | who
        | {
            "affiliation": row.user.affiliation,
            "verified": verified,
            "decided_by": row.decided_by_id,
        }
    )
