"""Boxes are blacked out: the copy that people get is new, the original is kept, and nothing comes back."""

import io

import numpy as np
import pytest
from PIL import Image as Picture

from medtheca.base.errors import Conflict, Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.access.queries import ANYBODY
from medtheca.domains.access.serving import find_served_image
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import ImageFile
from medtheca.domains.ledger.models import Event, Notification
from medtheca.domains.provenance.models import Accession, FileVersion
from medtheca.domains.provenance.publication import decide_publication, request_publication
from medtheca.domains.provenance.reviewing import record_reviews
from medtheca.domains.provenance.stranded import PATIENCE
from medtheca.toolkit.images.examine import choose_reader
from medtheca.toolkit.images.redact import upright
from medtheca.workflows.checking import check_archive
from medtheca.workflows.publish import withdraw
from medtheca.workflows.redact import redact_accession, request_redaction
from medtheca.workflows.resume import resume_stranded
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, run_jobs
from tests.factories.storage import read
from tests.generators.images import every_secret, exif_chunk, find_traces, insert, jpeg, pngs, with_chunks, write_png

REASON = "A name tag can be read."
BOX = [10, 20, 30, 15]


@pytest.fixture
def rita(cohort):
    rita = make_user("rita")
    add_member(scope=cohort.scope, user=rita, role=Role.REVIEWER)
    return rita


def bring(alice, cohort, data, filename="photo.jpg"):
    deliver(alice, cohort, data, filename=filename)
    run_jobs()
    return Accession.objects.select_related("image").latest("pk")


def publish(accession, alice):
    request = request_publication(
        cohort=accession.cohort, requester=alice, visibility="public", accession_ids=[accession.pk]
    )
    decide_publication(request_id=request.pk, staff=make_user("sam"), accept=True)
    run_jobs()
    accession.refresh_from_db()
    assert accession.published


def redact(user, accession, *boxes, reason=REASON):
    version = request_redaction(user=user, accession_id=accession.pk, boxes=boxes or [BOX], reason=reason)
    run_jobs()
    accession.refresh_from_db()
    version.refresh_from_db()
    return version


def file_of(accession, kind=FileKind.PUBLIC):
    return read(ImageFile.objects.get(image=accession.image_id, kind=kind).blob.sha256)


def pixels_of(data):
    data = memoryview(data)
    return upright(choose_reader(data).read(data, memory=500_000_000).raster)


