"""What reads the files of one image that is not a photograph: volumes, slides, documents."""

from typing import Protocol

from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.slide import Document, Slide
from medtheca.toolkit.images.volume import Volume

Content = Volume | Slide | Document


class CaseReader(Protocol):
    """Reads one format. To add a format, write a module with a reader and put it into `CASE_READERS`."""

    @property
    def format(self) -> str:
        """The name that `identify` gives, such as `nifti`."""

    def read(self, files: Files, *, memory: int) -> Content:
        """Read everything that can be held, or refuse.

        Headers are read first: an image that would take more than `memory` bytes is refused before anything is
        decoded; what the header promises must be there to the last byte. Slides are opened, not read.

        Raises:
            Refused: `truncated`, `corrupt`, `too_many_pixels`, `unsupported_variant`, `missing_file` or a code
                of the format's own.
        """
