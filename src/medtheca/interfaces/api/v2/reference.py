"""The reference page of the API, made from its description: no script, nothing fetched from elsewhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine, Template
from django.utils.html import escape, format_html_join
from django.utils.safestring import SafeString, mark_safe

from medtheca.interfaces.api.v2.api import PREFIX, api

_METHODS = ("get", "post", "put", "patch", "delete")


def show_reference(request: HttpRequest) -> HttpResponse:
    """Every route with its parameters, body and answers."""
    return HttpResponse(_page(), headers={"Cache-Control": "no-cache"})


@cache
def _page() -> str:
    schema = api.get_openapi_schema(path_prefix=PREFIX)
    context = {
        "name": settings.INSTANCE_NAME,
        "version": schema["info"]["version"],
        "paragraphs": [paragraph(text) for text in schema["info"]["description"].strip().split("\n\n")],
        "subjects": _subjects(schema),
        "shapes": [
            {"name": name, "description": shape.get("description", ""), "fields": _fields(shape)}
            for name, shape in sorted(schema["components"]["schemas"].items())
        ],
    }
    return _template().render(Context(context))


@cache
def _template() -> Template:
    # An engine of its own: the API is no Django app and shares no template with the pages.
    engine = Engine(dirs=[str(Path(__file__).parent / "templates")], libraries={"static": "django.templatetags.static"})
    return engine.get_template("reference.html")


def paragraph(text: str) -> SafeString:
    """Text with `**bold**` and backticks as HTML; nothing else of Markdown is used here."""
    html = str(escape(text))
    for mark, tag in (("**", "strong"), ("`", "code")):
        parts = html.split(mark)
        # Pairs of marks: every second part stands between two.
        html = "".join(f"<{tag}>{part}</{tag}>" if odd % 2 else part for odd, part in enumerate(parts))
    return mark_safe(html)  # noqa: S308 - escaped above; the tags are ours


def _subjects(schema: dict[str, Any]) -> list[dict[str, Any]]:
    by_tag: dict[str, list[dict[str, Any]]] = {}
    for path, operations in schema["paths"].items():
        for method in _METHODS:
            if operation := operations.get(method):
                by_tag.setdefault(operation["tags"][0], []).append(_operation(method, path, operation))
    return [{"name": name.capitalize(), "anchor": name.replace(" ", "-"), "routes": by_tag[name]} for name in by_tag]


def _operation(method: str, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    bodies = operation.get("requestBody", {}).get("content", {})
    answers = [
        {"status": status, "what": _type(_first_schema(answer))}
        for status, answer in operation["responses"].items()
        if str(status).startswith("2")
    ]
    return {
        "anchor": f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        "method": method.upper(),
        "path": path,
        "description": paragraph(operation.get("description", "")),
        "signed_in": bool(operation.get("security")),
        "parameters": [
            {
                "name": parameter["name"],
                "where": parameter["in"],
                "type": _type(parameter["schema"]),
                "required": parameter.get("required", False),
                "description": parameter["schema"].get("description", ""),
            }
            for parameter in operation.get("parameters", [])
        ],
        "bodies": [{"media": media, "what": _type(body["schema"])} for media, body in bodies.items()],
        "answers": answers,
    }


def _first_schema(answer: dict[str, Any]) -> dict[str, Any]:
    content = answer.get("content", {})
    return next((body["schema"] for body in content.values()), {})


def _fields(shape: dict[str, Any]) -> list[dict[str, Any]]:
    required = set(shape.get("required", ()))
    return [
        {
            "name": name,
            "type": _type(field),
            "required": name in required,
            "description": paragraph(field.get("description", "")),
        }
        for name, field in shape.get("properties", {}).items()
    ]


def _type(schema: dict[str, Any]) -> SafeString:
    """A type in words, with links to shapes."""
    if ref := schema.get("$ref"):
        name = ref.rsplit("/", 1)[-1]
        return format_html_join("", '<a class="link" href="#shape-{}">{}</a>', [(name, name)])
    if either := schema.get("anyOf"):
        return format_html_join(" or ", "{}", [(_type(one),) for one in either])
    if values := schema.get("enum"):
        return format_html_join(", ", "<code>{}</code>", [(value,) for value in values])
    if schema.get("type") == "array":
        return format_html_join("", "list of {}", [(_type(schema.get("items", {})),)])
    words = schema.get("format") or schema.get("type") or "anything"
    return format_html_join("", "{}", [(words,)])
