"""Images and upload sessions, as Grand Challenge's API has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from ninja import Schema
from pydantic import Field

from medtheca.domains.imaging.enums import FileKind, ImageKind
from medtheca.interfaces.api.v1.addresses import absolute, address_of
from medtheca.interfaces.api.v1.shapes.common import Sent
from medtheca.interfaces.http.file_urls import file_url

if TYPE_CHECKING:
    from medtheca.domains.archives.models import Intake
    from medtheca.domains.imaging.models import Image, ImageFile

_COLOURS = {"grey": "GRAY", "sRGB": "RGB", "RGB": "RGB", "CMYK": "RGB"}
_TYPES = {"application/x-metaimage": "MHD", "image/tiff": "TIFF"}
# Modalities of DICOM CID 33 that are of eyes alone.
_OF_EYES = frozenset({"OP", "OPT", "OPM", "OPV", "OPTBSV", "OPTENF", "AR", "IOL", "KER", "LEN", "SRF", "VA"})
_SIDES = {"R": "OD", "L": "OS"}
# What a file says of a patient is not told; older clients want the keys all the same.
_NOBODY: dict[str, Any] = {
    "patient_id": "",
    "patient_name": "",
    "patient_birth_date": None,
    "patient_age": "",
    "patient_sex": "",
    "study_date": None,
    "study_instance_uid": "",
    "series_instance_uid": "",
    "study_description": "",
    "series_description": "",
}


class ModalityOut(Schema):
    """How an image was made."""

    modality: str = Field(description="A code of DICOM CID 33.", examples=["CT"])


class ImageFileOut(Schema):
    """A file of an image."""

    pk: str
    image: str = Field(description="Key of the image.")
    file: str = Field(description="Where it is fetched. It ends with the file's extension.")
    image_type: Literal["MHD", "TIFF"] | None = Field(description="Null for what Grand Challenge has no name for.")
    media_type: str
    sha256: str | None


class ImageOut(Schema):
    """An image with its files, those that the caller may take away. Nothing of a patient is told."""

    pk: str
    name: str
    files: list[ImageFileOut]
    dicom_image_set: None
    width: int | None
    height: int | None
    depth: int | None
    color_space: Literal["GRAY", "RGB", "RGBA"]
    modality: ModalityOut | None
    eye_choice: Literal["OD", "OS", "U", "NA"] = Field(description="Right, left, unknown; `NA` where it is of no eye.")
    stereoscopic_choice: None
    field_of_view: None
    shape_without_color: list[int] = Field(description="Time points, slices, rows, columns, as NumPy has them.")
    shape: list[int] = Field(description="The same, and the number of colours behind it.")
    voxel_width_mm: float | None
    voxel_height_mm: float | None
    voxel_depth_mm: float | None
    api_url: str
    window_center: float | None
    window_width: float | None
    segments: Any = Field(description="What the values of a segmentation stand for.")
    patient_id: str
    patient_name: str
    patient_birth_date: None
    patient_age: str
    patient_sex: str
    study_date: None
    study_instance_uid: str
    series_instance_uid: str
    study_description: str
    series_description: str
    public_id: str | None
    kind: str
    format: str
    thumbnail: str


class SessionOut(Schema):
    """Files on their way into an archive."""

    pk: str
    creator: int | None
    status: str
    error_message: str | None
    image_set: list[str]
    api_url: str
    user_uploads: list[str] | None
    uploads: list[str]
    archive: str
    archive_item: str | None
    interface: str = Field(description="Slug of the socket that the images go into.")


class SessionIn(Sent):
    """Uploads that are to become images of an archive, an item each, or the one image in a socket of an item."""

    uploads: list[str]
    archive: str | None = None
    archive_item: str | None = None
    interface: str | None = None
    image_name: str | None = None
    rule: dict[str, Any] | None = None


def image_out(image: Image, files: Sequence[ImageFile], name: str, digests: Mapping[int, str]) -> dict[str, Any]:
    """An image; `files` are those that the caller may take away, `digests` SHA-256 by the key of a blob."""
    spacing = (image.spacing_x, image.spacing_y, image.spacing_z)
    plain = _shape(image)
    colours = image.channels if image.channels > 1 else 0
    windows = image.geometry.get("windows") or [{"centre": None, "width": None}]
    return {
        "pk": str(image.key),
        "name": name,
        "files": [_file_out(image, file, digests) for file in files if file.kind == FileKind.PUBLIC],
        "dicom_image_set": None,
        "width": image.width,
        "height": image.height,
        "depth": image.depth if image.kind == ImageKind.VOLUME else None,
        "color_space": _colour_space(image),
        "modality": {"modality": image.facts["modality"]} if image.facts.get("modality") else None,
        "eye_choice": _eye(image),
        "stereoscopic_choice": None,
        "field_of_view": None,
        "shape_without_color": plain,
        "shape": [*plain, colours] if colours else plain,
        "voxel_width_mm": spacing[0],
        "voxel_height_mm": spacing[1],
        "voxel_depth_mm": spacing[2],
        "api_url": address_of("image", image.key),
        "window_center": windows[0]["centre"],
        "window_width": windows[0]["width"],
        "segments": image.geometry.get("labels"),
        **_NOBODY,
        "public_id": image.public_id,
        "kind": image.kind,
        "format": image.format,
        "thumbnail": absolute(file_url(image, FileKind.THUMBNAIL)),
    }


def session_out(intake: Intake, images: Sequence[str], uploads: Sequence[str]) -> dict[str, Any]:
    """An upload session: addresses of the images that came of it, and keys of its uploads."""
    return {
        "pk": str(intake.pk),
        "creator": intake.creator_id,
        "status": intake.get_state_display(),
        "error_message": intake.words or None,
        "image_set": list(images),
        "api_url": address_of("session", intake.pk),
        "user_uploads": list(uploads),
        "uploads": [address_of("upload", key) for key in uploads],
        "archive": address_of("archive", intake.archive_id),
        "archive_item": address_of("item", intake.item_id) if intake.item_id else None,
        "interface": intake.socket.slug,
    }


def _file_out(image: Image, file: ImageFile, digests: Mapping[int, str]) -> dict[str, Any]:
    return {
        "pk": str(file.pk),
        "image": str(image.key),
        "file": absolute(file_url(image, FileKind(file.kind), media_type=file.media_type)),
        "image_type": _TYPES.get(file.media_type),
        "media_type": file.media_type,
        "sha256": digests.get(file.blob_id),
    }


def _eye(image: Image) -> str:
    if image.facts.get("modality") not in _OF_EYES:
        return "NA"
    return _SIDES.get(image.facts.get("laterality"), "U")


def _colour_space(image: Image) -> str:
    if image.channels == 4:
        return "RGBA"
    return _COLOURS.get(image.colour_space, "GRAY")


def _shape(image: Image) -> list[int]:
    """As NumPy has it: time points, slices, rows, columns, of which a picture has the last two."""
    if image.kind == ImageKind.DOCUMENT:
        return []
    flat = [image.height, image.width]
    if image.kind != ImageKind.VOLUME:
        return flat
    return [*([image.timepoints] if image.timepoints > 1 else []), image.depth, *flat]
