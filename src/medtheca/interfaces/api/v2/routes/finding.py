"""Going somewhere by a few letters, completing what is typed, and how much there is."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from medtheca.domains.collections.queries import suggest
from medtheca.domains.provenance.access import require_to_know_of_staff_pages
from medtheca.domains.search.completing import complete_fields, complete_values
from medtheca.interfaces.api.v2.calling import caller_of, user_of
from medtheca.interfaces.api.v2.routes.cohorts import shown_cohorts
from medtheca.interfaces.api.v2.routes.collections import shown_collections
from medtheca.interfaces.api.v2.shapes.collections import CollectionOut
from medtheca.interfaces.api.v2.shapes.finding import (
    ContributorNameOut,
    FieldNameOut,
    FieldValueOut,
    FieldValuesQuery,
    FoundOut,
    NamedQuery,
    PersonNameOut,
    StatsOut,
)
from medtheca.interfaces.api.v2.shapes.images import site_of
from medtheca.interfaces.api.v2.shapes.provenance import CohortOut
from medtheca.interfaces.http.api_auth import anybody, somebody
from medtheca.workflows.finding import listings
from medtheca.workflows.quickfind import cohorts_named, contributors_named, quickfind, users_named
from medtheca.workflows.statistics import statistics_for

router = Router(tags=["finding"])
PAGES = {
    "image": "/images/{key}/",
    "lesion": "/lesions/{key}/",
    "collection": "/collections/{key}/",
    "archive": "/archives/{key}/",
    "cohort": "/cohorts/{key}/",
    "contributor": "/contributors/{key}/",
    "user": "/staff/people/{key}/",
}
"""Where each kind has its page."""


@router.get("/quickfind/", auth=anybody, response=list[FoundOut], url_name="quickfind")
def find_quickly(request: HttpRequest, asked: Query[NamedQuery]) -> Any:
    """At most five each of images, lesions, collections, archives, cohorts, contributors and, for staff, people."""
    site = site_of(request)
    return [
        {
            "title": found.title,
            "subtitle": found.subtitle,
            "icon": found.kind,
            "url": site + PAGES[found.kind].format(key=found.key),
            "yours": found.yours,
            "result_type": found.kind,
        }
        for found in quickfind(caller_of(request).user, asked.query)
    ]


@router.get("/autocomplete/cohort/", auth=somebody, response=list[CohortOut], url_name="autocomplete_cohort")
def autocomplete_cohort(request: HttpRequest, asked: Query[NamedQuery]) -> Any:
    """At most 20 of the caller's cohorts whose name has the text."""
    return shown_cohorts(cohorts_named(user_of(request), asked.query))


@router.get(
    "/autocomplete/contributor/", auth=somebody, response=list[ContributorNameOut], url_name="autocomplete_contributor"
)
def autocomplete_contributor(request: HttpRequest, asked: Query[NamedQuery]) -> Any:
    """At most 20 of the caller's contributors whose name has the text."""
    found = contributors_named(user_of(request), asked.query)
    return [{"id": row.pk, "institution_name": row.institution_name} for row in found]


@router.get("/autocomplete/collection/", auth=anybody, response=list[CollectionOut], url_name="autocomplete_collection")
def autocomplete_collection(request: HttpRequest, asked: Query[NamedQuery]) -> Any:
    """As `collections/autocomplete/`."""
    asker = caller_of(request).user
    return shown_collections(suggest(asker, asked.query), asker)


@router.get("/autocomplete/user/", auth=somebody, response=list[PersonNameOut], url_name="autocomplete_user")
def autocomplete_user(request: HttpRequest, asked: Query[NamedQuery]) -> Any:
    """At most 20 people whose name or address has all the words. Staff only."""
    require_to_know_of_staff_pages(user_of(request))
    return [{"id": row.pk, "name": row.shown_name, "email": row.email} for row in users_named(asked.query)]


@router.get("/autocomplete/field/", auth=anybody, response=list[FieldNameOut], url_name="autocomplete_field")
def autocomplete_field(request: HttpRequest, asked: Query[NamedQuery]) -> Any:
    """At most 20 fields of queries whose name has the text, however short it is."""
    return [
        {"name": field.name, "label": field.label, "kind": field.kind.value} for field in complete_fields(asked.query)
    ]


@router.get("/autocomplete/value/", auth=anybody, response=list[FieldValueOut], url_name="autocomplete_value")
def autocomplete_value(request: HttpRequest, asked: Query[FieldValuesQuery]) -> Any:
    """At most 20 values of a field that images of the caller's have, the most frequent first, with their numbers."""
    found = complete_values(asked.field, asked.query, asker=caller_of(request).user, listings=listings)
    return [{"value": one.value, "count": one.number} for one in found]


@router.get("/stats/", auth=anybody, response=StatsOut, url_name="stats")
def show_stats(request: HttpRequest) -> Any:
    """How much there is, as the caller sees it; counted now."""
    found = statistics_for(caller_of(request).user)
    return {
        "image": {
            "images_count": found.images,
            "public_images_count": found.public_images,
            "annotated_images_count": 0,
        },
        "collection": {
            "collections_count": found.collections,
            "public_collections_count": found.public_collections,
            "memberships_count": found.in_collections.memberships,
            "collected_images_count": found.in_collections.images,
        },
        "lesion": {"lesions_count": found.lesions},
        "doi": {"dois_count": 0},
        "study": {"studies_count": 0},
        "user": {"users_count": found.users},
    }
