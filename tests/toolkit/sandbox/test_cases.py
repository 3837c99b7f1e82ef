"""Cases: a folder read, outputs written, progress told; and what killing, cancelling and sharing do to them."""

import dataclasses
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import pytest

from medtheca.toolkit.sandbox import DecoderPool, Level, SandboxUnavailable
from tests.toolkit.sandbox.common import CASE_PROBE, PROBE, SMALL, SMALL_CASE, has_gone, wait_until

# -- files in


def test_a_case_reads_the_files_of_its_folder(decode, case):
    outcome = decode("read")
    names = [bytes.fromhex(name).decode() for name in outcome.report["names"]]
    assert names == ["a", "deeper/Größe 图像.raw"]
    assert outcome.report["bytes"] == len("firstsecond")
    assert (outcome.refusal, outcome.sizes, outcome.retry) == (None, {}, False)


def test_libraries_can_ask_about_files(decode, case):
    (case / "link").symlink_to("a")
    report = decode("ask a").report
    assert report == {"size": 5, "lstat": 5, "readable": True, "here": True, "folder": True, "scanned": 2}


def test_three_thousand_files_with_names_of_all_kinds(decode, case):
    for i in range(2998):
        (case / f"IM-{i:04} é漢.dcm").write_bytes(b"12345678")
    Path(os.fsdecode(os.fsencode(case) + b"/\xff\xfe no text")).write_bytes(b"x")
    outcome = decode("read")
    assert outcome.report["count"] == 3001
    assert outcome.report["bytes"] == 2998 * 8 + 11 + 1


def test_hard_links_will_do(decode, case, tmp_path):
    store = tmp_path / "store"
    store.mkdir(mode=0o700)
    (store / "blob").write_text("from the store")
    (store / "blob").chmod(0o444)
    os.link(store / "blob", case / "linked.dcm")
    assert decode("text linked.dcm").report == {"text": "from the store"}


def test_files_larger_than_the_memory_are_mapped(decode, case):
    for name in ("x", "y"):
        (case / name).touch()
        os.truncate(case / name, 1_500_000_000)
    assert decode("map").report["mapped"] == 2 * (2 * 1_500_000_000 + 11)


def test_a_folder_that_is_not_there_is_our_fault(case_pool, tmp_path):
    for folder in (tmp_path / "gone", Path(__file__)):
        outcome = case_pool.run_case({"order": "read"}, folder=folder)
        assert outcome.refusal.code == "input_unreadable"
        assert outcome.retry


@pytest.mark.skipif(os.geteuid() != 0, reason="only as root do children change their account")
@pytest.mark.parametrize("name", ["a", "deeper", "deeper/Größe 图像.raw", "."])
def test_as_root_what_others_may_not_read_is_named_before_a_child_is_made(decode, case, name):
    (case / name).chmod(0o700)
    outcome = decode("read")
    assert outcome.refusal.code == "input_unreadable"
    assert "1 of its files and folders" in outcome.refusal.message
    assert outcome.retry


ORDINARY = """
    import json, os, sys
    from pathlib import Path
    from medtheca.toolkit.sandbox import DecoderPool, detect_level

    assert os.getuid() != 0
    folder, output, outside = map(Path, sys.argv[1:])
    with DecoderPool("tests.toolkit.sandbox.probe:run", case_task="tests.toolkit.sandbox.case_probe:run") as pool:
        forbidden = [f"text {outside}", "text out", "make", "fork", "socket AF_INET"]
        for order in ["read", "write_outputs 100", *forbidden]:
            outcome = pool.run_case({"order": order}, folder=folder, outputs={"o": output})
            print(json.dumps([order.split()[0], outcome.report, outcome.refusal and outcome.refusal.message]))
"""


def find_interpreter(account):
    """A Python of this version that the account can start, and so this one's libraries."""
    for name in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        try:
            subprocess.run([name, "-c", ""], user=account, group=account, extra_groups=[], check=True)
        except OSError:
            continue
        return name
    return pytest.skip("no interpreter of this version that an ordinary account can start")


@pytest.fixture
def place_of_another():
    """An account and a folder of its own. Not beneath pytest's, which every session of pytest closes to others."""
    account = 54321
    with tempfile.TemporaryDirectory() as name:
        os.chown(name, account, account)
        yield account, Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary account then")
