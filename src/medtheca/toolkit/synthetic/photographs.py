"""Real photographs that ship inside scikit-image's wheel, for a demonstration where no other pictures are.

Titles, origins and terms are those of scikit-image's own documentation (`skimage/data/_fetchers.py`, release 0.26),
quoted in `statement`. The library is found, never imported: only its files are read.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Photograph:
    """A photograph and where it is from.

    Attributes:
        licence: SPDX identifier, or None where the source only knows of no restriction.
        statement: the source's own words on the terms of use.
    """

    path: Path
    title: str
    modality: str
    origin: str
    attribution: str
    licence: str | None
    statement: str
    source_url: str


@dataclass(frozen=True)
class _Fact:
    file: str
    title: str
    modality: str
    origin: str
    attribution: str
    licence: str | None
    statement: str
    source_url: str


_FACTS = (
    _Fact(
        "retina.jpg",
        "Human retina",
        "fundus photograph",
        "Wikimedia Commons, File:Fundus_photograph_of_normal_left_eye.jpg",
        'Mikael Häggström, "Medical gallery of Mikael Häggström 2014", WikiJournal of Medicine 1 (2)',
        "CC0-1.0",
        "This file is made available under the Creative Commons CC0 1.0 Universal Public Domain Dedication.",
        "https://commons.wikimedia.org/wiki/File:Fundus_photograph_of_normal_left_eye.jpg",
    ),
    _Fact(
        "microaneurysms.png",
        "Microaneurysms: detail of a retina, green channel",
        "fundus photograph",
        "A crop of image 07_dr.JPG from the High-Resolution Fundus (HRF) Image Database",
        "Andreas Maier; Budai et al., International Journal of Biomedical Imaging, vol. 2013",
        "CC0-1.0",
        "No copyright restrictions. CC0 given by owner (Andreas Maier).",
        "https://www5.cs.fau.de/research/data/fundus-images/",
    ),
    _Fact(
        "ihc.png",
        "Colonic glands, FHL2 by immunohistochemistry (DAB) with hematoxylin",
        "histology",
        "Acquired at the Center for Microscopy And Molecular Imaging (CMMI)",
        "Center for Microscopy And Molecular Imaging (CMMI)",
        None,
        "No known copyright restrictions.",
        "https://scikit-image.org/docs/stable/api/skimage.data.html",
    ),
    _Fact(
        "cell.png",
        "Cell floating in saline, quantitative phase image",
        "microscopy",
        "Retrieved from a digital hologram using the Python library qpformat",
        "Müller et al., Optics Express 26(8): 10729-10743 (2018)",
        "CC0-1.0",
        "This image is CC0, dedicated to the public domain. You may copy, modify, or distribute it without asking "
        "permission.",
        "https://doi.org/10.1364/OE.26.010729",
    ),
)


def find_photographs() -> list[Photograph]:
    """Those that are installed: all four with scikit-image, none without it."""
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        return []
    folder = Path(spec.origin).parent / "data"
    return [
        Photograph(
            path=folder / fact.file,
            title=fact.title,
            modality=fact.modality,
            origin=fact.origin,
            attribution=fact.attribution,
            licence=fact.licence,
            statement=fact.statement,
            source_url=fact.source_url,
        )
        for fact in _FACTS
        if (folder / fact.file).is_file()
    ]
