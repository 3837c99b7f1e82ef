"""What a reader is, and the memory it may take."""

from dataclasses import dataclass
from typing import Protocol

from medtheca.toolkit.deidentify.stripped import Buffer, Stripped
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.raster import Raster

# Leaves a decoder child with 1.5 GB room for the file, the strip's copy and the pictures made from the pixels.
DEFAULT_MEMORY = 1_100_000_000


@dataclass(frozen=True, slots=True)
class Reading:
    """The pixels of a file and its public copy. The pixels were decoded from the public copy."""

    raster: Raster
    public: Stripped
    strip_recipe: str


class Reader(Protocol):
    """Reads one format. To add a format, write a module with a reader and put it into `READERS`."""

    @property
    def format(self) -> str:
        """The name that `identify` gives, such as `png`."""

    @property
    def media_type(self) -> str:
        """Such as `image/png`."""

    def read(self, data: Buffer, *, memory: int) -> Reading:
        """Decode every pixel, or refuse.

        The header is read first: a picture that would take more than `memory` bytes is refused before
        anything is decoded.

        Raises:
            Refused: `truncated`, `corrupt`, `too_many_pixels`, `animated` or `unsupported_variant`.
        """


def check_memory(*, width: int, height: int, bytes_per_pixel: int, memory: int) -> None:
    """Refuse a picture whose decoding would take more than `memory` bytes (`too_many_pixels`)."""
    most = memory // bytes_per_pixel
    if width * height > most:
        raise Refused(
            "too_many_pixels",
            f"The picture has {width:,} by {height:,} = {width * height / 1e6:,.0f} million pixels; "
            f"of its kind at most {most / 1e6:,.0f} million are read.",
            "Send it smaller, or cut into parts.",
        )
