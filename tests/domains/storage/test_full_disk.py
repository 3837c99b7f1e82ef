import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from medtheca.domains.storage.reserve import ensure_reserve, release_reserve, release_reserve_when_full

RESERVE = 4 << 20
ROOT = Path(__file__).parents[3]


def namespace():
    """The command that runs another with mounts of its own, or a skip that says why there is none."""
    if not sys.platform.startswith("linux") or shutil.which("unshare") is None:
        pytest.skip("no mount namespaces on this system")
    command = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--user", "--map-root-user"]
    probe = subprocess.run(
        [*command, "mount", "-t", "tmpfs", "none", "/mnt"], check=False, capture_output=True, text=True
    )
    if probe.returncode:
        pytest.skip(f"the system refuses a mount namespace: {probe.stderr.strip()}")
    return command


def url():
    """Address of the test's own database, for another process."""
    parameters = connection.get_connection_params()
    head, _, tail = os.environ["DATABASE_URL"].partition("?")
    return f"{head.rpartition('/')[0]}/{parameters['dbname']}" + (f"?{tail}" if tail else "")


@pytest.mark.django_db(transaction=True)
def test_a_full_disk_ends_in_refusals_and_heals_by_itself(tmp_path, alice):
    done = subprocess.run(
        [*namespace(), sys.executable, Path(__file__).with_name("full_disk.py"), tmp_path / "disk"],
        env={**os.environ, "DATABASE_URL": url(), "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)

    assert told["reserve_made"]
    assert told["kept"] == told["rows"] > 20
    # Refused before the reserve was touched, and no earlier than one file before it.
    assert RESERVE - 400_000 <= told["free_at_refusal"] <= RESERVE + 400_000
    assert told["upload_refused"]
    assert told["uploads"] == 0
    assert told["stream_refused"]
    assert told["staging"] == 0

    assert told["free_when_full"] < 4096
    assert told["enospc_refused"]
    assert told["staging_after_enospc"] == 0
    assert told["released_unasked"] == RESERVE // 2
    assert told["free_after_release"] >= RESERVE // 2
    assert told["reserve_while_short"] is False

    assert told["works_again"]
    assert told["reserve_again"]
    assert told["released_by_hand"] == RESERVE // 2
    assert told["clean_when_refusing"]
    assert told["clean_when_full"]
    assert told["clean_at_the_end"]


def test_the_reserve_takes_real_blocks_and_follows_the_setting(tmp_path):
    assert ensure_reserve(tmp_path, disk_reserve=2 << 20)
    ballast = tmp_path / "reserve"
    assert ballast.stat().st_size == 1 << 20
    assert ballast.stat().st_blocks * 512 >= 1 << 20
    assert ensure_reserve(tmp_path, disk_reserve=4 << 20)
    assert ballast.stat().st_size == 2 << 20
    assert ensure_reserve(tmp_path, disk_reserve=1 << 20)
    assert ballast.stat().st_size == 1 << 19
    assert release_reserve_when_full(tmp_path, needed=1) == 0
    assert release_reserve(tmp_path) >= 1 << 19
    assert release_reserve(tmp_path) == 0


def test_no_reserve_is_made_where_it_would_take_the_last_space(tmp_path):
    more_than_there_is = shutil.disk_usage(tmp_path).total * 2
    assert not ensure_reserve(tmp_path, disk_reserve=more_than_there_is)
    assert not (tmp_path / "reserve").exists()
