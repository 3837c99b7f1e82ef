"""How viewers elsewhere are opened: patterns of addresses, and addresses made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from medtheca.toolkit.suggest import did_you_mean
from medtheca.toolkit.viewing.faults import Fault, said

PLACEHOLDERS: dict[str, str] = {
    "path": "what is shown: archive-item/<id> or cases/images/<id>",
    "item": "the id of an archive's item",
    "image": "the id of an image",
    "config": "the id of the viewer configuration",
    "api": "the address of this archive's API",
}
"""What may stand in braces, and what it becomes."""

LONGEST = 2000
_BRACES = re.compile(r"\{([^{}]*)\}")
_HERE = ("localhost", "127.0.0.1", "::1")


def address_faults(pattern: str) -> list[Fault]:
    """What is wrong with a pattern; an empty list for a right one.

    >>> address_faults("https://viewer.example.org/open?item={item}&config={config}")
    []
    >>> [fault.message for fault in address_faults("http://viewer.example.org/{itm}")]
    ['The address begins with http.', 'There is no placeholder {itm}.', 'Nothing in the address says what to show.']
    """
    faults: list[Fault] = []
    parts = _split(pattern)
    if parts is None or len(pattern) > LONGEST or re.search(r"[\s\x00-\x1f\x7f\"<>\\^`]", pattern):
        remedy = "Write a whole address, such as https://viewer.example.org/?item={item}."
        return [Fault((), "no_address", "This is no address of a viewer.", remedy)]
    scheme, host = parts
    if scheme != "https" and not (scheme == "http" and host in _HERE):
        remedy = "Patients' images leave only by https; http is for this computer alone."
        faults.append(Fault((), "not_https", f"The address begins with {scheme}.", remedy))
    named = _BRACES.findall(pattern)
    for name in named:
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{one}}}" for one in PLACEHOLDERS)
            remedy = did_you_mean(name, list(PLACEHOLDERS)) or f"Known are {known}."
            faults.append(Fault((), "unknown_placeholder", f"There is no placeholder {{{said(name)}}}.", remedy))
    if re.search(r"[{}]", _BRACES.sub("", pattern)):
        faults.append(Fault((), "open_brace", "A brace has no partner.", "Write placeholders such as {item}."))
    if not {"path", "item", "image"} & set(named):
        faults.append(Fault((), "nothing_shown", "Nothing in the address says what to show.", "Add {path} or {item}."))
    return faults


def address_for(pattern: str, values: Mapping[str, str]) -> str:
    """The address that a pattern becomes; what is not given is left empty.

    >>> address_for("https://v.example/?i={item}&c={config}", {"item": "a b"})
    'https://v.example/?i=a%20b&c='
    """
    return _BRACES.sub(
        lambda found: quote(values.get(found.group(1), ""), safe="/" if found[1] == "path" else ""), pattern
    )


def _split(pattern: str) -> tuple[str, str] | None:
    """Scheme and host of an address; None where it has none, or placeholders in them."""
    try:
        parts = urlsplit(pattern)
        host = parts.hostname
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return None
    if not parts.scheme or not host or "{" in parts.netloc or "@" in parts.netloc:
        return None
    return parts.scheme, host
