"""Images as the ISIC Archive's clients know them, and what we add: visibility, SPDX licence, hashes, web picture."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from django.http import HttpRequest
from ninja import Schema
from pydantic import Field

from medtheca.domains.access.enums import Visibility
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.search.entries import Entry
from medtheca.interfaces.api.v2.shapes.acquired import AcquiredOut, acquired_out
from medtheca.interfaces.api.v2.shapes.common import Given, Reason, Text, isic_licence
from medtheca.interfaces.api.v2.shapes.provenance import OriginOut
from medtheca.interfaces.http.authentication import Caller
from medtheca.interfaces.http.file_urls import APPLICATION_TICKET_SECONDS, TICKET_SECONDS, file_url
from medtheca.toolkit.schemas import DERMATOLOGY, public_metadata

_KINDS = (
    ("full", FileKind.PUBLIC),
    ("thumbnail_256", FileKind.THUMBNAIL),
    ("web", FileKind.WEB),
    ("geometry", FileKind.GEOMETRY),
    ("small", FileKind.SMALL),
)


class FileOut(Schema):
    """One file. The address needs no header; that of an image which is not public works for a quarter of an hour,
    given to an application for six.
    """

    url: str
    size: int = Field(description="Bytes, exactly.")
    sha256: str
    media_type: str


class FilesOut(Schema):
    """The files of an image: without identifying data, every pixel as it was taken in."""

    full: FileOut | None = Field(
        None,
        description="A picture as it came; a volume as MetaImage (.mha); a slide as a pyramid of tiles (TIFF); of a "
        "document, what it is in a few words (JSON). Left out where you may look at the image and not download it.",
    )
    thumbnail_256: FileOut
    web: FileOut | None = Field(None, description="For images larger than 1,024 pixels.")
    geometry: FileOut | None = Field(None, description="Of a volume: where each slice lies in the full file (JSON).")
    small: FileOut | None = Field(None, description="Of a larger volume: at reduced resolution.")


class ImageMetadataOut(Schema):
    """Values of fields, those that are absent left out. Exact ages and private ids are never here."""

    acquisition: dict[str, Any] = Field(examples=[{"pixels_x": 1024, "pixels_y": 768, "image_type": "dermoscopic"}])
    clinical: dict[str, Any] = Field(examples=[{"age_approx": 55, "sex": "male", "diagnosis_1": "Benign"}])


class ImageOut(AcquiredOut):
    """An image."""

    isic_id: str = Field(
        description="The public id. An image that was never published has none; then it is its key, "
        "and `/images/{isic_id}/` answers to that too.",
        examples=["ISIC_0000042"],
    )
    public: bool
    visibility: Literal["private", "groups", "signed_in", "public"]
    copyright_license: str = Field(examples=["CC-BY"])
    license_spdx: str = Field(examples=["CC-BY-4.0"])
    attribution: str
    redacted: bool = Field(description="Whether parts of the picture were blacked out after it came in.")
    files: FilesOut
    metadata: ImageMetadataOut


class ImageDetailOut(ImageOut):
    """An image, and where it came from."""

    origins: list[OriginOut] = Field(
        description="The archives that it was brought from; none where a person uploaded it. What an archive does not "
        "show to everybody is told to the people of the cohort alone."
    )


class ImageFilters(Schema):
    """Filters; all that are given must hold. Terms are those of the metadata fields."""

    words: Text = Field("", description="A free word or a phrase; see docs/reference/query-language.md.")
    diagnosis: Text = Field("", description="A diagnosis, by name or path; it means its subtree.", examples=["Nevus"])
    anatom_site: Text = Field("", description="A site of the body, by name or path; it means its subtree.")
    sex: Text = ""
    image_type: Text = ""
    fitzpatrick_skin_type: Text = ""
    diagnosis_confirm_type: Text = ""
    licence: Text = Field("", description="In ISIC's code or by SPDX.", examples=["CC-BY-4.0"])
    age_from: int | None = Field(None, ge=0, le=200, description="Of `age_approx`, inclusive.")
    age_to: int | None = Field(None, ge=0, le=200, description="Of `age_approx`, inclusive.")
    cohort: int | None = Field(None, description="One of your cohorts; others hold nothing.")
    image_kind: Text = Field("", description="picture, volume, slide or document.")
    format: Text = Field("", description="Of the original.", examples=["dicom"])
    modality: Text = Field("", description="By its code of CID 33 or its meaning.", examples=["CT"])
    body_part: Text = Field("", description="By SNOMED CT code or meaning.", examples=["12738006", "Brain"])
    laterality: Text = Field("", description="R, L, B or U.")
    stain: Text = Field("", description="By SNOMED CT code of CID 8112 or meaning.", examples=["12710003"])
    manufacturer: Text = Field("", description="In the words of the header.")
    manufacturer_model: Text = Field("", description="In the words of the header.")
    magnification: float | None = Field(None, description="Nominal power of the objective.", examples=[20])
    slices_from: int | None = Field(None, ge=0, description="Inclusive.")
    slices_to: int | None = Field(None, ge=0, description="Inclusive.")
    pixel_spacing_from: float | None = Field(None, ge=0, description="Millimetres, of columns and rows, inclusive.")
    pixel_spacing_to: float | None = Field(None, ge=0, description="Millimetres, of columns and rows, inclusive.")


class TakeBackIn(Given):
    """Why an image is taken back."""

    reason: Reason


def site_of(request: HttpRequest) -> str:
    """Scheme and host that were asked, for absolute addresses: `http://127.0.0.1:8000`."""
    parts = urlsplit(request.build_absolute_uri("/"))
    return f"{parts.scheme}://{parts.netloc}"


def image_out(entry: Entry, *, site: str, caller: Caller) -> dict[str, Any]:
    """`ImageOut` as plain values: lists skip validation, which costs more than all the rest; a test keeps it true."""
    public = entry.visibility is Visibility.PUBLIC
    # A browser has its cookie; a program hands addresses on, and then nothing but a ticket says who looks.
    ticket_for = caller.user.pk if caller.user and caller.via == "token" and not public else None
    ttl = TICKET_SECONDS if caller.scopes is None else APPLICATION_TICKET_SECONDS
    files = {}
    for name, kind in _KINDS:
        if file := entry.files.get(kind):
            path = file_url(entry, kind, media_type=file.media_type, ticket_for=ticket_for, ttl=ttl)
            files[name] = {
                "url": site + path,
                "size": file.size,
                "sha256": file.sha256,
                "media_type": file.media_type,
            }
    return {
        "isic_id": entry.public_id or str(entry.key),
        "public": public,
        "visibility": entry.visibility.value,
        "copyright_license": isic_licence(entry.licence),
        "license_spdx": entry.licence,
        "attribution": entry.attribution,
        "redacted": entry.redacted,
        "files": files,
        "metadata": public_metadata(
            entry.structured,
            pack=DERMATOLOGY,
            pixels_x=entry.width,
            pixels_y=entry.height,
            public_ids=entry.public_ids,
        ),
        **acquired_out(entry),
    }
