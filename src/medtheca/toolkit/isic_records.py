"""An image as an API of the ISIC Archive's kind tells of it, and the cells of a metadata sheet that say the same.

Everything here came from another machine: what is not of the expected shape is refused, and never guessed.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.schemas import DERMATOLOGY, LICENCES, find_licence
from medtheca.toolkit.schemas.parsing import LONGEST_TEXT
from medtheca.toolkit.schemas.table import LONGEST_COLUMN
from medtheca.toolkit.schemas.validation import fold_levels

HOST_ID = "origin_isic_id"
"""The column under which the id at the host is kept; `isic_id` itself would name an image of this archive."""

LONGEST_ATTRIBUTION = 200
MOST_VALUES = 300
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# PostgreSQL takes neither NUL nor halves of characters, and no value has the others.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_OF_PIXELS = {"pixels_x", "pixels_y"}
_GROUPS = ("acquisition", "clinical")
_SYNONYMS = {synonym: item.name for item in DERMATOLOGY.fields for synonym in item.synonyms}


@dataclass(frozen=True, slots=True)
class RemoteImage:
    """An image at another archive.

    `url` is where its full file is, perhaps for minutes only; `size` in bytes and `sha256` are of that file, where the
    host says them. `said` is what the host says and what stays the same while nothing changes there.
    """

    isic_id: str
    licence: str
    attribution: str
    is_public: bool | None
    url: str
    size: int | None
    sha256: str
    said: dict[str, Any]
    dropped: tuple[str, ...] = ()
    """Names of values that no table can hold."""


def read_image(value: object) -> RemoteImage:
    """An image out of the host's JSON. Raises `Refused` where it cannot be taken over, with the reason.

    >>> image = read_image({"isic_id": "ISIC_0000001", "copyright_license": "CC-0", "attribution": "Clinic",
    ...     "files": {"full": {"url": "https://x.org/1.jpg", "size": 7}}, "metadata": {"clinical": {"sex": "male"}}})
    >>> image.licence, image.size, cells_of(image, "x.org")
    ('CC0-1.0', 7, {'origin_isic_id': 'ISIC_0000001', 'sex': 'male'})
    """
    if not isinstance(value, Mapping):
        raise _odd("what stands for an image is no object")
    full = _part(_part(value, "files"), "full")
    url, size, sha256 = full.get("url"), full.get("size"), full.get("sha256") or ""
    if not isinstance(url, str) or not url:
        raise Refused("no_file", "The host gives no file of it.", "Ask the host.")
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 0):
        raise _odd("the size of its file is no number of bytes")
    if not isinstance(sha256, str) or (sha256 and not _SHA256.fullmatch(sha256)):
        raise _odd("the SHA-256 of its file is none")
    licence, attribution = _licence(value), _attribution(value)
    metadata, dropped = _metadata(_part(value, "metadata"))
    public = value.get("public")
    return RemoteImage(
        isic_id=id_of(value),
        licence=licence,
        attribution=attribution,
        is_public=public if isinstance(public, bool) else None,
        url=url,
        size=size,
        sha256=sha256,
        said={
            "copyright_license": licence,
            "attribution": attribution,
            "files": {"full": {"size": size, "sha256": sha256}},
            "metadata": metadata,
        },
        dropped=dropped,
    )


def id_of(value: object) -> str:
    """The id of an image in the host's JSON. Raises `Refused` where it has none that can be one.

    >>> id_of({"isic_id": "ISIC_0000001"})
    'ISIC_0000001'
    """
    found = value.get("isic_id") if isinstance(value, Mapping) else None
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise _odd("it has no isic_id of letters, digits, - and _")
    return found


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Names of what the host says otherwise than before: `licence`, `attribution`, `file`, or fields of metadata.

    >>> differences({"attribution": "A", "metadata": {"clinical": {"age_approx": 50}}},
    ...             {"attribution": "A", "metadata": {"clinical": {"age_approx": 55, "sex": "male"}}})
    ['age_approx', 'sex']
    """
    changed = [
        words
        for words, name in (("licence", "copyright_license"), ("attribution", "attribution"))
        if before.get(name) != after.get(name)
    ]
    old, new = _part(_part(before, "files"), "full"), _part(_part(after, "files"), "full")
    # What a host has begun to tell only now is no change of the file.
    if any(old.get(name) and new.get(name) and old[name] != new[name] for name in ("size", "sha256")):
        changed.append("file")
    for group in _GROUPS:
        told, tells = _part(_part(before, "metadata"), group), _part(_part(after, "metadata"), group)
        changed += [name for name in {**told, **tells} if told.get(name) != tells.get(name)]
    return changed


