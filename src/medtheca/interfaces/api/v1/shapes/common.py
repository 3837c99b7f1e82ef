"""Shapes that every area uses."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Field

Item = TypeVar("Item")


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("Null characters are not allowed.")
    return text


Words = Annotated[str, AfterValidator(_without_nul)]


class Sent(Schema):
    """What a caller sends. Unknown fields are passed over, as on Grand Challenge: `gcapi` sends more than is needed."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)


class WindowQuery(Schema):
    """Which page, for the description; read by `paging.window_of`, which passes over what cannot be used."""

    limit: str | None = Field(None, description="Rows a page: 100 where nothing is said, 1000 at most.")
    offset: str | None = Field(None, description="How many rows come before the page.")
    format: str | None = Field(None, description="`json`, or `csv` for a table of the same rows.")


class ListOut(Schema, Generic[Item]):
    """A page of a list. The end is where `results` is empty, or `next` null."""

    count: int = Field(description="How many rows the whole list has.")
    next: str | None = Field(description="Whole address of the next page.")
    previous: str | None
    results: list[Item]


class NothingYetOut(Schema):
    """Of what this archive will have: there are none so far."""

    pk: str
    api_url: str


class RefusalOut(Schema):
    """Every refusal but 400."""

    detail: str
    code: str
    remedy: str
    support: str = Field(description="Where people ask for help; tell them `request_id`.")
    request_id: str
