"""Applying the log: what it names is read anew, so that applying a change twice does no harm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from medtheca.domains.search.enums import ChangeKind
from medtheca.domains.search.index.reading import read_described, read_metadata, read_placed, read_withdrawn
from medtheca.domains.search.index.snapshots import Change
from medtheca.toolkit.bitmaps.archive import Archive


@dataclass
class Touched:
    """What changes name, each image once."""

    everything: bool = False
    described: set[int] = field(default_factory=set)
    metadata: set[int] = field(default_factory=set)
    placed: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    withdrawn: set[int] = field(default_factory=set)

    @classmethod
    def by(cls, changes: Iterable[Change]) -> Touched:
        """What these changes name."""
        touched = cls()
        for change in changes:
            if change.kind == ChangeKind.EVERYTHING:
                touched.everything = True
            elif change.kind == ChangeKind.PLACED and change.scope is not None:
                touched.placed[change.scope].update(change.images)
            elif change.kind == ChangeKind.METADATA:
                touched.metadata.update(change.images)
            elif change.kind == ChangeKind.WITHDRAWN:
                touched.withdrawn.update(change.images)
            else:
                touched.described.update(change.images)
        touched.metadata -= touched.described
        return touched

    @property
    def number(self) -> int:
        """How many things have to be read."""
        return len(self.described) + len(self.metadata) + len(self.withdrawn) + sum(map(len, self.placed.values()))


def apply(archive: Archive, touched: Touched) -> None:
    """Bring the archive up to the snapshot of the present transaction.

    Whatever it raises, the archive is useless then: some of it is new and some is not.
    """
    if touched.described:
        read_described(archive, touched.described)
    if touched.metadata:
        read_metadata(archive, touched.metadata)
    if touched.placed:
        read_placed(archive, touched.placed)
    if touched.withdrawn:
        read_withdrawn(archive, touched.withdrawn)
