"""The API put together: its routes, its errors, its description."""

from __future__ import annotations

from ninja.openapi.schema import OpenAPISchema

import medtheca
from medtheca.interfaces.api.v1.errors import add_handlers
from medtheca.interfaces.api.v1.paging import JSON
from medtheca.interfaces.api.v1.routes import (
    algorithms,
    archives,
    clients,
    images,
    items,
    sessions,
    sockets,
    studies,
    uploads,
    viewer_sessions,
    viewing,
)
from medtheca.interfaces.api.v1.shapes.common import RefusalOut
from medtheca.interfaces.http.described import DescribedApi

_DESCRIPTION = """
Grand Challenge's API, so that its client `gcapi` works against this archive as it is. Medtheca's own, with all that
there is, is `/api/v2/`.

**Who calls.** Send `Authorization: BEARER mt_…` with a token from the page Account, API tokens; the word may be
written in any case. A token with the scope `read` cannot change anything. Applications act for people by OAuth 2.
Pages of this site may use the session instead; then every change needs the header `X-CSRFToken`.

**What is seen.** Lists and counts hold what the caller may see and nothing else; what they may not see is 404, as if
it were not there.

**Pages.** Lists have `count`, `next`, `previous` and `results`. `limit` is 100 where nothing is said, and 1000 at most;
`offset` is how many rows come before. The order never changes by itself. With `?format=csv` the same rows are a table,
in which lists and objects are JSON.

**Errors.** 400 is an object of fields with lists of sentences, or a list of sentences; every other refusal has `detail`
for people, `code` for programs and `remedy` with what would be right.

**Addresses.** All are absolute, and of the one origin that the archive is known by. Every one ends with a slash, and
none is ever redirected.
"""
_REFUSALS = {
    "401": "Nobody is signed in, or the token is not good.",
    "403": "The caller sees the thing, but may not do this.",
    "404": "There is no such thing, or the caller may not know of it.",
    "429": "Too much of this was asked for; `Retry-After` says when to come back.",
}


class Api(DescribedApi):
    """django-ninja's API, whose answers are `application/json` and nothing more."""

    def get_content_type(self) -> str:
        """Without a charset, which `gcapi` would take for another type."""
        return JSON

    def describe_refusals(self, schema: OpenAPISchema) -> None:
        """Fields or sentences where values cannot be used, `detail` for all else."""
        schema["components"]["schemas"]["RefusalOut"] = RefusalOut.model_json_schema()
        refusal = {JSON: {"schema": {"$ref": "#/components/schemas/RefusalOut"}}}
        sentences = {"type": "array", "items": {"type": "string"}}
        problems = {"anyOf": [{"type": "object", "additionalProperties": sentences}, sentences]}
        invalid = {"description": "The values cannot be used.", "content": {JSON: {"schema": problems}}}
        for operations in schema["paths"].values():
            for operation in operations.values():
                operation["responses"]["400"] = invalid
                for status, description in _REFUSALS.items():
                    operation["responses"][status] = {"description": description, "content": refusal}


api = Api(
    title="Medtheca, as Grand Challenge",
    version=medtheca.__version__,
    description=_DESCRIPTION.strip(),
    docs_url=None,
    openapi_url="/openapi.json",
    urls_namespace="api_v1",
)
add_handlers(api)
# An area's router is `router` of its module in `routes`. What is below another's address comes before it:
# `/archives/items` before `/archives`.
api.add_router("/gcapi", clients.router)
api.add_router("/workstations/configs", viewing.router)
api.add_router("/archives/items", items.router)
api.add_router("/archives", archives.router)
api.add_router("/cases/images", images.router)
api.add_router("/cases/upload-sessions", sessions.router)
api.add_router("/components/interfaces", sockets.router)
api.add_router("/uploads", uploads.router)
api.add_router("/workstations/sessions", viewer_sessions.router)
api.add_router("/reader-studies", studies.router)
api.add_router("/algorithms", algorithms.router)
