"""A query answered by the index: visibility inside, and what bitmaps cannot know asked of SQL in the same snapshot."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Q, QuerySet
from pyroaring import BitMap

from medtheca.domains.access.enums import PUBLIC_SCOPE
from medtheca.domains.access.queries import Circles, circles_of, viewer_of
from medtheca.domains.imaging.models import Image
from medtheca.domains.search.compile_sql import compile_tree
from medtheca.domains.search.duplicates import Counted, count_alike, images_counted
from medtheca.domains.search.index.holding import HOLDER, View
from medtheca.domains.search.naming import Acquaintance, Asker, Listings, cohorts_named, meaning_of
from medtheca.domains.search.texts import images_kept_saying
from medtheca.toolkit.bitmaps import bitmap_of_numbers, numbers_of
from medtheca.toolkit.bitmaps.answering import Counts, NotKnown, Sight, count_values, find, is_known
from medtheca.toolkit.bitmaps.archive import ALIKE_FIELDS, PUBLIC_IDS, Archive, number_of_id
from medtheca.toolkit.bitmaps.tally import Tally
from medtheca.toolkit.querylang import (
    Equals,
    Leaf,
    Node,
    Range,
    SearchField,
    Words,
    leaves_of,
)
from medtheca.toolkit.querylang.words import says

_log = logging.getLogger(__name__)
_WRITTEN = ("attribution", "manufacturer", "manufacturer_model")
"""Terms that somebody wrote, for everybody who sees the image."""


@dataclass
class Answer:
    """What is found, in one snapshot. To be asked within `asking` only."""

    view: View
    sight: Sight
    tree: Node

    @cached_property
    def found(self) -> BitMap:
        """The images, by their keys; to be read, never changed."""
        return find(self.tree, self.view.archive, self.sight)

    @cached_property
    def _tally(self) -> Tally:
        return Tally(self.found)

    def number(self) -> int:
        """How many images are found."""
        return len(self.found)

    def page(self, *, beyond: tuple[int, int] | None, limit: int, descending: bool) -> list[int]:
        """Keys of the first `limit` images in (created, id) beyond a place, of which the moment is in microseconds."""
        return self.view.archive.order.page(self.found, beyond=beyond, limit=limit, descending=descending)

    def counts(self, field: SearchField, *, among: Node | None = None) -> Counts:
        """How many of what is found, or of what another tree finds, have each value of a field."""
        tally = self._tally if among is None else Tally(find(among, self.view.archive, self.sight))
        return count_values(field, self.view.archive, tally, self.sight)

    def bytes(self) -> int:
        """Bytes of the files that are served of what is found."""
        return int(self.view.archive.numbers["file_size"].of(self.found).sum())

    def moments(self) -> np.typing.NDArray[np.int64]:
        """When the images were added, in microseconds since 1970."""
        return self.view.archive.order.moments[numbers_of(self.found)]


@contextmanager
def asking(tree: Node, *, asker: Asker, listings: Listings | None = None) -> Iterator[Answer | None]:
    """The answer of the index to a query, within `one_snapshot`; None where SQL has to answer."""
    with HOLDER.view() as view:
        if view is None:
            yield None
            return
        try:
            answer = _answer(tree, view, asker, listings)
            answer.found  # noqa: B018 - whether it can be found shows now, and not when half is answered
        except NotKnown as unknown:
            _log.info("The index does not know %s; SQL answers.", unknown)
            yield None
            return
        yield answer


def _answer(tree: Node, view: View, asker: Asker, listings: Listings | None) -> Answer:
    archive = view.archive
    public = archive.circles[PUBLIC_SCOPE].at(view.moment) if PUBLIC_SCOPE in archive.circles else BitMap()
    visible = _visible(circles_of(viewer_of(asker)), view)
    known = _Known(archive, asker, listings, visible, Acquaintance(asker, listings)).of(tree)
    return Answer(view, Sight(visible, public, known), tree)


def _visible(circles: Circles, view: View) -> BitMap:
    archive = view.archive
    if circles.everything:
        return archive.images
    seen = _union(archive, circles.scopes, view.moment)
    if circles.unless_withdrawn:
        seen = seen | (_union(archive, circles.unless_withdrawn, view.moment) - archive.withdrawn)
    return seen & archive.images


def _union(archive: Archive, scopes: tuple[int, ...], moment: int) -> BitMap:
    found = [archive.circles[scope].at(moment) for scope in scopes if scope in archive.circles]
    return BitMap.union(*found) if found else BitMap()


def _asks_for_numbers(leaf: Leaf) -> bool:
    return isinstance(leaf, Equals | Range) and leaf.field.name in ALIKE_FIELDS


@dataclass(frozen=True, slots=True)
class _Known:
    """Leaves that need names or rows to be looked up."""

    archive: Archive
    asker: Asker
    listings: Listings | None
    visible: BitMap
    names: Acquaintance

    def of(self, tree: Node) -> Mapping[Leaf, BitMap]:
        """What such leaves of a tree find, whether it is seen or not."""
        leaves = [leaf for leaf in leaves_of(tree) if isinstance(leaf, Words) or not is_known(leaf)]
        numbers = count_alike(self.visible) if any(map(_asks_for_numbers, leaves)) else None
        return {leaf: self._leaf(leaf, numbers) for leaf in leaves}

    def _leaf(self, leaf: Leaf, numbers: Counted | None) -> BitMap:
        if isinstance(leaf, Words):
            return self._words(leaf)
        if leaf.field.name in ALIKE_FIELDS:
            if numbers is not None and isinstance(leaf, Equals | Range):
                return images_counted(leaf, self.archive.images, numbers)
            return self.archive.images  # Every image has a number, be it none.
        if isinstance(leaf, Equals) and leaf.field.name == "cohort":
            cohorts = cohorts_named(self.asker, str(leaf.value))
            return BitMap.union(BitMap(), *(self.archive.terms["cohort"].having(str(pk)) for pk in cohorts))
        if isinstance(leaf, Equals) and leaf.field.name == "collection":
            return self._hanging(self.listings.named(self.asker, str(leaf.value)) if self.listings else ())
        return self._by_sql(leaf)

    def _words(self, words: Words) -> BitMap:
        meaning = meaning_of(words.text)
        found = [self.archive.terms[column].having(term) for column, terms in meaning.terms.items() for term in terms]
        if "_" in meaning.prefix:
            pattern = meaning.prefix.replace("_", r"\_") + "%"
            found.append(_packed("SELECT id FROM imaging_image WHERE public_id LIKE %s", [pattern]))
        elif meaning.prefix:
            found.append(self.archive.terms[PUBLIC_IDS].where(lambda letters: str(letters).startswith(meaning.prefix)))
        if meaning.subject is not None:
            number = number_of_id(str(meaning.subject.value))
            found.append(self.archive.numbers[meaning.subject.field.name].equal(number))
        found += self._texts(meaning.words)
        return BitMap.union(BitMap(), *found)

    def _texts(self, words: tuple[str, ...]) -> Iterator[BitMap]:
        if not words:
            return
        for name in _WRITTEN:
            yield self.archive.terms[name].where(lambda text: says(str(text), words))
        for cohort in self.names.cohorts_saying(words):
            yield self.archive.terms["cohort"].having(str(cohort))
        yield self._hanging(self.names.listings_saying(words))
        if (kept := images_kept_saying(words, self.names.cohorts)) is not None:
            yield _packed(*kept)

    def _hanging(self, scopes: Sequence[int]) -> BitMap:
        held = [self.archive.circles[scope].all() for scope in scopes if scope in self.archive.circles]
        return BitMap.union(BitMap(), *held)

    def _by_sql(self, leaf: Leaf) -> BitMap:
        return _where(compile_tree(leaf, asker=self.asker, listings=self.listings))


def _where(condition: Q) -> BitMap:
    """Images of which a condition is true, seen or not."""
    return _keys_in(Image.objects.filter(condition).order_by().values("pk"))


def _keys_in(rows: QuerySet[Any, Any]) -> BitMap:
    """The keys of images in rows of one column."""
    try:
        sql, parameters = rows.query.sql_with_params()
    except EmptyResultSet:  # Django knows that nothing can be found.
        return BitMap()
    return _packed(sql, parameters)


def _packed(sql: str, parameters: Sequence[Any]) -> BitMap:
    """Keys of images that a statement finds, packed by the database: hundreds of thousands come as one value."""
    with connection.cursor() as cursor:
        # How many have the beginning of a word is guessed, and too high: workers for them take longer than finding few.
        cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        cursor.execute(
            # The statement is Django's or stands above; whatever somebody typed is among the parameters.
            f"SELECT string_agg(int8send(key), ''::bytea) FROM ({sql}) found (key)",  # noqa: S608 - see above
            parameters,
        )
        packed = cursor.fetchone()[0]
    return bitmap_of_numbers(np.sort(np.frombuffer(packed or b"", ">i8")))
