"""The API put together: its routes, its errors, its description."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from ninja import NinjaAPI
from ninja.operation import Operation

import medtheca
from medtheca.interfaces.api.v2.errors import add_handlers
from medtheca.interfaces.api.v2.routes import (
    accessions,
    changing,
    cohorts,
    contributors,
    curating,
    descriptions,
    erasures,
    groups,
    images,
    inspections,
    members,
    metadata_files,
    people,
    publish_requests,
    reviews,
    similar,
    subjects,
    telling,
    uploads,
)
from medtheca.interfaces.api.v2.shapes.common import ProblemOut

PREFIX = "/api/v2/"
_DESCRIPTION = """
The API of Medtheca: a superset of the ISIC Archive's version 2, whose clients work against it as they are.

**Who calls.** Send `Authorization: Bearer mt_…` with a token from the page Account, API tokens. A token with the
scope `read` cannot change anything. A token that is not good is refused with 401, never taken for nobody. Pages of
this site may use the session instead; then every change needs the header `X-CSRFToken`.

**What is seen.** Lists and counts hold what the caller may see and nothing else; what they may not see is 404, as if
it were not there.

**Pages.** Lists have `results`, `count` (on the first page only), `next` and `previous`, which are whole addresses.
A cursor that was not made here is refused with 422.

**Errors.** Every refusal is `application/problem+json` with `code` for programs and `message` and `remedy` for
people; `errors` names each field. Ask `support` for help, and tell them `request_id`, which is in our log as well.

**Uploads.** Bytes do not pass through here. Send them by tus 1.0, which goes on where it stopped, to
`/uploads/tus/` with the same token. `POST /uploads/tus/` takes `Upload-Length` and `Upload-Metadata` with `filename`
and `cohort` (the number of a cohort that you work on), or with `accession` and `reason` to replace a file; its
`Location` ends with the id under which the upload is found at `/api/v2/uploads/{id}/`. A ZIP is unpacked, any other
file is one image; every file ends with a verdict.

**Reading from other sites.** Reads may be asked for by scripts of any origin, without cookies. Answers to nobody in
particular may be kept, and are to be asked for anew each time (`no-cache`, with an ETag for single images); all
others are `private, no-store`.
"""
_PROBLEMS = {
    "400": "The values cannot be used.",
    "401": "Nobody is signed in, or the token is not good.",
    "403": "The caller sees the thing, but may not do this.",
    "404": "There is no such thing, or the caller may not know of it.",
    "410": "It was erased; only the day is told.",
    "409": "The thing is not in the state that this needs.",
    "422": "The request does not have the right shape.",
}


class Api(NinjaAPI):
    """django-ninja's API, whose description says of every route how it refuses."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The name of the function, which is what a generated client calls the operation."""
        name: str = operation.view_func.__name__
        return name

    def get_openapi_schema(self, **options: Any) -> Any:
        """The description as OpenAPI 3.1, with problem details for every route."""
        schema = super().get_openapi_schema(**options)
        schema["info"]["contact"] = {"name": f"Support of {settings.INSTANCE_NAME}", "email": settings.SUPPORT_EMAIL}
        schemas = schema["components"]["schemas"]
        definitions = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(definitions.pop("$defs", {}))
        schemas["ProblemOut"] = definitions
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
        for operations in schema["paths"].values():
            for method, operation in operations.items():
                # JSON has no other keys than text, and a sorted document must not mix kinds.
                operation["responses"] = {str(status): answer for status, answer in operation["responses"].items()}
                for status, description in _PROBLEMS.items():
                    if status != "409" or method != "get":
                        operation["responses"][status] = {"description": description, "content": content}
        return schema


api = Api(
    title="Medtheca",
    version=medtheca.__version__,
    description=_DESCRIPTION.strip(),
    docs_url=None,
    openapi_url="/openapi.json",
    urls_namespace="api_v2",
)
add_handlers(api)
api.add_router("/users", people.router)
api.add_router("/images", images.router)
api.add_router("/contributors", contributors.router)
api.add_router("/contributors", changing.contributors)
api.add_router("/contributors", members.contributor_members)
api.add_router("/invitations", members.invitations)
api.add_router("", metadata_files.router)
api.add_router("", descriptions.router)
api.add_router("", publish_requests.router)
api.add_router("", telling.router)
api.add_router("/cohorts", cohorts.router)
api.add_router("/cohorts", changing.cohorts)
api.add_router("/cohorts", members.cohort_members)
api.add_router("/curate", curating.router)
api.add_router("/accessions", accessions.router)
api.add_router("/groups", groups.router)
api.add_router("", reviews.router)
api.add_router("/images", similar.router)
api.add_router("/uploads", uploads.router)
api.add_router("/inspections", inspections.router)
api.add_router("", erasures.router)
api.add_router("/patients", subjects.patients)
api.add_router("/lesions", subjects.lesions)
