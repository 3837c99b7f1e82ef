"""What is asked for, and what is handed back."""

from dataclasses import dataclass

from medtheca.toolkit.deidentify.stripped import Buffer

EDITION = "DICOM PS3.15 2026c"
"""The edition whose Table E.1-1 `table_e1_1.csv` is."""

RECIPE = "deidentified/1"
"""What makes copies here; another number says that they would be others now."""

METHOD = f"Medtheca, {EDITION} Table E.1-1"

_BASIC = ("113100", "Basic Application Confidentiality Profile")
_CODES = {
    "clean_structured": ("113104", "Clean Structured Content Option"),
    "clean_descriptors": ("113105", "Clean Descriptors Option"),
    "retain_longitudinal": ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """The basic profile, and options.

    `retain_longitudinal` keeps dates and times, all of one patient moved by the same whole days; `clean_descriptors`
    keeps the words of descriptions that are in `words.txt`; `clean_structured` keeps the coded and numeric content of
    reports, which are refused without it; `retain_device` keeps makers and models that `devices` knows, and is no
    option of the standard's.
    """

    retain_longitudinal: bool = False
    clean_descriptors: bool = False
    clean_structured: bool = False
    retain_device: bool = False

    @property
    def columns(self) -> frozenset[str]:
        """The columns of the table that apply beside the first."""
        chosen = {
            "modified_dates": self.retain_longitudinal,
            "descriptors": self.clean_descriptors,
            "structured": self.clean_structured,
        }
        return frozenset(name for name, is_chosen in chosen.items() if is_chosen)

    @property
    def codes(self) -> tuple[tuple[str, str], ...]:
        """Values and meanings of PS3.16 CID 7050 for what was done, in the scheme DCM."""
        return (_BASIC, *(code for name, code in _CODES.items() if getattr(self, name)))


@dataclass(frozen=True, slots=True, order=True)
class Taken:
    """What was done to one attribute, `count` times: where it stands, what it is called, and the action. No values.

    `path` is of tags, as `00081140/00081155`, items not counted. Actions are those of the table (X removed, Z emptied,
    D replaced, U another UID, C cleaned), each with a reason where the table has none for it.
    """

    path: str
    keyword: str
    action: str
    count: int


@dataclass(frozen=True, slots=True)
class Deidentified:
    """The file without identity, and what was done to it."""

    data: Buffer
    report: tuple[Taken, ...]
