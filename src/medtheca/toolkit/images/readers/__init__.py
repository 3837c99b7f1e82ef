"""One file a format. `READERS` lists them; `find_reader` picks by the name that `identify` gives."""

from medtheca.toolkit.images.readers.jpeg import JpegReader
from medtheca.toolkit.images.readers.png import PngReader
from medtheca.toolkit.images.readers.reading import DEFAULT_MEMORY, Reader, Reading

READERS: tuple[Reader, ...] = (JpegReader(), PngReader())


def find_reader(format_name: str) -> Reader | None:
    """The reader of a format, None where there is none."""
    return next((reader for reader in READERS if reader.format == format_name), None)


__all__ = ["DEFAULT_MEMORY", "READERS", "Reader", "Reading", "find_reader"]
