"""A decoder of cases that does as its options say, also what one would do that a hostile file has taken over."""

import contextlib
import ctypes
import mmap
import os
import signal
import struct
import time
from pathlib import Path

import numpy as np

from medtheca.toolkit.errors import Refused
from tests.toolkit.sandbox import probe

CHANNEL, PROGRESS, FIRST_OUTPUT = 3, 6, 7


def run(folder, outputs, options, progress):
    """Obey `options["order"]`: its first word names a function here, or one of the probe of files."""
    word, _, argument = options["order"].partition(" ")
    if function := globals().get(f"do_{word}"):
        return function(argument, folder, outputs, progress) or {}
    report, _ = getattr(probe, f"do_{word}")(argument) or ({}, {})
    return report


def map_all(folder):
    """Every file beneath, mapped, as readers do."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            file.seek(0, 2)
            yield memoryview(mmap.mmap(file.fileno(), file.tell(), access=mmap.ACCESS_READ))


# -- welcome


def do_read(argument, folder, outputs, progress):
    """What is in the folder, and what it holds."""
    names = sorted(os.fsencode(path.relative_to(folder)).hex() for path in folder.rglob("*") if path.is_file())
    size = sum(len(path.read_bytes()) for path in folder.rglob("*") if path.is_file())
    return {"names": names[:10], "count": len(names), "bytes": size}


def do_names(argument, folder, outputs, progress):
    return {"names": sorted(path.name for path in Path(argument).iterdir())}


def do_text(argument, folder, outputs, progress):
    return {"text": (folder / argument).read_text()}


def do_ask(argument, folder, outputs, progress):
    """The calls about paths that libraries make."""
    path = folder / argument
    facts = path.stat()
    return {
        "size": facts.st_size,
        "lstat": path.lstat().st_size,
        "readable": os.access(path, os.R_OK),
        "here": bool(Path.cwd()),
        "folder": folder.is_dir() and (folder / "link").readlink() == Path(argument),
        "scanned": sum(entry.is_file() for entry in os.scandir(folder)),
    }


def do_map(argument, folder, outputs, progress):
    """Map all files twice; look at each of the pages of the first megabytes."""
    views = [*map_all(folder), *map_all(folder)]
    return {
        "mapped": sum(map(len, views)),
        "sum": sum(int(np.frombuffer(view, "u1")[:10_000_000].sum()) for view in views),
    }


def do_write_outputs(argument, folder, outputs, progress):
    """Fill all outputs with so many bytes each, front and back, and read them again."""
    for name, file in outputs.items():
        file.seek(int(argument) - 4)
        file.write(b"tail")
        file.seek(0)
        file.write(name.encode())
        file.flush()
        os.fsync(file.fileno())
        file.seek(0)
        assert file.read(len(name.encode())) == name.encode()


def do_map_output(argument, folder, outputs, progress):
    """Write through a mapping, as numpy.memmap does."""
    (file,) = outputs.values()
    file.truncate(int(argument))
    with mmap.mmap(file.fileno(), int(argument)) as mapped:
        mapped[-4:] = b"tail"
        mapped.flush()


def do_array_to_file(argument, folder, outputs, progress):
    """NumPy writes by itself, and loses the number of an error."""
    (file,) = outputs.values()
    np.zeros(int(argument), "u1").tofile(file)


def do_progress(argument, folder, outputs, progress):
    for i in range(1, 11):
        progress(i / 10)
        time.sleep(float(argument))
    return {"done": True}


def do_linger(argument, folder, outputs, progress):
    """Tell who we are, stay a while, and tell when that was."""
    start = time.monotonic()
    for file in outputs.values():
        file.write(f"{os.getpid()}\n".encode())
        file.flush()
    time.sleep(float(argument))
    return {"pid": os.getpid(), "start": start, "end": time.monotonic()}


def do_linger_told(argument, folder, outputs, progress):
    """As `linger`, with progress once the number is there."""
    (file,) = outputs.values()
    file.write(f"{os.getpid()}\n".encode())
    file.flush()
    progress(0.5)
    time.sleep(float(argument))


def do_refuse_case(argument, folder, outputs, progress):
    raise Refused("picture_flat", "The picture has no second dimension.", "Upload a picture.")


def do_raise_case(argument, folder, outputs, progress):
    raise ValueError("Jane^Doe was born in 1970")


def do_open_missing(argument, folder, outputs, progress):
    (folder / "Jane^Doe.dcm").read_bytes()


# -- forbidden: each of these must raise behind the fence


def do_make(argument, folder, outputs, progress):
    os.close(os.open(folder / "made", os.O_RDONLY | os.O_CREAT, 0o666))


def do_open_with(argument, folder, outputs, progress):
    """Open a file of the folder with these flags."""
    path, flags = argument.split()
    os.close(os.open(folder / path, int(flags, 0)))


def do_rename(argument, folder, outputs, progress):
    (folder / argument).rename(folder / "renamed")


def do_link(argument, folder, outputs, progress):
    os.link(folder / argument, folder / "linked")


def do_symlink(argument, folder, outputs, progress):
    (folder / "pointer").symlink_to(argument)


def do_mkdir(argument, folder, outputs, progress):
    (folder / "made").mkdir()


def do_chmod(argument, folder, outputs, progress):
    (folder / argument).chmod(0o777)


def do_truncate(argument, folder, outputs, progress):
    os.truncate(folder / argument, 0)


def do_overwrite(argument, folder, outputs, progress):
    """A file that was opened for reading is not for writing."""
    with (folder / argument).open("rb") as file:
        os.pwrite(file.fileno(), b"x", 0)


def do_reopen_output(argument, folder, outputs, progress):
    Path(f"/proc/self/fd/{FIRST_OUTPUT}").read_bytes()


def do_memory_of(argument, folder, outputs, progress):
    with Path(f"/proc/{argument}/mem").open("rb") as memory:
        memory.read(1)


def do_grow_progress(argument, folder, outputs, progress):
    os.ftruncate(PROGRESS, 1_000_000)


def do_write_past_progress(argument, folder, outputs, progress):
    os.pwrite(PROGRESS, bytes(1_000_000), 1_000_000)


def do_shared_memory(argument, folder, outputs, progress):
    """Memory that the limit on data would not count."""
    mmap.mmap(-1, 4096)


def do_make_executable(argument, folder, outputs, progress):
    page = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mprotect(ctypes.c_void_p(address), 4096, 7) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def do_map_executable(argument, folder, outputs, progress):
    with (folder / argument).open("rb") as file:
        mmap.mmap(file.fileno(), 1, prot=mmap.PROT_READ | mmap.PROT_EXEC, flags=mmap.MAP_PRIVATE)


def do_call_with_path(argument, folder, outputs, progress):
    """A raw call; the word PATH stands for the path of a file of the folder."""
    path = ctypes.create_string_buffer(b"a")
    number, *values = argument.replace("PATH", hex(ctypes.addressof(path))).split()
    return probe.do_call(" ".join([number, *values]))[0]


# -- too much


def do_eat(argument, folder, outputs, progress):
    """Take so much memory, in pieces, and touch it."""
    pieces = [np.ones(10_000_000, "u1") for _ in range(int(argument) // 10_000_000)]
    return {"taken": sum(piece.nbytes for piece in pieces)}


def do_deaf_spin(argument, folder, outputs, progress):
    """Spin and ignore the signal that says that the time is up."""
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    probe.do_spin("")


def do_open_many(argument, folder, outputs, progress):
    with contextlib.ExitStack() as stack:
        return {"open": len([stack.enter_context((folder / "a").open("rb")) for _ in range(int(argument))])}


def do_fill_slowly(argument, folder, outputs, progress):
    """Each output alone is within the limit."""
    while True:
        for file in outputs.values():
            if file.seek(0, 2) < int(argument):
                file.write(bytes(100_000))
                file.flush()
        time.sleep(0.01)


def do_seek_far(argument, folder, outputs, progress):
    (file,) = outputs.values()
    file.truncate(int(argument))


def do_claim_full(argument, folder, outputs, progress):
    raise OSError(28, "No space left on device")


def do_garbage(argument, folder, outputs, progress):
    """Progress that is none."""
    values = [float("nan"), float("inf"), -1.0, 2.0, 1e300, 0.5, 0.25, -float("inf")]
    for value in values:
        progress(value)
        # The only one that is to be told stays long enough for an owner whose machine stands still for a moment.
        time.sleep(2 if value == 0.5 else 0.3)
    for raw in (b"\xff" * 8, b"\x01", b"\x00" * 7 + b"\xf0", struct.pack("=q", 1)):
        os.pwrite(PROGRESS, raw, 0)
        time.sleep(0.3)


def do_storm(argument, folder, outputs, progress):
    """Progress without end."""
    end = time.monotonic() + float(argument)
    count = 0
    while time.monotonic() < end:
        count += 1
        progress(min(1.0, count / 10_000_000))
    return {"count": count}


def do_trickle(argument, folder, outputs, progress):
    """An answer that comes byte by byte and never ends."""
    while True:
        os.write(CHANNEL, b"\x00")
        time.sleep(0.01)


def do_late_write(argument, folder, outputs, progress):
    """Answer well, and go on writing."""
    (file,) = outputs.values()
    file.truncate(1000)
    mapped = mmap.mmap(file.fileno(), 1000)
    os.write(CHANNEL, b"\x00\x00\x00\x02{}")
    while True:
        mapped[:] = os.urandom(1000)
