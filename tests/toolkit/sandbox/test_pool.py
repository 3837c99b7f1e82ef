"""The pool itself: results, order, sharing, recovery, and that nothing is left behind."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from medtheca.toolkit.sandbox import DecoderPool, Level, SandboxUnavailable, detect_level
from tests.toolkit.sandbox.common import PROBE, SMALL, has_gone, wait_until


@pytest.fixture
def two_places(pool):
    with DecoderPool(PROBE, size=2, limits=SMALL) as made:
        yield made


def test_reports_parts_and_options_arrive(pool, order):
    (outcome,) = pool.run([order("echo Grüße")], {"colour": "red"})
    assert outcome.key == "echo Grüße"
    assert outcome.report["option"] == "red"
    assert outcome.parts == {"text": "Grüße".encode(), "none": b""}
    assert outcome.refusal is None


def test_arrays_are_parts_and_linear_algebra_works(pool, order):
    array, product = pool.run([order("array 200000"), order("product")])
    assert array.report["sum"] == sum(i % 65536 for i in range(200000))
    assert len(array.parts["array"]) == 400_000
    assert product.report["sum"] == 300.0**3


def test_an_empty_file_reaches_the_task(pool, tmp_path):
    empty = tmp_path / "empty"
    empty.touch()
    (outcome,) = pool.run([("empty", empty)])
    assert outcome.refusal.code == "decoder_error"
    assert "do_" in outcome.refusal.message


def test_a_file_larger_than_the_memory_is_mapped(pool, tmp_path):
    path = tmp_path / "large"
    path.write_bytes(b"size ")
    os.truncate(path, 1_000_000_000)
    with DecoderPool("tests.toolkit.sandbox.probe:measure", limits=SMALL) as measuring:
        small, large = measuring.run([("small", Path(__file__)), ("large", path)])
    assert large.report == {"size": 1_000_000_000}
    assert small.refusal is None


def test_one_run_has_one_child_and_another_run_another(pool, order):
    first = {outcome.report["pid"] for outcome in pool.run(order(f"echo {i}") for i in range(20))}
    second = {outcome.report["pid"] for outcome in pool.run(order(f"echo {i}") for i in range(20))}
    assert len(first) == len(second) == 1
    assert first != second


def test_items_are_taken_as_they_are_needed(pool, order):
    taken = []

    def items():
        for i in range(10):
            taken.append(i)
            yield order(f"echo {i}")

    run = pool.run(items())
    next(run)
    assert len(taken) == 2  # one is out, one is being worked on
    run.close()
    assert len(list(pool.run([order("echo again")]))) == 1


def test_a_run_uses_all_places(two_places, order):
    outcomes = list(two_places.run(order(f"echo {i}") for i in range(20)))
    assert {outcome.key for outcome in outcomes} == {f"echo {i}" for i in range(20)}
    assert len({outcome.report["pid"] for outcome in outcomes}) == 2


def test_a_long_run_gives_up_places_for_another(two_places, order):
    def endless():
        number = 0
        while True:
            yield order(f"echo {number}")
            number += 1

    run = two_places.run(endless())
    next(run)
    answers = []
    other = threading.Thread(target=lambda: answers.extend(two_places.run([order("echo other")])))
    other.start()
    end = time.monotonic() + 20
    while other.is_alive() and time.monotonic() < end:
        next(run)
    run.close()
    other.join(5)
    assert [answer.key for answer in answers] == ["echo other"]


@pytest.mark.parametrize("size", [1, 2])
def test_threads_share_a_pool(pool, order, size):
    items = {name: [order(f"echo {name}{i}") for i in range(30)] + [order(f"exit {name}")] for name in "123"}
    found = {}
    with DecoderPool(PROBE, size=size, limits=SMALL) as shared:
        threads = [
            threading.Thread(target=lambda name=name: found.update({name: list(shared.run(items[name]))}))
            for name in items
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    pids = []
    for name, outcomes in found.items():
        assert {outcome.key for outcome in outcomes} == {key for key, _ in items[name]}
        assert [outcome.key for outcome in outcomes if outcome.refusal] == [f"exit {name}"]
        pids.append({outcome.report["pid"] for outcome in outcomes if outcome.report})
    assert len(found) == 3
    assert not pids[0] & pids[1] | pids[1] & pids[2] | pids[0] & pids[2], "uploads never share a child"


def test_a_child_killed_from_outside_costs_nothing(pool, order):
    run = pool.run(order(f"echo {i}") for i in range(10))
    first = next(run)
    os.kill(first.report["pid"], signal.SIGKILL)
    rest = list(run)
    assert [outcome.refusal for outcome in rest] == [None] * 9


def test_the_fork_server_killed_in_a_run_costs_nothing(two_places, order):
    run = two_places.run(order(f"echo {i}") for i in range(30))
    outcomes = [next(run)]
    # Whichever file is slow may meet each of them, and a third loss would be the end of it.
    for _ in range(2):
        os.kill(two_places.find_server().pid, signal.SIGKILL)
        outcomes.append(next(run))
    outcomes.extend(run)
    assert {outcome.key for outcome in outcomes} == {f"echo {i}" for i in range(30)}
    assert not [outcome for outcome in outcomes if outcome.refusal]


def test_the_fork_server_killed_between_runs_is_started_again(two_places, order):
    for i in range(3):
        server = two_places.find_server().pid
        (outcome,) = two_places.run([order(f"echo {i}")])
        assert outcome.refusal is None
        os.kill(server, signal.SIGKILL)
        wait_until(lambda server=server: has_gone(server))


def test_closing_ends_everything(pool, order):
    closing = DecoderPool(PROBE, limits=SMALL)
    run = closing.run([order("echo 1"), order("hang")])
    child = next(run).report["pid"]
    server = closing.find_server().pid
    closing.close()
    closing.close()
    assert not Path(f"/proc/{server}").exists()
    wait_until(lambda: has_gone(child))
    with pytest.raises(RuntimeError, match="closed"):
        list(run)
    with pytest.raises(RuntimeError, match="closed"):
        list(closing.run([order("echo 1")]))


def test_closing_by_another_thread_ends_a_run_that_waits(pool, order):
    closing = DecoderPool(PROBE, limits=SMALL)
    errors = []

    def work():
        try:
            list(closing.run([order("hang")]))
        except RuntimeError as error:
            errors.append(str(error))

    worker = threading.Thread(target=work)
    worker.start()
    time.sleep(0.3)
    closing.close()
    worker.join(20)
    assert errors == ["the decoder pool is closed"]


OWNER = """
    import os, sys, time
    from pathlib import Path
    from medtheca.toolkit.sandbox import DecoderPool

    pool = DecoderPool("tests.toolkit.sandbox.probe:run")
    run = pool.run([("1", Path(sys.argv[1])), ("2", Path(sys.argv[2]))])
    child = next(run).report["pid"]
    copy = os.fork()  # keeps a copy of every descriptor, so that no channel closes when the owner dies
    if copy:
        print(pool.find_server().pid, child, copy, flush=True)
    time.sleep(600)
