"""ZIPs by their records: read by Python, by `unzip`, by our own reader, and by one that takes ZIP64 at its word."""

import hashlib
import io
import random
import shutil
import struct
import subprocess
import zipfile
import zlib

import pytest

from medtheca.toolkit.ranges.readers import MemoryRanges
from medtheca.toolkit.unpack import Kind, open_member, scan
from medtheca.toolkit.zips.frozen import Frozen, Inner, NotFrozen, Outer, write_frozen
from medtheca.toolkit.zips.records import STANDARD, Limits, central_entry, local_header

LIMITS = {"standard": STANDARD, "values": Limits(value=200), "members": Limits(members=3), "both": Limits(200, 3)}


def freeze(inner, outer, limits=STANDARD):
    """A frozen list of (path, bytes) pairs, in memory."""
    target = io.BytesIO()
    write_frozen(
        target,
        inner=[
            Inner(path, io.BytesIO(data), len(data), hashlib.sha256(data).hexdigest(), zlib.crc32(data))
            for path, data in inner
        ],
        outer=[
            Outer(path, len(data), hashlib.sha256(data).hexdigest(), subject)
            for subject, (path, data) in enumerate(outer, 1)
        ],
        limits=limits,
        room=io.BytesIO(),
    )
    return Frozen(MemoryRanges(target.getvalue()))


def whole(frozen, files):
    """The ZIP's bytes, and those of its central directory, as who sends them puts them together."""
    data, directory = b"", b""
    for members in frozen.every(batch=3):
        for member in members:
            assert member.offset == len(data)
            assert member.central == len(directory)
            content = frozen.read_inner(member, 0, member.size) if member.is_inner else files[member.path]
            crc32 = zlib.crc32(content)
            data += local_header(member.name, member.size, crc32, frozen.limits) + content
            directory += central_entry(member.name, member.size, crc32, member.offset, frozen.limits)
    assert (len(data), len(directory)) == (frozen.central, frozen.central_size)
    made = data + directory + frozen.end()
    assert len(made) == frozen.size
    return made


def some_files(number=12):
    draw = random.Random(number)
    files = [(f"images/ISIC_{at:07}.jpg", draw.randbytes(draw.randrange(400))) for at in range(number)]
    return [*files, ("images/Größe 1.jpg", b""), ("images/zz.jpg", b"\0" * 200)]


@pytest.fixture(params=LIMITS)
def made(request):
    inner, outer = [("metadata.csv", b"isic_id\r\n"), ("SHA256SUMS", b"x" * 300)], some_files()
    frozen = freeze(inner, outer, LIMITS[request.param])
    return whole(frozen, dict(outer)), dict(inner) | dict(outer)


def test_python_reads_it(made):
    data, files = made
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files


