"""What a decoder that has been taken over can do: nothing. Each attempt is made between two well-behaved files."""

import os
import platform
import socket
from pathlib import Path

import pytest

from medtheca.toolkit.sandbox import DecoderPool, Level, detect_level
from tests.toolkit.sandbox.common import PROBE, SMALL

FILES = [
    "open /etc/passwd",
    "open /proc/self/environ",
    "open /proc/self/maps",
    "open /dev/null",
    "list /",
    "list /proc",
    "write /tmp/planted-by-a-decoder",
    "remove {victim}",
    "open {victim}",
]
CALLS_BY_PYTHON = [
    "stat /etc/passwd",
    "chdir /",
    "socket AF_INET",
    "socket AF_UNIX",
    "socket AF_NETLINK",
    "connect {port}",
    "pair",
    "exec",
    "subprocess",
    "fork",
    "thread",
    "kill parent",
    "kill {owner}",
    "signal_zero {owner}",
    "memfd",
    "pipe",
    "limits",
    "root",
    "executable_memory",
    "pass_descriptor",
]
RAW_CALLS = {  # for x86_64
    "ptrace, attach to the owner": "101 16 {owner} 0 0",
    "process_vm_readv": "310 {owner} 0 0 0 0 0",
    "prctl, dumpable again": "157 4 1 0 0 0",
    "prctl, seccomp off": "157 22 0 0 0 0",
    "openat2": "437 -100 0 0 0",
    "statx": "332 1 0 0x1000 0 0",
    "newfstatat": "262 1 0 0 0x1000",
    "mount": "165 0 0 0 0 0",
    "unshare": "272 0x10000000",
    "setns": "308 0 0",
    "clone": "56 17 0 0 0 0",
    "clone3": "435 0 0",
    "vfork": "58",
    "bpf": "321 0 0 0",
    "io_uring_setup": "425 1 0",
    "userfaultfd": "323 0",
    "perf_event_open": "298 0 0 -1 -1 0",
    "keyctl": "250 0 0 0 0 0",
    "pidfd_open": "434 {owner} 0",
    "shmget": "29 0 4096 0o1600",
    "prlimit64 on the owner": "302 {owner} 7 0 0",
    "setpriority": "141 0 0 19",
    "mprotect, executable": "10 0 4096 5",
    "fcntl, steal a signal": "72 3 8 {owner}",
    "getpid as an x32 call": "0x40000027",
    "io_uring_enter": "426 3 1 1 0 0 0",
    "io_uring_register": "427 3 0 0 0",
    "io_setup": "206 1 0",
    "memfd_create": "319 0 0",
    "memfd_secret": "447 0",
    "execveat of the channel": "322 3 0 0 0 0x1000",
    "execve": "59 0 0 0",
    "pidfd_getfd": "438 3 0 0",
    "pidfd_send_signal": "424 3 9 0 0",
    "process_vm_writev": "311 {owner} 0 0 0 0 0",
    "process_madvise": "440 3 0 0 4 0",
    "kcmp": "312 {owner} {owner} 0 0 0",
    "tgkill": "234 {owner} {owner} 9",
    "tkill": "200 {owner} 9",
    "rt_sigqueueinfo": "129 {owner} 9 0",
    "sendmsg": "46 3 0 0",
    "sendmmsg": "307 3 0 0 0",
    "sendto": "44 3 0 0 0 0 0",
    "recvmmsg": "299 3 0 0 0 0",
    "accept": "43 3 0 0",
    "getsockopt": "55 3 1 17 0 0",
    "setsockopt": "54 3 1 7 0 0",
    "shutdown": "48 3 2",
    "splice": "275 3 0 3 0 1 0",
    "tee": "276 3 3 1 0",
    "vmsplice": "278 3 0 0 0",
    "sendfile": "40 3 3 0 1",
    "copy_file_range": "326 3 0 3 0 1 0",
    "ioctl, push a key into a terminal": "16 0 0x5412 0",
    "flock": "73 3 2",
    "ftruncate": "77 3 0",
    "fallocate": "285 3 0 0 1",
    "fchmod": "91 3 0o777",
    "fchown": "93 3 0 0",
    "fsetxattr": "190 3 0 0 0 0",
    "utimensat": "280 3 0 0 0",
    "fchdir": "81 3",
    "linkat of a descriptor": "265 3 0 -100 0 0x1000",
    "name_to_handle_at": "303 3 0 0 0 0x1000",
    "open_by_handle_at": "304 3 0 0",
    "open_tree": "428 -100 0 0",
    "fsopen": "430 0 0",
    "inotify_init1": "294 0",
    "fanotify_init": "300 0 0",
    "eventfd2": "290 0 0",
    "signalfd4": "289 -1 0 8 0",
    "timerfd_create": "283 1 0",
    "timer_create": "222 1 0 0",
    "epoll_create1": "291 0",
    "modify_ldt": "154 0 0 0",
    "arch_prctl": "158 0x1004 0",
    "personality, readable is executable": "135 0x0400000",
    "pkey_mprotect, executable": "329 0 4096 5 -1",
    "remap_file_pages": "216 0 4096 0 0 0",
    "shmat": "30 0 0 0o100000",
    "msgget": "68 0 0o1600",
    "add_key": "248 0 0 0 0 0",
    "landlock_create_ruleset": "444 0 0 1",
    "seccomp, another filter": "317 1 0 0",
    "prctl, name": "157 15 0 0 0 0",
    "setuid": "105 0",
    "setgroups": "116 0 0",
    "capset": "126 0 0",
    "chroot": "161 0x1000",
    "pivot_root": "155 0 0",
    "init_module": "175 0 0 0",
    "kexec_load": "246 0 0 0 0",
    "sched_setaffinity": "203 0 0 0",
    "sched_setscheduler": "144 0 0 0",
    "mlockall": "151 3",
    "fcntl, lease": "72 3 1024 0",
    "fcntl, seals": "72 3 1033 15",
    "fcntl, flags": "72 3 4 0",
    "mmap, executable, with a dirty upper half": "9 0 4096 0x100000005 0x22 -1 0",
    "a number beyond all calls": "9999",
    "a number with a dirty upper half": "0x10000003B 0 0 0",
}


