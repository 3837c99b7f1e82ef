"""Lesion-like pictures with metadata, drawn by the project itself, for demonstrations and tests.

They are invented from first to last and say so (`image_manipulation` is `synthetic`): no patient, no lesion, no use in
teaching or testing a diagnosis. `photographs` finds the few real pictures that come with a dependency.
"""

from medtheca.toolkit.synthetic.cohort import SIZE, SyntheticLesion, as_zip_and_csv, draw_lesion, synthetic_cohort
from medtheca.toolkit.synthetic.photographs import Photograph, find_photographs

ATTRIBUTION = "Medtheca: drawn by a program, of nobody"
LICENCE = "CC0-1.0"

__all__ = [
    "ATTRIBUTION",
    "LICENCE",
    "SIZE",
    "Photograph",
    "SyntheticLesion",
    "as_zip_and_csv",
    "draw_lesion",
    "find_photographs",
    "synthetic_cohort",
]
