"""What was done, what is under way, and what a person was told."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from ninja import Schema
from pydantic import Field, StringConstraints

from medtheca.interfaces.api.v2.shapes.common import Given, PageQuery


class EventQuery(PageQuery):
    """Which events."""

    section: str = Field("", max_length=80, description="Such as `Publication`; empty for all.")
    person: str = Field("", max_length=10, description="A pseudonym, or `archive` for what jobs did; empty for all.")


class EventOut(Schema):
    """One thing that was done, as it stands in the ledger, with a sentence for people."""

    id: int
    at: datetime
    who: str = Field(description="A name, or a pseudonym where there is none any more.")
    person: str = Field(description="The actor's pseudonym; empty where a job did it.")
    verb: str = Field(examples=["images.published"])
    section: str = Field(examples=["Publication"])
    words: str = Field(examples=["published 214 images (public)"])
    cohort_id: int | None
    subject_type: str
    subject_id: str


class WorkOut(Schema):
    """Long work that the caller set going and that has not ended. What ended is a notification."""

    kind: str = Field(examples=["delivery"])
    id: str = Field(description="The id of the delivery, metadata file or publish request itself.")
    title: str
    state: str
    done: int
    total: int | None = Field(description="Null until it is known.")
    unit: str = Field(examples=["files"])
    begun: datetime
    url: str = Field(description="Path of the page where the work stands.")


class WorkListOut(Schema):
    """All of the caller's work under way, the latest first."""

    results: list[WorkOut]


class NotificationQuery(PageQuery):
    """Which notifications."""

    unread: bool = Field(False, description="Only those that were not read.")
    section: str = Field("", max_length=80, description="One section of the kinds, such as `Contributing`.")


class NotificationOut(Schema):
    """Something that the caller was told."""

    id: int
    kind: str = Field(examples=["delivery.done"])
    title: str
    words: str
    url: str = Field(description="Path of the page that it is about.")
    at: datetime
    times: int = Field(description="How often it was told within half an hour.")
    read: datetime | None
    mail: str = Field(description="`none`, `due`, `sent` or `given_up`.")


class ReadIn(Given):
    """What is to be marked."""

    ids: list[Annotated[int, Field(ge=1, lt=2**63)]] | None = Field(
        None, max_length=1000, description="Null or nothing: all of the caller's."
    )
    read: bool = Field(True, description="False marks as unread again.")


class ReadOut(Schema):
    """What came of marking."""

    changed: int
    unread: int


class PreferenceOut(Schema):
    """How the caller hears of one kind of thing."""

    kind: str
    title: str
    audience: str
    section: str
    channel: str = Field(description="`none`, `page`, `mail` (page and e-mail at once) or `digest` (one a day).")
    default: str
    can_be_turned_off: bool


class PreferencesOut(Schema):
    """Every kind of notification."""

    results: list[PreferenceOut]


_Word = Annotated[str, StringConstraints(max_length=40)]


class PreferencesIn(Given):
    """Choices to change; kinds that are not named stay as they are."""

    channels: dict[_Word, _Word] = Field(max_length=100, examples=[{"delivery.done": "digest"}])
