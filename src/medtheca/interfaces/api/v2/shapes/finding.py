"""What is found by a few letters, and how much there is."""

from __future__ import annotations

from typing import Literal

from ninja import Schema
from pydantic import Field

from medtheca.interfaces.api.v2.shapes.common import Text


class NamedQuery(Schema):
    """A few letters."""

    query: Text = Field(max_length=200, description="At least three characters; fewer find nothing.", examples=["nev"])


class FoundOut(Schema):
    """A thing that a few letters name."""

    title: str
    subtitle: str
    icon: str = Field(description="Name of a picture; the same as `result_type`.")
    url: str = Field(description="Of its page.")
    yours: bool = Field(description="Whether the caller made it.")
    result_type: Literal["image", "lesion", "collection", "archive", "cohort", "contributor", "user"]


class ContributorNameOut(Schema):
    """A contributor, by its name."""

    id: int
    institution_name: str


class PersonNameOut(Schema):
    """A person, as staff finds them."""

    id: int
    name: str
    email: str


class FieldNameOut(Schema):
    """A field of queries."""

    name: str
    label: str
    kind: str = Field(description="What its values are.", examples=["text"])


class FieldValuesQuery(Schema):
    """A field, and the beginning of a value."""

    field: Text = Field(max_length=60, examples=["diagnosis"])
    query: Text = Field("", max_length=200, description="Letters that the value has; empty for the most frequent.")


class FieldValueOut(Schema):
    """A value, as a query writes it, and how many images of the caller's have it."""

    value: str
    count: int | None = Field(description="Null where nobody counted.")


class ImageStatsOut(Schema):
    """Images."""

    images_count: int = Field(description="That the caller sees.")
    public_images_count: int
    annotated_images_count: int = Field(description="0: there are no annotations here.")


class CollectionStatsOut(Schema):
    """Collections."""

    collections_count: int = Field(description="That the caller sees.")
    public_collections_count: int
    memberships_count: int = Field(description="Images in these collections that the caller sees, once in each.")
    collected_images_count: int = Field(description="The same images, each counted once.")


class LesionStatsOut(Schema):
    """Lesions."""

    lesions_count: int = Field(description="That the caller sees.")


class DoiStatsOut(Schema):
    """DOIs."""

    dois_count: int = Field(description="0: there are no DOIs here.")


class StudyStatsOut(Schema):
    """Reader studies."""

    studies_count: int = Field(description="0: there are no reader studies here.")


class UserStatsOut(Schema):
    """People."""

    users_count: int


class StatsOut(Schema):
    """How much there is."""

    image: ImageStatsOut
    collection: CollectionStatsOut
    lesion: LesionStatsOut
    doi: DoiStatsOut
    study: StudyStatsOut
    user: UserStatsOut
