"""Items of code sequences: a code of a known scheme may stay, what a person wrote beside it may not."""

import re
from typing import cast

from pydicom.dataset import Dataset
from pydicom.sr._concepts_dict import concepts

from medtheca.toolkit.confidentiality.vocabulary import is_made_of_words
from medtheca.toolkit.images.dicom.codes import BODY_PARTS

# Public coding schemes (PS3.16 section 8) and what their codes look like. Those of a site begin with 99.
_SCHEMES = {
    "DCM": re.compile(r"\w{1,16}"),
    "SCT": re.compile(r"\d{6,18}"),
    "SRT": re.compile(r"[A-Z]{1,2}-[0-9A-F]{4,6}"),
    "SNM3": re.compile(r"[A-Z]{1,2}-[0-9A-F]{4,6}"),
    "UCUM": re.compile(r"[A-Za-z0-9%/.*^{}\[\]()'+-]{1,16}"),
    "LN": re.compile(r"\d{1,7}-\d"),
    "RADLEX": re.compile(r"RID\d{1,6}"),
    "UMLS": re.compile(r"C\d{7}"),
    "NCIt": re.compile(r"C\d{3,6}"),
    "FMA": re.compile(r"\d{3,7}"),
}
_UNITS = re.compile(
    r"(1|%|m|mm|cm|um|nm|mm2|mm3|cm2|cm3|ml|l|s|ms|us|min|h|d|a|g|mg|ug|kg|Hz|kHz|MHz|mT|T|V|kV|keV|mA|mAs|uA\.s|deg|rad|"
    r"\[hnsf'U\]|Gy|mGy|cGy|Bq|kBq|MBq|/min|/s|\{[A-Za-z]{1,12}\}|[\[\]{}A-Za-z0-9'%./]{1,3}(/[A-Za-z0-9]{1,3}){1,2})"
)

# From scheme and keyword to codes, each with its meaning and context groups; pydicom types it as object.
_CONCEPTS = cast("dict[str, dict[str, dict[str, tuple[str, list[int]]]]]", concepts)
_MEANINGS: dict[tuple[str, str], str] = {
    (scheme, value): meaning
    for scheme, terms in _CONCEPTS.items()
    for codes in terms.values()
    for value, (meaning, *_) in codes.items()
} | {("SCT", code.value): code.meaning for code in BODY_PARTS.values()}
"""What the standard itself calls its codes."""

_VALUES = ("CodeValue", "LongCodeValue")


def is_code(item: Dataset) -> bool:
    """Whether an item is one of a code sequence (PS3.3 section 8.8)."""
    return "CodingSchemeDesignator" in item or any(name in item for name in (*_VALUES, "URNCodeValue"))


def clean_code(item: Dataset) -> Dataset | None:
    """The code alone, with the meaning that the standard gives it or the code itself; None if it is not to be kept."""
    scheme = str(item.get("CodingSchemeDesignator") or "").strip()
    name = next((name for name in _VALUES if name in item), None)
    value = str(item.get(name) or "").strip() if name else ""
    pattern = _UNITS if scheme == "UCUM" else _SCHEMES.get(scheme)
    if name is None or pattern is None or not pattern.fullmatch(value):
        return None
    meaning = _MEANINGS.get((scheme, value), "")
    if not meaning:
        if scheme == "DCM":
            return None
        said = str(item.get("CodeMeaning") or "").strip()
        meaning = said if said.isascii() and is_made_of_words(said) else value
    kept = Dataset()
    setattr(kept, name, value)
    kept.CodingSchemeDesignator = scheme
    kept.CodeMeaning = meaning[:64]
    return kept