@pytest.fixture
def fill(tmp_path):
    """Puts real targets into an order: a file that exists, a port that listens, this process."""
    victim = tmp_path / "victim"
    victim.write_text("still here")
    victim.chmod(0o666)
    tmp_path.chmod(0o777)
    with socket.create_server(("127.0.0.1", 0)) as server:
        facts = {"victim": victim, "port": server.getsockname()[1], "owner": os.getpid()}
        yield lambda text: text.format_map(facts)
    assert victim.read_text() == "still here"


def attempt(pool, order, text):
    before, tried, after = pool.run([order("echo before"), order(text), order("echo after")])
    assert before.parts["text"] == b"before"
    assert after.parts["text"] == b"after"
    assert before.report["pid"] == after.report["pid"], "an attempt that fails is no reason for a new child"
    return tried


def assert_denied(tried):
    assert tried.report is None
    assert tried.refusal.code == "decoder_error"
    assert any(
        name in tried.refusal.message
        for name in ("PermissionError", "Operation not permitted", "start new thread", "not allowed")
    ), tried.refusal.message


@pytest.mark.parametrize("text", FILES + CALLS_BY_PYTHON)
def test_attempt_is_denied(pool, order, fill, text):
    assert_denied(attempt(pool, order, fill(text)))


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are those of x86_64")
@pytest.mark.parametrize("call", RAW_CALLS.values(), ids=RAW_CALLS.keys())
def test_raw_call_is_denied(pool, order, fill, call):
    assert_denied(attempt(pool, order, fill(f"call {call}")))


def test_attempts_would_succeed_without_the_fence(order, fill):
    """The probe is honest: with limits alone, much of the above works."""
    with DecoderPool(PROBE, limits=SMALL, level=Level.RLIMITS_ONLY, allow_unsafe=True) as unsafe:
        texts = ["open /etc/passwd", "list /", "socket AF_INET", "connect {port}", "memfd", "executable_memory", "pipe"]
        for text in texts:
            tried = attempt(unsafe, order, fill(text))
            assert tried.refusal is None, tried
        # Limits alone stop these two.
        for text in ("write /tmp/planted-by-a-decoder", "fork"):
            assert attempt(unsafe, order, fill(text)).refusal


def test_landlock_alone_keeps_files_and_tcp(order, fill):
    if not detect_level().uses_landlock:
        pytest.skip("no Landlock here")
    with DecoderPool(PROBE, limits=SMALL, level=Level.LANDLOCK, allow_unsafe=True) as half:
        for text in [text for text in FILES if text != "open /proc/self/maps"]:
            assert_denied(attempt(half, order, fill(text)))
        assert attempt(half, order, "socket AF_INET").refusal is None


def test_seccomp_alone_denies_everything_too(order, fill):
    if not detect_level().uses_seccomp:
        pytest.skip("no seccomp here")
    with DecoderPool(PROBE, limits=SMALL, level=Level.SECCOMP, allow_unsafe=True) as half:
        for text in FILES + CALLS_BY_PYTHON:
            assert_denied(attempt(half, order, fill(text)))


def test_a_child_of_root_is_nobody(pool, order):
    run = pool.run([order("echo who"), order("echo next")])
    facts = dict(line.split(":\t") for line in Path(f"/proc/{next(run).report['pid']}/status").read_text().splitlines())
    list(run)
    assert facts["Uid"].split() == [str(os.getuid() or 65534)] * 4
    assert facts["NoNewPrivs"] == "1"
    assert facts["Seccomp"] == "2"
    assert int(facts["CapEff"], 16) == 0 or os.getuid() != 0


def test_secrets_of_the_owner_are_not_passed_on(order, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", "postgresql://canary")
    with DecoderPool(PROBE, limits=SMALL, level=detect_level(), allow_unsafe=True) as fresh:
        server = fresh.find_server().pid
        assert b"canary" not in Path(f"/proc/{server}/environ").read_bytes()
