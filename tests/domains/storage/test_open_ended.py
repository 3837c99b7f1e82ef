"""Uploads whose parts say their own sizes: any order, any length, and what is whole is nobody's until it is taken."""

import hashlib
import os
import random
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import transaction

from medtheca.base.clock import now
from medtheca.base.errors import Conflict, Invalid, NoSpace, NotFound, TooLarge
from medtheca.domains.storage import open_ended
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.models import Upload, UploadPart
from medtheca.domains.storage.multipart import multipart_of
from medtheca.domains.storage.open_ended import (
    abort_open_upload,
    begin_open_upload,
    complete_open_upload,
    open_upload_of,
    record_open_part,
    reserve_part,
    sent_parts,
    settle_joined_files,
    take_upload,
)
from medtheca.domains.storage.queries import bytes_under_way
from medtheca.domains.storage.upkeep import UNTAKEN, UPLOAD_IDLE
from medtheca.domains.storage.uploads import part_path
from medtheca.workflows.upkeep import expire_uploads
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_user("alice")


def begin(owner, name="a.mha"):
    return begin_open_upload(owner=owner, filename=name)


def send(upload, number, data):
    """What the byte plane does with a part; its ETag."""
    owner = {"owner_id": upload.owner_id, "upload_id": upload.pk}
    part = reserve_part(**owner, number=number, size=len(data))
    with part_path(upload.pk).open("r+b") as file:
        os.pwrite(file.fileno(), data, part.offset)
    etag = hashlib.md5(data).hexdigest()
    record_open_part(**owner, part=part, etag=etag)
    return etag


def complete(upload, etags):
    told = list(etags.items())
    return complete_open_upload(owner_id=upload.owner_id, upload_id=upload.pk, told=told)


def content(upload):
    return part_path(upload.pk).read_bytes()[: upload.size]


@pytest.mark.parametrize(
    ("lengths", "order"),
    [
        ([32, 32, 7], [1, 2, 3]),
        ([32, 32, 7], [3, 2, 1]),
        ([32, 32, 7], [2, 3, 1]),
        ([5, 9, 2, 30, 1], [1, 2, 3, 4, 5]),
        ([5, 9, 2, 30, 1], [4, 1, 5, 3, 2]),
        ([0, 3], [1, 2]),
        ([3, 0, 4], [2, 1, 3]),
    ],
)
def test_parts_of_any_length_in_any_order_are_the_file(alice, lengths, order):
    pieces = {n: random.Random(n).randbytes(length) for n, length in enumerate(lengths, 1)}
    upload = begin(alice)
    etags = {n: send(upload, n, pieces[n]) for n in order}
    assert bytes_under_way(alice.pk) == sum(lengths)
    found = complete(upload, etags)
    assert found.size == found.offset == sum(lengths)
    assert content(found) == b"".join(pieces.values())
    assert [(part.number, part.size) for part in sent_parts(found)] == list(enumerate(lengths, 1))


def test_parts_of_chance_sent_again_with_other_lengths_are_the_file(alice):
    for seed in range(25):
        chance = random.Random(seed)
        upload, pieces, etags = begin(alice), {}, {}
        for _ in range(chance.randint(1, 12)):
            n = chance.choice([1, 2, 3, 4, 700, 10_000])
            pieces[n] = chance.randbytes(chance.choice([0, 1, 5, 5, 5, 64]))
            etags[n] = send(upload, n, pieces[n])
        whole = b"".join(pieces[n] for n in sorted(pieces))
        assert bytes_under_way(alice.pk) == len(whole), seed
        assert content(complete(upload, etags)) == whole, seed
        abort_open_upload(owner_id=alice.pk, upload_id=upload.pk)


def test_an_empty_file_has_no_parts(alice):
    found = complete(begin(alice), {})
    assert (found.size, found.whole is not None, content(found)) == (0, True, b"")
    with transaction.atomic():
        assert take_upload(owner_id=alice.pk, upload_id=found.pk).size == 0


def test_clients_that_send_equal_parts_in_order_cost_no_copy(alice, monkeypatch):
    upload = begin(alice)
    etags = {n: send(upload, n, bytes(32)) for n in (1, 2, 3)}
    etags[4] = send(upload, 4, bytes(5))
    monkeypatch.setattr(open_ended, "_copy", None)
    assert complete(upload, etags).size == 101


