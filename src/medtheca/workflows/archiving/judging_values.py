"""What the rows of a spreadsheet would change in items, and what is wrong with them: a chunk of rows at a time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from medtheca.base.errors import Invalid
from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.archives.enums import ImportOutcome
from medtheca.domains.archives.items import LONGEST_TITLE
from medtheca.domains.archives.models import ImportedRow, Item, ItemValue, ValuesImport
from medtheca.domains.archives.queries import items_of
from medtheca.domains.archives.sharing import shareable_images
from medtheca.domains.archives.table import pictures_of
from medtheca.domains.imaging.models import Image
from medtheca.domains.search.queries import images_named
from medtheca.domains.sockets.models import Socket
from medtheca.domains.sockets.operations import check_content
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.schemas import Sheet
from medtheca.toolkit.schemas.sheet import XLSX
from medtheca.toolkit.sockets.cells import write_cell
from medtheca.toolkit.sockets.kinds import SuperKind
from medtheca.toolkit.sockets.sheets import CLEAR, Column, Use, read_sheet_cell, says, unguarded_text

_SHOWN = 80


@dataclass(frozen=True, slots=True)
class CellProblem:
    """What is wrong with a cell or a row, and what would be right."""

    column: str
    code: str
    message: str
    remedy: str
    value: str = ""

    def as_json(self) -> dict[str, str]:
        """As a row keeps it."""
        named = ("column", "code", "message", "remedy")
        return {**{name: getattr(self, name) for name in named}, "value": short(self.value)}


@dataclass(slots=True)
class JudgedRow:
    """One row: the item that it is about or makes, what would change, what is wrong; `image_cells` are judged last."""

    line: int
    item: Item | None = None
    title: str = ""
    renames: bool = False
    changes: list[dict[str, Any]] = field(default_factory=list)
    base: dict[str, int | None] = field(default_factory=dict)
    problems: list[CellProblem] = field(default_factory=list)
    image_cells: list[tuple[Column, Socket, str, Present | None]] = field(default_factory=list)
    new: bool = False

    @property
    def matters(self) -> bool:
        """Whether it would change something, or cannot."""
        return bool(self.changes or self.problems or self.new or self.renames)

    def as_row(self, given: ValuesImport) -> ImportedRow:
        """As it is kept."""
        return ImportedRow(
            given=given,
            line=self.line,
            item=self.item,
            title=self.title[:LONGEST_TITLE],
            label=label_of(self.item) if self.item else "",
            renames=self.renames,
            changes=self.changes,
            base=self.base,
            problems=[problem.as_json() for problem in self.problems],
            outcome=ImportOutcome.WRONG if self.problems else ImportOutcome.WAITING,
        )


@dataclass(frozen=True, slots=True)
class Present:
    """What an item has in a socket. `written` is what a cell says for it, None for an image that is not shown."""

    value_id: int
    written: str | int | float | None
    content: Any
    has_value: bool
    image_id: int | None


class Judge:
    """Judges the rows of one sheet. Counts what would be added, replaced, cleared, kept, made and renamed."""

    def __init__(
        self, given: ValuesImport, sheet: Sheet, columns: Sequence[Column], sockets: dict[str, Socket]
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._given, self._archive, self._user = given, given.archive, given.creator
        self._sheet, self._rounded = sheet, sheet.kind == XLSX
        self._decimal_comma = sheet.delimiter == ";"
        self._id_at = next((at for at, one in enumerate(columns) if one.use is Use.ID), None)
        self._title_at = next((at for at, one in enumerate(columns) if one.use is Use.TITLE), None)
        self._cells = [(at, one, sockets[one.slug]) for at, one in enumerate(columns) if one.use is Use.SOCKET]
        self._seen: dict[object, int] = {}
        self._read: dict[tuple[int, str], Any] = {}

    def judge(self, places: range) -> list[JudgedRow]:
        """Rows of the sheet, all of them, in their order."""
        rows = [self._found(at) for at in self._matched(places)]
        there = self._present([row.item.pk for row in rows if row.item])
        self._read.clear()
        for at, row in zip(places, rows, strict=True):
            if row.item is not None or row.new:
                self._judge_cells(row, self._sheet.rows[at], there)
        self._settle_images([row for row in rows if row.image_cells])
        for row in rows:
            self.counts["made"] += row.new
            self.counts["renamed"] += row.renames
        return rows

    # Which item a row is about.

    def _matched(self, places: range) -> range:
        """Look up the items of these rows, all at once."""
        self._by_id: dict[str, Item] = {}
        self._by_title: dict[str, Item] = {}
        keys = [key for at in places if (key := _key(self._cell(at, self._id_at))) is not None]
        titles = [title for at in places if (title := self._title(at))]
        items = items_of(self._archive)
        self._by_id = {str(item.pk): item for item in items.filter(pk__in=keys)}
        self._by_title = {item.title: item for item in items.filter(title__in=titles)}
        return places

    def _cell(self, at: int, column: int | None) -> str:
        return "" if column is None else _storable(self._sheet.rows[at][column])

    def _title(self, at: int) -> str:
        return unguarded_text(self._cell(at, self._title_at))

    def _found(self, at: int) -> JudgedRow:
        row, said, title = JudgedRow(self._sheet.lines[at]), self._cell(at, self._id_at), self._title(at)
        if said:
            key = _key(said)
            row.item = self._by_id.get(str(key)) if key else None
            if row.item is None:
                words = "No item of the archive has this id." if key else "This is no id of an item."
                remedy = "Take ids from the exported table, or leave the cell blank and give a title."
                row.problems.append(CellProblem("id", "no_such_item" if key else "not_an_id", words, remedy, said))
            elif title and not says(self._cell(at, self._title_at), row.item.title):
                self._rename(row, row.item, "" if title == CLEAR else title)
        elif title and title != CLEAR:
            row.item = self._by_title.get(title)
            if row.item is None:
                self._make(row, title)
        else:
            words = "The row does not say which item it is about."
            row.problems.append(CellProblem("", "no_item", words, "Give an id or a title, or delete the row."))
        self._require_once(row)
        return row

    def _rename(self, row: JudgedRow, item: Item, title: str) -> None:
        other = self._by_title.get(title)
        if other is not None and other.pk != item.pk:
            words = "Another item of the archive is called so already."
            row.problems.append(CellProblem("title", "title_taken", words, "Choose another title.", title))
        else:
            row.title, row.renames = title, True
            self._check_title(row)

    def _make(self, row: JudgedRow, title: str) -> None:
        if not self._given.makes_items:
            words = "No item of the archive is called so."
            remedy = "Correct it, or let titles that nobody has make new items."
            row.problems.append(CellProblem("title", "unknown_title", words, remedy, title))
            return
        row.title, row.new = title, True
        self._check_title(row)

    def _check_title(self, row: JudgedRow) -> None:
        if len(row.title) > LONGEST_TITLE or any(ord(letter) < 32 for letter in row.title):
            words = f"A title is one line of up to {LONGEST_TITLE} characters."
            row.problems.append(CellProblem("title", "bad_title", words, "Shorten it.", row.title))
            row.new = row.renames = False

    def _require_once(self, row: JudgedRow) -> None:
        named = [row.item.pk] if row.item else []
        for key in [*named, *([row.title] if row.new or (row.renames and row.title) else [])]:
            first = self._seen.setdefault(key, row.line)
            if first != row.line:
                words = f"Line {first} is about this item already." if key in named else f"Line {first} has this title."
                row.problems.append(CellProblem("", "duplicate_row", words, "Keep one row an item.", row.title))

    # What its cells say.

    def _present(self, item_ids: Sequence[UUID]) -> dict[tuple[UUID, int], Present]:
        sockets = [socket.pk for _, _, socket in self._cells]
        columns = ("item", "socket", "value", "value__has_value", "value__value", "value__filename", "value__image")
        held: list[Any] = list(ItemValue.objects.filter(item__in=item_ids, socket__in=sockets).values_list(*columns))
        seen = pictures_of({row[6] for row in held if row[6] is not None}, self._user)
        found = {}
        for item, socket, value_id, has_value, content, filename, image in held:
            written = write_cell(content) if has_value else filename
            if image is not None:
                written = seen[image].ref if image in seen else None
            found[item, socket] = Present(value_id, written, content, has_value, image)
        return found

    def _judge_cells(self, row: JudgedRow, cells: Sequence[str], there: dict[tuple[UUID, int], Present]) -> None:
        for at, column, socket in self._cells:
            cell = _storable(cells[at])
            present = there.get((row.item.pk, socket.pk)) if row.item else None
            if not cell or (present is not None and self._says(cell, present)):
                self.counts["kept"] += present is not None
            elif cell == CLEAR:
                if present is not None:
                    self._change(row, socket, present, {"clear": True}, after="")
            else:
                self._judge_cell(row, column, socket, cell, present)

    def _says(self, cell: str, present: Present) -> bool:
        if present.written is None:
            return False
        return says(cell, present.written, rounded=self._rounded, decimal_comma=self._decimal_comma)

    def _judge_cell(self, row: JudgedRow, column: Column, socket: Socket, cell: str, present: Present | None) -> None:
        if socket.reserved:
            words = f"{socket.title} is for what services write."
            row.problems.append(CellProblem(column.name, "reserved", words, "Leave the cell as it was exported.", cell))
        elif socket.super_kind == SuperKind.FILE:
            words = f"{socket.title} takes a file, which a spreadsheet cannot bring."
            remedy = "Upload it on the item's page; leave the cell blank or as it was exported."
            row.problems.append(CellProblem(column.name, "takes_file", words, remedy, cell))
        elif socket.super_kind == SuperKind.IMAGE:
            row.image_cells.append((column, socket, cell, present))
        else:
            content = self._content(column, socket, cell)
            if isinstance(content, CellProblem):
                row.problems.append(content)
            elif present is not None and present.has_value and _same(content, present.content):
                self.counts["kept"] += 1
            else:
                self._change(row, socket, present, {"put": content}, after=str(write_cell(content)))

    def _content(self, column: Column, socket: Socket, cell: str) -> Any:
        """What a cell says, or what is wrong with it; equal cells of a socket are judged once a chunk."""
        known = (socket.pk, cell)
        if known not in self._read:
            try:
                content = read_sheet_cell(socket.kind, cell, decimal_comma=self._decimal_comma)
                check_content(socket=socket, value=content)
                self._read[known] = content
            except Refused as refused:
                self._read[known] = CellProblem(column.name, refused.code, refused.message, refused.remedy, cell)
            except Invalid as error:
                self._read[known] = _problem_of(error, column, cell)
        return self._read[known]

    def _change(
        self, row: JudgedRow, socket: Socket, present: Present | None, change: dict[str, Any], *, after: str
    ) -> None:
        before = "" if present is None or present.written is None else str(present.written)
        verb = "cleared" if "clear" in change else "added" if present is None else "replaced"
        self.counts[verb] += 1
        row.base[str(socket.pk)] = present.value_id if present else None
        told = {
            "socket": socket.pk,
            "title": socket.title,
            "verb": verb,
            "before": short(before),
            "after": short(after),
        }
        row.changes.append(told | change)

    # Images, which are looked up together.

    def _settle_images(self, rows: Sequence[JudgedRow]) -> None:
        named = {_ref(cell) for row in rows for _, _, cell, _ in row.image_cells}
        if not named:
            return
        found = images_named(visible_images(viewer_of(self._user)), named)
        mine = set(
            shareable_images(self._user, self._archive)
            .filter(pk__in=[image.pk for image in found.values()])
            .values_list("pk", flat=True)
        )
        for row in rows:
            for column, socket, cell, present in row.image_cells:
                image = found.get(_ref(cell))
                if image is not None and present is not None and present.image_id == image.pk:
                    self.counts["kept"] += 1
                elif (problem := _image_problem(column, socket, cell, image, mine)) is not None:
                    row.problems.append(problem)
                elif image is not None:
                    self._change(row, socket, present, {"image": str(image.key)}, after=cell)


def _image_problem(
    column: Column, socket: Socket, cell: str, image: Image | None, mine: set[int]
) -> CellProblem | None:
    if image is None:
        words = "There is no such image, or you do not see it."
        return CellProblem(
            column.name, "no_such_image", words, "Give the id or key of an image, as its page says.", cell
        )
    if image.pk not in mine:
        words = "You see this image, and may not pass it on to this archive."
        return CellProblem(
            column.name, "not_yours", words, "Ask an owner or editor of its cohort to put it here.", cell
        )
    try:
        check_content(socket=socket, image=image)
    except Invalid as error:
        return _problem_of(error, column, cell)
    return None


def _problem_of(error: Invalid, column: Column, cell: str) -> CellProblem:
    first = error.problems[0] if error.problems else None
    if first is None:
        return CellProblem(column.name, error.code, error.message, error.remedy, cell)
    return CellProblem(column.name, first.code or error.code, first.message, first.remedy, cell)


def _storable(cell: str) -> str:
    """A cell that a database can be asked for."""
    return cell.replace("\x00", "\N{REPLACEMENT CHARACTER}") if "\x00" in cell else cell


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _ref(cell: str) -> str:
    """How an image is asked for: keys are written in several ways."""
    key = _key(cell)
    return str(key) if key else unguarded_text(cell)


def _same(content: Any, present: Any) -> bool:
    # As text, since Python takes 1, 1.0 and True for the same.
    return json.dumps(content, sort_keys=True) == json.dumps(present, sort_keys=True)


def label_of(item: Item) -> str:
    """What an item is called: its title, else its number."""
    return item.title or f"Item {item.number}"


def short(text: str) -> str:
    """A value in a few words."""
    return f"{text[: _SHOWN - 1]}…" if len(text) > _SHOWN else text
