"""Single values by their representation (VR): which may stay as they are, and what stands for one that may not."""

import re
from collections.abc import Callable
from typing import Any

from pydicom.datadict import dictionary_VM
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence

from medtheca.toolkit.confidentiality.dates import keep_time, move_date, move_date_time
from medtheca.toolkit.confidentiality.keyed import Keyed
from medtheca.toolkit.confidentiality.vocabulary import is_made_of_words, keep_term
from medtheca.toolkit.deidentify.icc import clean_profile
from medtheca.toolkit.images.devices import public_maker, public_model

DATES = frozenset(("DA", "TM", "DT"))
TEXTS = frozenset(("LO", "SH", "ST", "LT", "UT", "UC"))
NUMBERS = frozenset(("US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT"))
BINARY = frozenset(("OB", "OW", "OD", "OF", "OL", "OV", "UN"))

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_WHOLE = re.compile(r"[+-]?\d{1,12}")
_ICC_PROFILE = "ICCProfile"
# Tables of numbers that pixels need; other binary values may hold whatever somebody put there.
_TABLES = frozenset(
    f"{kind}{colour}PaletteColorLookupTableData"
    for kind in ("", "Segmented")
    for colour in ("Red", "Green", "Blue", "Alpha")
) | {"LUTData", "VectorGridData"}
# Texts of which the standard says how they look, though it has no terms for them.
_SHAPES = {
    "ConvolutionKernel": re.compile(r"[A-Z][a-z]?\d{2}[a-z]?|\d|STANDARD|SOFT|BONE|LUNG|DETAIL|EDGE|FC\d{2}"),
    "ImagedNucleus": re.compile(r"\d{1,3}[A-Z][a-z]?|[A-Z][a-z]?\d{1,3}"),
    "OpticalPathIdentifier": re.compile(r"\d{1,4}"),
    "WindowCenterWidthExplanation": re.compile(r"(WINDOW|ALGO) ?\d{1,2}"),
    "RescaleType": re.compile(r"HU|US|OD|MGML|Z_EFF|ED|EDW|HU_MOD|PCT"),
}
_DEVICE = {"Manufacturer": public_maker, "ManufacturerModelName": public_model}

_DUMMIES: dict[str, Any] = {
    "AE": "NONE", "AS": "000Y", "CS": "NONE", "DA": "19000101", "DT": "19000101000000", "TM": "000000", "DS": "0",
    "IS": "0", "LO": "NONE", "LT": "NONE", "PN": "NONE", "SH": "NONE", "ST": "NONE", "UC": "NONE", "UT": "NONE",
    **dict.fromkeys(("US", "SS", "UL", "SL", "UV", "SV"), 0), **dict.fromkeys(("FL", "FD"), 0.0),
}  # fmt: skip


def listed(value: Any) -> list[Any]:
    """One value or several as a list; none of an empty one."""
    if value is None or (isinstance(value, str | bytes) and not value):
        return []
    return list(value) if isinstance(value, list | tuple) or type(value).__name__ == "MultiValue" else [value]


def joined(values: list[Any]) -> Any:
    """A list as an element has it: one value by itself."""
    return values[0] if len(values) == 1 else values


def empty(vr: str) -> Any:
    """No value."""
    return Sequence([]) if vr == "SQ" else None if vr in NUMBERS | BINARY else ""


def dummy(vr: str) -> Any | None:
    """A value that says nothing; None for representations that have none."""
    return _DUMMIES.get(vr)


def replace_uids(value: Any, keyed: Keyed) -> Any:
    """The same number of other UIDs."""
    return joined([keyed.uid(str(uid)) for uid in listed(value)]) if listed(value) else ""


def move(vr: str, value: Any, days: int) -> Any | None:
    """Dates moved and times kept; None if one of them is not well written."""
    how: Callable[[str], str | None] = {
        "DA": lambda text: move_date(text, days),
        "TM": keep_time,
        "DT": lambda text: move_date_time(text, days),
    }[vr]
    moved = [how(str(one)) for one in listed(value)]
    return None if None in moved else joined(moved) if moved else ""


def keep(element: DataElement, *, retain_device: bool) -> Any | None:
    """The value of an attribute that the table does not name, if nothing in it can be a name; None if it may not stay.

    Dates, sequences, UIDs and what has no value are not for here.
    """
    vr, keyword = str(element.VR), element.keyword
    values = listed(element.value)
    if vr == "CS":
        return _keep_terms(values, keyword)
    if vr in TEXTS:
        return _keep_texts(values, keyword, retain_device=retain_device)
    if keyword == _ICC_PROFILE:
        return clean_profile(bytes(element.value))
    return element.value if _is_numeric(vr, values, element) else None


def _is_numeric(vr: str, values: list[Any], element: DataElement) -> bool:
    """Whether a value can only be numbers."""
    if vr in {"DS", "IS"}:
        pattern = _DECIMAL if vr == "DS" else _WHOLE
        return all(pattern.fullmatch(str(getattr(one, "original_string", one)).strip()) for one in values)
    if vr in NUMBERS:
        return _has_right_number(element.tag, len(values))
    return vr in BINARY and element.keyword in _TABLES and isinstance(element.value, bytes)


def _keep_terms(values: list[Any], keyword: str) -> Any | None:
    terms = [keep_term(str(one)) for one in values]
    if keyword == "ImageType":
        # Its values go by their places.
        return [term or "OTHER" for term in terms]
    known = [term for term in terms if term]
    return joined(known) if known else None


def _keep_texts(values: list[Any], keyword: str, *, retain_device: bool) -> Any | None:
    texts = [str(one).strip() for one in values]
    if known := _DEVICE.get(keyword):
        return joined(texts) if retain_device and all(map(known, texts)) else None
    shape = _SHAPES.get(keyword)
    if shape is not None and all(map(shape.fullmatch, texts)):
        return joined(texts)
    fits = all(text.isascii() and len(text) <= 64 and is_made_of_words(text) for text in texts)
    return joined(texts) if fits else None


def _has_right_number(tag: int, count: int) -> bool:
    """Whether an attribute may have so many values: more would be room for words."""
    allowed = str(dictionary_VM(tag))
    if "n" in allowed:
        return True
    least, _, most = allowed.partition("-")
    return int(least) <= count <= int(most or least)