def test_what_is_told_has_to_be_what_arrived(alice):
    upload = begin(alice)
    etags = {1: send(upload, 1, b"one"), 2: send(upload, 2, b"two")}
    for told, words in (
        ([(1, etags[1])], "Part 2 arrived and is not named."),
        ([(1, etags[1]), (2, etags[1])], f"Part 2 has the ETag {etags[2]}, not {etags[1]}."),
        ([*etags.items(), (3, etags[1])], "Part 3 has not arrived."),
        ([*etags.items(), (1, etags[1])], "A part is named twice."),
        ([], "Part 1 arrived and is not named."),
    ):
        with pytest.raises(Invalid) as refused:
            complete_open_upload(owner_id=alice.pk, upload_id=upload.pk, told=told)
        assert words in [problem.message for problem in refused.value.problems]
    # With the quotes that S3 puts around it, as clients send it back.
    assert complete(upload, {n: f'"{etag.upper()}"' for n, etag in etags.items()}).size == 6


def test_a_part_that_did_not_come_to_its_end_is_not_there(alice):
    upload = begin(alice)
    etag = send(upload, 1, b"one")
    reserve_part(owner_id=alice.pk, upload_id=upload.pk, number=1, size=3)
    assert list(sent_parts(upload)) == []
    with pytest.raises(Invalid, match="not those"):
        complete(upload, {1: etag})


def test_a_part_that_a_newer_request_replaced_is_not_noted(alice):
    upload = begin(alice)
    owner = {"owner_id": alice.pk, "upload_id": upload.pk}
    old = reserve_part(**owner, number=1, size=3)
    reserve_part(**owner, number=1, size=4)
    with pytest.raises(Conflict):
        record_open_part(**owner, part=old, etag="0" * 32)


def test_completing_and_giving_up_may_be_repeated(alice):
    upload = begin(alice)
    etags = {1: send(upload, 1, b"one")}
    assert complete(upload, etags).whole == complete(upload, etags).whole
    assert abort_open_upload(owner_id=alice.pk, upload_id=upload.pk).state == UploadState.CANCELLED
    assert abort_open_upload(owner_id=alice.pk, upload_id=upload.pk).state == UploadState.CANCELLED
    with pytest.raises(Conflict):
        complete(upload, etags)


def test_nothing_is_taken_after_the_end(alice):
    upload = begin(alice)
    owner = {"owner_id": alice.pk, "upload_id": upload.pk}
    part = reserve_part(**owner, number=1, size=3)
    complete(upload, {})
    with pytest.raises(Conflict, match="takes no more parts"):
        reserve_part(**owner, number=2, size=3)
    with pytest.raises(Conflict, match="takes no more parts"):
        record_open_part(**owner, part=part, etag="0" * 32)


def test_nobody_else_has_it_and_it_is_of_no_other_protocol(alice):
    upload, bob = begin(alice), make_user("bob")
    for ask in (
        lambda: open_upload_of(bob.pk, upload.pk),
        lambda: reserve_part(owner_id=bob.pk, upload_id=upload.pk, number=1, size=1),
        lambda: complete_open_upload(owner_id=bob.pk, upload_id=upload.pk, told=[]),
        lambda: abort_open_upload(owner_id=bob.pk, upload_id=upload.pk),
        lambda: take_upload(owner_id=bob.pk, upload_id=upload.pk),
        lambda: multipart_of(alice.pk, upload.pk),
        lambda: reserve_part(owner_id=alice.pk, upload_id=upload.pk, number=0, size=1),
        lambda: reserve_part(owner_id=alice.pk, upload_id=upload.pk, number=10_001, size=1),
    ):
        with pytest.raises(NotFound):
            ask()


def test_limits_count_what_parts_say(alice, limits):
    limits(max_upload=100, upload_quota=150)
    upload, other = begin(alice), begin(alice)
    send(upload, 1, bytes(60))
    with pytest.raises(TooLarge, match="one upload may have 100"):
        reserve_part(owner_id=alice.pk, upload_id=upload.pk, number=2, size=41)
    send(upload, 2, bytes(40))
    send(upload, 2, bytes(40))
    with pytest.raises(TooLarge) as refused:
        reserve_part(owner_id=alice.pk, upload_id=other.pk, number=1, size=51)
    assert refused.value.code == "quota_exceeded"
    send(other, 1, bytes(50))
    abort_open_upload(owner_id=alice.pk, upload_id=other.pk)
    assert bytes_under_way(alice.pk) == 100
    limits(disk_reserve=1 << 60)
    with pytest.raises(NoSpace):
        begin(alice)


@pytest.fixture
def limits(settings):
    from dataclasses import replace

    def change(**values):
        settings.ENVIRONMENT = replace(settings.ENVIRONMENT, **values)

    return change


