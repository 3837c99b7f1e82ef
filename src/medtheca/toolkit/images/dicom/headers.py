"""The values of a header, typed. What is written wrongly is refused by its attribute's name, never by its value."""

import functools
import io
import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydicom import charset, config
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag, Tag

from medtheca.toolkit.deidentify.faults import corrupt
from medtheca.toolkit.deidentify.stripped import Buffer
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.dicom.structure import PixelPlace, read_layout

# pydicom quotes a wrong value in its log, and values are what tells who the patient is.
config.logger.setLevel(logging.CRITICAL)

# What a code or a short text may have; longer ones are cut, as they are shown and kept as facts.
_LONGEST_TEXT = 64


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """Small faults make pydicom warn, large ones make it throw whatever it likes: both end here."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (Refused, MemoryError):
        raise
    except Exception as error:
        raise corrupt(f"{what} cannot be read") from error


@functools.cache
def _tag_of(keyword: str) -> BaseTag:
    return Tag(keyword)


class Item:
    """A data set: the header itself, or an item of a sequence in it. Attributes go by DICOM's keywords."""

    __slots__ = ("_dataset",)

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def __contains__(self, keyword: str) -> bool:
        return _tag_of(keyword) in self._dataset

    def has(self, tag: int) -> bool:
        """Whether an element is there, for those that have no keyword."""
        return tag in self._dataset

    def _value(self, keyword: str) -> object:
        tag = _tag_of(keyword)
        if tag not in self._dataset:
            return None
        with _reading(f"its {keyword}"):
            value: object = self._dataset[tag].value
        return value

    def texts(self, keyword: str) -> tuple[str, ...]:
        """The values of a text, stripped; those that are empty are kept as such."""
        value = self._value(keyword)
        if value is None or _is_empty(value):
            return ()
        with _reading(f"its {keyword}"):
            return tuple(_tidy(str(one)) for one in _listed(value))

    def text(self, keyword: str) -> str | None:
        """The first value of a text; None where it is missing or empty."""
        return next(iter(self.texts(keyword)), None) or None

    def numbers(self, keyword: str, count: int | None = None) -> tuple[float, ...] | None:
        """Finite numbers; None where the attribute is missing or empty. Other than `count` of them are refused."""
        value = self._value(keyword)
        if value is None or _is_empty(value):
            return None
        if isinstance(value, str | bytes | bytearray):
            raise corrupt(f"its {keyword} is not a number")
        with _reading(f"its {keyword}"):
            values = tuple(float(one) for one in _listed(value))
        if not values:
            return None
        if count is not None and len(values) != count:
            raise corrupt(f"its {keyword} has {len(values)} values and not {count}")
        if not all(map(math.isfinite, values)):
            raise corrupt(f"its {keyword} is not a finite number")
        return values

    def number(self, keyword: str) -> float | None:
        """The first of the numbers."""
        values = self.numbers(keyword)
        return values[0] if values else None

    def whole(self, keyword: str) -> int | None:
        """A whole number; None where it is missing or empty."""
        value = self.number(keyword)
        if value is None:
            return None
        if value != int(value):
            raise corrupt(f"its {keyword} is not a whole number")
        return int(value)

    def wholes(self, keyword: str) -> tuple[int, ...] | None:
        """Whole numbers; None where the attribute is missing or empty."""
        values = self.numbers(keyword)
        return None if values is None else tuple(map(int, values))

    def raw(self, keyword: str) -> bytes | None:
        """Bytes of an OB, OW or UN as they are stored."""
        value = self._value(keyword)
        return bytes(value) if isinstance(value, bytes | bytearray) else None

    def items(self, keyword: str) -> tuple["Item", ...]:
        """The items of a sequence; none where it is missing."""
        value = self._value(keyword)
        if value is None or _is_empty(value):
            return ()
        with _reading(f"its {keyword}"):
            items = _listed(value)
            if not all(isinstance(one, Dataset) for one in items):
                raise corrupt(f"its {keyword} is not a sequence")
            return tuple(Item(one) for one in items)

    def item(self, keyword: str) -> "Item | None":
        """The first item of a sequence."""
        return next(iter(self.items(keyword)), None)


class Header(Item):
    """A file's header, with what its outermost layer says. Holds no part of the file itself."""

    __slots__ = ("has_meta", "little", "pixels", "size", "syntax")

    def __init__(
        self, dataset: Dataset, *, syntax: str, little: bool, pixels: PixelPlace | None, has_meta: bool
    ) -> None:
        super().__init__(dataset)
        self.syntax = syntax
        self.little = little
        self.pixels = pixels
        self.has_meta = has_meta

    @property
    def sop_class(self) -> str:
        return self.text("SOPClassUID") or ""

    @property
    def frames(self) -> int:
        """Number of frames; 1 where the header does not say. Refused where it is no positive number."""
        count = self.whole("NumberOfFrames")
        if count is None:
            return 1
        if not 1 <= count < 2**31:
            raise corrupt("its NumberOfFrames is not a positive number")
        return count


def read_header(data: Buffer, *, memory: int) -> tuple[Header, Buffer]:
    """The header of a file, and the bytes in which its pixels are: the file's own, or those of its deflated data set.

    Raises:
        Refused: as `structure.read_layout`.
    """
    layout = read_layout(data, memory=memory)
    with _reading("its header"):
        dataset = read_dataset(
            io.BytesIO(layout.body[layout.start : layout.end]),
            is_implicit_VR=layout.encoding.implicit,
            is_little_endian=layout.encoding.little,
        )
    header = Header(
        dataset,
        syntax=layout.syntax,
        little=layout.encoding.little,
        pixels=layout.pixels,
        has_meta=layout.has_meta,
    )
    return header, layout.body


def warm_up() -> None:
    """Load the character sets, which Python loads when first used."""
    for name in {codec for codec in charset.python_encoding.values() if codec}:
        "a".encode(name)


def _tidy(text: str) -> str:
    return "".join(letter for letter in text.strip() if letter.isprintable())[:_LONGEST_TEXT]


def _listed(value: Any) -> list[Any]:
    """One value or several as a list."""
    return [value] if isinstance(value, str) or not hasattr(value, "__iter__") else list(value)


def _is_empty(value: object) -> bool:
    return isinstance(value, str | bytes) and not value
