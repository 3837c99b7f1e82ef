"""Refusals of collections."""

from __future__ import annotations

from medtheca.base.errors import Conflict, Invalid


class Locked(Conflict):
    """The collection is locked, so nothing in it changes."""

    code = "locked"


class NameTaken(Conflict):
    """The person has another collection of this name, or one is pinned."""

    code = "name_taken"


class PrivateImages(Invalid):
    """Images that are not public stand in the way of a public collection; each is a problem by its id."""

    code = "private_images"
