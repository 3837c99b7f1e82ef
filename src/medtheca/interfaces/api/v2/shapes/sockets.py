"""Shapes of sockets, kinds and checks of values."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Schema
from pydantic import Field

from medtheca.interfaces.api.v2.shapes.common import Given, PageQuery, ShortText, Text

_SEGMENTS = [{"name": "Lung", "visible": True, "voxel_value": 1}]
Segments = Annotated[Any, Field(description="What the labels of a segmentation mean.", examples=[_SEGMENTS])]
OwnSchema = Annotated[
    Any, Field(alias="schema", description="JSON schema (draft 3, 4, 6 or 7), besides that of the kind.")
]


class SocketsQuery(PageQuery):
    """Which sockets."""

    query: Text = Field("", max_length=200, description="Words that the title, slug or description has, all of them.")
    kind: Text = Field("", max_length=60, description="Code or label of a kind.", examples=["SEG"])
    archive: ShortText = Field("", description="Slug of an archive: only its own.")


class SocketOut(Schema):
    """A socket."""

    slug: str
    id: int
    title: str
    description: str
    kind: str = Field(description="Code of the kind.", examples=["SEG"])
    kind_label: str = Field(description="What Grand Challenge's API calls the kind.", examples=["Segmentation"])
    super_kind: str = Field(description="`Image`, `File` or `Value`.")
    schema_: OwnSchema
    default_value: Any
    example_value: Any
    relative_path: str = Field(description="Where services and clients find the value.", examples=["images/lung"])
    store_in_database: bool
    overlay_segments: list[dict[str, Any]]
    look_up_table: str | None = Field(description="Its slug.")
    archive: str | None = Field(description="Slug of the archive that it belongs to; null for everybody's.")
    reserved: bool = Field(description="Whether only services write it.")
    may_change: bool = Field(description="Whether the caller may change it.")


class SocketIn(Given):
    """A new socket."""

    title: ShortText
    kind: ShortText = Field(description="Code or label of a kind.", examples=["FLT"])
    archive: ShortText = Field("", description="Slug of an archive of which the caller is editor; else everybody's.")
    description: Text = ""
    schema_: OwnSchema = None
    default_value: Any = None
    example_value: Any = None
    relative_path: ShortText = Field("", description="Made of the title where nothing is said.")
    store_in_database: bool | None = Field(None, description="Of JSON; where nothing is said, where the kind may.")
    overlay_segments: Segments = Field(default_factory=list)
    look_up_table: ShortText = Field("", description="Slug of a look-up table.")


class SocketChangeIn(Given):
    """What of a socket may change; what is left out stays."""

    title: ShortText | None = None
    description: Text | None = None
    schema_: OwnSchema = None
    default_value: Any = None
    example_value: Any = None
    overlay_segments: Segments = None
    look_up_table: ShortText | None = Field(None, description="Slug; empty for none.")


class ValueIn(Given):
    """A value to check."""

    value: Any = Field(description="JSON.", examples=[0.87])


class CheckOut(Schema):
    """That a value is right; what is wrong is a refusal (400)."""

    valid: bool


class KindOut(Schema):
    """A kind of sockets."""

    code: str = Field(examples=["POIN"])
    label: str = Field(examples=["Point"])
    about: str
    family: str = Field(description="`json`, `image` or `file`.")
    extension: str = Field(description="With which paths end.")
    schema_: Any = Field(alias="schema", description="JSON schema of its values; null for files, images and charts.")
    example: Any = Field(description="A value that is right.")
