"""Which recipes each kind of file has now: what was made by another one can be made again."""

from collections.abc import Mapping

from medtheca.toolkit.deidentify import jpeg, png
from medtheca.toolkit.images import redact
from medtheca.toolkit.renditions import cards, mha, pyramid, recipes

_STRIPPED = frozenset({jpeg.RECIPE, png.RECIPE, redact.RECIPE})
_PICTURES = {"thumbnail": frozenset({recipes.THUMBNAIL}), "web": frozenset({recipes.WEB})}

PRESENT: Mapping[str, Mapping[str, frozenset[str]]] = {
    # A small photograph serves as its own thumbnail and web picture, and those then have its recipe.
    "picture": {"public": _STRIPPED, **{name: made | _STRIPPED for name, made in _PICTURES.items()}},
    "volume": {
        "public": frozenset({mha.RECIPE}),
        "geometry": frozenset({mha.RECIPE}),
        "small": frozenset({mha.SMALL_RECIPE}),
        **_PICTURES,
    },
    "slide": {"public": frozenset({pyramid.PYRAMID}), **_PICTURES},
    "document": {"public": frozenset({cards.RECIPE}), **_PICTURES},
}
"""By the kind of image, then by the kind of file: the recipes by which such a file is made now."""


def is_present(image_kind: str, file_kind: str, recipe: str) -> bool:
    """Whether a file was made by a recipe of today. Originals are made by none, copies of DICOM when asked for.

    >>> is_present("document", "public", "card/0"), is_present("volume", "original", "")
    (False, True)
    """
    return file_kind in {"original", "dicom"} or recipe in PRESENT[image_kind].get(file_kind, ())
