"""The unprivileged account that PostgreSQL runs under when Medtheca is started as root.

PostgreSQL refuses to run as root. The account is a bare number that no other program uses, needs no entry
in the password file, and owns the database folder and nothing else. It need not be able to enter the folders
above: the server reaches its cluster through its own working directory (see `cluster.as_seen`), so
the data folder can stay closed to others, and may lie in `/root`.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from medtheca.config.processes.errors import CannotRun

# Numbers that distributions, systemd and container engines leave unused.
_FREE_NUMBERS = range(60613, 60706)


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a server process runs as: numbers of user and group."""

    user: int
    group: int


def account_for(cluster: Path) -> Account | None:
    """The account to run this cluster's server under; None: as ourselves.

    Raises `CannotRun` when the cluster belongs to somebody else and we may not change that.
    """
    owner = cluster.stat() if cluster.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner.st_uid != os.geteuid():
            raise CannotRun(
                f"The database folder {cluster} belongs to user number {owner.st_uid}. "
                "Start Medtheca as that user, or as root."
            )
        return None
    if owner is not None and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    number = next(number for number in _FREE_NUMBERS if not _is_taken(number))
    return Account(number, number)


def check_own_name() -> None:
    """Raise `CannotRun` when we have no entry in the password file, without which `initdb` makes nothing."""
    if not _is_taken(os.geteuid()):
        raise CannotRun(
            f"This process runs as user number {os.geteuid()}, which has no entry in /etc/passwd; PostgreSQL "
            "cannot make a database then. Add an entry, start as another user, or set DATABASE_URL."
        )


def bootstrap_account() -> Account:
    """An account with an entry in the password file: `initdb` insists on one, the server does not."""
    entries = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    if not entries:
        raise CannotRun(
            "PostgreSQL refuses to run as root, and this machine has no other account. "
            "Add one (useradd --system medtheca), or set DATABASE_URL to a PostgreSQL server of your own."
        )
    chosen = next((entry for entry in entries if entry.pw_name == "nobody"), entries[0])
    return Account(chosen.pw_uid, chosen.pw_gid)


def give_to(account: Account | None, folder: Path) -> None:
    """Make `account` the owner of a folder and all that is in it."""
    if account is None:
        return
    # By open folders, not by names: whoever owned them before could swap a name for a link while we are at it.
    for _parent, _folders, files, handle in os.fwalk(folder):
        os.fchown(handle, account.user, account.group)
        for name in files:
            os.chown(name, account.user, account.group, dir_fd=handle, follow_symlinks=False)


def _is_taken(number: int) -> bool:
    try:
        pwd.getpwuid(number)
    except KeyError:
        return False
    return True
