"""Blobs that are composed of ranges of others: kept once, read as any other, never without their sources."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from medtheca.base.errors import Conflict
from medtheca.domains.storage import upkeep
from medtheca.domains.storage.bundles import Part
from medtheca.domains.storage.composing import compose
from medtheca.domains.storage.enums import BlobState
from medtheca.domains.storage.erasing import erase_bytes, left_of
from medtheca.domains.storage.fixity import Condition, examine_blob, scrub_blobs
from medtheca.domains.storage.layout import laid_out
from medtheca.domains.storage.letting_go import let_go, mark_let_go
from medtheca.domains.storage.models import Blob, Composition, CompositionSource, Upload
from medtheca.domains.storage.opening import open_ranges
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.plain import make_plain
from medtheca.domains.storage.queries import blob_store, unreferenced_blobs
from medtheca.toolkit.ranges.making import Copied
from medtheca.toolkit.ranges.readers import MemoryRanges
from tests.domains.storage.composed import (
    COPIED,
    COPY,
    NOW,
    ORIGINAL,
    SIZE,
    files,
    make_pair,
    noise,
    refer,
    staging,
    sweep,
)
from tests.factories.storage import keep, keep_composed, keep_for, read, sha256_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data")]


def let_go_of(upload):
    Upload.objects.filter(pk=upload.pk).update(state="unpacked", blob=None)


def test_it_is_read_as_any_other_and_takes_no_room():
    original, copy = make_pair()
    assert (copy.sha256, copy.size) == (sha256_of(COPY), len(COPY))
    assert read(copy.sha256) == COPY
    recipe = Composition.objects.get(blob=copy).recipe
    assert files() == {original.sha256, recipe.sha256}
    assert recipe.size < 300
    assert not staging()
    file = open_ranges(copy.sha256)
    assert file.read(5, 10) == COPY[5:15]
    file.close()


def test_a_decoder_that_lies_about_what_is_copied_is_not_believed():
    original = keep(ORIGINAL)
    lie = [Copied(10, 23, SIZE)]
    assert compose(MemoryRanges(COPY), lie, source=original) is None
    assert not staging()


@pytest.mark.parametrize(
    "copies", [[Copied(10, 30, SIZE)], [Copied(100, 24, SIZE)], [Copied(10, 24, SIZE), Copied(10, 24, SIZE)]]
)
def test_nor_is_one_that_points_out_of_the_files(copies):
    assert compose(MemoryRanges(COPY), copies, source=keep(ORIGINAL)) is None
    assert not staging()


def test_it_is_not_worth_it_for_little():
    original = keep(ORIGINAL)
    small = COPY[:60_000]
    assert compose(MemoryRanges(small), [Copied(10, 24, 59_000)], source=original) is None
    mixed = COPY + noise(9, 700_000)
    assert compose(MemoryRanges(mixed), [Copied(10, 24, SIZE)], source=original) is None


def test_what_is_there_with_a_file_of_its_own_stays_so():
    original, plain = keep(ORIGINAL), keep(COPY)
    assert keep_composed(COPY, original, COPIED) == plain
    assert not Composition.objects.exists()
    assert files() == {original.sha256, plain.sha256}
    assert not staging()


def test_a_file_that_comes_in_takes_the_place_of_a_composition():
    original, copy = make_pair()
    assert keep(COPY) == copy
    assert not Composition.objects.exists()
    assert blob_store().exists(copy.sha256)
    # Nothing holds the original any more.
    assert original in unreferenced_blobs()


def test_of_both_in_one_batch_the_file_is_kept():
    original = keep(ORIGINAL)
    composed = compose(MemoryRanges(COPY), [Copied(*COPIED)], source=original)
    for order in (1, -1):
        with keeping_blobs():
            store_blobs([composed, blob_store().stage([COPY])][::order])
        assert not Composition.objects.exists()
        assert read(sha256_of(COPY)) == COPY
    assert not staging()


def test_made_twice_it_is_kept_once():
    original, copy = make_pair()
    before = files()
    assert keep_composed(COPY, original, COPIED) == copy
    assert files() == before
    assert Composition.objects.count() == CompositionSource.objects.count() == 1


def test_a_composition_of_a_composition_is_one_of_its_sources():
    original, copy = make_pair()
    third = b"another head" + COPY + b"a tail"
    last = keep_composed(third, copy, (12, 0, len(COPY)))
    assert read(last.sha256) == third
    sources = {row.source for row in CompositionSource.objects.filter(composition__blob=last)}
    assert sources == {original, Composition.objects.get(blob=copy).recipe}


def test_the_database_keeps_compositions_flat():
    original, copy = make_pair()
    other = keep(noise(5))
    with pytest.raises(IntegrityError, match="composed itself"), transaction.atomic():
        CompositionSource.objects.create(composition_id=copy.pk, source=copy)
    with pytest.raises(IntegrityError, match="cannot be composed"), transaction.atomic():
        Composition.objects.create(blob=original, recipe=other)


def test_the_database_lets_no_source_go_before_what_is_composed_of_it():
    original, copy = make_pair()
    recipe = Composition.objects.get(blob=copy).recipe
    for blob in (original, recipe):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM storage_blob WHERE id = %s", [blob.pk])
    assert read(copy.sha256) == COPY


def test_a_source_stays_while_what_is_composed_of_it_is_needed(alice):
    original, copy = make_pair()
    held = keep_for(alice, ORIGINAL)
    refer(copy, alice)
    sweep()
    assert read(copy.sha256) == COPY
    # Now only the copy is needed, which gets a file of its own.
    let_go_of(held)
    assert sweep().freed == 1
    assert files() == {copy.sha256}
    assert read(copy.sha256) == COPY
    assert set(Blob.objects.all()) == {copy}
    assert original.sha256 not in files()


def test_all_of_it_goes_when_nobody_needs_it():
    make_pair()
    swept = sweep()
    assert (swept.blobs, Blob.objects.count(), files()) == (3, 0, set())
    # Its own size was never taken.
    assert swept.bytes < len(ORIGINAL) + 400


def test_what_is_composed_goes_first_whenever_its_tombstone_was_set():
    original, copy = make_pair()
    upkeep.tombstone_unreferenced(grace=NOW)
    Blob.objects.filter(pk=copy.pk).update(tombstoned="2999-01-01T00:00Z")
    upkeep.sweep_tombstones(window=NOW)
    assert read(copy.sha256) == COPY
    assert original.sha256 in files()


def test_what_is_let_go_of_gets_its_tombstone_with_all_that_was_made_for_it():
    original, copy = make_pair()
    mark_let_go([original.pk, copy.pk])
    assert let_go() == 3


def test_a_copy_that_is_needed_again_revives_what_it_is_made_of(alice):
    original, _ = make_pair()
    upkeep.tombstone_unreferenced(grace=NOW)
    refer(keep_composed(COPY, original, COPIED), alice)
    assert not Blob.objects.exclude(state=BlobState.STORED).exists()


def test_erasing_takes_both_and_leaves_no_byte(data):
    original, copy = make_pair()
    recipe = Composition.objects.get(blob=copy).recipe
    erased = erase_bytes(sha256s=[original.sha256, copy.sha256])
    assert set(erased.gone) == {original.sha256, copy.sha256, recipe.sha256}
    assert not left_of(erased.gone)
    for path in data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"EXIFMARK" not in content
            assert noise(1)[5000:5100] not in content


def test_erasing_an_original_leaves_what_others_need_of_it(alice, data):
    original, copy = make_pair()
    theirs = keep(b"EXIF of somebody else" + noise(1))
    refer(theirs, alice)
    refer(copy, alice)
    erased = erase_bytes(sha256s=[original.sha256, copy.sha256])
    assert original.sha256 in erased.gone
    assert erased.shared == (copy.sha256,)
    assert read(copy.sha256) == COPY
    assert not any(b"EXIFMARK" in path.read_bytes() for path in data.rglob("*") if path.is_file())


def test_erasing_does_not_take_what_others_need_and_cannot_have_any_more(alice):
    original, copy = make_pair()
    refer(copy, alice)
    blob_store().path(original.sha256).write_bytes(bytes(len(ORIGINAL)))
    with pytest.raises(Conflict, match="hold other bytes") as found:
        erase_bytes(sha256s=[original.sha256])
    assert found.value.code == "damaged"
    # The image it belongs to is made again, from an original of its own.
    theirs = keep(b"EXIF of somebody else" + noise(1))
    scrub_blobs()
    keep_composed(COPY, theirs, (10, 21, SIZE))
    assert original.sha256 in erase_bytes(sha256s=[original.sha256]).gone
    assert read(copy.sha256) == COPY


def test_erasing_by_name_takes_the_recipe_along_and_stops_at_what_is_needed(alice):
    original, copy = make_pair()
    upload = refer(copy, alice)
    with pytest.raises(Conflict, match="still in use"):
        upkeep.erase_blobs(sha256s=[original.sha256], actor_id=None, reason="asked")
    let_go_of(upload)
    upkeep.erase_blobs(sha256s=[original.sha256], actor_id=None, reason="asked")
    assert not files()
    assert not Blob.objects.exists()


def test_rot_in_a_source_is_found_through_what_is_composed_of_it():
    original, copy = make_pair()
    assert examine_blob(copy.sha256, copy.size) is None
    path = blob_store().path(original.sha256)
    content = bytearray(path.read_bytes())
    content[100_000] ^= 1
    path.write_bytes(content)
    finding = examine_blob(copy.sha256, copy.size)
    assert finding.condition is Condition.DIFFERS
    assert "composed of others" in finding.words
    report = scrub_blobs()
    assert {each.sha256 for each in report.findings} == {original.sha256, copy.sha256}
    original.refresh_from_db()
    copy.refresh_from_db()
    assert (original.state, copy.state) == (BlobState.QUARANTINED, BlobState.STORED)
    # The right bytes come back, and with them everything made of them.
    keep(ORIGINAL)
    assert scrub_blobs().clean
    assert read(copy.sha256) == COPY


@pytest.mark.parametrize("which", ["source", "recipe"])
def test_what_is_missing_is_named(which):
    original, copy = make_pair()
    lost = original if which == "source" else Composition.objects.get(blob=copy).recipe
    blob_store().path(lost.sha256).unlink()
    finding = examine_blob(copy.sha256, copy.size)
    assert finding.condition is Condition.MISSING
    assert lost.sha256 in finding.words
    with pytest.raises(FileNotFoundError):
        open_ranges(copy.sha256)


def test_a_damaged_recipe_is_healed_by_making_it_again():
    original, copy = make_pair()
    recipe = Composition.objects.get(blob=copy).recipe
    path = blob_store().path(recipe.sha256)
    path.write_bytes(path.read_bytes()[:-3])
    assert not scrub_blobs().clean
    keep_composed(COPY, original, COPIED)
    assert scrub_blobs().clean
    assert read(copy.sha256) == COPY


def test_it_can_be_given_a_file_of_its_own():
    _, copy = make_pair()
    make_plain(copy)
    assert blob_store().path(copy.sha256).read_bytes() == COPY
    assert not Composition.objects.exists()
    make_plain(copy)
    assert not staging()


def test_decoders_are_given_a_copy():
    _, copy = make_pair()
    with laid_out([Part("folder/image.jpg", copy)]) as folder:
        path = folder / "folder" / "image.jpg"
        assert path.read_bytes() == COPY
        assert path.stat().st_mode & 0o004
    assert not list(folder.parent.iterdir())


def test_a_file_under_its_name_that_no_row_knows_is_a_stray(alice):
    original, copy = make_pair()
    refer(copy, alice)
    refer(original, alice)
    store = blob_store()
    store.commit([store.stage([COPY])])
    assert sweep().strays == 1
    assert not store.exists(copy.sha256)
    assert read(copy.sha256) == COPY


def test_who_is_gone_when_it_is_to_be_stored_leaves_nothing():
    original = keep(ORIGINAL)
    staged = compose(MemoryRanges(COPY), [Copied(*COPIED)], source=original)
    erase_bytes(sha256s=[original.sha256])
    with keeping_blobs():
        assert store_blobs([staged]) == {}
    assert not Composition.objects.exists()
    sweep()
    assert not files()


class Remote:
    """A store whose blobs have no files here: they are read by ranges, from anywhere."""

    def __init__(self, store):
        self._store = store
        self.asked = []

    def __getattr__(self, name):
        return getattr(self._store, name)

    def ranges(self, sha256):
        remote = self

        class Object(MemoryRanges):
            def read(self, offset, count):
                remote.asked.append((sha256, offset, count))
                return super().read(offset, count)

        with self._store.open(sha256) as file:
            return Object(file.read())


def test_a_store_without_files_gives_the_same(monkeypatch):
    remote = Remote(blob_store())
    for module in ("composing", "opening"):
        monkeypatch.setattr(f"medtheca.domains.storage.{module}.blob_store", lambda: remote)
    original, copy = make_pair()
    remote.asked.clear()
    file = open_ranges(copy.sha256)
    assert file.read(5, 20_000) == COPY[5:20_005]
    assert (original.sha256, 24, 19_995) in remote.asked
    # Several sources at once, as what is composed of a composed one has.
    third = b"another head" + COPY
    assert read(keep_composed(third, copy, (12, 0, len(COPY))).sha256) == third


def test_two_that_make_the_same_at_once_make_it_once():
    others = [keep(noise(f"head {number}", 30) + noise(1)) for number in range(4)]
    begin, faults = threading.Barrier(5), []

    def store(number):
        try:
            if number < 4:
                item = compose(MemoryRanges(COPY), [Copied(10, 30, SIZE)], source=others[number])
            else:
                item = blob_store().stage([COPY])
            begin.wait()
            with keeping_blobs():
                store_blobs([item])
        except BaseException as error:  # noqa: BLE001 - told to the test, whatever it is
            faults.append(error)
        finally:
            connection.close()

    for _ in range(3):
        threads = [threading.Thread(target=store, args=(number,)) for number in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults
        assert read(sha256_of(COPY)) == COPY
        assert Composition.objects.count() <= 1
        # Somebody stored the file, so at the latest now it has one of its own.
        assert blob_store().exists(sha256_of(COPY))
        assert not staging()
        Blob.objects.filter(sha256=sha256_of(COPY)).delete()
        blob_store().delete(sha256_of(COPY))
