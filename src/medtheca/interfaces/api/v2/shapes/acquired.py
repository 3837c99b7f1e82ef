"""What a file says of its image: kind, size, place in space and how it was made. The same for images and accessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from ninja import Schema
from pydantic import Field


class SizeOut(Schema):
    """Pixels along the axes of the file: columns, rows, slices."""

    x: int
    y: int
    z: int = Field(description="1 for what has no slices.")


class SpacingOut(Schema):
    """Millimetres between neighbours along each axis; null where the file does not say."""

    x: float | None
    y: float | None
    z: float | None


class PointOut(Schema):
    """Millimetres in the patient's space, LPS: x to the left, y to the back, z to the head."""

    x: float
    y: float
    z: float


class WindowOut(Schema):
    """Values to show, as DICOM PS3.3 C.11.2."""

    centre: float
    width: float
    name: str


class CodeOut(Schema):
    """A term of a coding scheme."""

    value: str = Field(examples=["12738006"])
    scheme: str = Field(examples=["SCT"])
    meaning: str = Field(examples=["Brain"])


class FactsOut(Schema):
    """What the header says of how the image was made, absent values left out. Fields of the pack `acquisition`."""

    modality: str | None = Field(None, description="Code of CID 33.", examples=["CT"])
    body_part: CodeOut | None = None
    laterality: Literal["R", "L", "B", "U"] | None = None
    magnification: float | None = Field(None, description="Nominal power of the objective.")
    stain: list[CodeOut] | None = None
    manufacturer: str | None = None
    manufacturer_model: str | None = None
    inverted: bool | None = Field(None, description="The lowest value is shown brightest.")


class AcquiredOut(Schema):
    """Kind, size and space of an image. What a sheet says is `metadata`; neither overwrites the other."""

    kind: Literal["picture", "volume", "slide", "document"]
    format: str = Field(description="Of the original.", examples=["dicom"])
    size: SizeOut
    timepoints: int
    channels: int
    value_type: str | None = Field(description="Of a stored value, as NumPy names it.", examples=["int16"])
    spacing_mm: SpacingOut
    origin_mm: PointOut | None = Field(description="Centre of the first voxel; null where the file does not say.")
    direction: list[float] | None = Field(
        description="3 by 3, row by row: its columns are the directions in which column, row and slice index grow."
    )
    windows: list[WindowOut]
    facts: FactsOut


class _Acquired(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def depth(self) -> int: ...
    @property
    def timepoints(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def bits(self) -> int: ...
    @property
    def spacing_x(self) -> float | None: ...
    @property
    def spacing_y(self) -> float | None: ...
    @property
    def spacing_z(self) -> float | None: ...
    @property
    def geometry(self) -> Mapping[str, Any]: ...
    @property
    def facts(self) -> Mapping[str, Any]: ...


def acquired_out(image: _Acquired) -> dict[str, Any]:
    """`AcquiredOut` as plain values."""
    geometry, facts = image.geometry, dict(image.facts)
    # Free text of the header, which may name people: for owners, who see it elsewhere.
    facts.pop("stated", None)
    if "model" in facts:
        facts["manufacturer_model"] = facts.pop("model")
    origin = geometry.get("origin")
    return {
        "kind": str(image.kind),
        "format": image.format,
        "size": {"x": image.width, "y": image.height, "z": image.depth},
        "timepoints": image.timepoints,
        "channels": image.channels,
        "value_type": geometry.get("value_type") or _value_type(image.bits),
        "spacing_mm": {"x": image.spacing_x, "y": image.spacing_y, "z": image.spacing_z},
        "origin_mm": dict(zip("xyz", origin, strict=True)) if origin else None,
        "direction": geometry.get("direction"),
        "windows": geometry.get("windows", []),
        "facts": facts,
    }


def _value_type(bits: int) -> str | None:
    """Of a picture, whose samples are whole numbers; None for a document."""
    return None if not bits else "uint8" if bits <= 8 else "uint16"
