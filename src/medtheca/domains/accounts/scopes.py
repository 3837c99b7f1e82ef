"""Scopes: what an application may do for a person who lets it, in the words that the person reads.

`read` and `write` are those of API tokens, and cover all that the others do. What each address needs is a table of
the interfaces (`interfaces.http.scopes`).
"""

from __future__ import annotations

from collections.abc import Iterable

SCOPES = {
    "identity": "See who you are: your name, e-mail address and pseudonym",
    "image:read": "See and download the images, collections and metadata that you may see, private ones included",
    "image:write": "Upload images and metadata and change collections, as you",
    "openid": "Know you again when you come back",
    "profile": "See your name",
    "email": "See your e-mail address",
    "read": "See everything that you may see, your account included",
    "write": "Change everything that you may change, as you",
}
DEFAULT_SCOPES = ("identity", "image:read")
_COVERS = {
    "write": frozenset({"read", "image:write", "image:read", "identity"}),
    "read": frozenset({"image:read", "identity"}),
    "image:write": frozenset({"image:read"}),
}


def split_scopes(text: str) -> tuple[str, ...]:
    """Scopes of a list with blanks, in our order, each once; unknown ones are left out.

    >>> split_scopes("image:read identity identity")
    ('identity', 'image:read')
    """
    wanted = set(text.split())
    return tuple(name for name in SCOPES if name in wanted)


def all_covered(scopes: Iterable[str]) -> frozenset[str]:
    """The scopes and those that they include.

    >>> sorted(all_covered(["image:write"]))
    ['image:read', 'image:write']
    """
    given = frozenset(scopes)
    return given.union(*(_COVERS.get(scope, frozenset()) for scope in given))


def words_of(scopes: Iterable[str]) -> list[str]:
    """All that the scopes allow, as sentences; what another sentence says in wider words is left out.

    >>> len(words_of(["image:write"])), words_of(["read", "image:read"]) == [SCOPES["read"]]
    (2, True)
    """
    told = set(all_covered(scopes))
    if "read" in told:
        told -= {"image:read", "identity"}
    if "write" in told:
        told -= {"image:write"}
    return [SCOPES[name] for name in SCOPES if name in told]
