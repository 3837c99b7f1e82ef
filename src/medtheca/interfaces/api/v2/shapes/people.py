"""The person who calls."""

from __future__ import annotations

from datetime import datetime

from ninja import Schema
from pydantic import Field


class UserOut(Schema):
    """The person who calls."""

    id: int
    email: str
    first_name: str
    last_name: str
    created: datetime
    accepted_terms: datetime | None
    hash_id: str = Field(description="Public pseudonym.", examples=["7KXQ2"])
    full_name: str
    is_staff: bool
