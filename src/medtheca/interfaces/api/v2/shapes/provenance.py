"""Contributors, cohorts, accessions and publish requests."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field

from medtheca.interfaces.api.v2.shapes.common import Given, OptionalSpdxLicence, ShortText, SpdxLicence, Text

WebAddress = Annotated[str, Field(max_length=200, pattern=r"^(https?://[^\s\x00]+)?$")]


class ContributorIn(Given):
    """A new contributor; the caller becomes its first owner."""

    institution_name: ShortText = Field(min_length=1)
    institution_url: WebAddress = ""
    legal_contact_info: Text = Field("", max_length=10_000)
    default_copyright_license: OptionalSpdxLicence = ""
    default_attribution: ShortText = ""


class ContributorOut(Schema):
    """An institution or person who answers for images. Only its people and staff see it; its contact only who edits."""

    id: int
    created: datetime
    creator: int
    owners: list[int]
    institution_name: str
    institution_url: str
    legal_contact_info: str
    default_copyright_license: str
    default_license_spdx: str
    default_attribution: str


class CohortOfContributorOut(Schema):
    """A cohort in the list of its contributor."""

    id: int
    name: str
    accession_count: int


class ContributorDetailOut(ContributorOut):
    """A contributor with its cohorts."""

    cohorts: list[CohortOfContributorOut]
    cohort_count: int
    accession_count: int


class CohortIn(Given):
    """A new cohort. Licence and attribution are what its images get."""

    contributor: int
    name: ShortText = Field(min_length=1)
    description: Text = Field("", max_length=10_000)
    default_copyright_license: SpdxLicence
    default_attribution: Text = Field(min_length=1, max_length=200)


class CohortOut(Schema):
    """A set of accessions of one contributor. Only owners, members and staff see it."""

    id: int
    created: datetime
    creator: int
    contributor: int
    name: str
    description: str
    default_copyright_license: str
    default_license_spdx: str
    default_attribution: str
    accession_count: int
    consent_basis: str = Field(description="Ethics approval or consent under which the images came.")
    attested: datetime | None = Field(description="When somebody said that they may give these images.")
    attested_by: int | None
    readers: int = Field(description="How many reviewers must accept an image.")


class AccessionOut(Schema):
    """The taking-in of one image."""

    id: int
    created: datetime
    cohort: int
    creator: int
    upload: str | None = Field(description="The upload that it came in.")
    name: str = Field(description="File name, unique in its cohort.")
    path: str = Field(description="Where it was in the upload.")
    state: Literal["received", "converted", "refused"]
    published: datetime | None
    isic_id: str | None = Field(description="Of its image, or the image's key before it has a public id.")
    same_as: int | None = Field(description="The accession that has the same bytes and came first.")
    copyright_license: str
    license_spdx: str
    attribution: str
