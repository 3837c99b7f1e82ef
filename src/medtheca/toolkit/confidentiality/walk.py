"""Every attribute at every depth: what the table says of it, and where it says nothing, what its representation allows.

The rules, in this order. Removed are group lengths, groups below 0008, private attributes (PS3.15 E.3.10, keeping safe
ones, is not done), curves, overlays, and what the data dictionary does not know, knows as retired, or knows with
another representation. Attributes of the table get its action. All others are kept only if their values are numbers,
defined terms, UIDs (replaced) or words of the vocabulary.
"""

from collections import Counter
from typing import Any

from pydicom.datadict import dictionary_has_tag, dictionary_is_retired, dictionary_keyword, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filewriter import correct_ambiguous_vr_element
from pydicom.sequence import Sequence

from medtheca.toolkit.confidentiality import values
from medtheca.toolkit.confidentiality.coded import clean_code, is_code
from medtheca.toolkit.confidentiality.keyed import Keyed
from medtheca.toolkit.confidentiality.profile import Profile, Taken
from medtheca.toolkit.confidentiality.table import Action, Row, action_of, look_up
from medtheca.toolkit.confidentiality.vocabulary import keep_term, keep_words

_PATIENT_ID = 0x00100020
_CHARACTER_SET = 0x00080005
_PIXELS = range(0x7FE00001, 0x7FE00011)
# Types of content items (PS3.3 C.17.3) in which nobody can have written words; dates are kept if they are moved.
_STRUCTURED = frozenset(
    ("CONTAINER", "CODE", "NUM", "NUMERIC", "IMAGE", "COMPOSITE", "WAVEFORM", "SCOORD", "SCOORD3D", "TCOORD", "UIDREF")
)
_TEMPORAL = frozenset(("DATE", "TIME", "DATETIME"))
_BELOW_DATA = 0x0008
_CURVES, _OVERLAYS = 0x50, 0x60
_CONTENT = 0x0040A730


