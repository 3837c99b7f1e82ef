"""The ZIPs that the upload page writes around files, read by Python's zipfile and by our own reader.

The page's script runs in Node, with sizes that nobody would send in a test; it needs Node, and `npm ci` in `frontend`.
How a browser makes and sends such a ZIP is in `tests/browser/test_bringing_series.py`.
"""

import json
import os
import random
import shutil
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest

from medtheca.toolkit.unpack import Kind, Limits, open_member, scan

FRONTEND = Path(__file__).resolve().parents[3] / "frontend"
GIB = 1 << 30
PROGRAM = """
import { readFileSync } from "node:fs";
import { rolldown } from "rolldown";

async function load(name) {
  const { output } = await (await rolldown({ input: `upload/${name}.ts` })).generate({ format: "esm" });
  return import(`data:text/javascript;base64,${Buffer.from(output[0].code).toString("base64")}`);
}
const { crc32, crc32Of } = await load("crc32");
const { zipOf, zipSize } = await load("zip");
const asked = JSON.parse(readFileSync(0, "utf8"));
const said = {};
if (asked.pieces) {
  const pieces = asked.pieces.map((piece) => Buffer.from(piece, "hex"));
  let told = 0;
  said.pieces = pieces.reduce((crc, piece) => crc32(piece, crc), 0);
  said.file = await crc32Of(new Blob(pieces), (bytes) => (told += bytes), new AbortController().signal);
  said.told = told;
}
if (asked.members) {
  const { parts, mark } = zipOf(asked.members.map((member) => ({ ...member, body: { hole: member.size } })));
  said.mark = mark;
  said.size = zipSize(asked.members);
  said.parts = [];
  for (const part of parts) {
    if (part.hole !== undefined) said.parts.push(part.hole);
    else said.parts.push(Buffer.from(part instanceof Blob ? await part.arrayBuffer() : part).toString("hex"));
  }
}
process.stdout.write(JSON.stringify(said));
"""


def missing():
    if shutil.which("node") is None:
        return "Node is not installed"
    if not (FRONTEND / "node_modules" / "rolldown").is_dir():
        return "rolldown is not installed; run npm ci in frontend"
    return ""


def ask(**what):
    if reason := missing():
        (pytest.fail if os.environ.get("MEDTHECA_CI") == "1" else pytest.skip)(reason)
    done = subprocess.run(
        ["node", "--input-type=module", "-e", PROGRAM],
        cwd=FRONTEND,
        input=json.dumps(what),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def write(path, members):
    """A ZIP of (path, bytes or a size): a size is that many zeros, of which none takes space on the disk."""
    described = []
    for name, data in members:
        size, crc = (data, crc_of_zeros(data)) if isinstance(data, int) else (len(data), zlib.crc32(data))
        described.append({"path": name, "size": size, "crc": crc})
    said = ask(members=described)
    bodies = iter(members)
    with path.open("wb") as file:
        for part in said["parts"]:
            if isinstance(part, str):
                file.write(bytes.fromhex(part))
                continue
            data = next(bodies)[1]
            if isinstance(data, int):
                file.seek(data, os.SEEK_CUR)
            else:
                file.write(data)
    assert said["size"] == path.stat().st_size
    return said


def crc_of_zeros(size):
    block, crc = bytes(64 << 20), 0
    for _ in range(size // len(block)):
        crc = zlib.crc32(block, crc)
    return zlib.crc32(bytes(size % len(block)), crc)


def test_the_checksum_is_that_of_zlib_however_the_bytes_come():
    rng = random.Random(4)
    data = [rng.randbytes(length) for length in [*range(20), 63, 64, 65, 70_001, 300_000]]
    whole = b"".join(data)
    said = ask(pieces=[piece.hex() for piece in data])
    assert said == {"pieces": zlib.crc32(whole), "file": zlib.crc32(whole), "told": len(whole)}
    assert ask(pieces=[])["file"] == 0


def test_names_folders_and_bytes_come_out_as_they_went_in(tmp_path):
    members = [
        ("CT/Ünïcode näme/スライス 1.dcm", b"one"),
        ("CT/Ünïcode näme/🔬.raw", os.urandom(100_000)),
        ("CT/a file that is empty", b""),
        ("x.mhd", b"ObjectType = Image\n" * 9),
    ]
    path = tmp_path / "made.zip"
    write(path, members)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert [(entry.filename, archive.read(entry)) for entry in archive.infolist()] == members
        assert {entry.extract_version for entry in archive.infolist()} == {20}
    with path.open("rb") as file:
        listed = scan(file).members
        assert [member.path for member in listed] == [name for name, _ in members]
        assert b"".join(open_member(file, listed[1])) == members[1][1]
    if shutil.which("unzip"):
        subprocess.run(["unzip", "-tq", path], check=True, capture_output=True)


@pytest.mark.parametrize("number", [65_534, 65_535, 70_000])
def test_more_files_than_two_bytes_count(tmp_path, number):
    path = tmp_path / "many.zip"
    write(path, [(f"slices/{place:06}.dcm", b"%d" % place) for place in range(number)])
    with zipfile.ZipFile(path) as archive:
        assert len(archive.infolist()) == number
        assert archive.read("slices/000000.dcm") == b"0"
        assert archive.read(f"slices/{number - 1:06}.dcm") == b"%d" % (number - 1)
    with path.open("rb") as file:
        listed = scan(file).members
        assert len(listed) == number
        assert {member.kind for member in listed} == {Kind.FILE}
    # The wide record stands only where it is needed: some programs cannot read it.
    assert (b"PK\x06\x06" in path.read_bytes()[-200:]) == (number >= 65_535)


def test_files_and_places_beyond_four_gib(tmp_path):
    """A file of 4 GiB less one byte is the first whose size does not fit, since that number means "look elsewhere"."""
    members = [
        ("before.txt", b"before"),
        ("just.raw", 4 * GIB - 2),
        ("slide.raw", 4 * GIB - 1),
        ("large.raw", 5 * GIB),
        ("after.txt", b"after"),
    ]
    path = tmp_path / "large.zip"
    write(path, members)
    sizes = [data if isinstance(data, int) else len(data) for _, data in members]
    with zipfile.ZipFile(path) as archive:
        found = archive.infolist()
        assert [entry.file_size for entry in found] == sizes
        assert [entry.extract_version for entry in found] == [20, 20, 45, 45, 45]
        assert found[4].header_offset > 13 * GIB
        assert (archive.read("before.txt"), archive.read("after.txt")) == (b"before", b"after")
        with archive.open("slide.raw") as member:
            assert member.read(1 << 20) == bytes(1 << 20)
    limits = Limits(max_total_bytes=20 * GIB)
    with path.open("rb") as file:
        listed = scan(file, limits).members
        assert [member.size_declared for member in listed] == sizes
        assert {member.kind for member in listed} == {Kind.FILE}
        assert b"".join(open_member(file, listed[4], limits=limits)) == b"after"
        # The header beside the data tells the same sizes, or the reader would refuse it.
        assert sum(map(len, open_member(file, listed[2], limits=limits, chunk_bytes=8 << 20))) == 4 * GIB - 1


def test_the_mark_tells_the_same_files_from_any_others():
    member = {"path": "a/1.dcm", "size": 10, "crc": 77}
    mark = ask(members=[member])["mark"]
    assert ask(members=[dict(member)])["mark"] == mark
    for other in ({"path": "a/2.dcm"}, {"size": 11}, {"crc": 78}):
        assert ask(members=[member | other])["mark"] != mark
    assert ask(members=[member, member])["mark"] != mark
