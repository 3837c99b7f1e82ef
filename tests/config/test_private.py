"""What lies in the data folder is the owner's alone, and nobody makes root write or signal elsewhere."""

import os
import signal
import stat
import subprocess
import sys
import time

import pytest

from medtheca.config.processes import cluster, inspection
from medtheca.config.processes.account import Account, give_to

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files away")
SOMEBODY = Account(60613, 60613)


def test_a_new_data_folder_is_closed_to_others_whatever_the_umask(tmp_path):
    folder = tmp_path / "new" / "data"
    subprocess.run(
        ["sh", "-c", 'umask 022; exec "$0" -c "import medtheca.config.settings"', sys.executable],
        env=os.environ
        | {"MEDTHECA_DATA": str(folder), "DATABASE_URL": "postgresql:///none", "MEDTHECA_SECRET_KEY": ""},
        check=True,
    )
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "secret.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["postgresql.conf", "pg_hba.conf"])
def test_settings_are_not_written_through_a_planted_link(tmp_path, name):
    victim = tmp_path / "victim"
    victim.write_text("still here")
    folder = tmp_path / "cluster"
    folder.mkdir()
    (folder / f"{name}.new").symlink_to(victim)
    cluster.write_settings(folder, account=None, durable=True)
    assert victim.read_text() == "still here"
    assert not (folder / name).is_symlink()
    assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


@as_root
def test_giving_a_folder_away_gives_nothing_behind_its_links(tmp_path):
    victim = tmp_path / "victim"
    (victim / "inside").mkdir(parents=True)
    (victim / "file").write_text("x")
    folder = tmp_path / "given"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "own").write_text("x")
    (folder / "link").symlink_to(victim)
    (folder / "deep" / "file").symlink_to(victim / "file")
    give_to(SOMEBODY, folder)
    assert {path.stat().st_uid for path in (folder, folder / "deep", folder / "deep" / "own")} == {SOMEBODY.user}
    assert {path.stat().st_uid for path in (victim, victim / "inside", victim / "file")} == {0}


def test_a_number_that_has_gone_to_a_stranger_is_let_be():
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        inspection.signal_all([stranger.pid], signal.SIGKILL, still=list)
        time.sleep(0.2)
        assert stranger.poll() is None
        inspection.signal_all([stranger.pid], signal.SIGKILL, still=lambda: [stranger.pid])
        assert stranger.wait(10) == -signal.SIGKILL
    finally:
        stranger.kill()
        stranger.wait()
    inspection.signal_all([stranger.pid], signal.SIGKILL)
