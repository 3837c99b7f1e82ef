"""People of contributors and cohorts, invitations, agreements, and plans of what would change."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ninja import Schema
from pydantic import Field

from medtheca.interfaces.api.v2.shapes.common import (
    Given,
    OptionalSpdxLicence,
    Reason,
    ShortText,
    SpdxLicence,
    Text,
)
from medtheca.interfaces.api.v2.shapes.provenance import WebAddress

RoleName = Literal["owner", "editor", "reviewer", "viewer"]


class ContributorChange(Given):
    """What is to be changed of a contributor; what is left out stays."""

    institution_name: ShortText | None = Field(None, min_length=1)
    institution_url: WebAddress | None = None
    legal_contact_info: Text | None = Field(None, max_length=10_000)
    default_copyright_license: OptionalSpdxLicence | None = None
    default_attribution: ShortText | None = None


class CohortChange(Given):
    """What is to be changed of a cohort; what is left out stays. The licence is that of images to come."""

    name: ShortText | None = Field(None, min_length=1)
    description: Text | None = Field(None, max_length=10_000)
    consent_basis: Text | None = Field(None, max_length=10_000, description="Ethics approval or consent. Private.")
    default_copyright_license: SpdxLicence | None = None
    default_attribution: Text | None = Field(None, min_length=1, max_length=200)
    readers: Literal[1, 2] | None = Field(None, description="How many must accept an image; set by staff.")


class MemberOut(Schema):
    """Somebody who belongs to a contributor or cohort."""

    user: int
    name: str
    email: str | None = Field(description="For owners and staff.")
    affiliation: str
    orcid: str = Field(description="ORCID iD, or empty.")
    role: RoleName
    since: datetime
    contributor: int | None = Field(description="The contributor by which somebody belongs to a cohort.")


class RoleIn(Given):
    """A role. Reviewers are named by staff."""

    role: RoleName


class TransferIn(Given):
    """Who hands over to whom; both belong to it already."""

    giver: int = Field(description="An owner's user id.")
    taker: int = Field(description="The new owner's user id.")


class InvitationIn(Given):
    """Whom to invite, and as what."""

    email: ShortText
    role: RoleName = "viewer"


class InvitationOut(Schema):
    """An invitation that nobody has accepted. Its secret is in the mail alone."""

    id: int
    email: str
    role: RoleName
    by: int
    created: datetime
    expires: datetime


class AcceptIn(Given):
    """The secret of an invitation, as it stands in the mail's link."""

    secret: Text = Field(min_length=20, max_length=100)
    with_other_address: bool = Field(
        default=False, description="Accept although the invitation was sent to another address than the caller's."
    )


class BelongsOut(Schema):
    """What somebody now belongs to."""

    kind: Literal["contributor", "cohort"]
    id: int


class AgreementIn(Given):
    """The version of the agreement that was read."""

    version: ShortText


class AgreementOut(Schema):
    """The present agreement, and when it was accepted for the contributor."""

    version: str
    text: str
    accepted: datetime | None
    accepted_by: int | None


class StepOut(Schema):
    """One thing that would change."""

    subject: str
    before: str
    after: str


class ReasonOut(Schema):
    """One thing that is left alone or stands in the way, and why."""

    subject: str
    words: str
    remedy: str


class PlanOut(Schema):
    """What would be done, or was done, thing by thing."""

    dry_run: bool = Field(description="Whether this is a preview: then nothing has been changed.")
    number: int = Field(description="How many things would change; send it as `expected` to go on.")
    facts: dict[str, int]
    steps: list[StepOut]
    left: list[ReasonOut]
    obstacles: list[ReasonOut]


class _Planned(Given):
    dry_run: bool = Field(default=True, description="Only say what would change.")
    expected: int | None = Field(
        None, ge=0, description="`number` of the preview: where another would change by now, nothing is done (409)."
    )


class MoveIn(_Planned):
    """Images that go to another cohort of the same contributor."""

    to: int = Field(description="The other cohort.")
    accessions: list[int] | None = Field(
        None, max_length=100_000, description="All of the cohort where none are named."
    )


class MergeCohortIn(_Planned):
    """A cohort becomes part of another of the same contributor."""

    into: int


class MergeContributorIn(_Planned):
    """A contributor becomes part of another."""

    into: int
    unite: bool = Field(
        default=False, description="Patients and lesions of both with the same private id are one and the same."
    )


class SelectionIn(_Planned):
    """Which images: exactly one of cohort, contributor, accessions."""

    cohort: int | None = None
    contributor: int | None = None
    accessions: list[int] | None = Field(None, min_length=1, max_length=100_000)


class RelicenseIn(SelectionIn):
    """Another licence. Published images only get a more permissive one."""

    copyright_license: SpdxLicence
    reason: Reason = Field("", description="Needed but for a dry run.")
    default: bool = Field(default=False, description="Also for images to come of the cohort or contributor.")


class RemoveFieldIn(SelectionIn):
    """A metadata field that goes."""

    field: ShortText = Field(min_length=1)
    reason: Reason = Field("", description="Needed but for a dry run.")


class PurgeIn(SelectionIn):
    """Images that were never published and go for good."""

    reason: Reason = Field("", description="Needed but for a dry run.")
