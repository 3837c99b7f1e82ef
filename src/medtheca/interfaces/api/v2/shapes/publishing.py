"""Publishing, groups, and what changed since."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AwareDatetime, Field

from medtheca.interfaces.api.v2.shapes.common import Given, PageQuery, Reason, Text

Visibility = Literal["public", "signed_in", "groups"]
Outcome = Literal["waiting", "published", "withdrawn", "not_accepted"]
GroupRole = Literal["owner", "viewer"]
GroupName = Annotated[Text, Field(min_length=1, max_length=100)]


class PublishRequestIn(Given):
    """Which images of a cohort are to become visible, and for whom."""

    visibility: Visibility = "public"
    groups: list[int] = Field([], max_length=50, description="For `groups`: groups that the caller is in.")
    accessions: list[int] | None = Field(
        None, max_length=100_000, description="All that are ready, where none are named."
    )
    opens: AwareDatetime | None = Field(None, description="End of an embargo, with a time zone.")


class GroupNameOut(Schema):
    """A group by name."""

    id: int
    name: str


class PublishRequestOut(Schema):
    """An owner or editor asks that images become visible; a reviewer accepts or rejects it."""

    id: int
    created: datetime
    cohort: int
    requester: int
    visibility: Visibility
    groups: list[GroupNameOut]
    opens: datetime | None
    state: Literal["requested", "publishing", "published", "rejected"]
    number: int = Field(description="How many accessions it names; the next four add up to it.")
    waiting: int
    published: int
    withdrawn: int = Field(description="Left out, because they were withdrawn before their turn came.")
    not_accepted: int = Field(description="Left out, because no review accepts them, or one rejects or flags them.")
    decided: datetime | None
    reason: str = Field(description="Of the rejection.")


class RareOut(Schema):
    """A combination of public values that few patients share."""

    values: str = Field(examples=["85, female, Palms or soles, Acral melanoma"])
    patients: int
    images: int


class PublishPreviewOut(Schema):
    """What a request to publish would come to as things stand."""

    visibility: Visibility
    groups: list[str]
    opens: datetime | None
    number: int = Field(description="Images that would be shown.")
    not_judged: int = Field(description="Of those, how many no review has accepted yet.")
    readers: int = Field(description="How many reviewers must accept an image of the cohort.")
    left_out: dict[str, int] = Field(description="Images by the reason for which they would not be shown.")
    licenses: dict[str, int]
    attributions: dict[str, int]
    without_metadata: int
    without_patient: int = Field(description="Images that name no patient; each is counted as another person.")
    example: dict[str, dict[str, Any]] = Field(description="Public metadata of the image of which most is said.")
    k: int = Field(description="Combinations that fewer patients than this share are named.")
    rare: list[RareOut]


class PublishItemQuery(PageQuery):
    """Which accessions of a request."""

    outcome: Outcome | None = None


class PublishItemOut(Schema):
    """One accession of a request."""

    accession: int
    isic_id: str | None
    outcome: Outcome


class RejectionIn(Given):
    """Why a request is rejected; whoever asked reads it."""

    reason: Reason = Field(min_length=1)


class TakeBackManyIn(Given):
    """Which published images of a cohort are taken back."""

    accessions: list[int] | None = Field(
        None, max_length=100_000, description="All published ones, where none are named."
    )
    withdraw: bool = Field(
        False, description="For good, with a tombstone; else they are private and can be published anew."
    )
    reason: Reason = Field(min_length=1, description="Public where withdrawn images were. Name no person in it.")
    dry_run: bool = Field(False, description="Only tell how many.")


class TakenBackOut(Schema):
    """How many images were taken back at once, and how many are by jobs within a minute."""

    done: int
    under_way: int
    would_be: int


class GroupIn(Given):
    """What a group is called."""

    name: GroupName


class GroupOut(Schema):
    """A named group for which images can be published."""

    id: int
    name: str
    members: int
    images: int
    role: GroupRole | None = Field(description="The caller's; null for staff who are not in it.")


class GroupMemberOut(Schema):
    """A person of a group. The address is for those who run it."""

    user: int
    name: str
    email: str | None
    role: GroupRole
    since: datetime


class GroupRoleIn(Given):
    """What a member may do."""

    role: GroupRole


class GroupInvitationIn(Given):
    """Who is invited; the link goes to the address by mail."""

    email: Text = Field(min_length=3, max_length=254)
    role: GroupRole = "viewer"


class GroupInvitationOut(Schema):
    """An invitation that was sent."""

    id: int
    email: str
    role: GroupRole
    expires: datetime


class ChangeOut(Schema):
    """One entry of an image's public change log."""

    at: datetime
    kind: str = Field(examples=["published", "metadata", "file_replaced", "redacted", "licence"])
    words: str
    reason: str
    changes: dict[str, list[Any]] = Field(description="Public fields, each with its value before and after.")


class FileVersionOut(Schema):
    """A version of an accession's file."""

    number: int
    kind: Literal["received", "replacement", "redaction"]
    state: Literal["waiting", "candidate", "current", "superseded", "refused"]
    name: str
    created: datetime
    creator: int
    reason: str = Field(description="Public once the version is.")
    refusal: str
    remedy: str
    sha256: str | None = Field(description="Of the original; null for what was refused.")
    width: int | None
    height: int | None
    redactions: list[list[int]] = Field(description="Boxes [x, y, width, height] in pixels of the upright picture.")
