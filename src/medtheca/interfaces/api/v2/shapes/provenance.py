"""Contributors, cohorts, accessions and publish requests."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from ninja import Schema
from pydantic import Field

from medtheca.interfaces.api.v2.shapes.acquired import AcquiredOut
from medtheca.interfaces.api.v2.shapes.common import (
    Given,
    OptionalSpdxLicence,
    ShortText,
    SpdxLicence,
    Text,
    isic_licence,
)

if TYPE_CHECKING:
    from medtheca.domains.provenance.models import Origin

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


class AccessionIn(Given):
    """A file that was uploaded in parts, for a cohort."""

    cohort: int
    original_blob: str = Field(description="The `field_value` of `s3-upload/finalize/`; it works once, for a day.")
    metadata: dict[Text, Text | bool | int | float | None] = Field(
        {},
        description="Fields of the schema; what is not among them is kept as unstructured. Empty values say nothing.",
        examples=[{"age": 52, "sex": "female", "image_type": "dermoscopic"}],
    )


class AccessionMadeOut(Schema):
    """An accession that was made just now."""

    id: int


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


class OriginalFileOut(Schema):
    """A file as it came, kept bit for bit."""

    name: str = Field(description="Of several files, the path among them; files of DICOM are numbered.")
    size: int = Field(description="Bytes.")
    sha256: str


class OriginOut(Schema):
    """That an image was brought from another archive, and what came."""

    host: str = Field(description="Name and port of the archive.", examples=["api.isic-archive.com"])
    isic_id: str = Field(description="The image's id there.", examples=["ISIC_0000042"])
    url: str = Field(description="What the archive says of it.")
    fetched: datetime
    sha256: str = Field(description="Of the file as it came.")
    size: int = Field(description="Bytes of the file as it came.")
    copyright_license: str = Field(description="As the archive said it then.")
    license_spdx: str
    attribution: str = Field(description="As the archive said it then.")


def origin_out(row: Origin) -> dict[str, Any]:
    """`OriginOut` of what is noted."""
    return {
        "host": row.host,
        "isic_id": row.remote_id,
        "url": row.url,
        # To the second: lists and details write fractions of it differently.
        "fetched": row.fetched.replace(microsecond=0),
        "sha256": row.sha256,
        "size": row.size,
        "copyright_license": isic_licence(row.licence),
        "license_spdx": row.licence,
        "attribution": row.attribution,
    }


class AccessionDetailOut(AccessionOut):
    """An accession with its original and what its file says."""

    original: list[OriginalFileOut] = Field(description="One file, or all of which the image is made; none if refused.")
    origins: list[OriginOut] = Field(description="Where it was brought from; none where a person uploaded it.")
    notes: str = Field(description="What was found in the files beside the verdict, in sentences.")
    text_suspected: str = Field(description="Why text may be burned into the pixels; empty if nothing suggests it.")
    image: AcquiredOut | None
