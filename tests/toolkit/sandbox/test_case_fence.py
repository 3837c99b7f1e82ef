"""What a decoder of a case can do that has been taken over: read its folder, write its outputs, and nothing else."""

import dataclasses
import os
import platform
import socket
from pathlib import Path

import pytest

from medtheca.toolkit.sandbox import DecoderPool, Level, detect_level, landlock, seccomp
from medtheca.toolkit.sandbox.fence import forgo_privileges
from tests.toolkit.sandbox.common import CASE_PROBE, PROBE, SMALL, SMALL_CASE
from tests.toolkit.sandbox.test_fence import CALLS_BY_PYTHON, RAW_CALLS

SECRET = "only for the owner's eyes"
OUTSIDE = [
    "text /etc/passwd",
    "text {secret}",
    "text ../secret",
    "text deeper/../../secret",
    "text to-secret",
    "text to-secret-relative",
    "text to-root/etc/passwd",
    "text to-above/secret",
    "open /proc/self/environ",
    "open /proc/self/maps",
    "open /proc/{owner}/environ",
    "memory_of {owner}",
    "memory_of self",
    "open /dev/null",
    "open /dev/shm",
    "list /proc",
    "reopen_output",
    "write {secret}",
    "remove {secret}",
]
CHANGES = [
    "make",
    "write a",
    "write new",
    "write deeper/new",
    "write to-nowhere",
    "remove a",
    "rename a",
    "link a",
    "symlink a",
    "mkdir",
    "chmod a",
    "truncate a",
    "overwrite a",
    "open_with a 1",  # O_WRONLY
    "open_with a 2",  # O_RDWR
    "open_with a 3",  # which checks for both and gives neither
    "open_with a 0o1000",  # O_TRUNC, which truncates even when reading
    "open_with a 0o2000",  # O_APPEND
    "open_with a 0o100",  # O_CREAT
    "open_with . 0o20200000",  # O_TMPFILE
    "open_with a 0o10000000",  # O_PATH
    "open_with to-secret 0o10000000",
    "open_with a 0o40000",  # O_DIRECT
    "open_with a 0o4010000",  # O_SYNC
    "open_with a 0o20000",  # O_ASYNC
    "shared_memory",
    "make_executable",
    "map_executable a",
]
CALLS_WITH_PATH = {  # for x86_64
    "creat": "85 PATH 0o666",
    "open for writing": "2 PATH 1",
    "open for writing, with a dirty upper half": "2 PATH 0x100000001",
    "openat, create": "257 -100 PATH 0o100 0o666",
    "openat, read and write, with a dirty upper half": "257 -100 PATH 0x7f00000002",
    "openat2 for reading": "437 -100 PATH 0 0",
    "unlink": "87 PATH",
    "truncate": "76 PATH 0",
    "chdir": "80 PATH",
    "mknod": "133 PATH 0o10666 0",
    "rename": "82 PATH PATH",
    "symlink": "88 PATH PATH",
    "chmod": "90 PATH 0o777",
    "lchown": "94 PATH 0 0",
    "utime": "132 PATH 0",
    "statfs": "137 PATH PATH",
    "getxattr": "191 PATH PATH 0 0",
    "setxattr": "188 PATH PATH 0 0 0",
    "chroot": "161 PATH",
    "execve": "59 PATH 0 0",
    "name_to_handle_at": "303 -100 PATH 0 0 0",
    "swapon": "167 PATH 0",
    "acct": "163 PATH",
}
NOW_ALLOWED = {"statx", "newfstatat", "ftruncate"}


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_text(SECRET)
    return path


@pytest.fixture
def trapped(case, secret):
    """The case's folder with links planted in it, and a look afterwards whether all is as it was."""
    (case / "to-secret").symlink_to(secret)
    (case / "to-secret-relative").symlink_to("../secret")
    (case / "to-root").symlink_to("/")
    (case / "to-above").symlink_to("..")
    (case / "to-nowhere").symlink_to("nowhere")
    secret.chmod(0o666)  # its mode is not what keeps it
    secret.parent.chmod(0o777)
    case.chmod(0o777)
    (case / "a").chmod(0o666)
    before = listing(case)
    yield case
    assert listing(case) == before
    assert (case / "a").read_text() == "first"
    assert secret.read_text() == SECRET


