"""Which scope an application needs at which address, beside what the person themselves may.

The first row whose pattern begins the path holds. What has no row needs `read` or `write`, which cover everything: a
new address is closed to the narrower scopes until it gets a row here.
"""

from __future__ import annotations

import re

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
ANY = ""
"""Any token will do."""

_READ, _WRITE = "image:read", "image:write"
# Pattern behind the prefix, scope to read, scope to change.
_API: tuple[tuple[str, str, str], ...] = (
    (r"users/me/$", "identity", "write"),
    (r"users/terms/$", ANY, "write"),
    # Of people, and what cannot be undone.
    (r"(contributors|cohorts)/\d+/(members|invitations|transfer|agreement)/", "read", "write"),
    (r"(contributors|cohorts)/\d+/(attest|move|merge|take-back)/", "read", "write"),
    (r"(images|cohorts)/[^/]+/(events|publish-requests|withdraw|unpublish)/", "read", "write"),
    (r"images/(pins/reorder|[^/]+/set-pinned)/", "read", "write"),
    (r"collections/[^/]+/(share|shares|revoke|set-pinned)/", "read", "write"),
    (r"collections/sharing-info/", "read", "write"),
    (r"archives/[^/]+/(people|invitations|requests|links|accept-terms|ask-terms-anew)/", "read", "write"),
    (r"accessions/(create-review-bulk|[^/]+/(reviews|redactions))/", "read", "write"),
    (r"patients/[^/]+/erasure-preview/", "read", "write"),
    (r"saved-searches/", "read", "write"),
    # Asked for by POST, and changing nothing.
    (r"((zip-download|manifests)/|downloads/$)", _READ, _READ),
    (r"(images|archives|collections|cohorts|contributors|accessions|patients|lesions)/", _READ, _WRITE),
    (r"downloads/", _READ, _WRITE),
    (r"metadata-(files|fields)/", _READ, _WRITE),
    (r"(uploads|inspections|s3-upload)/", _READ, _WRITE),
    (r"(facets|autocomplete|quickfind|stats|public-table)/", _READ, "write"),
    # What belongs into items; a socket that is defined stays.
    (r"(sockets|socket-kinds)/", _READ, "write"),
    # How items are shown: nothing in it is of a patient, and what is made is everybody's.
    (r"(hanging-protocols|viewer-configurations|window-presets|look-up-tables|viewers)/", _READ, "write"),
)
# Grand Challenge's API: what is said of archives, their items, images and uploads as above; the rest by hand.
_GRAND_CHALLENGE: tuple[tuple[str, str, str], ...] = (
    (r"gcapi/", ANY, ANY),
    (r"(archives|cases|uploads)/", _READ, _WRITE),
    (r"(components|workstations/configs)/", _READ, "write"),
)
_BYTES: tuple[tuple[str, str, str], ...] = (
    (r"(files|iiif|downloads)/", _READ, _WRITE),
    (r"uploads/tus", _WRITE, _WRITE),
)
_IDENTITY = (r"oauth/userinfo/", "openid", "openid")
_ROWS = [(re.compile("/" + pattern), read, write) for pattern, read, write in (*_BYTES, _IDENTITY)]
_ROWS += [(re.compile("/api/v2/" + pattern), read, write) for pattern, read, write in _API]
_ROWS += [(re.compile("/api/v1/" + pattern), read, write) for pattern, read, write in _GRAND_CHALLENGE]


def scope_needed(method: str, path: str) -> str:
    """The scope that a request needs; `ANY` where any token will do.

    >>> scope_needed("GET", "/api/v2/images/"), scope_needed("POST", "/api/v2/images/ISIC_0000042/withdraw/")
    ('image:read', 'write')
    >>> scope_needed("GET", "/api/v2/notifications/")
    'read'
    """
    safe = method in SAFE_METHODS
    for pattern, read, write in _ROWS:
        if pattern.match(path):
            return read if safe else write
    return "read" if safe else "write"


def only_reads(method: str, path: str) -> bool:
    """Whether a request changes nothing of anybody's: a person's token that only reads may make it.

    >>> only_reads("POST", "/api/v2/downloads/"), only_reads("POST", "/api/v2/images/ISIC_0000042/withdraw/")
    (True, False)
    """
    return method in SAFE_METHODS or scope_needed(method, path) == _READ
