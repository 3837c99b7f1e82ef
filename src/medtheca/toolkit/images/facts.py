"""What a file's header says of an image beside its pixels, in standard codes."""

from dataclasses import dataclass
from typing import Literal

Laterality = Literal["R", "L", "B", "U"]


@dataclass(frozen=True, slots=True)
class Code:
    """A term of a coding scheme, as DICOM writes it: `value` in `scheme` (such as SCT, DCM, UCUM), with its meaning."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Window:
    """Values to show, as DICOM PS3.3 C.11.2: centre and width in real-world values, and what it is called."""

    centre: float
    width: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of how the image was made; None where the file does not say. Nothing but `stated` can tell
    who it is of.

    `modality` is a code of DICOM CID 33 (such as CT). `laterality` is R, L, B (both) or U (unpaired).
    `magnification` is the objective's nominal power. `stain` are those of CID 8112 that were used; haematoxylin
    and eosin are two. `inverted`: the lowest value is shown brightest.
    `manufacturer` and `model` are those that `devices` knows; what a header says instead is `stated`, which its owners
    may see and nobody else.
    """

    modality: str | None = None
    body_part: Code | None = None
    laterality: Laterality | None = None
    magnification: float | None = None
    stain: tuple[Code, ...] = ()
    manufacturer: str | None = None
    model: str | None = None
    stated: tuple[str, ...] = ()
    inverted: bool = False