def listing(folder):
    return sorted((str(path), path.lstat().st_mode, path.lstat().st_nlink) for path in folder.rglob("*"))


@pytest.fixture
def attempt(decode, trapped, secret, tmp_path):
    """Has an order tried, and gives the refusal that must come of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        facts = {"secret": secret, "port": server.getsockname()[1], "owner": os.getpid()}

        def try_it(order):
            outcome = decode(order.format_map(facts), outputs={"one": tmp_path / "output"})
            assert outcome.report is None, outcome
            assert outcome.refusal.code == "decoder_error"
            assert (tmp_path / "output").read_bytes() == b""
            return outcome.refusal.message

        yield try_it


# The last is what Python makes of a thread that cannot be started.
DENIED = ("PermissionError", "Operation not permitted", "RuntimeError")


@pytest.mark.parametrize("order", OUTSIDE)
def test_nothing_outside_the_folder_can_be_read(attempt, order):
    # Where the folder can be made the root, what is outside of it does not exist.
    assert any(word in attempt(order) for word in (*DENIED, "No such file", "Bad file descriptor"))


@pytest.mark.parametrize("order", ["names /", "names ..", "names to-above", "names to-root"])
def test_no_names_outside_the_folder_can_be_listed(decode, trapped, order):
    outcome = decode(order)
    names = sorted(path.name for path in trapped.iterdir())
    assert outcome.refusal or outcome.report == {"names": names}, "what is above is the folder, or closed"


@pytest.mark.parametrize("order", CHANGES + [order for order in CALLS_BY_PYTHON if not order.startswith("stat")])
def test_nothing_can_be_changed_or_started(attempt, order):
    message = attempt(order)
    allowed = DENIED
    if order.startswith("overwrite"):
        allowed = (os.strerror(9),)  # the kernel's own answer to a write on a file opened for reading
    elif order == "limits":
        allowed = ("ValueError",)  # which is how Python tells that it is not permitted
    assert any(word in message for word in allowed), message


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are those of x86_64")
@pytest.mark.parametrize("name", [name for name in RAW_CALLS if name not in NOW_ALLOWED])
def test_raw_call_is_denied(attempt, name):
    assert "Operation not permitted" in attempt(f"call {RAW_CALLS[name]}")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are those of x86_64")
@pytest.mark.parametrize("name", CALLS_WITH_PATH)
def test_raw_call_with_a_path_is_denied(attempt, name):
    assert "Operation not permitted" in attempt(f"call_with_path {CALLS_WITH_PATH[name]}")


def test_what_the_filter_allows_is_well_known():
    """A call that is added to a list is looked at here again."""
    both = set(seccomp._ALLOWED) | set(seccomp._ALLOWED_FOR_CASES)
    makers = (
        "mkdir",
        "link",
        "rename",
        "chmod",
        "chown",
        "xattr",
        "mknod",
        "mount",
        "socket",
        "clone",
        "fork",
        "execve",
    )
    assert not [name for name in both if name.endswith(makers) and name != "readlink"]
    assert not set(seccomp._ALLOWED) & set(seccomp._ALLOWED_FOR_CASES)


def test_a_child_of_root_is_nobody_in_a_root_of_its_own(decode, tmp_path):
    output = tmp_path / "output"
    facts = {}

    def look(_):
        pid = int(output.read_text())
        facts.update(line.split(":\t") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        facts["root"] = str(Path(f"/proc/{pid}/root").readlink()) if os.geteuid() == 0 else ""

    assert decode("linger_told 1", outputs={"one": output}, progress=look).refusal is None
    assert facts["Uid"].split() == [str(os.getuid() or 65534)] * 4
    assert facts["NoNewPrivs"] == "1"
    assert facts["Seccomp"] == "2"
    assert int(facts["CapEff"], 16) == int(facts["CapPrm"], 16) == 0
    if os.geteuid() == 0:
        assert facts["root"].endswith("/case")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are those of x86_64")
def test_where_threads_are_allowed_processes_are_not(decode):
    threaded = dataclasses.replace(SMALL_CASE, threads=True)
    assert decode("thread").refusal
    assert decode("thread", limits=threaded).refusal is None
    # clone as fork does it, as a thread in new namespaces, in a process of its own; clone3; vfork
    calls = ["56 17 0 0 0 0", "56 0x103d0f00 0 0 0 0", "56 0x3c0f00 0 0 0 0", "435 0 0", "58"]
    for order in ["fork", "exec", "subprocess", "socket AF_INET", "make", *(f"call {call}" for call in calls)]:
        assert decode(order, limits=threaded).refusal.code == "decoder_error", order


# -- each fence by itself, in a forked process that has not changed its root


def behind(fence, attempt):
    """What becomes of an attempt after the fence: the error's name, or "done"."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            forgo_privileges()
            fence()
            attempt()
            word = "done"
        except BaseException as error:  # noqa: BLE001 - a forked copy must leave here, whatever happened
            word = type(error).__name__
        os.write(writing, word.encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as answer:
        return answer.read().decode()


@pytest.fixture
def landlocked(trapped):
    if not detect_level().uses_landlock:
        pytest.skip("no Landlock here")
    descriptor = os.open(trapped, os.O_RDONLY | os.O_DIRECTORY)

    def fence():
        os.fchdir(descriptor)
        landlock.allow_reading_beneath(descriptor)

    yield fence
    os.close(descriptor)


def test_landlock_alone_keeps_a_child_in_its_folder(landlocked, trapped, secret):
    for attempt in (
        lambda: Path("a").read_text(),
        lambda: list(Path("deeper").iterdir()),
        (trapped / "a").read_text,
    ):
        assert behind(landlocked, attempt) == "done"
    paths = [secret, Path("../secret"), Path("to-secret"), Path("to-above/secret"), Path("/proc/self/environ")]
    for path in paths:
        assert behind(lambda: os.chdir(trapped), path.read_bytes) == "done", "the attempt is honest"
        assert behind(landlocked, path.read_bytes) == "PermissionError"
    for change in (
        lambda: Path("new").write_text("x"),
        lambda: Path("a").write_text("x"),
        lambda: Path("a").unlink(),
        lambda: Path("a").rename("b"),
        lambda: os.link("a", "b"),
        lambda: Path("made").mkdir(),
        lambda: list(Path("..").iterdir()),
        lambda: os.truncate("a", 0),
        lambda: os.execv("/bin/true", ["true"]),
    ):
        assert behind(landlocked, change) == "PermissionError"


def test_seccomp_alone_keeps_a_child_from_writing(trapped):
    if not detect_level().uses_seccomp:
        pytest.skip("no seccomp here")

    def fence():
        os.chdir(trapped)
        seccomp.install(opens_files=True)

    for welcome in (lambda: Path("a").read_text(), lambda: list(Path().iterdir()), lambda: Path("a").stat()):
        assert behind(fence, welcome) == "done"
    for change in (
        lambda: Path("new").write_text("x"),
        lambda: os.open("a", os.O_RDWR),
        lambda: os.open("a", os.O_RDONLY | os.O_PATH),
        lambda: os.open(".", os.O_TMPFILE | os.O_RDWR),
        lambda: Path("a").unlink(),
        lambda: Path("made").mkdir(),
        lambda: os.truncate("a", 0),
        lambda: os.chdir("/"),
        os.fork,
        socket.socket,
    ):
        assert behind(fence, change) == "PermissionError"


def test_landlock_alone_in_a_pool(case_pool, case, trapped, secret):
    with DecoderPool(PROBE, case_task=CASE_PROBE, limits=SMALL, level=Level.LANDLOCK, allow_unsafe=True) as half:
        assert half.run_case({"order": "text a"}, folder=case).report == {"text": "first"}
        assert half.run_case({"order": f"text {secret}"}, folder=case).refusal
        assert half.run_case({"order": "write a"}, folder=case).refusal
        assert half.run_case({"order": "socket AF_INET"}, folder=case).refusal is None
