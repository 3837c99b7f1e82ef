"""What items hold, as the rows of a table: a few queries, whatever the number of items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.archives.access import Asker
from medtheca.domains.archives.models import Item, ItemValue
from medtheca.toolkit.sockets.cells import write_cell
from medtheca.toolkit.sockets.sheets import cell_text, head_of

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from medtheca.domains.sockets.models import Socket

LONGEST_IN_CSV = 100_000
"""Letters of a cell that the import reads (`workflows.archiving.checking_values`)."""

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Picture:
    """An image by which it is found: as `file_url` wants it."""

    key: UUID
    public_id: str | None

    @property
    def ref(self) -> str:
        """How addresses name it."""
        return self.public_id or str(self.key)


@dataclass(frozen=True, slots=True)
class Cell:
    """What an item has in one socket. `text` are its words, empty for JSON that has none.

    `picture` is given for an image that the asker sees; `is_withheld` says that there is one that they do not.
    """

    value_id: int
    text: str
    number: float | None
    is_file: bool
    picture: Picture | None
    is_withheld: bool


def cells_of(items: Sequence[Item], asker: Asker) -> dict[UUID, dict[int, Cell]]:
    """What each of the items holds, by the key of the socket."""
    held = ItemValue.objects.filter(item__in=[item.pk for item in items])
    rows = list(held.values_list("item", "socket", "value", "text", "number", "value__blob", "value__image"))
    seen = pictures_of({row[6] for row in rows if row[6] is not None}, asker)
    cells: dict[UUID, dict[int, Cell]] = {item.pk: {} for item in items}
    for item, socket, value, text, number, blob, image in rows:
        picture = seen.get(image) if image is not None else None
        cells[item][socket] = Cell(value, text, number, blob is not None, picture, image is not None and not picture)
    return cells


def exported(
    items: QuerySet[Item],
    sockets: Sequence[Socket],
    asker: Asker,
    *,
    longest: int = LONGEST_IN_CSV,
    typed: bool = False,
) -> Iterator[tuple[str | int | float, ...]]:
    """A line for each item, after one of heads: id, title, and what it has in each of the sockets.

    Images by their names in addresses, where the asker sees them; files by their names; JSON as it is written. Of texts
    of more than `longest` letters only how many they are. `typed` lines have true and false, others those words.
    """
    yield head_of(socket.slug for socket in sockets)
    places = {socket.pk: at for at, socket in enumerate(sockets, 2)}
    booleans = {socket.pk for socket in sockets if socket.kind == "BOOL" and socket.store_in_database}
    rows = list(items.values_list("pk", "title"))
    for begin in range(0, len(rows), _AT_ONCE):
        piece = rows[begin : begin + _AT_ONCE]
        lines: dict[UUID, list[str | int | float]] = {
            pk: [str(pk), title, *("" for _ in sockets)] for pk, title in piece
        }
        for item, socket, content in _contents([pk for pk, _ in piece], places, asker):
            if isinstance(content, str):
                kept = content == "true" if typed and socket in booleans else cell_text(content, longest=longest)
                lines[item][places[socket]] = kept
            else:
                lines[item][places[socket]] = content
        yield from map(tuple, lines.values())


def _contents(
    item_ids: list[UUID], places: dict[int, int], asker: Asker
) -> Iterator[tuple[UUID, int, str | int | float]]:
    columns = ("item", "socket", "value__has_value", "value__value", "value__filename", "value__image")
    # Which of these are null is not what the types of a join say.
    rows: list[Any] = list(ItemValue.objects.filter(item__in=item_ids, socket__in=list(places)).values_list(*columns))
    seen = pictures_of({row[5] for row in rows if row[5] is not None}, asker)
    for item, socket, has_value, value, filename, image in rows:
        if image is None:
            yield item, socket, write_cell(value) if has_value else filename
        elif image in seen:
            yield item, socket, seen[image].ref


def pictures_of(image_ids: set[int], asker: Asker) -> dict[int, Picture]:
    """Those of the images that the asker sees."""
    if not image_ids:
        return {}
    rows = visible_images(viewer_of(asker)).filter(pk__in=image_ids).values_list("pk", "key", "public_id")
    return {pk: Picture(key, public_id) for pk, key, public_id in rows}
