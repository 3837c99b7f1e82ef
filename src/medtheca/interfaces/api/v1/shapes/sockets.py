"""Sockets, as Grand Challenge's API has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ninja import Schema
from pydantic import Field

from medtheca.interfaces.api.v1.shapes.viewing import LookUpTableOut, table_shape

if TYPE_CHECKING:
    from medtheca.domains.sockets.models import Socket


class SocketOut(Schema):
    """A socket, which Grand Challenge calls a component interface."""

    pk: int
    title: str
    slug: str
    description: str
    kind: str = Field(description="The label of the kind.", examples=["Segmentation"])
    super_kind: str = Field(description="`Image`, `File` or `Value`.")
    relative_path: str
    default_value: Any
    overlay_segments: list[dict[str, Any]]
    look_up_table: LookUpTableOut | None
    schema_: Any = Field(alias="schema", description="JSON schema that values obey besides that of the kind.")
    example_value: Any
    of_archive: bool = Field(description="Whether it belongs to one archive; others are everybody's.")


def socket_out(socket: Socket) -> dict[str, Any]:
    """A socket, with its schema, example and whose it is besides what Grand Challenge tells."""
    return {
        "pk": socket.pk,
        "title": socket.title,
        "slug": socket.slug,
        "description": socket.description,
        "kind": socket.kind_details.label,
        "super_kind": str(socket.super_kind.value),
        "relative_path": socket.relative_path,
        "default_value": socket.default_value,
        "overlay_segments": socket.overlay_segments,
        "look_up_table": table_shape(socket.look_up_table) if socket.look_up_table else None,
        "schema": socket.schema,
        "example_value": socket.example_value,
        "of_archive": socket.scope_id is not None,
    }
