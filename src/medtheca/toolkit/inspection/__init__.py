"""A trial of files before they are uploaded: the verdict of each, and what its spreadsheet would meet. Stores nothing.

The rules are those of an upload to an empty cohort, and the code that unpacks and decodes is the same. What a trial
knows and an upload does not tell: what the EXIF holds, and which pictures look nearly alike.
"""

from medtheca.toolkit.inspection.files import Progress, inspect_files
from medtheca.toolkit.inspection.sheets import SheetReport, inspect_sheet
from medtheca.toolkit.inspection.values import Bounds, Container, FilesReport, FileVerdict, Outcome, TooMuch

__all__ = [
    "Bounds",
    "Container",
    "FileVerdict",
    "FilesReport",
    "Outcome",
    "Progress",
    "SheetReport",
    "TooMuch",
    "inspect_files",
    "inspect_sheet",
]
