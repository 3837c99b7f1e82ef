"""The files of one image, in a folder of their own."""

import mmap
from dataclasses import dataclass
from pathlib import Path

from medtheca.toolkit.errors import Refused


@dataclass(frozen=True, slots=True)
class Files:
    """One or several files that together make one image.

    `names` are paths within `folder`, with `/`, never upwards; the first is the file by which the image is called:
    the `.mhd` of a pair, the `.mrxs` of a slide, any file of a DICOM series. Nobody but us chose the folder.
    """

    folder: Path
    names: tuple[str, ...]

    @property
    def main(self) -> str:
        return self.names[0]

    def path(self, name: str) -> Path:
        """Where a file lies; letters' case does not matter where it is clear what is meant.

        Raises `Refused` (`missing_file`) for a name that is not among the files.
        """
        alike = [name] if name in self.names else [one for one in self.names if one.casefold() == name.casefold()]
        if len(alike) != 1:
            raise Refused(
                "missing_file",
                f"The file refers to {name[:200]!r}, which did not come with it.",
                "Upload the files that belong together in one ZIP or one folder, with their names as they are.",
            )
        return self.folder / alike[0]

    def view(self, name: str) -> memoryview:
        """The bytes of a file, mapped and not read."""
        with self.path(name).open("rb") as file:
            file.seek(0, 2)
            if not (size := file.tell()):
                return memoryview(b"")
            return memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ))