def test_under_an_ordinary_account_modes_for_the_owner_are_enough(case_pool, case, place_of_another):
    account, place = place_of_another
    interpreter = find_interpreter(account)
    shutil.copytree(case, place / "case")
    outside = place / "outside"
    outside.write_text("secret")
    (place / "case" / "out").symlink_to(outside)
    for path in place.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)
            os.chown(path, account, account)
    done = subprocess.run(
        [interpreter, "-c", textwrap.dedent(ORDINARY), place / "case", place / "output", outside],
        user=account,
        group=account,
        extra_groups=[],
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        cwd="/",
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    answers = {word: (report, message) for word, report, message in map(json.loads, done.stdout.splitlines())}
    assert answers["read"][0]["bytes"] == len("firstsecond")
    assert answers["write_outputs"] == ({}, None)
    assert answers["text"][0] is None
    for word in ("make", "fork", "socket"):
        assert "PermissionError" in answers[word][1], answers[word]
    assert "secret" not in done.stdout
    assert (place / "output").stat().st_uid == account


# -- outputs


def test_outputs_are_written_by_path_and_by_descriptor(decode, tmp_path):
    (tmp_path / "one").write_text("what was here before " * 100)
    with (tmp_path / "two").open("wb") as two:
        two.write(b"before")
        two.flush()
        outcome = decode("write_outputs 1000000", outputs={"one": tmp_path / "one", "три": _reading(two)})
    assert outcome.refusal is None
    assert outcome.sizes == {"one": 1_000_000, "три": 1_000_000}
    for name, start in (("one", b"one"), ("two", "три".encode())):
        data = (tmp_path / name).read_bytes()
        assert data == start + bytes(1_000_000 - len(start) - 4) + b"tail"


def _reading(file):
    return os.open(file.name, os.O_RDWR)


def test_new_outputs_are_for_the_owner_alone(decode, tmp_path):
    decode("write_outputs 10", outputs={"one": tmp_path / "new"})
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("order", ["map_output 2000000", "array_to_file 2000000"])
def test_outputs_are_written_as_numpy_does(decode, tmp_path, order):
    outcome = decode(order, outputs={"one": tmp_path / "one"})
    assert outcome.refusal is None
    assert outcome.sizes == {"one": 2_000_000}


def test_an_output_may_be_larger_than_the_memory(decode, tmp_path):
    outcome = decode(
        "write_outputs 5000000000",
        outputs={"one": tmp_path / "one"},
        limits=dataclasses.replace(SMALL_CASE, output_bytes=6_000_000_000),
    )
    assert outcome.sizes == {"one": 5_000_000_000}


def test_what_cannot_be_an_output_is_an_error(decode, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="link"):
        decode("read", outputs={"one": tmp_path / "link"})
    with pytest.raises(ValueError, match="not a regular file"):
        decode("read", outputs={"one": Path(os.devnull)})
    with (tmp_path / "reading").open("w+b") as file, Path(file.name).open("rb") as reading:
        with pytest.raises(ValueError, match="'one' of a case is not open for writing"):
            decode("read", outputs={"one": reading.fileno()})
        with Path(file.name).open("ab") as appending, pytest.raises(ValueError, match="anywhere"):
            decode("read", outputs={"one": appending.fileno()})
        with pytest.raises(ValueError, match="same file"):
            decode("read", outputs={"one": file.fileno(), "two": Path(file.name)})
    with pytest.raises(ValueError, match="at most 64 outputs"):
        decode("read", outputs={str(i): tmp_path / str(i) for i in range(65)})


def test_as_many_outputs_as_are_allowed(decode, tmp_path):
    outcome = decode("write_outputs 100", outputs={f"{i}": tmp_path / f"{i}" for i in range(64)})
    assert set(outcome.sizes.values()) == {100}
    assert len(outcome.sizes) == 64


# -- progress


def test_progress_is_told_a_few_times_a_second(decode):
    told = []
    start = time.monotonic()
    outcome = decode("progress 0.5", progress=told.append)
    took = time.monotonic() - start
    assert outcome.report == {"done": True}
    assert told == sorted(set(told))
    assert set(told) <= {i / 10 for i in range(1, 11)}
    assert 2 <= len(told) <= 4 * took + 1


def test_progress_without_end_costs_the_owner_nothing(decode):
    told = []
    start = time.monotonic()
    outcome = decode("storm 3", progress=told.append)
    took = time.monotonic() - start
    assert outcome.report["count"] > 10_000
    assert 2 <= len(told) <= 4 * took + 1


def test_progress_that_is_none_is_not_told(decode):
    told = []
    assert decode("garbage", progress=told.append).refusal is None
    assert told == [0.5]


def test_the_file_of_the_progress_cannot_grow(decode):
    for order in ("grow_progress", "write_past_progress"):
        assert decode(order).refusal.code == "decoder_error"


def test_a_callback_that_raises_cancels(case_pool, decode, tmp_path):
    class Cancelled(Exception):
        pass

    def cancel(fraction):
        raise Cancelled(fraction)

    output = tmp_path / "output"
    with pytest.raises(Cancelled, match=r"0\.1"):
        decode("progress 5", progress=cancel)
    assert decode("linger 0", outputs={"one": output}).refusal is None, "the place was given back"


def test_the_child_of_a_cancelled_case_is_ended(decode, tmp_path):
    output = tmp_path / "output"
    pids = []

    def interrupt():
        wait_until(lambda: output.exists() and output.read_text().strip())
        pids.append(int(output.read_text()))
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        from medtheca.toolkit.sandbox import case as module

        patch.setattr(module.CaseRun, "_look", lambda *_: interrupt())
        with pytest.raises(KeyboardInterrupt):
            decode("linger 60", outputs={"one": output})
    assert has_gone(pids[0])
    assert output.exists(), "outputs are the caller's"


# -- killed in the middle


@pytest.fixture
def own_pool(pool):
    with DecoderPool(PROBE, case_task=CASE_PROBE, limits=SMALL) as made:
        yield made


def decode_beside(decode, output, disturb, **rest):
    """Decode a case that lingers, and meanwhile disturb it, given the number of the first child."""
    outcomes = []
    worker = threading.Thread(
        target=lambda: outcomes.append(decode("linger 4", outputs={"one": output}, **rest)), daemon=True
    )
    worker.start()
    wait_until(lambda: output.exists() and output.read_text().strip())
    first = int(output.read_text())
    disturb(first)
    worker.join(60)
    return first, outcomes[0]


def test_a_child_killed_from_outside_costs_nothing(decode, tmp_path):
    first, outcome = decode_beside(decode, tmp_path / "output", lambda child: os.kill(child, signal.SIGKILL))
    assert outcome.refusal is None
    assert outcome.report["pid"] != first
    assert (tmp_path / "output").read_text() == f"{outcome.report['pid']}\n", (
        "the second trial begins with empty outputs"
    )


def test_a_child_killed_twice_is_our_fault(decode, tmp_path):
    output = tmp_path / "output"

    def kill(child):
        os.kill(child, signal.SIGKILL)
        wait_until(lambda: output.read_text().strip() not in {"", str(child)})
        os.kill(int(output.read_text()), signal.SIGKILL)

    _, outcome = decode_beside(decode, output, kill)
    assert outcome.refusal.code == "decoder_crashed"
    assert "from outside" in outcome.refusal.message
    assert outcome.retry


def test_the_fork_server_killed_in_a_case_costs_nothing(own_pool, decode, tmp_path):
    def kill_server(child):
        os.kill(own_pool.find_server().pid, signal.SIGKILL)

    first, outcome = decode_beside(decode, tmp_path / "output", kill_server, pool=own_pool)
    assert outcome.refusal is None
    assert outcome.report["pid"] != first
    assert has_gone(first)


def test_the_fork_server_killed_three_times_is_our_fault(own_pool, decode, tmp_path):
    output = tmp_path / "output"

    def kill_server(child):
        for last in (False, False, True):
            os.kill(own_pool.find_server().pid, signal.SIGKILL)
            if not last:
                wait_until(lambda child=child: output.read_text().strip() not in {"", str(child)})
                child = int(output.read_text())

    _, outcome = decode_beside(decode, output, kill_server, pool=own_pool)
    assert outcome.refusal.code == "decoder_crashed"
    assert "lost 3 times" in outcome.refusal.message
    assert outcome.retry


def test_closing_ends_a_case_that_waits(own_pool, decode, tmp_path):
    errors = []

    def work():
        try:
            decode("linger 60", pool=own_pool, outputs={"one": tmp_path / "output"})
        except RuntimeError as error:
            errors.append(str(error))

    worker = threading.Thread(target=work)
    worker.start()
    wait_until(lambda: (tmp_path / "output").exists() and (tmp_path / "output").read_text())
    own_pool.close()
    worker.join(20)
    assert errors == ["the decoder pool is closed"]


def test_nothing_is_left_open_or_running(own_pool, decode, tmp_path):
    def cancel(_):
        raise KeyboardInterrupt

    def count():
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        return len(list(Path("/proc/self/fd").iterdir())), len(children)

    server = own_pool.find_server().pid
    gc.collect()  # What tests before have dropped and left open would be closed meanwhile.
    before = count()
    for order in ("read", "write_outputs 10", "segfault", "close", "flood x", "raise_case", "eat 900000000"):
        decode(order, pool=own_pool, outputs={"one": tmp_path / "one"})
    with pytest.raises(KeyboardInterrupt):
        decode("progress 5", pool=own_pool, progress=cancel)
    files, children = count()
    # Fewer are open where a pool of connections closed some that nobody used.
    assert (files <= before[0], children) == (True, before[1])
    assert own_pool._places._free == 1


# -- beside each other


def linger_in_two_threads(pool, case):
    reports = []

    def work():
        reports.append(pool.run_case({"order": "linger 4"}, folder=case, limits=SMALL_CASE).report)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    one, two = sorted(reports, key=lambda report: report["start"])
    assert one["pid"] != two["pid"]
    return two["start"] - one["end"]


def test_two_cases_run_at_once(case_pool, case):
    assert linger_in_two_threads(case_pool, case) < 0


def test_a_case_takes_a_place(own_pool, case):
    assert linger_in_two_threads(own_pool, case) >= 0


def test_a_case_and_photographs_share_the_places(own_pool, case, order):
    outcomes = []
    run = own_pool.run(order(f"echo {i}") for i in range(3))
    next(run)
    worker = threading.Thread(
        target=lambda: outcomes.append(own_pool.run_case({"order": "read"}, folder=case, limits=SMALL_CASE))
    )
    worker.start()
    worker.join(0.5)
    assert worker.is_alive(), "the only place is the run's"
    assert [outcome.refusal for outcome in run] == [None, None]
    worker.join(20)
    assert outcomes[0].refusal is None


# -- words


def test_a_pool_without_a_task_for_cases_says_so(pool, case):
    with pytest.raises(RuntimeError, match="without a task for cases"):
        pool.run_case({}, folder=case)


def test_a_task_for_cases_that_cannot_be_loaded_is_named():
    with pytest.raises(SandboxUnavailable, match="no_such_module"):
        DecoderPool(PROBE, case_task="no_such_module:run", level=Level.RLIMITS_ONLY, allow_unsafe=True)


@pytest.mark.parametrize("level", [Level.SECCOMP, Level.LANDLOCK, Level.RLIMITS_ONLY])
def test_without_the_whole_fence_there_are_no_cases_unless_allowed(case, level):
    with pytest.raises(SandboxUnavailable, match="--unsafe-decoders"):
        DecoderPool(PROBE, case_task=CASE_PROBE, level=level)
    if level is Level.RLIMITS_ONLY:
        with DecoderPool(PROBE, case_task=CASE_PROBE, level=level, allow_unsafe=True) as unsafe:
            assert unsafe.run_case({"order": "text a"}, folder=case).report == {"text": "first"}


def test_a_refusal_by_the_task_passes_through(decode):
    outcome = decode("refuse_case")
    assert outcome.refusal.code == "picture_flat"
    assert not outcome.retry


@pytest.mark.parametrize("order", ["raise_case", "open_missing"])
def test_an_error_tells_nothing_of_the_patient(decode, caplog, order):
    with caplog.at_level("WARNING", logger="medtheca.toolkit.sandbox"):
        outcome = decode(order, key="case 17")
    assert outcome.refusal.code == "decoder_error"
    assert "Jane" not in outcome.refusal.message + caplog.text
    assert "Error" in outcome.refusal.message
    assert f"do_{order}" in caplog.text
    assert "case 17" in caplog.text
