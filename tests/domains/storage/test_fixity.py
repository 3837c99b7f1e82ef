import random
import shutil
import tracemalloc

import pytest

from medtheca.domains.ledger.models import Event
from medtheca.domains.storage.enums import BlobState
from medtheca.domains.storage.fixity import Condition, scrub_blobs, scrub_size
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store
from tests.factories.storage import keep, read, sha256_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data")]


def keep_many(count, seed):
    chance = random.Random(seed)
    with keeping_blobs():
        staged = [blob_store().stage([chance.randbytes(chance.randint(1, 9000))]) for _ in range(count)]
        return sorted(store_blobs(staged))


def flip_a_bit(sha256, chance):
    path = blob_store().path(sha256)
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def test_every_damage_is_found_by_one_scrub_and_never_served():
    """1,300 blobs of 1,500 are damaged: a bit flipped, cut short, swapped with another, deleted."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    names = keep_many(1500, seed)
    victims = chance.sample(names, 1300)
    flipped, cut, swapped, deleted = victims[:1000], victims[1000:1100], victims[1100:1200], victims[1200:]
    for name in flipped:
        flip_a_bit(name, chance)
    for name in cut:
        path = blob_store().path(name)
        path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])
    for one, other in zip(swapped[::2], swapped[1::2], strict=True):
        first, second = blob_store().path(one), blob_store().path(other)
        aside = first.with_suffix(".aside")
        first.rename(aside)
        second.rename(first)
        aside.rename(second)
    for name in deleted:
        blob_store().delete(name)

    report = scrub_blobs()

    found = {finding.sha256: finding.condition for finding in report.findings}
    assert set(found) == set(victims)
    assert {found[name] for name in deleted} == {Condition.MISSING}
    assert {found[name] for name in victims[:1200]} == {Condition.DIFFERS}
    assert report.blobs == 1500
    for name in victims:
        with pytest.raises(FileNotFoundError):
            blob_store().open(name)
    lost = set(Blob.objects.filter(state=BlobState.QUARANTINED).values_list("sha256", flat=True))
    assert lost == set(victims[:1200])
    assert set(Blob.objects.filter(verified=None).values_list("sha256", flat=True)) == set(victims)
    assert Event.objects.filter(verb="blob.quarantined").count() == 1200
    # What is lost stays reported until it is there again.
    assert len(scrub_blobs().findings) == 1300


def test_a_blob_that_is_right_again_is_released():
    one, other = b"stored anew", b"put back by hand"
    for content in (one, other):
        keep(content)
        blob_store().path(sha256_of(content)).write_bytes(b"rot")
    assert len(scrub_blobs().findings) == 2

    assert keep(one).state == BlobState.STORED  # Uploaded again: good at once.
    path = blob_store().path(sha256_of(other))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(other)
    report = scrub_blobs()
    assert report.clean
    assert report.released == [sha256_of(other)]
    assert Blob.objects.get(sha256=sha256_of(other)).state == BlobState.STORED
    assert Event.objects.filter(verb="blob.released").count() == 1


def test_bytes_in_quarantine_that_read_right_are_put_back():
    """A disk or memory that read wrongly once."""
    content = b"read wrongly once"
    blob = keep(content)
    blob_store().quarantine(blob.sha256)
    Blob.objects.update(state=BlobState.QUARANTINED)
    report = scrub_blobs()
    assert report.clean
    assert report.released == [blob.sha256]
    assert read(blob.sha256) == content


def test_good_bytes_that_arrive_during_the_scrub_are_not_taken_for_the_bad(monkeypatch):
    content = b"uploaded again this moment"
    blob = keep(content)
    blob_store().path(blob.sha256).write_bytes(b"rot")
    quarantine = blob_store().quarantine

    def late(sha256):
        keep(content)
        quarantine(sha256)

    monkeypatch.setattr(blob_store(), "quarantine", late)
    assert scrub_blobs().clean
    assert read(blob.sha256) == content
    assert Blob.objects.get().state == BlobState.STORED


def test_the_longest_unverified_come_first():
    first, second, third = keep(b"1"), keep(b"2"), keep(b"3")
    assert scrub_blobs(limit=1).blobs == 1
    assert scrub_size(oldest_first=True, limit=2) == (2, 2)
    scrub_blobs(oldest_first=True, limit=2)
    verified = [Blob.objects.get(pk=blob.pk).verified for blob in (first, second, third)]
    assert None not in verified
    assert verified[0] < verified[1]


def test_memory_does_not_grow_with_the_blob():
    with keeping_blobs():
        store_blobs([blob_store().stage(bytes(1 << 20) for _ in range(64))])
    tracemalloc.start()
    try:
        report = scrub_blobs()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report.bytes == 64 << 20
    assert report.rate > 0
    assert peak < 8 << 20


def test_a_file_that_cannot_be_read_is_reported_and_left():
    blob = keep(b"a folder in its place")
    path = blob_store().path(blob.sha256)
    path.unlink()
    path.mkdir()
    (finding,) = scrub_blobs().findings
    assert finding.condition is Condition.UNREADABLE
    assert path.is_dir()
    shutil.rmtree(path)
