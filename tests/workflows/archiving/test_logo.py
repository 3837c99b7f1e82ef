"""Logos from real files, cut in the real sandbox: Alice edits the archive, Una uploads to it."""

import hashlib

import pytest
from django.conf import settings

from medtheca.base.errors import Conflict, Invalid, NotAllowed
from medtheca.domains.archives.logos import remove_logo
from medtheca.domains.archives.models import Archive
from medtheca.domains.ledger.models import Event
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.opening import read_blob
from medtheca.domains.storage.queries import unreferenced_blobs
from medtheca.domains.storage.upkeep import run_upkeep
from medtheca.toolkit.images.square import Square
from medtheca.toolkit.sandbox import DecoderPool, Level, SandboxUnavailable
from medtheca.workflows import decoding
from medtheca.workflows.archiving.logo import choose_logo
from medtheca.workflows.backup.writing import write_backup
from medtheca.workflows.checking import check_archive
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive
from tests.factories.pictures import animated, corners, pixels_of, quarters, saved
from tests.factories.provenance import run_jobs
from tests.generators import images as make

pytestmark = pytest.mark.django_db(transaction=True)

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture
def alice(archive):
    return archive.creator


def choose(archive, data, square=None, *, by=None):
    return choose_logo(
        archive=archive, actor=by or archive.creator, size=len(data), chunks=[data[:100], data[100:]], square=square
    )


def logos_of(archive):
    row = Archive.objects.get(pk=archive.pk)
    return [pixels_of(read_blob(blob.sha256)) for blob in (row.logo, row.logo_small)]


def staged():
    """Temporary files of the store."""
    return list(settings.ENVIRONMENT.data.glob("blobs/staging/*"))


def test_a_square_of_a_picture_becomes_the_logo(archive):
    data = saved(quarters())
    choose(archive, data)
    assert [pixels.shape for pixels in logos_of(archive)] == [(640, 640, 3), (128, 128, 3)]
    assert all(corners(pixels) == [RED, GREEN, BLUE, WHITE] for pixels in logos_of(archive))
    choose(archive, data, Square(0, 0, 650))
    assert all(corners(pixels) == [RED, RED, BLUE, BLUE] for pixels in logos_of(archive))
    # The picture itself is not kept.
    assert hashlib.sha256(data).hexdigest() not in set(Blob.objects.values_list("sha256", flat=True))
    assert staged() == []
    assert [event.verb for event in Event.objects.filter(verb__startswith="archive.logo")] == [
        "archive.logo_chosen"
    ] * 2


def test_what_is_replaced_or_removed_gets_its_tombstone_and_is_swept(archive, alice):
    choose(archive, saved(quarters()))
    first = Archive.objects.get(pk=archive.pk)
    choose(archive, saved(quarters(700, 1300)), Square(60, 660, 640))
    run_jobs()
    before = {first.logo_id, first.logo_small_id}
    assert set(Blob.objects.filter(state="tombstoned").values_list("pk", flat=True)) == before
    remove_logo(archive=archive, actor=alice)
    run_jobs()
    assert Blob.objects.filter(state="tombstoned").count() == 4
    assert Archive.objects.get(pk=archive.pk).logo is None
    # The same again takes the tombstones back.
    choose(archive, saved(quarters()))
    assert set(Blob.objects.filter(state="stored").values_list("pk", flat=True)) == before
    assert check_archive().clean


def test_a_logo_that_another_archive_has_too_stays(archive, alice):
    other = make_archive(alice, title="Other")
    for one in (archive, other):
        choose(one, saved(quarters()))
    remove_logo(archive=archive, actor=alice)
    run_jobs()
    run_upkeep()
    assert not unreferenced_blobs().exists()
    assert corners(logos_of(other)[1]) == [RED, GREEN, BLUE, WHITE]


def test_a_backup_has_it(archive, tmp_path):
    choose(archive, saved(quarters()))
    write_backup(folder=tmp_path / "backup")
    kept = {path.name for path in (tmp_path / "backup").rglob("sha256/*/*")}
    row = Archive.objects.get(pk=archive.pk)
    assert {row.logo.sha256, row.logo_small.sha256} <= kept


