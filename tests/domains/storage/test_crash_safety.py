"""The store against a dictionary: whatever is interleaved, and wherever the process dies, nothing kept is lost.

A crash is an exception at the n-th step out of the process; see `dying`.
"""

import contextlib
from datetime import timedelta

import hypothesis.strategies as st
import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from medtheca.domains.accounts.models import User
from medtheca.domains.storage import upkeep
from medtheca.domains.storage.enums import BlobState, UploadState
from medtheca.domains.storage.fixity import scrub_blobs
from medtheca.domains.storage.models import Blob, Upload
from medtheca.domains.storage.queries import blob_store
from tests.domains.storage.dying import PATCHED, SHIM, Killed, die
from tests.factories.storage import keep, keep_for, read, sha256_of

NOW = timedelta(0)
CONTENTS = st.sampled_from([f"content {number}".encode() for number in range(5)])
# None: no crash. Larger numbers than an operation has steps are no crash either.
CRASHES = st.one_of(st.integers(min_value=1, max_value=8), st.integers(min_value=1, max_value=24), st.none())


@pytest.fixture(autouse=True)
def _shim(monkeypatch):
    for owner, name in PATCHED:
        monkeypatch.setattr(owner, name, SHIM.wrap(getattr(owner, name)))


class StoreAgainstDictionary(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.kept = {}  # content → uploads that were acknowledged

    @initialize()
    def begin(self):
        Upload.objects.all().delete()
        Blob.objects.all().delete()
        for name, _touched in list(blob_store().names()):
            blob_store().delete(name)
        User.objects.get_or_create(email="alice@example.org")

    @contextlib.contextmanager
    def crashing(self, after):
        SHIM.left = after
        try:
            with connection.execute_wrapper(SHIM.statement):
                yield
        except Killed:
            die()
            Upload.objects.exclude(pk__in=[pk for uploads in self.kept.values() for pk in uploads]).delete()
        finally:
            SHIM.left = None

    @rule(content=CONTENTS, after=CRASHES)
    def keep_with_reference(self, content, after):
        alice = User.objects.get()
        with self.crashing(after):
            upload = keep_for(alice, content)
            # Only here, after the commit, is it acknowledged.
            self.kept.setdefault(content, []).append(upload.pk)

    @rule(content=CONTENTS, after=CRASHES)
    def keep_without_reference(self, content, after):
        with self.crashing(after):
            keep(content)

    @precondition(lambda self: self.kept)
    @rule(choice=st.integers(min_value=0))
    def let_go(self, choice):
        content = sorted(self.kept)[choice % len(self.kept)]
        Upload.objects.filter(pk=self.kept[content].pop()).update(state=UploadState.UNPACKED, blob=None)
        if not self.kept[content]:
            del self.kept[content]

    @rule(after=CRASHES)
    def tombstone(self, after):
        with self.crashing(after):
            upkeep.tombstone_unreferenced(grace=NOW)

    @rule(after=CRASHES)
    def sweep(self, after):
        with self.crashing(after):
            upkeep.sweep_tombstones(window=NOW)

    @rule(after=CRASHES)
    def sweep_strays(self, after):
        with self.crashing(after):
            upkeep.sweep_strays(grace=NOW)

    @rule(content=CONTENTS, after=CRASHES)
    def erase(self, content, after):
        with self.crashing(after):
            if content in self.kept:
                with pytest.raises(upkeep.Conflict):
                    upkeep.erase_blobs(sha256s=[sha256_of(content)], actor_id=None, reason="asked")
            else:
                upkeep.erase_blobs(sha256s=[sha256_of(content)], actor_id=None, reason="asked")
                assert not blob_store().exists(sha256_of(content))

    @rule(after=CRASHES)
    def scrub(self, after):
        with self.crashing(after):
            assert scrub_blobs().clean

    @invariant()
    def what_was_acknowledged_is_there(self):
        for content in self.kept:
            assert read(sha256_of(content)) == content
            assert Blob.objects.get(sha256=sha256_of(content)).state == BlobState.STORED

    @invariant()
    def no_row_is_without_its_file(self):
        for blob in Blob.objects.all():
            assert sha256_of(read(blob.sha256)) == blob.sha256

    def teardown(self):
        upkeep.run_upkeep(tombstone_grace=NOW, sweep_window=NOW, stray_grace=NOW)
        files = {name for name, _touched in blob_store().names()}
        assert files == {sha256_of(content) for content in self.kept}
        assert not list((blob_store().path("0" * 64).parents[2] / "staging").iterdir())


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("data")
def test_nothing_kept_is_lost_and_nothing_swept_stays():
    SHIM.hits = 0
    run_state_machine_as_test(
        StoreAgainstDictionary,
        settings=settings(
            max_examples=20,
            stateful_step_count=20,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{SHIM.hits} crashes")
    assert SHIM.hits > 30
