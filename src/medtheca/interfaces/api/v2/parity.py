"""Every endpoint of the ISIC Archive's API 2, and what of it is here: the page docs/reference/isic-api.md.

`medtheca manage shell -c "from medtheca.interfaces.api.v2.parity import page; print(page(), end='')"` prints it.
"""

from __future__ import annotations

from dataclasses import dataclass

from medtheca.interfaces.api.v2.api import api

_STUDIES = "There are no reader studies here, so there is nothing to list."
_DOIS = "There are no DOIs here."
_ENGAGEMENT = "Of a partner's uploading platform that is no part of an archive."


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint of the ISIC Archive: where it is here, or `why` it is not. `note` is what differs."""

    method: str
    path: str
    here: str = ""
    why: str = ""
    note: str = ""

    @property
    def route(self) -> str:
        """The route of ours that answers, with the names of its parameters; empty where there is none."""
        return "" if self.why else self.here or self.path


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "users/me/"),
    Endpoint("PUT", "users/accept-terms/"),
    Endpoint("GET", "images/"),
    Endpoint("GET", "images/search/"),
    Endpoint("GET", "images/search/size/"),
    Endpoint("GET", "images/facets/", note="Counted now; a facet ignores its own filter unless `own` is sent."),
    Endpoint("GET", "images/{isic_id}/"),
    Endpoint(
        "GET",
        "images/{isic_id}/similar/",
        note="Near-duplicates by perceptual hash; `distance` is the number of bits that differ.",
    ),
    Endpoint(
        "POST",
        "images/{id}/set-pinned/",
        "images/{isic_id}/set-pinned/",
        note="By public id or key. Pinned images come first where `pin_sort` is sent, and in collections' pages.",
    ),
    Endpoint("POST", "images/pins/reorder/", note="All pinned images, each once."),
    Endpoint("GET", "collections/"),
    Endpoint("GET", "collections/{collection_id}/"),
    Endpoint("DELETE", "collections/{collection_id}/"),
    Endpoint("POST", "collections/create-from-isic-ids/"),
    Endpoint("GET", "collections/autocomplete/", note="All words in the name, beginnings first."),
    Endpoint("GET", "collections/sharing-info/", note="For owners too."),
    Endpoint(
        "POST", "collections/{collection_id}/share/", note="For owners too, and for groups; `revoke/` takes back."
    ),
    Endpoint("GET", "collections/{collection_id}/attribution/"),
    Endpoint("POST", "collections/{collection_id}/populate-from-search/", note="The answer names the job."),
    Endpoint("POST", "collections/{collection_id}/populate-from-isic-ids/", note="The answer names the job."),
    Endpoint("POST", "collections/{collection_id}/populate-from-list/"),
    Endpoint("POST", "collections/{collection_id}/remove-from-list/"),
    Endpoint("POST", "collections/{collection_id}/set-pinned/"),
    Endpoint("GET", "cohorts/"),
    Endpoint("GET", "cohorts/{cohort_id}/"),
    Endpoint("GET", "contributors/"),
    Endpoint("GET", "contributors/{contributor_id}/"),
    Endpoint("POST", "contributors/"),
    Endpoint("POST", "accessions/", note="Without `engagement_external_id`."),
    Endpoint("POST", "accessions/create-review-bulk/", note="For reviewers of the cohort, not for staff alone."),
    Endpoint("DELETE", "metadata-files/{file_id}/", note="For editors of the cohort too."),
    Endpoint(
        "POST",
        "metadata-files/{id}/update_metadata/",
        "metadata-files/{file_id}/apply/",
        note="Under another name, since it can be undone; for editors of the cohort too.",
    ),
    Endpoint("GET", "lesions/"),
    Endpoint("GET", "lesions/{public_id}/"),
    Endpoint("POST", "doi/", why=_DOIS),
    Endpoint("PATCH", "doi/{slug}/", why=_DOIS),
    Endpoint("POST", "doi/{slug}/publish/", why=_DOIS),
    Endpoint("GET", "annotations/", why=_STUDIES),
    Endpoint("GET", "annotations/{id}/", why=_STUDIES),
    Endpoint("GET", "studies/", why=_STUDIES),
    Endpoint("GET", "studies/{id}/", why=_STUDIES),
    Endpoint("GET", "study-tasks/", why=_STUDIES),
    Endpoint("GET", "study-tasks/{id}/", why=_STUDIES),
    Endpoint("POST", "study-tasks/{id}/undo/", why=_STUDIES),
    Endpoint("GET", "quickfind/"),
    Endpoint("GET", "autocomplete/cohort/"),
    Endpoint("GET", "autocomplete/contributor/"),
    Endpoint("GET", "autocomplete/collection/"),
    Endpoint("GET", "autocomplete/user/"),
    Endpoint("GET", "stats/", note="Of images and collections, what the caller sees; visits are not counted."),
    Endpoint("POST", "zip-download/url/"),
    Endpoint("GET", "zip-download/file-listing/"),
    Endpoint("GET", "zip-download/metadata-file/"),
    Endpoint("GET", "zip-download/attribution-file/"),
    Endpoint("GET", "zip-download/license-file/{licence}/"),
    Endpoint(
        "POST", "s3-upload/upload-initialize/", note="Needs a log-in; all that it signs is one person's, for a day."
    ),
    Endpoint("POST", "s3-upload/upload-complete/", note="Needs a log-in."),
    Endpoint("POST", "s3-upload/finalize/", note="Needs a log-in."),
    Endpoint("GET", "engagement/profile/", why=_ENGAGEMENT),
    Endpoint("POST", "engagement/accessions/", why=_ENGAGEMENT),
    Endpoint("GET", "engagement/accessions/{external_id}/", why=_ENGAGEMENT),
)

_BEGIN = """# The ISIC Archive's API, endpoint by endpoint

Generated by `medtheca.interfaces.api.v2.parity`; a test compares it with the routes. Everything is below `/api/v2/`.
What there is besides is in the reference of the API itself, at `/api/v2/`.

| endpoint of the ISIC Archive | here | |
|---|---|---|
"""


def page() -> str:
    """The page as Markdown."""
    return _BEGIN + "".join(
        f"| `{one.method} {one.path}` | {_place(one)} | {one.why or one.note} |\n" for one in ENDPOINTS
    )


def routes() -> set[tuple[str, str]]:
    """Method and path of every route of the API, without its prefix."""
    paths = api.get_openapi_schema(path_prefix="/")["paths"]
    return {(method.upper(), path.lstrip("/")) for path, verbs in paths.items() for method in verbs}


def _place(one: Endpoint) -> str:
    if one.why:
        return "no"
    return f"`{one.route}`" if one.here else "yes"
