"""A search in the address of a page: a query in `q`, and the filters by names that older addresses have."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from medtheca.domains.search.filters import read_filters
from medtheca.domains.search.naming import Asker
from medtheca.domains.search.queries import count
from medtheca.domains.search.query_text import read_query
from medtheca.toolkit.querylang import Everything, Node, all_of, to_text
from medtheca.workflows.finding import listings

OLDEST, NEWEST = "oldest", "newest"


@dataclass(frozen=True, slots=True)
class Search:
    """What an address asks for. `text` is the query as it was written, or all of the search as one."""

    tree: Node
    text: str
    asker: Asker
    newest_first: bool

    @property
    def query(self) -> str:
        """The search as it stands in an address, without its place in the pages."""
        return _parameters(self.text, newest_first=self.newest_first)

    def address(self, tree: Node | None = None) -> str:
        """The gallery at its first page, of this search or of another tree in the same order."""
        text = self.text if tree is None else to_text(tree)
        return gallery_url(text, newest_first=self.newest_first)

    def count(self, tree: Node | None = None) -> int:
        """How many images the asker sees of the search, or of another tree."""
        return count(self.tree if tree is None else tree, asker=self.asker, listings=listings)


def read_search(request: HttpRequest) -> Search:
    """The search in an address. Raises `BadQuery` for a query that is none, and `Invalid` for other filters."""
    text = request.GET.get("q", "").strip()
    given = {name: str(value) for name, value in request.GET.dict().items() if name != "words"}
    filters = read_filters(given).tree
    tree = all_of(read_query(text), filters)
    if not isinstance(filters, Everything):
        text = to_text(tree)
    return Search(tree, text, request.user, newest_first=request.GET.get("sort") != OLDEST)


def gallery_url(text: str, *, newest_first: bool = True) -> str:
    """The gallery at the first page of a query."""
    query = _parameters(text, newest_first=newest_first)
    return f"{reverse('gallery')}?{query}" if query else reverse("gallery")


def _parameters(text: str, *, newest_first: bool) -> str:
    return urlencode({name: value for name, value in (("q", text), ("sort", "" if newest_first else OLDEST)) if value})