def test_the_same_logo_again_is_no_event(archive):
    for _ in range(2):
        choose(archive, saved(quarters()))
    assert Event.objects.filter(verb="archive.logo_chosen").count() == 1
    run_jobs()
    assert not Blob.objects.exclude(state="stored").exists()


def test_only_editors_choose(archive, una):
    for person in (una, make_user("stranger")):
        with pytest.raises(NotAllowed):
            choose(archive, saved(quarters()), by=person)
        with pytest.raises(NotAllowed):
            remove_logo(archive=archive, actor=person)
    choose(archive, saved(quarters()), by=make_user("sam", staff=True))
    assert Archive.objects.get(pk=archive.pk).logo is not None


HOSTILE = {
    "nothing": (b"", "empty"),
    "a GIF": (saved(quarters(700, 700), "GIF"), "wrong_format"),
    "a web page": (b"<!doctype html><script>alert(1)</script>", "wrong_format"),
    "an animation": (animated(), "animated"),
    "a bomb": (make.huge_png(), "too_many_pixels"),
    "a small one": (saved(quarters(639, 2000)), "too_small"),
    "a tiny one": (saved(quarters(3, 2)), "too_small"),
    "half a PNG": (saved(quarters())[:900], "truncated"),
    "half a JPEG": (saved(quarters(), "JPEG")[:9000], "truncated"),
    "too many bytes": (saved(quarters()) + bytes(8_000_000), "too_large"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_a_logo_is_refused_and_changes_nothing(archive, name):
    choose(archive, saved(quarters()))
    held = set(Blob.objects.values_list("sha256", flat=True))
    data, code = HOSTILE[name]
    with pytest.raises(Invalid) as refused:
        choose(archive, data)
    (problem,) = refused.value.problems
    assert (problem.field, problem.code) == ("file", code)
    assert problem.remedy
    assert set(Blob.objects.values_list("sha256", flat=True)) == held
    assert staged() == []
    assert corners(logos_of(archive)[0]) == [RED, GREEN, BLUE, WHITE]


def test_a_square_outside_is_a_problem_of_the_crop(archive):
    with pytest.raises(Invalid) as refused:
        choose(archive, saved(quarters()), Square(1000, 0, 640))
    (problem,) = refused.value.problems
    assert (problem.field, problem.code) == ("crop", "bad_square")
    assert "1,300 by 700" in problem.message
    assert "660 at most" in problem.remedy


def test_odd_kinds_are_taken(archive):
    for data in (
        saved(quarters(700, 700), mode="P"),
        saved(quarters(700, 700), "JPEG", mode="CMYK"),
        make.write_png(quarters(700, 700).astype("uint16") * 257, bitdepth=16),
    ):
        choose(archive, data)
        red, *_, white = corners(logos_of(archive)[0])
        assert red[0] > 200
        assert max(red[1:]) < 80
        assert min(white) > 245


def test_a_decoder_that_was_taken_over_is_not_believed(archive, monkeypatch):
    with DecoderPool("tests.workflows.lying:examine", size=1) as pool:
        # A real pool, of a decoder that says what an attacker would have it say.
        monkeypatch.setattr(decoding, "_pool", pool)
        # It answers as to another question, with other files.
        with pytest.raises(Invalid) as refused:
            choose(archive, make.jpeg(size=(700, 700)))
    assert refused.value.problems[0].code == "decoder_output"
    assert Archive.objects.get(pk=archive.pk).logo is None


def test_without_a_fence_nothing_is_decoded(archive, monkeypatch):
    # The kernel here has a fence: the real pool is told to do without, as it would on one that has none.
    def unfenced(task, **options):
        return DecoderPool(task, **options, level=Level.RLIMITS_ONLY)

    monkeypatch.setattr(decoding, "_pool", None)
    monkeypatch.setattr(decoding, "DecoderPool", unfenced)
    with pytest.raises(SandboxUnavailable):
        decoding.decoder_pool()
    with pytest.raises(Conflict) as refused:
        choose(archive, saved(quarters()))
    assert refused.value.code == "no_sandbox"
    assert staged() == []
