"""What the items of archives are used for."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from medtheca.domains.archives.searching import LONGEST_QUERY
from medtheca.domains.archives.selecting import MOST_NAMED
from medtheca.interfaces.api.v2.shapes.collections import BatchOut, Description, Name
from medtheca.interfaces.api.v2.shapes.common import Given, Text

if TYPE_CHECKING:
    from medtheca.domains.archives.access import Standing
    from medtheca.domains.archives.services import Offer
    from medtheca.workflows.archive_services import Used

ServiceName = Literal["collection", "reader_study", "algorithm", "challenge_phase"]


class ServiceOut(Schema):
    """One use of items. What is `coming` is refused with 409 until it is here."""

    service: ServiceName
    title: str
    words: str
    needs: str = Field(description="What it needs of items.")
    permitted: str = Field(description="Who may.")
    state: Literal["here", "coming"]
    comes_with: str = Field(description="With which part of the software it comes; empty where it is here.")
    may: bool = Field(description="Whether the caller may, as soon as it is here.")


class UsedOut(Schema):
    """One thing that uses items. Of what the caller does not see, editors read when and by whom, and no name."""

    service: ServiceName
    target: str = Field(description="The id there, such as a collection's; empty where the caller does not see it.")
    name: str
    whole: bool = Field(description="Whether all items were given that there were then.")
    items: int
    by: str = Field(description="For editors of the archive; else empty.")
    at: datetime


class ServiceIn(Given):
    """Which items: all, those that are named, and of them those of which `q` holds; and for a collection, which."""

    items: Annotated[list[UUID], Field(min_length=1, max_length=MOST_NAMED)] | None = None
    q: Text = Field("", max_length=LONGEST_QUERY, description="As in the list of items.", examples=["score > 0.5"])
    collection: Annotated[int, Field(gt=0, lt=2**63)] | None = Field(None, description="One that there is.")
    name: Name | None = Field(None, description="Of a new one.")
    description: Description = Field("", description="Of a new one. Markdown.")
    public: bool = Field(False, description="Of a new one, which then holds public images alone.")
    overlays: bool = Field(False, description="Masks and other overlays as well.")


class CollectedOut(Schema):
    """A collection that is being filled, and the job that does it."""

    collection_id: int
    items: int
    images: int = Field(description="Images of the items that the caller sees, each once.")
    batch: BatchOut


def service_out(offer: Offer, standing: Standing) -> dict[str, Any]:
    """An offer as `ServiceOut` has it."""
    names = ("service", "title", "words", "needs", "permitted", "comes_with")
    state = "here" if offer.is_here else "coming"
    return {**{name: getattr(offer, name) for name in names}, "state": state, "may": offer.is_open_to(standing)}


def used_out(used: Used) -> dict[str, Any]:
    """A use as `UsedOut` has it."""
    return {name: getattr(used, name) for name in UsedOut.model_fields}
