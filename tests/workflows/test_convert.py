"""Accessions become images, each with its files; what harms a decoder is refused and harms nobody else."""

import threading

import pytest
from django.db import close_old_connections

from medtheca.base.jobs import jobs_under_way
from medtheca.domains.access.enums import ScopeKind
from medtheca.domains.access.models import Placement
from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.imaging.enums import BASIC_KINDS, FileKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.provenance.models import Accession, Verdict
from medtheca.domains.provenance.queries import delivery_for
from medtheca.domains.provenance.stranded import PATIENCE
from medtheca.domains.storage.queries import blob_store
from medtheca.toolkit.sandbox import DecoderPool, Limits
from medtheca.workflows import convert, decoding
from medtheca.workflows.convert import convert_batch
from medtheca.workflows.receive import receive_delivery
from medtheca.workflows.resume import resume_stranded
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import make_wide_scopes
from tests.generators.images import every_secret, huge_png, insert, jpeg, pngs


def codes(upload):
    return {v.path: (v.outcome, v.code) for v in Verdict.objects.filter(delivery=upload)}


def received(user, cohort, files):
    upload = deliver(user, cohort, make_zip(files))
    receive_delivery(upload_id=upload)
    return upload


def image_of(name):
    return Accession.objects.get(name=name).image


def blobs_of(image):
    return {FileKind(file.kind): file.blob_id for file in image.files.all()}


@pytest.fixture
def hostile_pool(monkeypatch):
    limits = Limits(memory_bytes=600_000_000, cpu_seconds=20, wall_seconds=10)
    with DecoderPool("tests.workflows.hostile:examine", size=2, limits=limits) as pool:
        monkeypatch.setattr(decoding, "_pool", pool)
        yield pool


def test_what_harms_a_decoder_is_refused_and_its_neighbours_are_accepted(alice, cohort, hostile_pool):
    good = {f"good{n}.jpg": jpeg(seed=n) for n in range(4)}
    bad = {
        "flood.png": huge_png(),
        "crash.jpg": b"CRASH...",
        "quit.jpg": b"EXIT....",
        "hang.jpg": b"HANG....",
        "eat.jpg": b"EAT.....",
        "text.jpg": b"Just words.",
        "half.jpg": jpeg(seed=9)[:-300],
    }
    upload = deliver(alice, cohort, make_zip([*list(good.items())[:2], *bad.items(), *list(good.items())[2:]]))
    run_jobs()
    found = codes(upload)
    assert {name: found[name][0] for name in good} == dict.fromkeys(good, "accepted")
    assert {name: found[name][0] for name in bad} == dict.fromkeys(bad, "refused")
    assert {name: found[name][1] for name in ("flood.png", "crash.jpg", "quit.jpg", "hang.jpg", "eat.jpg")} == {
        "flood.png": "too_many_pixels",
        "crash.jpg": "decoder_crashed",
        "quit.jpg": "decoder_crashed",
        "hang.jpg": "decoder_timeout",
        "eat.jpg": "decoder_memory",
    }
    assert all(v.words for v in Verdict.objects.filter(outcome="refused"))
    assert delivery_for(alice, upload).state == "done"
    refused = Accession.objects.filter(state="refused")
    assert set(refused.values_list("original", "image")) == {(None, None)}


def test_a_refused_file_frees_its_name_and_a_bomb_within_a_zip_harms_no_neighbour(alice, cohort):
    from tests.generators import zips

    first = deliver(
        alice,
        cohort,
        zips.forge([zips.Part(path="bomb.png", content=bytes(4 << 20)), zips.Part(path="a.jpg", content=jpeg())]),
    )
    run_jobs()
    assert codes(first) == {"bomb.png": ("refused", "ratio_too_high"), "a.jpg": ("accepted", "accepted")}
    again = deliver(alice, cohort, jpeg(seed=2), filename="bomb.png")
    run_jobs()
    assert codes(again) == {"bomb.png": ("accepted", "accepted")}


def test_pictures_of_every_kind_keep_what_they_say_of_themselves(alice, cohort):
    files = [
        ("turned.jpg", insert(jpeg(size=(80, 60)), *every_secret(orientation=6))),
        ("cmyk.jpg", jpeg("CMYK")),
        ("grey.jpg", jpeg("L")),
        *[(f"{name.replace(' ', '_')}.png", content) for name, (content, _) in pngs().items()],
    ]
    upload = deliver(alice, cohort, make_zip(files))
    run_jobs()
    assert {outcome for outcome, _ in codes(upload).values()} == {"accepted"}, codes(upload)
    turned = image_of("turned.jpg")
    assert (turned.width, turned.height, turned.orientation) == (60, 80, 6)
    assert turned.stripped
    assert (image_of("cmyk.jpg").colour_space, image_of("cmyk.jpg").channels) == ("CMYK", 4)
    assert (image_of("grey.jpg").colour_space, image_of("grey.jpg").channels) == ("grey", 1)
    assert 16 in set(Image.objects.values_list("bits", flat=True))
    for image in Image.objects.all():
        assert set(blobs_of(image)) == set(BASIC_KINDS)
    assert not ImageFile.objects.exclude(kind="original").filter(recipe="").exists()


def test_a_small_picture_is_one_blob_and_a_large_one_four(alice, cohort):
    deliver(
        alice,
        cohort,
        make_zip([("small.jpg", jpeg(size=(90, 70))), ("large.jpg", insert(jpeg(size=(1500, 1100)), *every_secret()))]),
    )
    run_jobs()
    small, large = blobs_of(image_of("small.jpg")), blobs_of(image_of("large.jpg"))
    assert len(set(small.values())) == 1
    assert len(set(large.values())) == 4
    original = Accession.objects.get(name="large.jpg").original_id
    assert original == large[FileKind.ORIGINAL]
    assert original not in {blob for kind, blob in large.items() if kind is not FileKind.ORIGINAL}