def test_only_so_many_may_be_begun(alice, monkeypatch):
    monkeypatch.setattr(open_ended, "MOST_OPEN", 2)
    first = begin(alice)
    complete(begin(alice), {})
    with pytest.raises(Invalid, match="too many uploads"):
        begin(alice)
    abort_open_upload(owner_id=alice.pk, upload_id=first.pk)
    begin(alice)


@pytest.mark.parametrize(
    "name", ["", " ", "..", "a/../b", "/etc/passwd", "a//b", "a\\b", "a\0b", "a\nb", "x" * 256, "a/./b", "a/"]
)
def test_what_is_no_name_is_refused(alice, name):
    with pytest.raises(Invalid) as refused:
        begin(alice, name)
    assert refused.value.problems[0].field == "filename"


@pytest.mark.parametrize("name", ["ct.mha", "P001/t1.nii.gz", "Ünïcode 名.dcm", ".hidden", "\u06cc\u200c\u062e.png"])
def test_names_and_paths_are_kept_as_they_are(alice, name):
    assert begin(alice, name).filename == name


def test_a_whole_upload_is_given_up_after_a_day_unless_it_was_taken(alice):
    uploads = [begin(alice) for _ in range(3)]
    for upload in uploads:
        complete(upload, {1: send(upload, 1, b"one")})
    young, old, taken = uploads
    with transaction.atomic():
        take_upload(owner_id=alice.pk, upload_id=taken.pk)
    long_ago = now() - UNTAKEN - timedelta(minutes=1)
    Upload.objects.filter(pk__in=[old.pk, taken.pk]).update(whole=long_ago, modified=long_ago)
    assert expire_uploads() == 1
    states = dict(Upload.objects.values_list("pk", "state"))
    assert {upload.pk: states[upload.pk] for upload in uploads} == {
        young.pk: UploadState.RECEIVING,
        old.pk: UploadState.CANCELLED,
        taken.pk: UploadState.RECEIVING,
    }
    # Taken, and nothing was made of it for a week: whoever took it has failed.
    Upload.objects.filter(pk=taken.pk).update(modified=now() - UPLOAD_IDLE - timedelta(minutes=1))
    assert expire_uploads() == 1


def test_only_a_whole_upload_is_taken_and_only_once(alice):
    upload = begin(alice)
    with pytest.raises(Conflict) as refused:
        take_upload(owner_id=alice.pk, upload_id=upload.pk)
    assert refused.value.code == "not_complete"
    complete(upload, {})
    assert take_upload(owner_id=alice.pk, upload_id=upload.pk).taken is not None
    with pytest.raises(Conflict) as refused:
        take_upload(owner_id=alice.pk, upload_id=upload.pk)
    assert refused.value.code == "upload_used"
    with pytest.raises(Conflict):
        abort_open_upload(owner_id=alice.pk, upload_id=upload.pk)


def test_a_crash_between_the_row_and_the_file_in_order_is_mended(alice, monkeypatch):
    upload = begin(alice)
    etags = {1: send(upload, 1, b"four"), 2: send(upload, 2, b"and seven")}
    with monkeypatch.context() as dying:
        dying.setattr(open_ended, "_settle", lambda _: None)
        complete(upload, etags)
    folder = django_settings.ENVIRONMENT.data / "uploads"
    stray = folder / f"{begin(alice).pk}.joined"
    stray.touch()
    settle_joined_files(folder)
    found = open_upload_of(alice.pk, upload.pk)
    assert content(found) == b"fourand seven"
    assert stray.exists()  # Of an upload that goes on: what completes it next writes this anew.
    Upload.objects.filter(pk=stray.stem).update(state=UploadState.CANCELLED)
    settle_joined_files(folder)
    assert not stray.exists()


def test_a_crash_before_the_row_leaves_parts_as_they_lay(alice, monkeypatch):
    upload = begin(alice)
    etags = {1: send(upload, 1, b"four"), 2: send(upload, 2, b"and seven")}
    with monkeypatch.context() as dying:
        dying.setattr(open_ended, "_put_in_order", _then_die(open_ended._put_in_order))
        with pytest.raises(KeyboardInterrupt):
            complete(upload, etags)
    assert UploadPart.objects.filter(upload=upload, offset=0).count() == 1
    assert content(complete(upload, etags)) == b"fourand seven"


def _then_die(work):
    def die(*args):
        work(*args)
        raise KeyboardInterrupt

    return die
