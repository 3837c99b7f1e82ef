"""The public metadata of all images as one file, and what its columns are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import Field

from medtheca.domains.downloads.public_table import published_table
from medtheca.interfaces.api.v2.shapes.images import site_of
from medtheca.interfaces.http.api_auth import anybody
from medtheca.interfaces.http.download_urls import PUBLIC_TABLE
from medtheca.toolkit.publictable.columns import dictionary, dictionary_csv

router = Router(tags=["downloads"])


class PublicTableOut(Schema):
    """The table of public metadata, a Parquet file with a row for each public image."""

    url: str
    ready: bool = Field(description="False while it is made anew, because an image is not public any more.")
    images: int | None = Field(description="How many rows it has.")
    size: int | None = Field(description="In bytes.")
    sha256: str | None
    made: datetime | None = Field(description="Of which moment it is. What changes later is in the next one.")


class TableColumnOut(Schema):
    """A column of the table."""

    name: str
    label: str
    type: str
    unit: str | None
    places: int | None = Field(description="Of exact numbers, digits behind the point.")
    required: bool = Field(description="Whether every row has a value.")
    values: list[str] | None = Field(description="All values that there may be, where they are known.")
    description: str


@router.get("/", auth=anybody, response=PublicTableOut, url_name="public_table")
def show_public_table(request: HttpRequest) -> Any:
    """Where the file is, and of which moment."""
    found = published_table()
    return {
        "url": site_of(request) + PUBLIC_TABLE,
        "ready": found is not None,
        "images": found.images if found else None,
        "size": found.size if found else None,
        "sha256": found.sha256 if found else None,
        "made": found.made if found else None,
    }


@router.get("/dictionary/", auth=anybody, response=list[TableColumnOut], url_name="public_table_dictionary")
def show_dictionary(request: HttpRequest) -> Any:
    """The data dictionary: every column with its type, unit, values and meaning."""
    return dictionary()


@router.get("/dictionary.csv", auth=anybody, response=None, url_name="public_table_dictionary_csv")
def show_dictionary_csv(request: HttpRequest) -> HttpResponse:
    """The same as CSV."""
    answer = HttpResponse(dictionary_csv(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="metadata-dictionary.csv"'
    return answer
