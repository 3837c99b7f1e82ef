"""File names as data: how two are compared, which are refused, how one is shown.

A name is never used to open or write a file. It is the uniqueness key of an accession in its cohort, so
what looks the same must compare as the same, and what could deceive a reader is not a name.

Case is kept: `IMG_1.jpg` and `img_1.JPG` are two files on the machines most archives come from, and a
spreadsheet names each as it is. `casefold_key` is there to warn of such a pair.
"""

import re
import unicodedata

from medtheca.toolkit.errors import Refused

MAX_NAME_LENGTH = 255
"""Code points after composition; what common file systems and the database column hold."""

_LONGEST_SUFFIX = 20

# C0, DEL and C1 controls, the line and paragraph separators, the bidirectional embeddings, overrides and
# isolates (they make `gpj.exe` read as `exe.jpg`), and halves of surrogate pairs, which no encoding can
# store. Left-to-right and right-to-left marks stay: honest Arabic and Hebrew names have them.
_DECEIVING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def name_key(name: str) -> str:
    r"""The form under which a name is unique in its cohort: composed Unicode (NFC), case kept.

    >>> name_key("Lu\u0308neburg.jpg") == name_key("L\u00fcneburg.jpg")
    True
    >>> name_key("IMG_1.JPG")
    'IMG_1.JPG'
    """
    return unicodedata.normalize("NFC", name)


def casefold_key(name: str) -> str:
    r"""The form in which names differ by more than case; equal keys of different names deserve a warning.

    >>> casefold_key("IMG_1.JPG") == casefold_key("img_1.jpg")
    True
    >>> casefold_key("Stra\u00dfe.png") == casefold_key("STRASSE.png")
    True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def display_name(name: str, *, limit: int = MAX_NAME_LENGTH) -> str:
    r"""The name as it may be shown anywhere: composed, deceiving characters escaped, not too long.

    >>> display_name("lesion\u202egpj.exe")
    'lesion\\u202egpj.exe'
    >>> display_name("a\x00b.png")
    'a\\x00b.png'
    >>> display_name("abcdefghijklmnop.png", limit=11)
    'abcde…p.png'
    """
    shown = _DECEIVING.sub(_escape, name_key(name))
    if len(shown) <= limit:
        return shown
    tail = (limit - 1) // 2
    return f"{shown[: limit - 1 - tail]}…{shown[len(shown) - tail :]}"


def check_name(name: str) -> None:
    r"""Accept a file name, or raise Refused with code `name_missing`, `unsafe_name` or `name_too_long`.

    >>> check_name("Lesion 12 (左).jpg")
    >>> check_name("lesion\u202egpj.exe")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    medtheca.toolkit.errors.Refused: The name "lesion\u202egpj.exe" holds the character U+202E, which...
    """
    shown = display_name(name, limit=80)
    if not name.strip():
        raise Refused("name_missing", "The file has no name.", "Give it one and add it again.")
    found = _DECEIVING.search(name)
    if found:
        raise Refused(
            "unsafe_name",
            f'The name "{shown}" holds the character U+{ord(found.group()):04X}, which cannot be seen or '
            "changes how the name reads.",
            "Rename the file with visible characters only and add it again.",
        )
    length = len(name_key(name))
    if length > MAX_NAME_LENGTH:
        raise Refused(
            "name_too_long",
            f'The name "{shown}" has {length} characters; the limit is {MAX_NAME_LENGTH}.',
            "Shorten the name and add the file again.",
        )


def _escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def with_number(name: str, number: int) -> str:
    """A name of several that would be the same: the first as it is, the others numbered from 2.

    >>> with_number("t1.dcm", 1), with_number("t1.dcm", 2), with_number("IM0001", 3)
    ('t1.dcm', 't1-2.dcm', 'IM0001-3')
    """
    if number == 1:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix) > _LONGEST_SUFFIX:
        stem, dot, suffix = name, "", ""
    kept = MAX_NAME_LENGTH - len(f"-{number}{dot}{suffix}")
    return f"{stem[:kept]}-{number}{dot}{suffix}"
