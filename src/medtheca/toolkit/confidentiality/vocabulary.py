"""Which words may stay: the standard's own defined terms, and common words of protocols. All others may be names."""

import re
from importlib.resources import files

from medtheca.toolkit.images.dicom.codes import BODY_PARTS, MODALITIES

_LONGEST = 64


def _read(name: str) -> list[str]:
    return files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines()


TERMS = frozenset(_read("terms.txt")) | MODALITIES | frozenset(BODY_PARTS)
"""Values that a code string (CS) may have, whatever its attribute: defined and enumerated terms of PS3.3."""

WORDS = frozenset(
    {word for line in _read("words.txt") if not line.startswith("#") for word in line.lower().split()}
    | {word.lower() for code in BODY_PARTS.values() for word in re.findall("[A-Za-z]{2,}", code.meaning)}
    | {word.lower() for word in BODY_PARTS}
    | {word.lower() for word in MODALITIES}
)
"""Words of descriptions, in small letters."""

# A number with its unit, of two digits at most, or of three before a unit that no date or id has.
_MEASURE = re.compile(
    r"\d{1,2}(\.\d{1,2})?(mm|cm|s|sec|ms|min|t|tesla|mhz|%|ch)|\d{1,4}(kv|kvp|mas|ma|hu|kev)|[bB]\d{1,4}|\d"
)


def keep_term(text: str) -> str | None:
    """A code string as it is if it is the standard's; None otherwise.

    >>> keep_term("MONOCHROME2"), keep_term("MILLER")
    ('MONOCHROME2', None)
    """
    text = text.strip(" \0")
    return text if text in TERMS else None


def keep_words(text: str) -> str:
    """The words of a text that are on the list, one blank between them; empty where there are none.

    >>> keep_words("T1 MPRAGE sag 1mm, Mrs Miller 1947-03-29")
    'T1 MPRAGE sag 1mm'
    """
    kept = []
    # Without its second half this would say the contrary.
    text = re.sub(r"\b[wW]/[oO]\b", "without", text)
    text = re.sub(r"\b([dD]r|[mM]rs?|[mM]s)\.", " ", text)
    for word in re.split(r"[\s,;:()\[\]/_+*=^<>|\\-]+", text):
        bare = word.strip(".'\"!?#&")
        if bare.lower() in WORDS or _MEASURE.fullmatch(bare.lower()):
            kept.append(bare)
    if all(word.isdigit() for word in kept):
        return ""
    return " ".join(kept)[:_LONGEST].strip()


def is_made_of_words(text: str) -> bool:
    """Whether nothing would be taken from a text.

    >>> is_made_of_words("Axial brain"), is_made_of_words("Axial Miller")
    (True, False)
    """
    kept = keep_words(text)
    return bool(kept) and re.sub(r"\W|_", "", kept) == re.sub(r"\W|_", "", text)
