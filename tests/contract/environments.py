"""Third-party programs that our tests ask live in environments of their own, on the Python they need."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

NEWEST_PYTHON = 16


LOCKS = Path(__file__).parent / "locks"


def environment_with(requirement: str, *, python: tuple[int, int], beside: tuple[str, ...] = ()) -> Path:
    """The interpreter of a cached environment that has `name==version`, on Python `python` or newer.

    `beside` are requirements that it needs and does not ask for. Where `locks` has a file of that name, everything in
    the environment is what that says, by its hashes.

    Skips the test, saying why, where there is no such Python or no package index; fails it with MEDTHECA_CI=1.
    """
    interpreter = find_python(python)
    if interpreter is None:
        give_up(f"{requirement} needs Python {python[0]}.{python[1]} or newer, and none was found.")
    version = _version(interpreter)
    name = requirement.replace("==", "-")
    folder = Path(tempfile.gettempdir()) / f"medtheca-contract-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        give_up(f"{folder} belongs to somebody else.")
    lock_file = LOCKS / f"{name}.lock"
    wanted: tuple[str, ...] = (requirement, *beside)
    if lock_file.exists():
        name += f"-{hashlib.sha256(lock_file.read_bytes()).hexdigest()[:8]}"
        wanted = ("--require-hashes", "-r", str(lock_file))
    home = folder / f"{name}-py{version[0]}.{version[1]}"
    with (folder / f"{home.name}.lock").open("w") as lock:
        # Two test runs must not build one environment at once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "ready").exists():
            _build(interpreter, home, requirement, wanted)
    return home / "bin" / "python"


def find_python(oldest: tuple[int, int]) -> str | None:
    """Our own Python, one on the PATH, or one that pyenv keeps off it."""
    names = [f"python3.{minor}" for minor in range(NEWEST_PYTHON, oldest[1] - 1, -1)]
    found = [path for name in names if (path := shutil.which(name))]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    kept = [str(path) for path in sorted(pyenv.glob("3.*/bin/python3"), reverse=True)]
    return next((path for path in [sys.executable, *found, *kept] if _version(path) >= oldest), None)


def _version(interpreter: str) -> tuple[int, int]:
    code = "import sys; print(*sys.version_info[:2])"
    answer = subprocess.run([interpreter, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    # A pyenv shim for a version that is not chosen exists and answers with an error.
    if answer.returncode:
        return (0, 0)
    major, minor = answer.stdout.split()
    return int(major), int(minor)


def _build(interpreter: str, home: Path, requirement: str, wanted: tuple[str, ...]) -> None:
    shutil.rmtree(home, ignore_errors=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    steps = (
        [interpreter, "-m", "venv", str(home)],
        [*pip, "--retries", "1", "--timeout", "20", *wanted],
    )
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, timeout=280, check=False)
        if done.returncode:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:]
            give_up(f"No environment for {requirement}: {' '.join(last)}")
    (home / "ready").touch()


def give_up(reason: str) -> None:
    if os.environ.get("MEDTHECA_CI") == "1":
        pytest.fail(f"{reason} With MEDTHECA_CI=1 this test is mandatory.")
    pytest.skip(reason)
