"""Compressed voxels, unpacked into exactly the memory that the header's promise takes."""

import bz2
import zlib
from collections.abc import Callable
from typing import Any, Literal, Protocol

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from medtheca.toolkit.deidentify.faults import corrupt, truncated

Packing = Literal["deflate", "bzip2"]
Octets = NDArray[np.uint8]

# Taken now: imagecodecs loads a codec when it is first named, which a fenced child cannot.
_INFLATE_GZIP: Any = imagecodecs.gzip_decode
_INFLATE_ZLIB: Any = imagecodecs.deflate_decode
GZIP = b"\x1f\x8b"
_PIECE = 1 << 20
_ZLIB_OR_GZIP = 47
# Deflate makes of one byte 1032 at most. Nothing that promises more needs to be tried.
_MOST_BY_DEFLATE = 1032


class _Unpacker(Protocol):
    """What `bz2.BZ2Decompressor` does."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Inflater:
    """zlib or gzip, behind the interface of bzip2."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(_ZLIB_OR_GZIP)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        # Output of exactly the length asked for may have left more inside zlib than its tail shows.
        return not (self._full or self._zlib.unconsumed_tail)

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        made = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        self._full = len(made) == max_length
        return made


def peek(source: memoryview, size: int) -> bytes:
    """The first `size` unpacked bytes of zlib or gzip, fewer where there are fewer. Raises `Refused` (`corrupt`)."""
    try:
        return zlib.decompressobj(_ZLIB_OR_GZIP).decompress(source[:_PIECE], size)
    except zlib.error as error:
        raise _damaged() from error


def inflate(source: memoryview, size: int, *, packing: Packing = "deflate", spare: int = 0) -> tuple[Octets, int]:
    """Unpack `size` bytes, and say how many more there were, at most `spare`.

    zlib and gzip are told apart by their first bytes; gzip and bzip2 may come in several members. Bytes behind the
    end of the compressed data are left alone. Never more memory than `size` and two megabytes is taken.

    Raises:
        Refused: `truncated` where it ends before `size` bytes or before its check sum, `corrupt` where it is damaged
            or unpacks to more than `size + spare` bytes.
    """
    if packing == "deflate" and size > _MOST_BY_DEFLATE * len(source):
        raise truncated(f"it promises {size:,} bytes of voxels, and {len(source):,} compressed bytes cannot hold them")
    out = np.empty(size, np.uint8)
    if packing == "deflate" and _inflate_at_once(source, out):
        return out, 0
    new: Callable[[], _Unpacker] = _Inflater if packing == "deflate" else bz2.BZ2Decompressor
    try:
        return out, _Stream(source, new).fill(out, spare)
    except (zlib.error, OSError, EOFError) as error:
        raise _damaged() from error


def _inflate_at_once(source: memoryview, out: Octets) -> bool:
    """Three times as fast as zlib. Says nothing of what is wrong: then the slow way finds out."""
    decode = _INFLATE_GZIP if bytes(source[:2]) == GZIP else _INFLATE_ZLIB
    try:
        made = decode(source, out=out)
    except (RuntimeError, ValueError):
        return False
    return len(made) == len(out)


class _Stream:
    def __init__(self, source: memoryview, new: Callable[[], _Unpacker]) -> None:
        self._source = source
        self._at = 0
        self._new = new
        self._unpacker = new()

    def fill(self, out: Octets, spare: int) -> int:
        """Fill `out` and count what follows."""
        done = 0
        while piece := self._next(min(_PIECE, len(out) - done) or 1):
            if done == len(out):
                return self._count(len(piece), spare)
            out[done : done + len(piece)] = np.frombuffer(piece, np.uint8)
            done += len(piece)
        if done < len(out):
            raise truncated(f"its voxels are {len(out):,} bytes unpacked, and {done:,} are there")
        return 0

    def _count(self, surplus: int, spare: int) -> int:
        while surplus <= spare and (piece := self._next(spare + 1)):
            surplus += len(piece)
        if surplus > spare:
            raise corrupt("more voxels are in it than its header says")
        return surplus

    def _next(self, most: int) -> bytes:
        """Some bytes, at most `most`; none at the end of the last member."""
        while True:
            unpacker = self._unpacker
            if unpacker.eof and not self._begin_member():
                return b""
            unpacker = self._unpacker
            food = b""
            if unpacker.needs_input:
                food = bytes(self._source[self._at : self._at + _PIECE])
                self._at += len(food)
            piece = unpacker.decompress(food, most)
            if piece:
                return piece
            if not food and not unpacker.eof:
                raise truncated("its compressed voxels break off")

    def _begin_member(self) -> bool:
        start = self._at - len(self._unpacker.unused_data)
        magic = bytes(self._source[start : start + 3])
        if not (magic.startswith(GZIP) or magic == b"BZh"):
            return False
        self._at = start
        self._unpacker = self._new()
        return True


def _damaged() -> Exception:
    return corrupt("its compressed voxels cannot be unpacked")
