"""The whole directory judged before a byte is inflated."""

import zlib
from array import array
from typing import BinaryIO

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.unpack.classify import classify, decode_path, file_name
from medtheca.toolkit.unpack.directory import Directory, find_directory, read_entries
from medtheca.toolkit.unpack.limits import DEFAULT_LIMITS, Limits
from medtheca.toolkit.unpack.members import Listing, Member

_LOCAL_HEADER_BYTES = 30  # without name and extra field: the least that stands before the data


def scan(file: BinaryIO, limits: Limits = DEFAULT_LIMITS) -> Listing:
    """List every member of a ZIP, each with its verdict; `file` is seekable and binary.

    About 500 bytes of memory a member. The directory is walked twice: sizes and places first, so that
    nothing is kept of an archive that is refused as a whole.

    Raises Refused for the whole archive: `not_a_zip`, `empty_zip`, `truncated_zip`, `damaged_zip`,
    `multi_disk`, `too_many_members`, `directory_too_large`, `total_too_large`, `overlapping_members`.
    """
    directory = find_directory(file, limits)
    offsets, spans, total = _measure(file, directory, limits)
    if not offsets:
        raise Refused("empty_zip", "The ZIP holds no files.", "Add the images and upload it again.")
    end_limits = _end_limits(offsets, spans, directory)
    members = []
    for ordinal, entry in enumerate(read_entries(file, directory, limits)):
        path = decode_path(entry)
        kind, problem = classify(entry, path, limits)
        members.append(
            Member(
                ordinal=ordinal,
                path=path,
                name=file_name(path),
                kind=kind,
                problem=problem,
                size_declared=entry.size,
                compressed_size=entry.compressed_size,
                crc=entry.crc,
                method=entry.method,
                flags=entry.flags,
                header_offset=offsets[ordinal],
                end_limit=end_limits[ordinal],
                name_crc=zlib.crc32(entry.raw_path),
            )
        )
    return Listing(members=tuple(members), total_declared=total, prefix_bytes=directory.prefix)


def _measure(file: BinaryIO, directory: Directory, limits: Limits) -> tuple["array[int]", "array[int]", int]:
    """Offset in the file and least length of each member, and the sum of the declared sizes."""
    offsets, spans, total = array("Q"), array("Q"), 0
    for entry in read_entries(file, directory, limits):
        total += entry.size
        if total > limits.max_total_bytes:
            raise Refused(
                "total_too_large",
                f"The ZIP's files come to more than {limits.max_total_bytes:,} bytes when unpacked.",
                "Split the files over several ZIPs.",
            )
        offset = directory.prefix + entry.header_offset
        span = _LOCAL_HEADER_BYTES + entry.compressed_size
        if offset + span > directory.start:
            raise Refused(
                "damaged_zip",
                f"Entry {len(offsets) + 1} of the ZIP, by its list of contents, lies outside of it.",
                "Make the ZIP again and upload it again.",
            )
        offsets.append(offset)
        spans.append(span)
    return offsets, spans, total


def _end_limits(offsets: "array[int]", spans: "array[int]", directory: Directory) -> "array[int]":
    """Where each member must have ended: where the next begins. Members that share bytes make a bomb."""
    limits = array("Q", bytes(8 * len(offsets)))
    after = directory.start
    for ordinal in sorted(range(len(offsets)), key=offsets.__getitem__, reverse=True):
        if offsets[ordinal] + spans[ordinal] > after:
            raise Refused(
                "overlapping_members",
                "Several files of the ZIP share the same bytes, which is how ZIP bombs are made.",
                "Make the ZIP again with another program.",
            )
        limits[ordinal] = after
        after = offsets[ordinal]
    return limits
