"""Which reader takes the files of a case. To add a format, put its reader here; `docs/recipes/add-a-format.md`."""

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.cases import CaseReader, Content
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.formats import REMEDY, name_case
from medtheca.toolkit.images.identify import FORMAT_WORDS, identify
from medtheca.toolkit.images.readers.dicom import DicomReader
from medtheca.toolkit.images.readers.metaimage import MetaImageReader
from medtheca.toolkit.images.readers.nifti import NiftiReader
from medtheca.toolkit.images.readers.nrrd import NrrdReader
from medtheca.toolkit.images.readers.oct import OctReader
from medtheca.toolkit.images.readers.slides import SlideReader, detect
from medtheca.toolkit.images.readers.tiff import TiffReader

CASE_READERS: tuple[CaseReader, ...] = (
    DicomReader(),
    MetaImageReader(),
    NiftiReader(),
    NrrdReader(),
    OctReader(),
    SlideReader(),
    TiffReader(),
)
_HEAD = 4096


def read_case(files: Files, *, memory: int) -> tuple[str, Content]:
    """What the files are, and the name of their format as `name_case` gives it. Raises `Refused`."""
    head = bytes(files.view(files.main)[:_HEAD])
    if not head:
        raise Refused("empty", "The file is empty.", "Send the file again.")
    name = name_case(head, files.main)
    if name == "dicom" and detect(files) == "dicom":
        # Whole-slide microscopy in DICOM: OpenSlide looks through all files of the folder for its levels.
        name = "slide"
    reader = next((reader for reader in CASE_READERS if reader.format == name), None)
    if reader is None:
        found = identify(head)
        what = f"The content is {FORMAT_WORDS[found]}" if found else "The content is that of no image format known here"
        raise Refused("unsupported_format", f"{what}, which cannot be read.", REMEDY)
    return reader.format, reader.read(files, memory=memory)