class Walk:
    """Cleans data sets of one file, and counts what was done."""

    def __init__(self, profile: Profile, keyed: Keyed, *, patient: str, sop_class: str, little: bool) -> None:
        self._profile = profile
        self._keyed = keyed
        self._days = keyed.days(patient)
        self._pseudonym = keyed.pseudonym(patient)
        self._sop_class = sop_class
        self._little = little
        self._taken: Counter[tuple[str, str, str]] = Counter()

    def report(self) -> tuple[Taken, ...]:
        """What was done so far, sorted."""
        return tuple(sorted(Taken(*what, count) for what, count in self._taken.items()))

    def note(self, path: str, keyword: str, action: str) -> None:
        """Add something done elsewhere to the report."""
        self._taken[path, keyword, action] += 1

    def clean(self, source: Dataset, *, path: str = "", above: tuple[Dataset, ...] = ()) -> Dataset:
        """A new data set of what may stay; nothing of the source is shared with it."""
        made = Dataset()
        for tag in sorted(source.keys()):
            here = f"{path}/{int(tag):08X}" if path else f"{int(tag):08X}"
            reason = _unknown(int(tag), nested=bool(above))
            if reason:
                self.note(here, _keyword(int(tag)), reason)
                continue
            element = self._read(source, int(tag), above)
            if element is None:
                self.note(here, _keyword(int(tag)), "X (cannot be read)")
                continue
            kept = self._element(element, here, (*above, source))
            if kept is not None:
                made.add(kept)
        return made

    def _read(self, source: Dataset, tag: int, above: tuple[Dataset, ...]) -> DataElement | None:
        """The element with a representation that the dictionary gives it; None where that cannot be had."""
        allowed = dictionary_VR(tag).split(" or ")
        try:
            element = source[tag]
            if " or " in element.VR:
                settled = correct_ambiguous_vr_element(element, source, self._little, [source, *reversed(above)])
                element = settled if isinstance(settled, DataElement) else element
            items = list(element.value) if element.VR == "SQ" else []
        except Exception:  # noqa: BLE001 - whatever a value does to pydicom, it does not stay
            return None
        if element.VR not in allowed:
            is_text = allowed[0] in values.TEXTS and element.VR in values.TEXTS
            if not is_text:
                return None
            element.VR = allowed[0]
        if not all(isinstance(item, Dataset) for item in items):
            return None
        return element

    def _element(self, element: DataElement, here: str, above: tuple[Dataset, ...]) -> DataElement | None:
        tag, nested = int(element.tag), len(above) > 1
        row = look_up(tag)
        if tag == _PATIENT_ID and not nested:
            self.note(here, element.keyword, "D")
            return self._with(element, self._pseudonym)
        if row is None:
            return self._unlisted(element, here, above)
        action = action_of(tag, row, self._profile.columns, sop_class=self._sop_class, nested=nested)
        if action == "C":
            cleaned = self._clean_value(element, here, above)
            if cleaned is not None:
                self.note(here, element.keyword, "C")
                return cleaned
            action = action_of(tag, row, frozenset(), sop_class=self._sop_class, nested=nested)
        if action == "D" and tag == _CONTENT and not self._profile.clean_structured:
            action = "X"
        return self._apply(action, element, here, above, row)

    def _apply(
        self, action: Action, element: DataElement, here: str, above: tuple[Dataset, ...], row: Row
    ) -> DataElement | None:
        vr = str(element.VR)
        if action == "K":
            return self._unlisted(element, here, above)
        if action == "Z":
            self.note(here, row.keyword, "Z")
            return self._with(element, values.empty(vr))
        if action in {"U", "D"} and vr == "UI":
            self.note(here, row.keyword, "U")
            return self._with(element, values.replace_uids(element.value, self._keyed))
        if action in {"U", "D"} and vr == "SQ":
            self.note(here, row.keyword, "C" if action == "D" else "U")
            return self._sequence(element, here, above)
        if action == "D" and (value := values.dummy(vr)) is not None:
            self.note(here, row.keyword, "D")
            return self._with(element, value)
        self.note(here, row.keyword, "X")
        return None

    def _unlisted(self, element: DataElement, here: str, above: tuple[Dataset, ...]) -> DataElement | None:
        vr = str(element.VR)
        if int(element.tag) == _CHARACTER_SET:
            # What stays is ASCII.
            self.note(here, element.keyword, "X")
            return None
        if vr == "SQ":
            return self._sequence(element, here, above)
        if not values.listed(element.value) and vr not in values.BINARY:
            return self._with(element, values.empty(vr))
        if vr == "UI":
            value = values.replace_uids(element.value, self._keyed)
            if value != element.value:
                self.note(here, element.keyword, "U")
            return self._with(element, value)
        if vr in values.DATES:
            value = values.move(vr, element.value, self._days) if self._profile.retain_longitudinal else None
            self.note(here, element.keyword, "X (not in the table)" if value is None else "C")
        elif vr == "PN":
            self.note(here, element.keyword, "Z (not in the table)")
            value = ""
        else:
            value = values.keep(element, retain_device=self._profile.retain_device)
            if value is None and element.keyword == "Manufacturer":
                value = ""  # of type 2
            if value is None or value != element.value:
                self.note(here, element.keyword, "X (not in the table)" if value is None else "C (not in the table)")
        return None if value is None else self._with(element, value)

    def _clean_value(self, element: DataElement, here: str, above: tuple[Dataset, ...]) -> DataElement | None:
        """By the option that asks for it; None if nothing can be kept."""
        vr = str(element.VR)
        if vr == "SQ":
            cleaned = self._sequence(element, here, above)
            return cleaned if len(cleaned.value) else None
        value: Any = None
        if vr in values.DATES:
            value = values.move(vr, element.value, self._days)
        elif vr in values.TEXTS and self._profile.clean_descriptors:
            value = values.joined([words for one in values.listed(element.value) if (words := keep_words(str(one)))])
        elif vr == "CS":
            value = keep_term(str(element.value))
        return self._with(element, value) if value else None

    def _sequence(self, element: DataElement, here: str, above: tuple[Dataset, ...]) -> DataElement:
        items = []
        for item in element.value:
            kept = self._item(item, here, above)
            if kept is not None:
                items.append(kept)
        return self._with(element, Sequence(items))

    def _item(self, item: Dataset, here: str, above: tuple[Dataset, ...]) -> Dataset | None:
        if is_code(item):
            code = clean_code(item)
            self.note(here, _keyword(int(here[-8:], 16)), "C (code)" if code else "X (code not known)")
            return code
        kind = str(item.get("ValueType") or "").strip()
        if kind:
            allowed = _STRUCTURED | _TEMPORAL if self._profile.retain_longitudinal else _STRUCTURED
            if kind not in allowed:
                self.note(here, _keyword(int(here[-8:], 16)), "X (content item of words)")
                return None
        return self.clean(item, path=here, above=above)

    @staticmethod
    def _with(element: DataElement, value: Any) -> DataElement:
        return DataElement(element.tag, element.VR, value)


def _unknown(tag: int, *, nested: bool) -> str:
    """Why an attribute goes without a look at the table; empty if it does not."""
    group = tag >> 16
    reasons = {
        "private": group % 2 == 1,
        "group length": tag & 0xFFFF == 0,
        "not of a data set": group < _BELOW_DATA,
        "curve": group >> 8 == _CURVES,
        "overlay": group >> 8 == _OVERLAYS,
        "pixels of an item": nested and tag in _PIXELS,
        "table of frames": tag in _PIXELS,
        "not in the dictionary": not dictionary_has_tag(tag),
    }
    if reason := next((reason for reason, holds in reasons.items() if holds), ""):
        return f"X ({reason})"
    return "X (retired)" if dictionary_is_retired(tag) and look_up(tag) is None else ""


def _keyword(tag: int) -> str:
    return dictionary_keyword(tag) if dictionary_has_tag(tag) else ""
