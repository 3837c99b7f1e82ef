"""Folders of cases are for decoders, who as root's children are nobody."""

import fcntl
import os
import stat
import time

import pytest

from medtheca.domains.storage.bundles import Part
from medtheca.domains.storage.erasing import erase_bytes
from medtheca.domains.storage.layout import laid_out, sweep_layouts
from medtheca.domains.storage.upkeep import run_upkeep
from medtheca.toolkit.images.case_folders import folder_of
from tests.factories.layouts import leave_laid_out
from tests.factories.storage import keep

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data")]


@pytest.fixture
def _alone():
    """The umask of `medtheca up` and of all that it starts."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def modes(folder):
    return {path.relative_to(folder).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}


@pytest.mark.usefixtures("_alone")
def test_folders_are_open_to_decoders_whatever_the_umask():
    parts = [Part("slide.mrxs", keep(b"stub")), Part("slide/deep/Data0000.dat", keep(b"data"))]
    with laid_out(parts) as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755
        found = modes(folder)
    assert [found["slide"], found["slide/deep"]] == [0o755, 0o755]
    if os.geteuid() == 0:
        assert found["slide.mrxs"] & found["slide/deep/Data0000.dat"] & 0o004


@pytest.mark.usefixtures("_alone")
def test_so_are_those_of_dry_runs(tmp_path):
    (tmp_path / "given").write_bytes(b"data")
    with folder_of([("slide/deep/Data0000.dat", tmp_path / "given")], scratch=tmp_path) as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755
        found = modes(folder)
    assert [found["slide"], found["slide/deep"]] == [0o755, 0o755]
    if os.geteuid() == 0:
        assert found["slide/deep/Data0000.dat"] & 0o004


def test_a_folder_in_use_stays_however_old_it_is(data):
    parts = [Part("slide.svs", keep(b"stub"))]
    with laid_out(parts) as folder:
        assert sweep_layouts(older_than=time.time() + 1000) == 0
        assert (folder / "slide.svs").read_bytes() == b"stub"
    assert list((data / "cases").iterdir()) == []


def test_what_a_killed_worker_left_goes_with_the_next_upkeep(data):
    parts = [Part("slide.svs", keep(b"stub"))]
    leave_laid_out(parts)
    with laid_out(parts) as folder:
        assert len(list((data / "cases").iterdir())) == 2
        assert run_upkeep().layouts == 1
        assert list((data / "cases").iterdir()) == [folder]


def test_without_locks_only_what_is_old_is_left(data, monkeypatch):
    leave_laid_out([Part("slide.svs", keep(b"stub"))])

    def refuse(*_):
        raise OSError("no locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert sweep_layouts(older_than=time.time() - 1000) == 0
    assert len(list((data / "cases").iterdir())) == 1
    with laid_out([Part("slide.svs", keep(b"stub"))]) as folder:
        assert (folder / "slide.svs").exists()
    assert sweep_layouts(older_than=time.time() + 1000) == 1


def test_erased_bytes_do_not_stay_where_a_killed_worker_laid_them_out(data):
    blob = keep(b"of a patient")
    leave_laid_out([Part("scan.nii", blob)])
    (left,) = (data / "cases").glob("*/scan.nii")
    assert left.read_bytes() == b"of a patient"
    assert erase_bytes(sha256s=[blob.sha256]).gone == (blob.sha256,)
    assert list((data / "cases").iterdir()) == []
