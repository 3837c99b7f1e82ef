"""The gallery's filters, as its template draws them: options with their counts, what is chosen, what to drop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, QueryDict
from django.urls import reverse

from medtheca.base.errors import DomainError
from medtheca.domains.provenance.queries import cohort_for
from medtheca.domains.search.filters import Filters, read_filters
from medtheca.domains.search.queries import Asker, count, facet
from medtheca.interfaces.web.people import person
from medtheca.toolkit.schemas import DERMATOLOGY, LICENCES
from medtheca.toolkit.schemas.vocabulary import SEPARATOR, Hierarchy, Vocabulary

OLDEST, NEWEST = "oldest", "newest"
SORTS = [{"value": NEWEST, "label": "Newest first"}, {"value": OLDEST, "label": "Oldest first"}]
_PLAIN = ("sex", "image_type")
_TREES = ("diagnosis", "anatom_site")
_CHOSEN = (*_TREES, *_PLAIN, "fitzpatrick_skin_type", "diagnosis_confirm_type", "licence")
_LABELS = {"licence": "Licence", "age": "Age", "cohort": "Cohort", "q": "Words"}


@dataclass(frozen=True, slots=True)
class Search:
    """What a gallery address asks for."""

    filters: Filters
    asker: Asker
    given: QueryDict
    newest_first: bool

    @property
    def query(self) -> str:
        """The search as it stands in an address, without its place in the pages."""
        kept = self.given.copy()
        kept.pop("cursor", None)
        return kept.urlencode()

    def address(self, **changes: object) -> str:
        """The gallery with parameters replaced, at its first page; None takes one out."""
        query = self.given.copy()
        query.pop("cursor", None)
        for name, value in changes.items():
            query.pop(name, None)
            if value is not None:
                query[name] = str(value)
        return f"{reverse('gallery')}?{query.urlencode()}" if query else reverse("gallery")


def read_search(request: HttpRequest) -> Search:
    """The search in an address: `q` for words, the filters by their names. Raises `Invalid`."""
    given = {name: value for name, value in request.GET.dict().items() if name != "words"}
    filters = read_filters({**given, "words": request.GET.get("q", "")[:200]})
    kept = QueryDict(mutable=True)
    for name, value in request.GET.dict().items():
        if str(value).strip():
            kept[name] = value
    return Search(filters, request.user, kept, newest_first=request.GET.get("sort") != OLDEST)


def filters_shown(search: Search) -> list[dict[str, Any]]:
    """Every filter with its options; each counts as if it were not set itself."""
    return [
        _tree(search, "diagnosis"),
        _age(search),
        _choice(search, "sex"),
        _tree(search, "anatom_site"),
        _choice(search, "image_type"),
        _licence(search),
    ]


def _with(filters: Filters, name: str, value: str = "") -> Filters:
    changes: dict[str, Any] = {name: value}
    return replace(filters, **changes)


def _tree(search: Search, name: str) -> dict[str, Any]:
    options: list[dict[str, Any]] = []
    vocabulary = DERMATOLOGY.by_name[name].vocabulary
    assert isinstance(vocabulary, Hierarchy)
    _grow(search, name, vocabulary, None, options)
    return {"name": name, "label": DERMATOLOGY.by_name[name].label, "kind": "choice", "options": options}


def _grow(search: Search, name: str, tree: Hierarchy, parent: str | None, options: list[dict[str, Any]]) -> None:
    """Terms below `parent` that have images, with those below the chosen ones."""
    chosen: str = getattr(search.filters, name)
    level = parent.count(SEPARATOR) + 2 if parent else 1
    counts = facet(_with(search.filters, name, parent or ""), f"{name}_{level}", asker=search.asker)
    for path in tree.children(parent):
        term = path.rsplit(SEPARATOR, 1)[-1]
        inside = chosen == path or chosen.startswith(path + SEPARATOR)
        if not counts.get(term) and not inside:
            continue
        # Choosing a chosen term again goes back to the one above it.
        target = parent if chosen == path else path
        number = counts.get(term, 0)
        options.append(_option(search, name, path, target=target, number=number, selected=inside, level=level))
        if inside and level < tree.depth:
            _grow(search, name, tree, path, options)


def _choice(search: Search, name: str) -> dict[str, Any]:
    field = DERMATOLOGY.by_name[name]
    chosen = getattr(search.filters, name)
    counts = facet(_with(search.filters, name), name, asker=search.asker)
    assert isinstance(field.vocabulary, Vocabulary)
    options = _flat(search, name, {value: counts.get(value, 0) for value in field.vocabulary.values}, chosen)
    return {"name": name, "label": field.label, "kind": "choice", "options": options}


def _licence(search: Search) -> dict[str, Any]:
    counts = {
        licence.spdx: count(_with(search.filters, "licence", licence.spdx), asker=search.asker) for licence in LICENCES
    }
    options = _flat(search, "licence", counts, search.filters.licence)
    return {"name": "licence", "label": "Licence", "kind": "choice", "options": options}


def _flat(search: Search, name: str, counts: dict[str, int], chosen: str) -> list[dict[str, Any]]:
    """Options of one level, those without images left out."""
    return [
        _option(search, name, value, target=None if value == chosen else value, number=number, selected=value == chosen)
        for value, number in counts.items()
        if number or value == chosen
    ]


def _option(
    search: Search, name: str, value: str, *, target: str | None, number: int, selected: bool, level: int = 1
) -> dict[str, Any]:
    return {
        "value": value,
        "label": value.rsplit(SEPARATOR, 1)[-1] if name in _TREES else value,
        "count": number,
        "selected": selected,
        "level": level,
        "url": search.address(**{name: target}),
    }


def _age(search: Search) -> dict[str, Any]:
    filters = search.filters
    return {
        "name": "age",
        "label": "Age",
        "kind": "range",
        "unit": "years",
        "minimum": filters.age_from,
        "maximum": filters.age_to,
    }


def active_filters(search: Search, *, tell_gain: bool) -> list[dict[str, Any]]:
    """What is asked for, each with the address without it; with `tell_gain` also how many images that would give."""
    active = [
        {
            "label": label,
            "remove_url": search.address(**dict.fromkeys(parameters)),
            "gain": count(without, asker=search.asker) if tell_gain else None,
        }
        for label, parameters, without in _active(search)
    ]
    return sorted(active, key=lambda one: -one["gain"]) if tell_gain else active


def _active(search: Search) -> Iterator[tuple[str, tuple[str, ...], Filters]]:
    filters = search.filters
    if filters.words:
        yield f"“{filters.words}”", ("q",), replace(filters, words="")
    for name in _CHOSEN:
        if value := getattr(filters, name):
            label = _LABELS.get(name) or DERMATOLOGY.by_name[name].label
            yield (
                f"{label}: {value.rsplit(SEPARATOR, 1)[-1] if name in _TREES else value}",
                (name,),
                _with(filters, name),
            )
    if filters.age_from is not None or filters.age_to is not None:
        yield _age_words(filters), ("age_from", "age_to"), replace(filters, age_from=None, age_to=None)
    if filters.cohort is not None:
        yield _cohort_words(search), ("cohort",), replace(filters, cohort=None)


def _age_words(filters: Filters) -> str:
    if filters.age_to is None:
        return f"Age: {filters.age_from} and above"
    return (
        f"Age: up to {filters.age_to}" if filters.age_from is None else f"Age: {filters.age_from} to {filters.age_to}"
    )


def _cohort_words(search: Search) -> str:
    assert search.filters.cohort is not None
    try:
        return f"Cohort: {cohort_for(person(search.asker), search.filters.cohort).name}"
    except DomainError:
        return f"Cohort: {search.filters.cohort}"