FILES = {
    "JPEG": jpeg,
    "JPEG on its side, with secrets": lambda: insert(jpeg(), *every_secret(6)),
    "JPEG in CMYK": lambda: jpeg("CMYK"),
    "grey JPEG": lambda: jpeg("L"),
    "PNG of 16 bits": lambda: pngs()["RGB 16 bit"][0],
    "grey PNG of 16 bits": lambda: pngs()["grey 16 bit"][0],
    "PNG with alpha, turned": lambda: with_chunks(
        write_png(np.full((40, 50, 4), 200, np.uint8), bitdepth=8), exif_chunk(8)
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_only_what_is_in_the_boxes_is_gone(name, alice, cohort):
    data = FILES[name]()
    accession = bring(alice, cohort, data, "photo.png" if "PNG" in name else "photo.jpg")
    before = accession.image
    box = [2, 3, 9, 5]

    version = redact(alice, accession, box)

    assert (version.state, version.number, version.redactions) == ("current", 2, [box])
    image = type(before).objects.get(pk=before.pk)
    public = file_of(accession)
    wanted, got = pixels_of(data), pixels_of(public)
    outside = np.ones(wanted.pixels.shape[:2], bool)
    outside[3:8, 2:11] = False
    assert np.array_equal(got.pixels[outside], wanted.pixels[outside])
    assert not got.pixels[~outside][:, : 1 if "grey" in name else 3].any()
    assert got.icc == wanted.icc
    assert find_traces(public) == []
    assert (image.key, image.width, image.height) == (before.key, before.width, before.height)
    assert (image.media_type, image.orientation) == ("image/png", 1)
    assert image.pixel_hash != before.pixel_hash
    assert image.stripped[-1]["kind"] == "redaction"
    # The original is what came, bit for bit.
    assert file_of(accession, FileKind.ORIGINAL) == data
    assert accession.original.sha256 == ImageFile.objects.get(image=image, kind=FileKind.ORIGINAL).blob.sha256
    assert check_archive().clean


def test_thumbnail_and_web_picture_are_made_of_the_redacted_pixels(alice, cohort):
    accession = bring(alice, cohort, jpeg(size=(1400, 1100)))

    redact(alice, accession, [0, 0, 700, 1100])

    for kind in (FileKind.THUMBNAIL, FileKind.WEB):
        with Picture.open(io.BytesIO(file_of(accession, kind))) as picture:
            samples = np.asarray(picture)
            assert samples[:, : picture.width * 2 // 5].max() < 8
            assert samples[:, picture.width * 3 // 5 :].max() > 100


def test_review_of_what_is_not_published_begins_again(alice, cohort, rita):
    accession = bring(alice, cohort, jpeg())
    record_reviews(accession_ids=[accession.pk], reviewer=rita, decision="accepted")

    redact(alice, accession)

    assert (accession.review_state, accession.file_version) == ("awaiting", 2)


def test_a_published_image_is_redacted_at_once_under_its_id(alice, cohort, rita):
    accession = bring(alice, cohort, jpeg(size=(640, 480)))
    publish(accession, alice)
    public_id = accession.image.public_id
    old = {name: file.digest for name, file in find_served_image(ANYBODY, public_id).files.items()}

    redact(rita, accession)

    served = find_served_image(ANYBODY, public_id)
    new = {name: file.digest for name, file in served.files.items()}
    assert set(old.values()).isdisjoint(new.values())
    assert served.files["public"].media_type == "image/png"
    assert accession.review_state == "accepted"
    assert accession.published
    event = Event.objects.get(verb="image.redacted")
    assert (event.actor_id, event.details) == (rita.pk, {"version": 2})
    assert Notification.objects.filter(recipient_id=alice.pk, words="Parts of an image were blacked out.").exists()


def test_boxes_of_a_published_image_stay(alice, cohort):
    accession = bring(alice, cohort, jpeg(size=(640, 480)))
    publish(accession, alice)
    redact(alice, accession, BOX)

    version = redact(alice, accession, [100, 100, 5, 5])

    assert version.redactions == [BOX, [100, 100, 5, 5]]
    assert not pixels_of(file_of(accession)).pixels[20:35, 10:40].any()


def test_boxes_of_what_is_not_published_can_be_drawn_anew(alice, cohort):
    data = jpeg(size=(640, 480))
    accession = bring(alice, cohort, data)
    redact(alice, accession, BOX)

    redact(alice, accession, [100, 100, 5, 5])

    got, wanted = pixels_of(file_of(accession)), pixels_of(data)
    assert np.array_equal(got.pixels[20:35, 10:40], wanted.pixels[20:35, 10:40])
    assert not got.pixels[100:105, 100:105].any()


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        ("owner", None),
        ("editor", None),
        ("reviewer", None),
        ("viewer", NotAllowed),
        ("stranger", NotFound),
        ("staff", None),
    ],
)
def test_who_may_redact(who, refusal, alice, cohort):
    accession = bring(alice, cohort, jpeg())
    person = alice if who == "owner" else make_user("sam" if who == "staff" else "bob")
    if who in {"editor", "reviewer", "viewer"}:
        add_member(scope=cohort.scope, user=person, role=Role(who))

    if refusal is None:
        assert redact(person, accession).state == "current"
    else:
        with pytest.raises(refusal):
            redact(person, accession)


@pytest.mark.parametrize(
    "boxes",
    [
        [],
        [[0, 0, 0, 5]],
        [[-1, 0, 5, 5]],
        [[80, 0, 4, 5]],
        [[0, 60, 4, 5]],
        [[0, 0, 4]],
        [[0, 0, 4.5, 3]],
        [[0, 0, True, 3]],
        [["0", 0, 4, 3]],
        [[0, 0, 1, 1]] * 201,
    ],
)
def test_boxes_that_are_none(boxes, alice, cohort):
    accession = bring(alice, cohort, jpeg())

    with pytest.raises(Invalid):
        request_redaction(user=alice, accession_id=accession.pk, boxes=boxes, reason=REASON)
    assert not FileVersion.objects.exists()


def test_a_reason_is_asked_for(alice, cohort):
    accession = bring(alice, cohort, jpeg())

    with pytest.raises(Invalid):
        request_redaction(user=alice, accession_id=accession.pk, boxes=[BOX], reason="  ")


def test_one_at_a_time_and_nothing_withdrawn(alice, cohort):
    accession = bring(alice, cohort, jpeg())
    request_redaction(user=alice, accession_id=accession.pk, boxes=[BOX], reason=REASON)
    with pytest.raises(Conflict) as refused:
        request_redaction(user=alice, accession_id=accession.pk, boxes=[BOX], reason=REASON)
    assert refused.value.code == "version_under_way"
    run_jobs()

    withdraw(user=alice, image_ref=str(accession.image.key), reason="Consent was withdrawn.")
    with pytest.raises(Conflict):
        request_redaction(user=alice, accession_id=accession.pk, boxes=[BOX], reason=REASON)


def test_the_job_runs_twice_without_harm_and_is_taken_up_again(alice, cohort):
    accession = bring(alice, cohort, jpeg())
    version = request_redaction(user=alice, accession_id=accession.pk, boxes=[BOX], reason=REASON)
    from procrastinate.contrib.django.models import ProcrastinateJob

    ProcrastinateJob.objects.all()._raw_delete("default")  # the job has failed for good
    assert resume_stranded() == 0
    FileVersion.objects.filter(pk=version.pk).update(created=version.created - 2 * PATIENCE)
    assert resume_stranded() == 1
    assert run_jobs() == ["redact.accession"]
    redact_accession(version_id=version.pk)

    assert list(FileVersion.objects.order_by("number").values_list("state", flat=True)) == ["superseded", "current"]
