"""Honest ZIPs, as the standard library and large cohorts make them."""

import io
import os
import random
import subprocess
import sys
import tracemalloc
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.unpack import DEFAULT_LIMITS, Kind, Limits, open_member, scan
from tests.generators.zips import ONE_MIB, Part, bomb, forge, many


@settings(max_examples=40, deadline=None)
@given(
    contents=st.lists(st.binary(min_size=1, max_size=3000), min_size=1, max_size=6),
    method=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]),
    prefix=st.binary(max_size=50),
    chunk_bytes=st.integers(1, 5000),
)
def test_what_zipfile_writes_is_read_back(contents, method, prefix, chunk_bytes):
    file = io.BytesIO(prefix)
    file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file, "a", compression=method) as archive:
        for i, content in enumerate(contents):
            archive.writestr(f"{i}.jpg", b"\xff\xd8" + content)
    members = list(scan(file).files())
    assert len(members) == len(contents)
    for member, content in zip(members, contents, strict=True):
        chunks = list(open_member(file, member, chunk_bytes=chunk_bytes))
        assert b"".join(chunks) == b"\xff\xd8" + content
        assert all(0 < len(chunk) <= chunk_bytes for chunk in chunks)


def test_streamed_output_of_zipfile_with_descriptors_is_read_back():
    class Pipe(io.RawIOBase):
        def __init__(self):
            self.got = b""

        def writable(self):
            return True

        def write(self, data):
            self.got += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", b"abc" * 1000)
    file = io.BytesIO(pipe.got)
    (member,) = scan(file).members
    assert b"".join(open_member(file, member)) == b"abc" * 1000


def test_two_members_may_be_open_at_once():
    contents = [os.urandom(700_000), os.urandom(700_000)]
    file = io.BytesIO(forge([Part(path=f"{i}.jpg", content=content) for i, content in enumerate(contents)]))
    streams = [open_member(file, member) for member in scan(file).members]
    got = [b"", b""]
    for chunks in zip(*streams, strict=True):
        got = [have + chunk for have, chunk in zip(got, chunks, strict=True)]
    assert got == contents


def test_a_hundred_thousand_members_fit_in_memory(tmp_path):
    """In a process of its own, by the memory the system gave it: tracemalloc would take five times as long."""
    archive = tmp_path / "many.zip"
    archive.write_bytes(many(100_000))
    probe = """
import resource, sys
from medtheca.toolkit.unpack import scan
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open(sys.argv[1], "rb") as file:
    listing = scan(file)
print(len(listing.members), listing.total_declared, listing.members[99_999].path)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    out = subprocess.run(
        [sys.executable, "-c", probe, str(archive)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert out[0] == "100000 100000 P09999/IMG_099999.jpg"
    assert int(out[1]) * 1024 < 100_000_000


def test_a_refused_archive_costs_next_to_nothing():
    file = io.BytesIO(many(20_000))
    tracemalloc.start()
    try:
        with pytest.raises(Refused):
            scan(file, Limits(max_total_bytes=19_999))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


def test_inflating_stops_at_the_ratio_and_holds_a_chunk_at_a_time():
    """Declared honestly, so the directory already tells; opened under a higher limit, memory stays that of a chunk."""
    archive = bomb(64 * ONE_MIB)
    file = io.BytesIO(archive)
    generous = Limits(max_ratio=2000)
    member = scan(file, generous).members[0]
    assert member.kind is Kind.FILE
    tracemalloc.start()
    try:
        total = sum(len(chunk) for chunk in open_member(file, member, limits=generous))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total == 64 * ONE_MIB
    assert peak < 4 * ONE_MIB
    given_bytes = 0
    with pytest.raises(Refused, match="200 times"):  # noqa: PT012 - what came before the refusal is counted
        for chunk in open_member(file, member, limits=DEFAULT_LIMITS):
            given_bytes += len(chunk)
    assert given_bytes <= 64 * ONE_MIB * 200 // 900


def test_damaged_bytes_never_pass_for_whole_files():
    """Any byte of an archive changed or lost: refused, or every file that is given whole is what was put in."""
    contents = {f"{i}.jpg": random.Random(i).randbytes(400) + bytes(400) for i in range(4)}
    archive = forge([Part(path=path, content=content) for path, content in contents.items()])
    dice = random.Random(20)
    outcomes = {"refused": 0, "whole": 0}
    for _ in range(600):
        broken = bytearray(archive)
        at = dice.randrange(len(broken))
        if dice.random() < 0.8:
            broken[at] ^= 1 << dice.randrange(8)
        else:
            del broken[at : at + dice.randrange(1, 50)]
        file = io.BytesIO(bytes(broken))
        try:
            for member in scan(file).files():
                try:
                    whole = b"".join(open_member(file, member))
                except Refused:
                    outcomes["refused"] += 1
                else:
                    assert whole in contents.values()
                    outcomes["whole"] += 1
        except Refused:
            outcomes["refused"] += 1
    assert outcomes["refused"] > 200
    assert outcomes["whole"] > 200


def test_a_file_cut_after_it_was_scanned_is_refused():
    archive = forge([Part(path="a.jpg", content=os.urandom(500_000))])
    (member,) = scan(io.BytesIO(archive)).members
    with pytest.raises(Refused) as refused:
        list(open_member(io.BytesIO(archive[:300_000]), member))
    assert refused.value.code == "truncated_member"
