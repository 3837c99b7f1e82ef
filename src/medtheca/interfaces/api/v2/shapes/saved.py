"""Saved searches."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ninja import Schema
from pydantic import Field

from medtheca.interfaces.api.v2.shapes.common import Given, Text

Sort = Literal["newest", "oldest"]


class SavedSearchIn(Given):
    """A query to keep, and under which name."""

    name: Text = Field(max_length=100, description="Once for each person, in any case.", examples=["Nevi of the young"])
    query: Text = Field(description="In the query language.", examples=["diagnosis:Nevus age_approx:<30"])
    sort: Sort = "newest"


class SavedSearchChangeIn(Given):
    """What shall be different; what is left out stays."""

    name: Text | None = Field(None, max_length=100)
    query: Text | None = None
    sort: Sort | None = None


class SavedSearchOut(Schema):
    """A query that the caller keeps under a name."""

    id: int
    name: str
    query: str
    sort: Sort
    error: str = Field(
        description="Why the query cannot be read any more, such as a field that has gone; empty while it can."
    )
    url: str = Field(description="Of the gallery's page that shows what it finds.")
    created: datetime
    modified: datetime
