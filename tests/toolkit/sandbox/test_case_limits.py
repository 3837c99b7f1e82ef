"""Cases that take too much, die, or answer with rubbish are refused with a reason, and the next one is well."""

import dataclasses
import errno
import os
import subprocess
import time

import pytest

from tests.toolkit.sandbox.common import SMALL_CASE


def limited(**values):
    return dataclasses.replace(SMALL_CASE, **values)


def refuse(decode, order, **rest):
    outcome = decode(order, **rest)
    assert outcome.report is None
    assert decode("text a").report == {"text": "first"}
    assert outcome.refusal.remedy
    return outcome.refusal, outcome.retry


def test_memory_is_limited(decode):
    assert decode("eat 250000000").report == {"taken": 250_000_000}
    refusal, retry = refuse(decode, "eat 400000000")
    assert refusal.code == "decoder_memory"
    assert "300,000,000 bytes" in refusal.message
    assert not retry


def test_large_files_and_outputs_give_no_memory(decode, case):
    (case / "large").touch()
    os.truncate(case / "large", 4_000_000_000)
    refusal, _ = refuse(decode, "eat 400000000", limits=limited(output_bytes=4_000_000_000))
    assert refusal.code == "decoder_memory"


@pytest.mark.parametrize("order", ["spin", "deaf_spin"])
def test_processor_time_is_limited_and_not_given_twice(decode, order):
    begun = os.times()
    refusal, retry = refuse(decode, order, limits=limited(cpu_seconds=1))
    assert refusal.code == "decoder_timeout"
    assert "1 seconds of processor time" in refusal.message
    assert not retry
    # A deaf child has a second more until it is killed; a second trial would make it two or more.
    assert os.times().elapsed - begun.elapsed < 60


def test_time_on_the_clock_is_limited(decode):
    refusal, retry = refuse(decode, "linger 60", limits=limited(wall_seconds=1))
    assert refusal.code == "decoder_timeout"
    assert "within 1 seconds" in refusal.message
    assert not retry


def test_an_answer_that_never_ends_is_limited_too(decode):
    refusal, _ = refuse(decode, "trickle", limits=limited(wall_seconds=2))
    assert refusal.code in {"decoder_timeout", "decoder_output"}


def test_the_time_a_callback_takes_is_not_the_childs(decode):
    outcome = decode("progress 0.1", limits=limited(wall_seconds=4), progress=lambda _: time.sleep(5))
    assert outcome.report == {"done": True}


@pytest.mark.parametrize(
    "order",
    ["write_outputs 3000001", "map_output 3000001", "array_to_file 4000000", "seek_far 3000001", "seek_far 4000000000"],
)
def test_an_output_cannot_grow_beyond_its_limit(decode, tmp_path, order):
    refusal, retry = refuse(decode, order, outputs={"one": tmp_path / "one"})
    assert refusal.code == "decoder_output"
    assert "3,000,000 bytes" in refusal.message
    assert not retry
    assert (tmp_path / "one").stat().st_size <= 3_000_000


def test_outputs_together_cannot_grow_beyond_their_limit(decode, tmp_path):
    paths = {name: tmp_path / name for name in "abc"}
    for order in ("fill_slowly 2900000", "write_outputs 1200000"):
        refusal, _ = refuse(decode, order, outputs=paths)
        assert refusal.code == "decoder_output"
        assert "3,000,000 bytes" in refusal.message


def test_how_many_files_are_open_at_once_is_limited(decode, tmp_path):
    outputs = {str(i): tmp_path / str(i) for i in range(30)}
    assert decode("open_many 20", outputs=outputs).report == {"open": 20}
    refusal, _ = refuse(decode, "open_many 40", outputs=outputs)
    assert refusal.code == "decoder_error"
    assert os.strerror(errno.EMFILE) in refusal.message


@pytest.mark.parametrize(
    ("order", "reason"),
    [("segfault", "SIGSEGV"), ("abort", "SIG"), ("exit 0", "code 0"), ("exit 3", "code 3"), ("close", "hung up")],
)
def test_a_crash_is_final(decode, tmp_path, caplog, order, reason):
    refusal, retry = refuse(decode, order)
    assert refusal.code == "decoder_crashed"
    assert reason in refusal.message
    assert not retry
    assert caplog.text.count("decoder_crashed") == 1, "it is tried once"


def raw(header):
    return f"raw {len(header):08x}{header.hex()}"


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ("flood x", "bytes long"),
        ("large_report 200000", "100,000 are allowed"),
        ("raw ffffffff", "4,294,967,295 bytes long"),
        (raw(b"[]"), "not an object"),
        (raw(b"{}"), "neither a report nor a refusal"),
        (raw(b'{"report":{"a":NaN}}'), "nan is not a number"),
        (raw(b'{"report":{"a\\u0000":1}}'), "NUL"),
        (raw(b"[" * 20_000), "recursion"),
        (raw(b'{"report":{},"parts":[["a",99999999]]}'), "99,999,999 bytes"),
        (raw(b'{"report":{}}'), "belongs to another file"),
        (raw(b'{"refusal":{"code":"disk_full","message":"m","remedy":"r"}}'), "refusal is damaged"),
        (raw(b'{"refusal":{"code":"input_unreadable","message":"m","remedy":"r"}}'), "refusal is damaged"),
    ],
)
def test_an_answer_beyond_the_rules_is_refused(decode, order, reason):
    refusal, retry = refuse(decode, order)
    assert refusal.code == "decoder_output"
    assert reason in refusal.message
    assert not retry


def test_a_child_that_answers_and_goes_on_writing_is_ended_before_sizes_are_read(decode, tmp_path):
    output = tmp_path / "one"
    refusal, _ = refuse(decode, "late_write", outputs={"one": output})
    assert refusal.code == "decoder_output"
    assert output.read_bytes() == output.read_bytes()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4M", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"a full disk is a small file system, which cannot be mounted here: {mounted.stderr.decode()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("order", ["write_outputs 10000000", "array_to_file 10000000", "fill_slowly 10000000"])
def test_a_full_disk_is_our_fault(decode, small_disk, order):
    if order.startswith("write"):
        (small_disk / "rest").write_bytes(bytes(4 * 1024 * 1024 - 4096))  # of a sparse file only the ends are written
    refusal, retry = refuse(decode, order, outputs={"one": small_disk / "one"}, limits=limited(output_bytes=20_000_000))
    assert refusal.code == "disk_full"
    assert "no space left" in refusal.message
    assert retry


def test_a_full_disk_under_a_mapped_output_is_our_fault(decode, small_disk):
    (small_disk / "rest").write_bytes(bytes(4 * 1024 * 1024))
    refusal, retry = refuse(decode, "map_output 1000000", outputs={"one": small_disk / "one"})
    assert (refusal.code, retry) == ("disk_full", True)


def test_a_disk_that_is_only_said_to_be_full_is_not(decode, tmp_path, caplog):
    refusal, retry = refuse(decode, "claim_full", outputs={"one": tmp_path / "one"})
    assert refusal.code == "decoder_error"
    assert not retry
    assert caplog.text.count("decoder_error") == 2, "it may have been full for a moment: it is tried once more"
