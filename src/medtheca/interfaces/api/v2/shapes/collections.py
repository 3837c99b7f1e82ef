"""Collections as the ISIC Archive's clients know them, and what we add: counts, sharing by groups, progress."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from medtheca.domains.collections.batches import MOST_NAMED
from medtheca.domains.collections.contents import MOST_AT_ONCE
from medtheca.domains.collections.operations import LONGEST_DESCRIPTION, LONGEST_NAME
from medtheca.interfaces.api.v2.shapes.common import Given, PageQuery, Text

Name = Annotated[Text, Field(min_length=1, max_length=LONGEST_NAME, examples=["Challenge 2017: Training"])]
Description = Annotated[Text, Field(max_length=LONGEST_DESCRIPTION, description="Markdown.")]
# Longer than any name that an image has: such a one is not found, as any other wrong one.
Ref = Annotated[str, Field(max_length=100, description="A public id, or a key.", examples=["ISIC_0000042"])]
Id = Annotated[int, Field(gt=0, lt=2**63)]


class CollectionOut(Schema):
    """A collection."""

    id: int
    name: str
    description: str
    public: bool
    pinned: bool
    locked: bool
    doi: str | None = Field(None, description="Such as 10.1234/abc.")
    doi_url: str | None = None
    image_count: int = Field(description="Images in it that the caller may see, exactly.")
    contributors: list[str] = Field(
        description="Whose images these are, each named as they want to be (attribution), by the alphabet.",
        examples=[["Hospital Clinic de Barcelona", "Medical University of Vienna"]],
    )


class ArchiveBehindOut(Schema):
    """An archive of whose items images came into a collection."""

    slug: str
    title: str


class CollectionDetailOut(CollectionOut):
    """A collection, with what the caller sees of it and may do."""

    created: datetime
    modified: datetime
    hidden_count: int | None = Field(
        description="Images in it that the caller may not see; for those who may edit it, null for all others."
    )
    may_edit: bool
    may_share: bool
    archives: list[ArchiveBehindOut] = Field(
        description="Archives of whose items images were added, as far as the caller may find these."
    )


class CollectionQuery(PageQuery):
    """Which collections, and in which order."""

    pinned: bool | None = Field(None, description="Only those that are pinned, or only those that are not.")
    sort: Literal["name", "created"] = Field("created", description="By name, or the newest first.")


class CollectionIn(Given):
    """A new, empty collection."""

    name: Name
    description: Description = ""
    public: bool = False


class CollectionChangeIn(Given):
    """What is to change; what is left out stays."""

    name: Name | None = None
    description: Description | None = None
    public: bool | None = Field(None, description="True is refused while images of it are not public; all are named.")


class NamedImagesIn(Given):
    """Images by name, for a job."""

    isic_ids: list[Ref] = Field(min_length=1, max_length=MOST_NAMED)


class FewImagesIn(Given):
    """Images by name, at once."""

    isic_ids: list[Ref] = Field(max_length=MOST_AT_ONCE)


class CollectionFilledIn(NamedImagesIn):
    """A new collection with images."""

    name: Name
    description: Description = ""
    public: bool = False


class CollectionMadeOut(Schema):
    """The new collection, and the job that fills it."""

    collection_id: int
    batch: BatchOut


class FoundImagesIn(Given):
    """A search, whose result is settled when it is asked for."""

    query: Text = Field(
        "", max_length=8000, description="As in `/images/search/`.", examples=["diagnosis:Nevus AND sex:male"]
    )
    collections: str | list[Id] | None = Field(
        None, description="Only images of these: a list, or text with commas.", examples=["1,2"]
    )


class AddedOut(Schema):
    """What became of each image, under the name that was given for it. There are no other keys than these three."""

    succeeded: list[str]
    no_perms_or_does_not_exist: list[str]
    private_image_public_collection: list[str]


class RemovedOut(Schema):
    """What became of each image, under the name that was given for it. There are no other keys than these two."""

    succeeded: list[str]
    no_perms_or_does_not_exist: list[str]


class BatchOut(Schema):
    """How far a job is that adds or removes images. The lists name the first thousand."""

    id: UUID
    action: Literal["add", "remove"]
    state: Literal["waiting", "done", "failed"]
    total: int = Field(description="Images that were named or found.")
    settled: int = Field(description="Of these, how many were looked at.")
    changed: int = Field(description="Images that came in or went out.")
    no_perms_or_does_not_exist: list[str]
    no_perms_or_does_not_exist_count: int
    private_image_public_collection: list[str]
    private_image_public_collection_count: int
    message: str = Field(description="Why it failed; else empty.")


class PersonOut(Schema):
    """Somebody, by name."""

    id: int
    name: str


class SharedWithOut(PersonOut):
    """Somebody with whom a collection is shared."""

    editor: bool = Field(description="Whether they may add and remove images.")


class SharingOut(Schema):
    """With whom a collection is shared."""

    id: int
    name: str
    public: bool
    owner: PersonOut
    shared_with: list[SharedWithOut]
    shared_with_groups: list[PersonOut]
    not_shared_count: int = Field(description="Images in it that it shows to nobody: nobody who may show them did.")


class ShareIn(Given):
    """With whom to share. People are found who share a contributor, cohort or group with the caller; by staff, all."""

    user_ids: list[Id] = Field([], max_length=100)
    emails: list[Annotated[Text, Field(max_length=254)]] = Field([], max_length=100)
    group_ids: list[Id] = Field([], max_length=100, description="Groups that the caller is in.")
    editors: bool = Field(False, description="Whether these people may add and remove images.")
    notify: bool = True


class RevokeIn(Given):
    """With whom it shall be shared no longer."""

    user_ids: list[Id] = Field([], max_length=1000)
    group_ids: list[Id] = Field([], max_length=1000)


class SharedOut(Schema):
    """What sharing did."""

    shared: int = Field(description="People and groups with whom it was not shared before.")
    images_shown: int = Field(description="Images that it shows to them and that are not public.")


class RevokedOut(Schema):
    """What was taken back."""

    revoked: int


class CreditOut(Schema):
    """Whose work images are."""

    license: str = Field(examples=["CC-BY"])
    license_spdx: str = Field(examples=["CC-BY-4.0"])
    attribution: str
    count: int


class PinnedIn(Given):
    """Whether it is pinned."""

    pinned: bool


class LockedIn(Given):
    """Whether it is locked."""

    locked: bool


CollectionMadeOut.model_rebuild()