def test_equal_pixels_in_another_file_are_told_in_the_same_cohort_only(alice, cohort):
    secret = insert(jpeg(), *every_secret())
    bob = make_user("bob")
    elsewhere = deliver(bob, make_cohort(bob, name="Elsewhere"), jpeg(), filename="theirs.jpg")
    run_jobs()
    upload = deliver(alice, cohort, make_zip([("one.jpg", jpeg()), ("two.jpg", secret)]))
    run_jobs()
    assert codes(elsewhere) == {"theirs.jpg": ("accepted", "accepted")}
    assert codes(upload) == {"one.jpg": ("accepted", "accepted"), "two.jpg": ("accepted", "same_pixels")}
    words = Verdict.objects.get(path="two.jpg").words
    assert "one.jpg" in words
    assert "theirs.jpg" not in words


def test_accessions_of_two_cohorts_in_one_batch_stay_apart(alice, cohort):
    # Work that was left lying is collected from everywhere.
    bob = make_user("bob")
    other = make_cohort(bob, name="Elsewhere")
    received(alice, cohort, [("hers.jpg", jpeg(seed=1))])
    received(bob, other, [("his.jpg", jpeg(seed=2)), ("same.jpg", jpeg(seed=1))])
    convert_batch(accession_ids=list(Accession.objects.values_list("pk", flat=True)))
    assert list(visible_images(viewer_of(alice))) == [image_of("hers.jpg")]
    assert set(visible_images(viewer_of(bob))) == {image_of("his.jpg"), image_of("same.jpg")}
    for accession in Accession.objects.select_related("cohort__contributor"):
        scopes = set(Placement.objects.filter(image=accession.image).values_list("scope", flat=True))
        assert scopes == {accession.cohort.scope_id, accession.cohort.contributor.scope_id}
    assert {v.code for v in Verdict.objects.all()} == {"accepted"}


def test_what_was_left_lying_is_taken_up_cohort_by_cohort_and_only_if_nobody_cares_for_it(alice, cohort):
    other = make_cohort(alice, name="Second")
    received(alice, cohort, [("1.jpg", jpeg(seed=1)), ("2.jpg", jpeg(seed=2))])
    received(alice, other, [("3.jpg", jpeg(seed=3))])
    Accession.objects.update(modified=Accession.objects.first().modified - 2 * PATIENCE)
    assert resume_stranded() == 0
    assert len(list(jobs_under_way("convert.batch"))) == 2
    from procrastinate.contrib.django.models import ProcrastinateJob

    ProcrastinateJob.objects.all()._raw_delete("default")
    assert resume_stranded() == 2
    batches = [job["accession_ids"] for job in jobs_under_way("convert.batch")]
    assert all(Accession.objects.filter(pk__in=batch).values("cohort").distinct().count() == 1 for batch in batches)
    assert resume_stranded() == 0


def test_a_missing_original_holds_up_nobody_else(alice, cohort, data):
    upload = received(alice, cohort, [("lost.jpg", jpeg(seed=1)), ("there.jpg", jpeg(seed=2))])
    blob_store().path(Accession.objects.get(name="lost.jpg").original.sha256).unlink()
    ids = list(Accession.objects.values_list("pk", flat=True))
    with pytest.raises(FileNotFoundError, match=r"accession \d+"):
        convert_batch(accession_ids=ids)
    assert codes(upload) == {"lost.jpg": ("waiting", "waiting"), "there.jpg": ("accepted", "accepted")}


def test_whatever_stops_a_batch_leaves_nothing_staged(alice, cohort, data, monkeypatch):
    received(alice, cohort, [("1.jpg", jpeg(size=(600, 500))), ("2.jpg", jpeg(size=(600, 500), seed=2))])
    ids = list(Accession.objects.values_list("pk", flat=True))

    def fail(*_, **__):
        raise RuntimeError("cut off")

    for name in ("lock_waiting", "store_blobs", "accept_accessions"):
        with monkeypatch.context() as patch:
            patch.setattr(convert, name, fail)
            with pytest.raises(RuntimeError, match="cut off"):
                convert_batch(accession_ids=ids)
        assert not list((data / "blobs" / "staging").iterdir()), name
        assert not Image.objects.exists()
    convert_batch(accession_ids=ids)
    assert Image.objects.count() == 2
    convert_batch(accession_ids=ids)
    assert Image.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_runs_of_the_same_batch_at_once_make_each_image_once(data):
    make_wide_scopes()
    alice = make_user("alice")
    cohort = make_cohort(alice)
    upload = received(alice, cohort, [(f"{n}.jpg", jpeg(size=(300, 280), seed=n)) for n in range(6)])
    ids = list(Accession.objects.values_list("pk", flat=True))
    failures = []

    def work():
        try:
            convert_batch(accession_ids=ids)
        except Exception as error:  # noqa: BLE001 - told by the assertion below
            failures.append(error)
        finally:
            close_old_connections()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert Image.objects.count() == 6
    assert ImageFile.objects.count() == 24
    assert delivery_for(alice, upload).state == "done"
    assert not list((data / "blobs" / "staging").iterdir())
    assert Placement.objects.filter(scope__kind=ScopeKind.COHORT).count() == 6
