"""A decoder that does as its file says: what a hostile picture would do if it had taken a decoder over."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from medtheca.toolkit.errors import Refused

LATE = []


def run(data, options):
    """Obey the file: its first word names a function below, the rest is its argument."""
    word, _, argument = bytes(data).decode().partition(" ")
    report, parts = globals()[f"do_{word}"](argument) or ({}, {})
    return {"word": word, **report, "option": options.get("colour")}, parts


def not_a_task(data, options):
    return ["a list is no report"], {}


def measure(data, options):
    """How long the file is, without reading it."""
    return {"size": len(data)}, {}


# -- welcome


def do_echo(argument):
    return {"size": len(argument), "pid": os.getpid()}, {"text": argument.encode(), "none": b""}


def do_array(argument):
    array = np.arange(int(argument), dtype="<u2")
    return {"sum": int(array.sum())}, {"array": array}


def do_product(argument):
    square = np.ones((300, 300)) @ np.ones((300, 300))
    return {"sum": float(square.sum())}, {}


def do_keep(argument):
    LATE.append(np.ones(int(argument), dtype=np.uint8))
    return {"kept": len(LATE)}, {}


def do_refuse(argument):
    raise Refused("picture_flat", "The picture \ud800 has no second dimension.", "Upload a picture.")


def do_raise(argument):
    raise ValueError(f"marker \x1b[31m\0 {argument}")


# -- forbidden: each of these must raise behind the fence


def do_open(argument):
    Path(argument).read_bytes()


def do_stat(argument):
    Path(argument).stat()


def do_list(argument):
    list(Path(argument).iterdir())


def do_write(argument):
    Path(argument).write_bytes(b"x")


def do_remove(argument):
    Path(argument).unlink()


def do_chdir(argument):
    os.chdir(argument)


def do_socket(argument):
    socket.socket(getattr(socket, argument)).close()


def do_connect(argument):
    with socket.socket() as client:
        client.connect(("127.0.0.1", int(argument)))


def do_pair(argument):
    socket.socketpair()


def do_exec(argument):
    os.execv("/bin/true", ["true"])


def do_subprocess(argument):
    subprocess.run(["/bin/true"], check=True)


def do_fork(argument):
    if os.fork() == 0:
        os._exit(0)


def do_thread(argument):
    import _thread

    _thread.start_new_thread(print, ())


def do_kill(argument):
    os.kill(os.getppid() if argument == "parent" else int(argument), signal.SIGKILL)


def do_signal_zero(argument):
    os.kill(int(argument), 0)


def do_memfd(argument):
    os.memfd_create("code")


def do_pipe(argument):
    os.pipe()


def do_limits(argument):
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (1000, 1000))


def do_root(argument):
    os.setuid(0)


def do_executable_memory(argument):
    import mmap

    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)


def do_call(argument):
    """A raw call, for what Python has no function for: "number argument ..."."""
    number, *values = (int(value, 0) for value in argument.split())
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(value) for value in values))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return {"result": result}, {}


def do_pass_descriptor(argument):
    socket.send_fds(socket.socket(fileno=3), [b"x"], [0])


# -- deadly


def do_memory(argument):
    pieces = []
    while True:
        pieces.append(np.ones(10_000_000, dtype=np.uint8))


def do_spin(argument):
    while True:
        pass


def do_hang(argument):
    while True:
        time.sleep(60)


def do_hang_once(argument):
    """Hang in a child that has served before; a fresh one is well."""
    if LATE:
        do_hang("")
    return {"fresh": True}, {}


def do_segfault(argument):
    ctypes.string_at(0)


def do_abort(argument):
    os.abort()


def do_exit(argument):
    os._exit(int(argument))


def do_raise_exit(argument):
    sys.exit(0)


def do_recurse(argument):
    do_recurse(argument)


def do_shadow_recurse(argument):
    """Recursion in C, which no counter of Python's stops."""
    sys.setrecursionlimit(10**9)
    nested = []
    for _ in range(1_000_000):
        nested = [nested]
    hash(repr(nested))


def do_print(argument):
    for _ in range(1000):
        os.write(1, b"x" * 1000)
        os.write(2, b"x" * 1000)


def do_flood(argument):
    """Write rubbish to the channel without end."""
    while True:
        os.write(3, argument.encode() * 10_000)


def do_raw(argument):
    """Answer with bytes of one's own making, then stay."""
    os.write(3, bytes.fromhex(argument))
    do_hang("")


def do_answer_ahead(argument):
    """Answer this file, then the next one before it has come."""
    forged = json.dumps({"report": {"word": "forged", "pid": os.getpid()}, "parts": []}).encode()
    os.write(3, len(forged).to_bytes(4, "big") + forged)


def do_close(argument):
    """Hang up, and go on."""
    os.closerange(0, 16)
    do_spin("")


def do_large_part(argument):
    return {}, {"zeros": bytes(int(argument))}


def do_large_report(argument):
    return {"text": "x" * int(argument)}, {}


def do_many(argument):
    """A report of lists, each of which takes 30 times its text in memory."""
    body = b'{"report":{"a":[' + b",".join([b"[]"] * int(argument)) + b"]}}"
    frame = memoryview(len(body).to_bytes(4, "big") + body)
    while frame:
        frame = frame[os.write(3, frame) :]
    do_hang("")


def do_not_json(argument):
    return {"array": np.float32(1)}, {}


def do_nan(argument):
    return {"value": float("nan")}, {}


def do_surrogate(argument):
    return {"value": "\ud800"}, {}
