"""One socket: what belongs into it, a value that is right, one that is wrong, and the lines that send one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from medtheca.domains.sockets.access import may_change
from medtheca.domains.sockets.queries import socket_by_slug
from medtheca.toolkit.sockets.examples import right_for, wrong_for
from medtheca.toolkit.sockets.kinds import SuperKind
from medtheca.toolkit.sockets.schemas import schema_of
from medtheca.workflows.socketing import archives_of

if TYPE_CHECKING:
    from medtheca.domains.sockets.models import Socket

_LONGEST_INLINE = 60
_SUFFIXES = {"IMG": "ct.mha", "SEG": "lungs.mha", "HMAP": "probability.mha", "DSPF": "field.mha"}


@require_safe
def socket(request: HttpRequest, slug: str) -> HttpResponse:
    """The page of a socket."""
    found = socket_by_slug(request.user, slug)
    archive = archives_of(request.user, [found]).get(found.pk)
    right, wrong = _examples(found)
    context = {
        "socket": found,
        "kind": found.kind_details,
        "super_kind": found.super_kind.value,
        "archive": archive,
        "kind_schema": _kind_schema(found),
        "own_schema": _text(found.schema) if found.schema is not None else "",
        "right": _text(right) if found.kind_details.is_json else "",
        "wrong": wrong,
        "wrong_text": _text(wrong.value) if wrong else "",
        "lines": _lines(found, right, archive.slug if archive else "ARCHIVE"),
        "is_secure": settings.PUBLIC_URL.startswith("https:"),
        "may_change": may_change(request.user, found),
        "api_url": f"/api/v2/sockets/{found.slug}/",
    }
    return render(request, "pages/sockets/one.html", context)


def _examples(found: Socket) -> tuple[Any, Any]:
    if not found.kind_details.is_json:
        return None, None
    right = right_for(found.kind, found.schema, found.example_value, found.default_value)
    return right, wrong_for(found.kind, found.schema, right)


def _kind_schema(found: Socket) -> str:
    if not found.kind_details.is_json or found.kind == "CHART":
        return ""
    return _text(schema_of(found.kind))


def _text(value: Any) -> str:
    """JSON over lines, but for lists that fit into one."""
    return _written(value, "")


def _written(value: Any, indent: str) -> str:
    plain = json.dumps(value, ensure_ascii=False)
    if len(plain) + len(indent) <= _LONGEST_INLINE or not isinstance(value, dict | list) or not value:
        return plain
    deeper = indent + "  "
    if isinstance(value, dict):
        parts = [f"{json.dumps(key, ensure_ascii=False)}: {_written(item, deeper)}" for key, item in value.items()]
        return "{\n" + ",\n".join(deeper + part for part in parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(deeper + _written(item, deeper) for item in value) + f"\n{indent}]"


def _lines(found: Socket, right: Any, archive: str) -> list[dict[str, str]]:
    """How to send a value: by gcapi, and how to check one by the command line."""
    source = {
        SuperKind.VALUE: f"value={right!r}",
        SuperKind.FILE: f'file="{found.slug}{found.kind_details.extension}"',
        SuperKind.IMAGE: f'files=["{_SUFFIXES.get(found.kind, "1.dcm")}"]',
    }[found.super_kind]
    if found.kind == "DCMIS":
        source = 'files=["1.dcm", "2.dcm"], image_name="CT"'
    python = (
        "import gcapi\n\n"
        f'client = gcapi.Client(token="…", base_url="{settings.PUBLIC_URL}/api/v1/")\n'
        "client.add_case_to_archive(\n"
        f'    archive_slug="{archive}",\n'
        f'    values=[gcapi.SocketValueSpec(socket_slug="{found.slug}", {source})],\n'
        ")"
    )
    lines = [{"label": "gcapi", "text": python}]
    if found.super_kind is not SuperKind.IMAGE:
        suffix = found.kind_details.extension
        lines.append({"label": "Command line", "text": f"medtheca sockets check {found.slug} value{suffix}"})
    return lines
