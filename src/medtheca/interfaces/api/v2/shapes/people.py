"""The person who calls, and their tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ninja import Schema
from pydantic import Field

from medtheca.interfaces.api.v2.shapes.common import Given, ShortText

_KEPT = "Absent: stays as it is. Empty: taken away."


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
    affiliation: str
    orcid: str = Field(description="ORCID iD, or empty.", examples=["0000-0002-1825-0097"])
    country: str = Field(description="Two letters of ISO 3166-1, or empty.", examples=["CH"])
    accepted_version: str = Field(description="The version of the terms that was accepted last, or empty.")


class ProfileIn(Given):
    """What a person says about themselves."""

    first_name: ShortText | None = Field(None, description=_KEPT)
    last_name: ShortText | None = Field(None, description=_KEPT)
    affiliation: ShortText | None = Field(None, description=_KEPT)
    orcid: ShortText | None = Field(None, description=f"ORCID iD; its check character must fit. {_KEPT}")
    country: ShortText | None = Field(None, description=f"Two letters of ISO 3166-1, or the name. {_KEPT}")


class TokenIn(Given):
    """A token to be made."""

    name: ShortText = Field(description="The program or machine that will use it.", examples=["notebook"])
    scope: Literal["read", "write"] = "read"
    expires: datetime | None = Field(None, description="With a time zone; null: it lives until it is revoked.")


class TokenOut(Schema):
    """A token, without its secret."""

    id: int
    name: str
    scope: str
    hint: str = Field(description="The first characters of the secret.")
    state: Literal["active", "expired", "revoked"]
    created: datetime
    expires: datetime | None
    last_used: datetime | None


class NewTokenOut(TokenOut):
    """A token in the one answer that has its secret."""

    secret: str = Field(description="Shown only now.")


class TermsOut(Schema):
    """The terms of use as they are now."""

    version: str
    text: str
    accepted: bool | None = Field(description="Whether the caller accepted this version; null for nobody.")
