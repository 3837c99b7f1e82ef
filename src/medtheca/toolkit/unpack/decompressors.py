"""Streaming decompressors that give no more than they are asked for, one per compression method of a ZIP."""

import struct
import zlib
from collections.abc import Callable
from importlib.util import find_spec
from typing import Protocol

from medtheca.toolkit.errors import Refused

STORED, DEFLATED, BZIP2, LZMA = 0, 8, 12, 14
COMPRESSION_NAMES = {
    1: "Shrink",
    6: "Implode",
    9: "Deflate64",
    10: "PKWARE Implode",
    BZIP2: "bzip2",
    LZMA: "LZMA",
    19: "LZ77",
    20: "Zstandard",
    93: "Zstandard",
    94: "MP3",
    95: "XZ",
    96: "JPEG",
    97: "WavPack",
    98: "PPMd",
}
_MODULES = {STORED: "zlib", DEFLATED: "zlib", BZIP2: "_bz2", LZMA: "_lzma"}
_MAX_LZMA_DICTIONARY = 64 << 20


class Decompressor(Protocol):
    """Takes compressed bytes, gives inflated ones."""

    def feed(self, data: bytes, limit: int) -> bytes:
        """At most `limit` bytes; b"" asks for what is held back. Raises ValueError on damaged data."""

    @property
    def hungry(self) -> bool:
        """Nothing more comes out before more goes in."""

    @property
    def finished(self) -> bool | None:
        """Whether the stream has ended by its own account; None when the method has no such mark."""

    @property
    def leftover(self) -> int:
        """Bytes that were fed after the stream's own end."""


def is_supported(method: int) -> bool:
    """Whether this Python can inflate it: bzip2 and LZMA are optional parts of a Python build."""
    module = _MODULES.get(method)
    return module is not None and find_spec(module) is not None


def make_decompressor(method: int) -> Decompressor:
    """A fresh decompressor of a supported method."""
    makers: dict[int, Callable[[], Decompressor]] = {
        STORED: _Stored,
        DEFLATED: _Deflate,
        BZIP2: _bzip2,
        LZMA: _Lzma,
    }
    return makers[method]()


class _Stored:
    finished = None
    leftover = 0

    def __init__(self) -> None:
        self._held = b""

    @property
    def hungry(self) -> bool:
        return not self._held

    def feed(self, data: bytes, limit: int) -> bytes:
        data = self._held + data
        self._held = data[limit:]
        return data[:limit]


class _Deflate:
    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._full = False

    @property
    def hungry(self) -> bool:
        return not self._full and not self._inflate.unconsumed_tail

    @property
    def finished(self) -> bool:
        return self._inflate.eof

    @property
    def leftover(self) -> int:
        return len(self._inflate.unused_data)

    def feed(self, data: bytes, limit: int) -> bytes:
        try:
            given = self._inflate.decompress(self._inflate.unconsumed_tail + data, limit)
        except zlib.error as error:
            raise ValueError(str(error)) from error
        # A full helping may leave more inside zlib although all input is consumed.
        self._full = len(given) == limit and not self._inflate.eof
        return given


class _Wrapped:
    """The bz2 and lzma modules share an interface, which hides their input buffer behind `needs_input`."""

    def __init__(self, inner: "_Inner") -> None:
        self._inner = inner

    @property
    def hungry(self) -> bool:
        return self._inner.eof or self._inner.needs_input

    @property
    def finished(self) -> bool | None:
        return self._inner.eof

    @property
    def leftover(self) -> int:
        return len(self._inner.unused_data)

    def feed(self, data: bytes, limit: int) -> bytes:
        if self._inner.eof:
            raise ValueError("data after the end of the stream")
        try:
            return self._inner.decompress(data, max_length=limit)
        except (OSError, EOFError) as error:
            raise ValueError(str(error)) from error


class _Inner(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def _bzip2() -> Decompressor:
    import bz2  # optional in a Python build

    return _Wrapped(bz2.BZ2Decompressor())


class _Lzma(_Wrapped):
    """LZMA1 after the nine-byte head of a ZIP (APPNOTE 5.8.8); a raw stream, so it may lack an end mark."""

    def __init__(self) -> None:
        self._head = b""
        self._started = False

    @property
    def hungry(self) -> bool:
        return not self._started or super().hungry

    @property
    def finished(self) -> bool | None:
        return None

    @property
    def leftover(self) -> int:
        return super().leftover if self._started else 0

    def feed(self, data: bytes, limit: int) -> bytes:
        import lzma  # optional in a Python build

        if not self._started:
            self._head += data
            if len(self._head) < 9:
                return b""
            _, _, length, properties, dictionary = struct.unpack_from("<BBHBL", self._head)
            if length != 5 or properties >= 225:
                raise ValueError("damaged LZMA properties")
            if dictionary > _MAX_LZMA_DICTIONARY:
                raise Refused(
                    "dictionary_too_large",
                    f"The LZMA dictionary takes {dictionary >> 20} MB of memory; the limit is "
                    f"{_MAX_LZMA_DICTIONARY >> 20}.",
                    "Make the ZIP again with the usual compression (Deflate).",
                )
            data = self._head[9:]
            chain = {
                "id": lzma.FILTER_LZMA1,
                "dict_size": max(dictionary, 4096),
                "lc": properties % 9,
                "lp": properties // 9 % 5,
                "pb": properties // 45,
            }
            try:
                super().__init__(lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chain]))
            except lzma.LZMAError as error:
                raise ValueError(str(error)) from error
            self._started = True
        try:
            return super().feed(data, limit)
        except lzma.LZMAError as error:
            raise ValueError(str(error)) from error
