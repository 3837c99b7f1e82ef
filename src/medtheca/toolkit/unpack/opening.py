"""The bytes of one member, counted while they come."""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.names import display_name
from medtheca.toolkit.unpack.classify import ENCRYPTED_FLAGS, nested_archive, ratio_too_high
from medtheca.toolkit.unpack.decompressors import Decompressor, make_decompressor
from medtheca.toolkit.unpack.limits import DEFAULT_LIMITS, Limits
from medtheca.toolkit.unpack.members import Member

CHUNK_BYTES = 256 << 10
_INPUT_BYTES = 128 << 10
_LOCAL = struct.Struct("<4s5H3L2H")
_HAS_DATA_DESCRIPTOR = 0x0008
_ARCHIVE_HEADS = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")
_REMAKE = "Make the ZIP again from the original files."


def open_member(
    file: BinaryIO, member: Member, *, limits: Limits = DEFAULT_LIMITS, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[bytes]:
    """Chunks of at most `chunk_bytes`, none empty; `file` is the one that was scanned.

    What has been given is worth nothing until the iterator ends by itself: a wrong checksum shows only
    then. Several members may be open at once in one thread.

    Raises Refused with the member's own problem when it is not a file, and otherwise `damaged_member`,
    `local_header_differs`, `overlapping_members`, `truncated_member`, `forged_size`, `ratio_too_high`,
    `nested_archive`, `dictionary_too_large` or `bad_checksum`.
    """
    if member.problem is not None:
        raise Refused(member.problem.code, member.problem.message, member.problem.remedy)
    start = _find_data(file, member)
    return _inflate(file, member, start, limits, chunk_bytes)


def _inflate(file: BinaryIO, member: Member, start: int, limits: Limits, chunk_bytes: int) -> Iterator[bytes]:
    shown = display_name(member.path)
    given, crc, head = 0, 0, b""
    for fed, chunk in _decompress(file, member, start, chunk_bytes):
        given += len(chunk)
        if given > member.size_declared:
            raise _forged(shown, member, "more")
        if given > limits.ratio_from_bytes and given > limits.max_ratio * fed:
            problem = ratio_too_high(shown, limits)
            raise Refused(problem.code, problem.message, problem.remedy)
        if len(head) < 8:
            head += chunk[:8]
            if head.startswith(_ARCHIVE_HEADS):
                problem = nested_archive(shown)
                raise Refused(problem.code, problem.message, problem.remedy)
        crc = zlib.crc32(chunk, crc)
        yield chunk
    if given < member.size_declared:
        raise _forged(shown, member, "fewer")
    if crc != member.crc:
        raise Refused(
            "bad_checksum",
            f'The bytes of "{shown}" do not agree with the checksum in the ZIP: they were damaged.',
            _REMAKE,
        )


def _decompress(file: BinaryIO, member: Member, start: int, chunk_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Pairs of (compressed bytes fed so far, inflated chunk)."""
    shown = display_name(member.path)
    decompressor = make_decompressor(member.method)
    fed = 0
    while True:
        data = b""
        if decompressor.hungry and fed < member.compressed_size:
            file.seek(start + fed)
            data = file.read(min(_INPUT_BYTES, member.compressed_size - fed))
            if not data:
                raise Refused("truncated_member", f'The ZIP ends in the middle of "{shown}".', _REMAKE)
            fed += len(data)
        elif decompressor.hungry:
            break
        chunk = _feed(decompressor, data, chunk_bytes, shown)
        if chunk:
            yield fed, chunk
        if decompressor.finished:
            break
    if decompressor.finished is False or decompressor.leftover or fed < member.compressed_size:
        raise _damaged(shown, "its compressed data does not end where the ZIP says")


def _feed(decompressor: Decompressor, data: bytes, limit: int, shown: str) -> bytes:
    try:
        return decompressor.feed(data, limit)
    except ValueError as error:
        raise _damaged(shown, f"it cannot be decompressed ({error})") from error


def _find_data(file: BinaryIO, member: Member) -> int:
    """Where the data begins, by the member's own header, which must tell the same story as the directory."""
    shown = display_name(member.path)
    file.seek(member.header_offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
        raise _damaged(shown, "its header is not where the ZIP says")
    _, _, flags, method, _, _, _, compressed, size, name_length, extra_length = _LOCAL.unpack(header)
    raw_path = file.read(name_length)
    # Readers that trust one record and readers that trust the other must not see different files.
    differs = (
        "method of compression"
        if method != member.method
        else "name"
        if zlib.crc32(raw_path) != member.name_crc
        else "encryption"
        if flags & ENCRYPTED_FLAGS
        else None
    )
    if differs:
        raise Refused(
            "local_header_differs",
            f'The ZIP gives "{shown}" one {differs} in its list of contents and another beside the data.',
            _REMAKE,
        )
    if not flags & _HAS_DATA_DESCRIPTOR:
        for stated, listed in ((size, member.size_declared), (compressed, member.compressed_size)):
            if stated not in (listed, 0xFFFFFFFF):
                raise Refused(
                    "forged_size",
                    f'The ZIP gives "{shown}" {listed:,} bytes in its list of contents and {stated:,} beside the data.',
                    _REMAKE,
                )
    start: int = member.header_offset + _LOCAL.size + name_length + extra_length
    if start + member.compressed_size > member.end_limit:
        raise Refused(
            "overlapping_members",
            f'The data of "{shown}" reaches into the next member of the ZIP.',
            _REMAKE,
        )
    return start


def _damaged(shown: str, why: str) -> Refused:
    return Refused("damaged_member", f'"{shown}" is damaged: {why}.', _REMAKE)


def _forged(shown: str, member: Member, than: str) -> Refused:
    return Refused(
        "forged_size",
        f'"{shown}" holds {than} bytes than the {member.size_declared:,} that the ZIP declares.',
        _REMAKE,
    )
