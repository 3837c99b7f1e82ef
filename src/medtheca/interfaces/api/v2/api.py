"""The API put together: its routes, its errors, its description."""

from __future__ import annotations

from ninja.openapi.schema import OpenAPISchema

import medtheca
from medtheca.interfaces.api.v2.errors import add_handlers
from medtheca.interfaces.api.v2.routes import (
    accessions,
    archive_logo,
    archive_people,
    archive_services,
    archives,
    changing,
    cohorts,
    collections,
    contributors,
    copies,
    curating,
    descriptions,
    downloads,
    erasures,
    finding,
    groups,
    images,
    inspections,
    members,
    metadata_files,
    overview,
    people,
    public_table,
    publish_requests,
    reviews,
    s3_uploads,
    saved,
    sharing,
    similar,
    sockets,
    subjects,
    telling,
    uploads,
    viewing,
    zip_downloads,
)
from medtheca.interfaces.api.v2.shapes.common import ProblemOut
from medtheca.interfaces.http.described import DescribedApi

PREFIX = "/api/v2/"
_DESCRIPTION = """
The API of Medtheca: a superset of the ISIC Archive's version 2, whose clients work against it as they are.

**Who calls.** Send `Authorization: Bearer mt_…` with a token from the page Account, API tokens. A token with the
scope `read` cannot change anything. Applications act for people by OAuth 2 (`/oauth/.well-known/openid-configuration`):
their tokens begin with `mo_` and may what the person may, within the scopes that the person allowed; what lacks a
scope is 403 with the code `insufficient_scope`. A token that is not good is refused with 401, never taken for nobody.
Pages of this site may use the session instead; then every change needs the header `X-CSRFToken`.

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

**Asking from other sites.** Scripts of any origin may ask, with a token or as nobody, never with cookies. Answers to
nobody in particular may be kept, and are to be asked for anew each time (`no-cache`, with an ETag for single images);
all others are `private, no-store`.
"""
_PROBLEMS = {
    "400": "The values cannot be used.",
    "401": "Nobody is signed in, or the token is not good.",
    "403": "The caller sees the thing, but may not do this.",
    "404": "There is no such thing, or the caller may not know of it.",
    "410": "It was erased; only the day is told.",
    "409": "The thing is not in the state that this needs.",
    "413": "The body, or what it announces, is larger than allowed.",
    "422": "The request does not have the right shape.",
    "429": "Too much of this was asked for; `Retry-After` says when to come back.",
    "503": "This took too long, or too much is going on; `Retry-After` says when to come back.",
    "507": "The archive has no room for it now.",
}


class Api(DescribedApi):
    """django-ninja's API, whose description says of every route how it refuses."""

    def describe_refusals(self, schema: OpenAPISchema) -> None:
        """Problem details for every route."""
        schemas = schema["components"]["schemas"]
        definitions = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(definitions.pop("$defs", {}))
        schemas["ProblemOut"] = definitions
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
        for operations in schema["paths"].values():
            for method, operation in operations.items():
                for status, description in _PROBLEMS.items():
                    if method != "get" or status not in {"409", "413", "507"}:
                        operation["responses"][status] = {"description": description, "content": content}


api = Api(
    title="Medtheca",
    version=medtheca.__version__,
    description=_DESCRIPTION.strip(),
    docs_url=None,
    openapi_url="/openapi.json",
    urls_namespace="api_v2",
)
add_handlers(api)
api.add_router("/archives", archive_people.router)
api.add_router("", archive_people.mine)
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
api.add_router("/accessions", copies.router)
api.add_router("/groups", groups.router)
api.add_router("/archives", archive_services.router)
api.add_router("/archives", archives.router)
api.add_router("/archives", archive_logo.router)
api.add_router("/collections", sharing.router)
api.add_router("/collections", collections.router)
api.add_router("", reviews.router)
api.add_router("/images", similar.router)
api.add_router("/cohorts", similar.cohort_router)
api.add_router("/uploads", uploads.router)
api.add_router("/s3-upload", s3_uploads.router)
api.add_router("/downloads", downloads.router)
api.add_router("/manifests", downloads.manifests)
api.add_router("/zip-download", zip_downloads.router)
api.add_router("/inspections", inspections.router)
api.add_router("", erasures.router)
api.add_router("", finding.router)
api.add_router("/stats", overview.router)
api.add_router("/public-table", public_table.router)
api.add_router("/saved-searches", saved.router)
api.add_router("/patients", subjects.patients)
api.add_router("/lesions", subjects.lesions)
api.add_router("", viewing.router)
api.add_router("", sockets.router)