def test_unzip_reads_it(made, tmp_path):
    assert shutil.which("unzip"), "This needs Debian's package unzip."
    data, files = made
    (tmp_path / "a.zip").write_bytes(data)
    done = subprocess.run(["unzip", "-q", "a.zip", "-d", "out"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    found = {str(path.relative_to(tmp_path / "out")): path.read_bytes() for path in tmp_path.glob("out/**/*.*")}
    found |= {"SHA256SUMS": (tmp_path / "out/SHA256SUMS").read_bytes()}
    assert found == files


def test_our_own_reader_takes_it(made, tmp_path):
    data, files = made
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    with path.open("rb") as file:
        members = [member for member in scan(file).members if member.kind is Kind.FILE]
        found = {member.path: b"".join(open_member(file, member)) for member in members}
    # What is empty is passed over.
    assert found == {name: content for name, content in files.items() if content}


def read_local(data, local, name, real, crc32, *, limits):
    """A member's bytes, its local header held to what the directory says."""
    head = struct.unpack("<4s5H3I2H", data[local : local + 30])
    assert head[0] == b"PK\3\4"
    assert head[6] == crc32
    assert (head[1] == 45) == (head[10] == 20)
    begin = local + 30 + head[9] + head[10]
    assert data[local + 30 : local + 30 + head[9]] == name
    if head[10]:
        assert head[7:9] == (0xFFFFFFFF, 0xFFFFFFFF)
        assert struct.unpack("<2H2Q", data[begin - 20 : begin]) == (1, 16, real, real)
    else:
        assert head[7:9] == (real, real)
        assert real < limits.value
    content = data[begin : begin + real]
    assert zlib.crc32(content) == crc32
    return content


def read_strictly(data, limits):
    """Files of a ZIP as APPNOTE has it: ZIP64 fields where a value is all ones and nowhere else, in their order."""
    signature, disk, start, here, total, size, offset, comment = struct.unpack("<4s4H2IH", data[-22:])
    assert (signature, disk, start, comment) == (b"PK\5\6", 0, 0, 0)
    assert here == total
    if here == 0xFFFF or 0xFFFFFFFF in (size, offset):
        signature, disk, place, disks = struct.unpack("<4sIQI", data[-42:-22])
        assert (signature, disk, disks) == (b"PK\6\7", 0, 1)
        end = struct.unpack("<4sQ2H2I4Q", data[place : place + 56])
        assert (end[0], end[1], end[3], end[4], end[5]) == (b"PK\6\6", 44, 45, 0, 0)
        assert place + 56 == len(data) - 42
        wide = end[7:]
        for told, real, ones in zip((total, size, offset), wide, (0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF), strict=True):
            assert told in (ones, real)
        _, size, offset = wide
        total = wide[0]
        assert offset + size == place
    else:
        assert offset + size == len(data) - 22
    files, at, place = {}, offset, 0
    for _ in range(total):
        entry = struct.unpack("<4s6H3I5H2I", data[at : at + 46])
        assert entry[0] == b"PK\1\2"
        crc32, packed, real, name_length, extra_length = entry[7:12]
        name = data[at + 46 : at + 46 + name_length]
        extra = data[at + 46 + name_length : at + 46 + name_length + extra_length]
        local = entry[16]
        wanted = [value for value in (real, packed, local) if value == 0xFFFFFFFF]
        assert len(extra) == (4 + 8 * len(wanted) if wanted else 0)
        if wanted:
            assert entry[2] == 45
            assert struct.unpack("<2H", extra[:4]) == (1, 8 * len(wanted))
            values = list(struct.unpack(f"<{len(wanted)}Q", extra[4:]))
            real = values.pop(0) if real == 0xFFFFFFFF else real
            packed = values.pop(0) if packed == 0xFFFFFFFF else packed
            local = values.pop(0) if local == 0xFFFFFFFF else local
        assert real == packed
        assert local == place
        content = read_local(data, local, name, real, crc32, limits=limits)
        files[name.decode()] = content
        place = local + 30 + len(name) + 20 * (real >= limits.value) + real
        at += 46 + name_length + extra_length
    assert (place, at) == (offset, offset + size)
    return files


@pytest.mark.parametrize("name", LIMITS)
def test_a_strict_reader_takes_it(name):
    inner, outer = [("metadata.csv", b"isic_id\r\n")], some_files()
    frozen = freeze(inner, outer, LIMITS[name])
    assert read_strictly(whole(frozen, dict(outer)), LIMITS[name]) == dict(inner) | dict(outer)


def test_large_ones_are_told_rightly_without_being_there(tmp_path):
    """70,000 members, one of 5 GB: as a sparse file, whose headers alone are written. Python and unzip list it."""
    sizes = [5 * 2**30 if at == 3 else at % 7 for at in range(70_000)]
    target, room = io.BytesIO(), io.BytesIO()
    outer = [Outer(f"{at:06}.bin", size, "00" * 32, at + 1) for at, size in enumerate(sizes)]
    write_frozen(target, inner=[], outer=outer, room=room)
    frozen = Frozen(MemoryRanges(target.getvalue()))
    path = tmp_path / "large.zip"
    with path.open("wb") as file:
        for members in frozen.every():
            for member in members:
                file.seek(member.offset)
                file.write(local_header(member.name, member.size, 0))
                file.seek(frozen.central + member.central)
                file.write(central_entry(member.name, member.size, 0, member.offset))
        file.seek(frozen.central + frozen.central_size)
        file.write(frozen.end())
    assert path.stat().st_size == frozen.size > 5 * 2**30
    with zipfile.ZipFile(path) as archive:
        assert [(info.filename, info.file_size) for info in archive.infolist()] == [
            (one.path, one.size) for one in outer
        ]
        assert [info.header_offset for info in archive.infolist()][-1] > 5 * 2**30
        with archive.open("000003.bin") as large:
            assert large.read(10) == bytes(10)
    done = subprocess.run(["unzip", "-Z", "-t", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"70000 files, {sum(sizes)} bytes")


def test_members_are_found_by_any_offset():
    frozen = freeze([("a.txt", b"abc")], some_files(), Limits(200, 3))
    members = frozen.read(0, 1000)
    assert [member.subject for member in members] == list(range(len(members)))
    for place, member in enumerate(members):
        follow = members[place + 1].offset if place + 1 < len(members) else frozen.central
        assert {frozen.at(offset) for offset in range(member.offset, follow)} == {place}
        follow = members[place + 1].central if place + 1 < len(members) else frozen.central_size
        assert {frozen.at_central(offset) for offset in range(member.central, follow)} == {place}
    assert frozen.read(len(members), 5) == []
    assert frozen.read(len(members) - 1, 5) == members[-1:]


def test_the_same_members_give_the_same_list():
    inner, outer = [("a.txt", b"abc")], some_files()
    one, other = freeze(inner, outer), freeze(inner, outer)
    assert one.file.read(0, one.file.size) == other.file.read(0, other.file.size)


def test_what_is_no_list_is_said_to_be_none():
    frozen = freeze([("a.txt", b"abc")], some_files())
    data = frozen.file.read(0, frozen.file.size)
    for wrong in (b"", b"x", data[:-1], data[: len(data) // 2], data[:-40] + b"\0" * 28 + data[-12:]):
        with pytest.raises(NotFrozen):
            Frozen(MemoryRanges(wrong))


def test_names_that_no_zip_has_are_refused():
    for name in ("", "x" * 70_000):
        with pytest.raises(ValueError, match="is none for a ZIP"):
            freeze([], [(name, b"")])
