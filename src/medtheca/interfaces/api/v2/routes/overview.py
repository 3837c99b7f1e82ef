"""How much there is, counted in several ways."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from medtheca.domains.search.overview import overview_for
from medtheca.interfaces.api.v2.calling import caller_of
from medtheca.interfaces.http.api_auth import anybody

router = Router(tags=["finding"])


class OverviewOut(Schema):
    """Numbers of the images that the caller may see, all of one moment, as the page of statistics shows them."""

    images: int
    bytes: int = Field(description="Of the files that are served.")
    months: dict[str, int] = Field(
        description="How many came in each month (UTC) from the first to the last.", examples=[{"2026-11": 2750}]
    )
    values: dict[str, dict[str, int]] = Field(
        description="By field, how many have each value, the most frequent first.",
        examples=[{"diagnosis_1": {"Benign": 1543, "Malignant": 412}}],
    )
    missing: dict[str, int] = Field(description="By field, how many have none.")


@router.get("/overview/", auth=anybody, response=OverviewOut, url_name="stats_overview")
def show_overview(request: HttpRequest) -> Any:
    """Images by licence, diagnosis, type, modality, attribution and month; counted now."""
    return overview_for(caller_of(request).user)