"""


def test_nothing_outlives_an_owner_that_is_killed(pool, order):
    owner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(OWNER), order("echo 1")[1], order("hang")[1]],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with owner:
        server, child, copy = map(int, owner.stdout.readline().split())
        try:
            assert not has_gone(server)
            assert not has_gone(child)
            owner.kill()
            owner.wait()
            wait_until(lambda: has_gone(server) and has_gone(child))
        finally:
            os.kill(copy, signal.SIGKILL)


def test_a_pool_is_not_for_a_forked_copy(pool, order):
    item = order("echo 1")
    pool_owner, pool._owner = pool._owner, -1
    try:
        with pytest.raises(RuntimeError, match="fork"):
            next(pool.run([item]))
    finally:
        pool._owner = pool_owner


def test_long_options_are_refused(pool, order):
    with pytest.raises(ValueError, match="64,000"):
        next(pool.run([order("echo 1")], {"colour": "x" * 70_000}))


@pytest.mark.parametrize("level", [Level.SECCOMP, Level.LANDLOCK, Level.RLIMITS_ONLY])
def test_without_the_whole_fence_decoding_is_refused(level):
    with pytest.raises(SandboxUnavailable, match="--unsafe-decoders") as refused:
        DecoderPool(PROBE, level=level)
    assert level.value in str(refused.value)


def test_without_the_whole_fence_decoding_can_be_allowed(order):
    with DecoderPool(PROBE, level=Level.RLIMITS_ONLY, allow_unsafe=True, limits=SMALL) as unsafe:
        (outcome,) = unsafe.run([order("echo 1")])
    assert outcome.refusal is None
    assert unsafe.level is Level.RLIMITS_ONLY


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ("no_such_module:run", "No module named 'no_such_module'"),
        ("tests.toolkit.sandbox.probe:no_such_task", "no_such_task"),
        ("sandbox_threads:run", "starts 1 threads"),
        ("sandbox_exits:run", "ended while it was starting"),
    ],
)
def test_a_task_that_cannot_be_loaded_is_named(tmp_path, monkeypatch, task, reason):
    (tmp_path / "sandbox_threads.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\nrun = None\n"
    )
    (tmp_path / "sandbox_exits.py").write_text("import os\nos._exit(1)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(SandboxUnavailable) as unavailable:
        DecoderPool(task, level=detect_level(), allow_unsafe=True)
    assert task in str(unavailable.value)
    assert reason in str(unavailable.value)


def test_a_level_the_kernel_does_not_keep_stops_the_run(pool, order, monkeypatch):
    """A child that cannot put up its fence never sees a file."""
    with DecoderPool("tests.toolkit.sandbox.probe:run", limits=SMALL, level=Level.FULL) as broken:
        server = broken.find_server()
        monkeypatch.setattr(server, "_ask", lambda *_: {"error": "seccomp: Invalid argument"})
        with pytest.raises(SandboxUnavailable, match="seccomp: Invalid argument"):
            list(broken.run([order("echo 1")]))
