"""The words of a text, and whether it says others: how free words are compared with what somebody wrote.

The database has the same as `search_words` (`domains/search/migrations/0003_texts.py`), so that an index serves it:
whoever changes one changes both. Letters are compared without accents and in small letters, whatever the language.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

LONGEST_WORD = 100
"""Characters of a word that count."""
MOST_IN_TEXT = 2000
LONGEST_TEXT = 100_000
"""Words, and characters, of a text that count."""
_MARKS = re.compile("[\u0300-\u036f]")
_SPELT = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    }
)
# Letters and digits of all scripts, by blocks: what counts as one must not depend on a locale. No surrogates.
_WORD = re.compile("[0-9a-z\u00c0-\u1fff\u2070-\u2fff\u3040-\ud7ff\ue000-\U0010ffff]+")


@lru_cache(maxsize=1 << 16)
def words_in(text: str) -> tuple[str, ...]:
    """The words of a text as they are compared.

    >>> words_in("Käthe's IMG_0001.jpg")
    ('kathe', 's', 'img', '0001', 'jpg')
    """
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", text[:LONGEST_TEXT]))
    # Letter by letter, because Python, unlike databases, knows the sigma at the end of a word.
    plain = "".join(map(str.lower, plain)).translate(_SPELT)
    return tuple(word[:LONGEST_WORD] for word in _WORD.findall(plain)[:MOST_IN_TEXT])


def says(text: str, wanted: tuple[str, ...]) -> bool:
    """Whether the wanted words follow each other in a text; of the last, its beginning is enough. No words say nothing.

    >>> says("Clinic of Käthe", ("of", "kat")), says("Clinic of Käthe", ("clinic", "kathe"))
    (True, False)
    """
    words, number = words_in(text), len(wanted)
    if not number:
        return False
    *whole, begun = wanted
    return any(
        words[at + number - 1].startswith(begun) and list(words[at : at + number - 1]) == whole
        for at in range(len(words) - number + 1)
    )