def cells_of(image: RemoteImage, host: str) -> dict[str, str]:
    """The cells of a sheet that say of an image what the host says, by the column that each belongs in.

    A field that is known under another name gets its own; all others are kept under the host's. Ids of patients and
    lesions are the host's, and mean nothing without it: two hosts may both have an `IP_0000001`.

    >>> cells_of(read_image({"isic_id": "I1", "copyright_license": "CC-BY", "attribution": "A", "files": {"full":
    ...     {"url": "u"}}, "metadata": {"clinical": {"age_approx": 5, "patient_id": "IP_1", "odd": True}}}), "x.org")
    {'origin_isic_id': 'I1', 'age': '5', 'patient_id': 'IP_1@x.org', 'odd': 'true'}
    """
    return cells_of_said(image.isic_id, image.said, host)


def cells_of_said(isic_id: str, said: Mapping[str, Any], host: str) -> dict[str, str]:
    """As `cells_of`, out of what was kept of an image."""
    cells = {HOST_ID: isic_id}
    metadata = _part(said, "metadata")
    for group in _GROUPS:
        for name, value in _part(metadata, group).items():
            column = _SYNONYMS.get(name, name)
            words = _words(value)
            if words:
                cells[column] = f"{words}@{host}" if column in DERMATOLOGY.identifiers else words
    # A diagnosis in five columns is one cell, so that it is refused, or not, as one.
    return fold_levels(cells, pack=DERMATOLOGY)


def without_ids(said: Mapping[str, Any]) -> dict[str, Any]:
    """What was kept of an image, without whose it is: no ids of patients and lesions.

    >>> without_ids({"attribution": "A", "metadata": {"clinical": {"patient_id": "IP_1", "sex": "male"}}})
    {'attribution': 'A', 'metadata': {'clinical': {'sex': 'male'}}}
    """
    ids = DERMATOLOGY.identifiers
    metadata = {
        group: {name: value for name, value in told.items() if _SYNONYMS.get(name, name) not in ids}
        for group, told in _part(said, "metadata").items()
    }
    return {**said, "metadata": metadata}


def uses_of_columns(columns: list[str]) -> dict[str, dict[str, str]]:
    """What each column is, so that nothing has to be guessed from its name: a field, or a name of its own."""
    fields = {*DERMATOLOGY.by_name, *DERMATOLOGY.level_columns}
    return {column: {"field": column} if column in fields else {"unstructured": column} for column in columns}


def _licence(value: Mapping[str, Any]) -> str:
    code = value.get("copyright_license")
    try:
        return find_licence(code if isinstance(code, str) else "").spdx
    except LookupError:
        known = ", ".join(licence.isic_code for licence in LICENCES)
        words = f"Its licence, {_shown(code)}, is none that this archive knows ({known})."
        raise Refused("unknown_licence", words, "Ask the host under which licence it may be used.") from None


def _attribution(value: Mapping[str, Any]) -> str:
    words = value.get("attribution")
    if not isinstance(words, str) or not words.strip() or _UNFIT.search(words):
        remedy = "Ask the host whom to name."
        raise Refused("no_attribution", "The host does not say whom to name when it is used.", remedy)
    if len(words.strip()) > LONGEST_ATTRIBUTION:
        message = f"Its attribution has {len(words.strip()):,} characters; {LONGEST_ATTRIBUTION} is the most."
        raise Refused("long_attribution", message, "Bring it by hand, with a shorter one that the host agrees to.")
    return words.strip()


def _metadata(given: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    kept: dict[str, dict[str, Any]] = {}
    dropped: list[str] = []
    for group in _GROUPS:
        for name, value in _part(given, group).items():
            if value is None or name in _OF_PIXELS:
                continue
            room = sum(map(len, kept.values())) < MOST_VALUES
            if room and _is_fit(name, value):
                kept.setdefault(group, {})[name] = value
            else:
                dropped.append(_shown(name))
    return kept, tuple(dropped)


def _is_fit(name: str, value: object) -> bool:
    """Whether a table can hold it. What the field may be is asked by the sheet's check, with all other sheets'."""
    words = _words(value)
    if not name.strip() or len(name) > LONGEST_COLUMN or name in {HOST_ID, "filename", "isic_id"}:
        return False
    return len(words) <= LONGEST_TEXT and not _UNFIT.search(name + words) and "\n" not in name and "\t" not in name


def _words(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    # Numbers and truth as JSON writes them, which is how a sheet is read; lists and objects as they are.
    return json.dumps(value, ensure_ascii=False)


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise _odd(f"`{name}` is no object")
    return found


def _odd(words: str) -> Refused:
    return Refused("odd_record", f"The host's answer cannot be read: {words}.", "Ask the host.")


def _shown(value: object) -> str:
    words = value if isinstance(value, str) else repr(value)
    words = _UNFIT.sub("\N{REPLACEMENT CHARACTER}", words)
    return words if len(words) <= 60 else f"{words[:59]}…"
