"""The kinds of sockets, with Grand Challenge's codes and labels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SuperKind(StrEnum):
    """How a value is kept: an image, a file, or JSON in the database."""

    IMAGE = "Image"
    FILE = "File"
    VALUE = "Value"


class Family(StrEnum):
    """What kinds have in common: JSON is checked by a schema, files by their bytes, images by what was read of them."""

    JSON = "json"
    IMAGE = "image"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind.

    Attributes:
        code: as Grand Challenge stores it.
        label: as its API and client name it.
        about: a sentence for people who choose one.
        extension: with which the relative path of a socket ends; empty for images.
        suffixes: what files may end with, the extension among them.
        media_type: as which a file is served.
        always_file: JSON that may be large, and is kept as a file whatever somebody wishes.
    """

    code: str
    label: str
    family: Family
    about: str
    extension: str = ""
    suffixes: tuple[str, ...] = ()
    media_type: str = ""
    always_file: bool = False

    @property
    def is_json(self) -> bool:
        """Whether its values are JSON, in the database or as files."""
        return self.family is Family.JSON

    @property
    def is_image(self) -> bool:
        """Whether its values are images."""
        return self.family is Family.IMAGE


def _json(code: str, label: str, about: str, *, always_file: bool = False) -> Kind:
    return Kind(code, label, Family.JSON, about, ".json", (".json",), "application/json", always_file)


def _image(code: str, label: str, about: str) -> Kind:
    return Kind(code, label, Family.IMAGE, about)


def _file(code: str, label: str, about: str, media_type: str, *suffixes: str) -> Kind:
    return Kind(code, label, Family.FILE, about, suffixes[0], suffixes, media_type)


_MARKS = (
    ("2DBB", "2D bounding box", "M2DB", "Multiple 2D bounding boxes", "four corners"),
    ("DIST", "Distance measurement", "MDIS", "Multiple distance measurements", "a start and an end"),
    ("POIN", "Point", "MPOI", "Multiple points", "a place"),
    ("POLY", "Polygon", "MPOL", "Multiple polygons", "a seed point and a closed path"),
    ("LINE", "Line", "MLIN", "Multiple lines", "seed points and the paths between them"),
    ("ANGL", "Angle", "MANG", "Multiple angles", "two lines"),
    ("ELLI", "Ellipse", "MELL", "Multiple ellipses", "a major and a minor axis"),
    ("3ANG", "Three-point angle", "M3AN", "Multiple three-point angles", "three points, the second at the corner"),
)
"""Annotations: the code and label of one and of several, and what each consists of."""

_ALL = (
    _json("STR", "String", "A text."),
    _json("INT", "Integer", "A whole number."),
    _json("FLT", "Float", "A number."),
    _json("BOOL", "Bool", "True or false."),
    _json("JSON", "Anything", "Any JSON; give the socket a schema of its own to say which."),
    _json("CHART", "Chart", "A chart, as a specification of Vega-Lite 5."),
    _json("CHOI", "Choice", "One of several texts; the socket's own schema lists them."),
    _json("MCHO", "Multiple choice", "Several of a list of texts; the socket's own schema lists them."),
    _json("ATRG", "Affine transform registration", "How one image lies in another: a matrix of four by four numbers."),
    *(_json(one, label, f"One annotation: {what}, in millimetres.") for one, label, _, _, what in _MARKS),
    *(
        _json(many, labels, f"Annotations, each of {what}, in millimetres; kept as a file.", always_file=True)
        for _, _, many, labels, what in _MARKS
    ),
    _image("IMG", "Image", "Any image: a photograph, a volume, a slide."),
    _image("SEG", "Segmentation", "An overlay of labels; the socket says what each label means."),
    _image("HMAP", "Heat Map", "An overlay of numbers, shown with a look-up table."),
    _image("DSPF", "Displacement field", "Three millimetre values a voxel: where it goes in another image."),
    _image("DCMIS", "DICOM Image Set", "A series that was uploaded as DICOM."),
    _file("PDF", "PDF file", "A PDF.", "application/pdf", ".pdf"),
    _file("SQREG", "SQREG file", "A registration of slides in SQLite.", "application/vnd.sqlite3", ".sqreg"),
    _file("JPEG", "Thumbnail jpg", "A small JPEG that stands for the case.", "image/jpeg", ".jpeg", ".jpg"),
    _file("PNG", "Thumbnail png", "A small PNG that stands for the case.", "image/png", ".png"),
    _file("OBJ", "OBJ file", "A surface, as Wavefront OBJ.", "model/obj", ".obj"),
    _file("MP4", "MP4 file", "A film.", "video/mp4", ".mp4"),
    _file("NEWCK", "Newick tree-format file", "A tree, in Newick's format.", "text/plain", ".newick", ".nwk", ".tree"),
    _file("BIOM", "BIOM format", "A biological observation matrix.", "application/octet-stream", ".biom"),
    _file("CSV", "CSV file", "A table.", "text/csv", ".csv"),
    _file("ZIP", "ZIP file", "An archive of files, kept as it is.", "application/zip", ".zip"),
)

KINDS: dict[str, Kind] = {kind.code: kind for kind in _ALL}
"""All kinds by their code."""

MANY: dict[str, str] = {many: one for one, _, many, _, _ in _MARKS}
"""Kinds that hold several annotations, by code, and the kind of one of them."""

JSON_KINDS = tuple(kind.code for kind in _ALL if kind.is_json)
IMAGE_KINDS = tuple(kind.code for kind in _ALL if kind.is_image)
FILE_KINDS = tuple(kind.code for kind in _ALL if kind.family is Family.FILE)
ALWAYS_FILE = tuple(kind.code for kind in _ALL if kind.always_file)
OVERLAYS = ("SEG", "HMAP", "DSPF")
"""Images that are shown over others."""


def super_kind(code: str, *, store_in_database: bool) -> SuperKind:
    """How values of a kind are kept.

    >>> super_kind("SEG", store_in_database=False).value, super_kind("STR", store_in_database=True).value
    ('Image', 'Value')
    >>> super_kind("STR", store_in_database=False).value, super_kind("PDF", store_in_database=False).value
    ('File', 'File')
    """
    kind = KINDS[code]
    if kind.is_image:
        return SuperKind.IMAGE
    return SuperKind.VALUE if kind.is_json and store_in_database else SuperKind.FILE


def kind_named(text: str) -> Kind | None:
    """A kind by its code or label, in any case.

    >>> kind_named("segmentation").code, kind_named("2dbb").code, kind_named("hologram")
    ('SEG', '2DBB', None)
    """
    wanted = text.strip().casefold()
    return next((kind for kind in _ALL if wanted in (kind.code.casefold(), kind.label.casefold())), None)
