"""Each invariant is broken on purpose, past the constraints where they would refuse, and seen reported."""

import io
from datetime import timedelta

import pytest
from django.db import connection
from PIL import Image as Picture

from medtheca.domains.accounts.models import User
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.ledger.models import Event
from medtheca.domains.ledger.operations import seal_events
from medtheca.domains.provenance.models import Accession, Verdict
from medtheca.domains.provenance.publication import decide_publication, request_publication
from medtheca.domains.storage.models import Blob, Upload
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.uploads import part_path
from medtheca.workflows.checking import INVARIANTS, Look, check_archive
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import use_data_folder

pytestmark = pytest.mark.django_db


def picture(seed):
    data = io.BytesIO()
    exif = Picture.Exif()
    exif[0x010F] = "Camera"
    Picture.effect_noise((40, 30), 40 + seed).convert("RGB").save(data, "JPEG", exif=exif)
    return data.getvalue()


@pytest.fixture
def archive(settings, tmp_path):
    """A cohort with two published images, one refused file, one junk file; nothing is wrong with it."""
    use_data_folder(settings, tmp_path / "data")
    alice = User.objects.create_user("alice@example.org")
    sam = User.objects.create_user("sam@example.org", is_staff=True)
    cohort = make_cohort(alice)
    files = [("one.jpg", picture(1)), ("two.jpg", picture(2)), ("text.jpg", b"not a picture"), (".DS_Store", b"junk")]
    deliver(alice, cohort, make_zip(files))
    run_jobs()
    request = request_publication(cohort=cohort, requester=alice, visibility="public")
    decide_publication(request_id=request.pk, staff=sam, accept=True)
    run_jobs()
    seal_events()
    report = check_archive(Look(deep=True))
    assert report.clean, report.all
    yield cohort
    blob_store.cache_clear()


def sql(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def drop_constraint(table, name):
    # Foreign keys that wait for the end of the transaction would refuse the change of the table.
    sql(
        "SET CONSTRAINTS ALL IMMEDIATE", f'ALTER TABLE {table} DROP CONSTRAINT "{name}"', "SET CONSTRAINTS ALL DEFERRED"
    )


def drop_foreign_keys(table, column):
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
    for name, constraint in found.items():
        if constraint["foreign_key"] and constraint["columns"] == [column]:
            drop_constraint(table, name)


def broken(look=None):
    """Names of the broken invariants, with what is said of them."""
    return {
        name: [f"{v.subject}: {v.words}" for v in found]
        for name, found in check_archive(look).violations.items()
        if found
    }


def originals():
    return Accession.objects.filter(original__isnull=False).order_by("pk")


def test_the_check_covers_the_named_invariants(archive):
    assert [invariant.name for invariant in INVARIANTS] == [
        "I1",
        "I2",
        "I3",
        "ranges",
        "I5",
        "I6",
        "I7",
        "deliveries",
        "formats",
        "sharing",
        "counts",
        "search",
    ]


def test_i1_and_i3_an_original_is_gone(archive):
    accession = originals()[0]
    blob_store().delete(accession.original.sha256)
    found = broken()
    assert set(found) == {"I1", "I3"}
    assert found["I1"][0].startswith(f"accession {accession.pk}: ")
    assert "has no file" in found["I1"][0]


def test_i1_an_original_is_short(archive):
    path = blob_store().path(originals()[0].original.sha256)
    path.write_bytes(path.read_bytes()[:-1])
    assert set(broken()) == {"I1", "I3"}


def test_i1_an_original_holds_other_bytes(archive):
    path = blob_store().path(originals()[0].original.sha256)
    path.write_bytes(bytes(path.stat().st_size))
    assert broken() == {}
    (words,) = broken(Look(deep=True))["I1"]
    assert "holds other bytes" in words


def test_i1_an_upload_is_not_what_was_declared(archive):
    blob = originals()[0].original
    upload = Upload.objects.get()
    Upload.objects.filter(pk=upload.pk).update(state="finished", blob=blob, size=blob.size, offset=blob.size)
    assert broken() == {}
    Upload.objects.update(declared_sha256="0" * 64)
    (words,) = broken()["I1"]
    assert f"declared SHA-256 {'0' * 64}" in words


def test_i1_acknowledged_bytes_of_an_upload_are_gone(archive):
    upload = Upload.objects.create(owner=User.objects.first(), filename="late.zip", size=9, offset=4)
    part_path(upload.pk).write_bytes(b"abcd")
    assert broken() == {}
    part_path(upload.pk).write_bytes(b"abc")
    assert broken() == {"I1": [f"upload {upload.pk}: 4 bytes of late.zip were acknowledged, and 3 are there."]}


def test_i1_an_image_was_made_from_something_else(archive):
    first, second = originals()
    ImageFile.objects.filter(image=first.image, kind="original").update(blob=second.original)
    assert "was not made from the original" in broken()["I1"][0]


def test_i2_the_same_content_twice(archive):
    sql("SET CONSTRAINTS ALL IMMEDIATE", "DROP INDEX accession_content_once_in_cohort")
    first, second = originals()
    Accession.objects.filter(pk=second.pk).update(original=first.original)
    ImageFile.objects.filter(image=second.image, kind="original").update(blob=first.original)
    (words,) = broken()["I2"]
    assert words.startswith(f"cohort {archive.pk}: Accessions {first.pk}, {second.pk} hold the same original")


def test_i2_the_same_name_twice(archive):
    sql("SET CONSTRAINTS ALL IMMEDIATE", "DROP INDEX accession_name_once_in_cohort")
    Accession.objects.update(name_key="one.jpg")
    assert "have the same name, one.jpg" in broken()["I2"][0]


def test_i2_a_link_to_other_content(archive):
    first, second = originals()
    Accession.objects.filter(pk=second.pk).update(same_as=first)
    assert "whose content is another" in broken()["I2"][0]


def test_i3_a_row_refers_to_a_blob_that_is_not(archive):
    drop_foreign_keys("imaging_imagefile", "blob_id")
    file = ImageFile.objects.filter(kind="thumbnail").first()
    ImageFile.objects.filter(pk=file.pk).update(blob_id=987654)
    assert any(f'"imaging_imagefile" {file.pk}: It refers to blob row 987654' in words for words in broken()["I3"])


def test_i3_a_blob_in_use_is_in_quarantine(archive):
    Blob.objects.filter(pk=originals()[0].original_id).update(state="quarantined")
    assert any("It is quarantined although rows of" in words for words in broken()["I3"])


def test_i3_a_file_without_a_row(archive):
    staged = blob_store().stage([b"stray"])
    blob_store().commit([staged])
    assert broken() == {}  # It is young.
    assert broken(Look(grace=timedelta(0))) == {
        "I3": [f"file {staged.sha256}: The store holds it, and no row knows it; the sweep removes such files."]
    }


def test_i5_a_refused_accession_still_has_bytes(archive):
    drop_constraint("provenance_accession", "accession_state_matches_bytes")
    refused = Accession.objects.get(state="refused")
    served = ImageFile.objects.filter(kind="public").first()
    Accession.objects.filter(pk=refused.pk).update(original=served.blob)
    found = broken()["I5"]
    assert any(f"accession {refused.pk}: text.jpg is refused and still has" in words for words in found)
    assert any(
        f"image {served.image_id}: A file of it holds the bytes of accession {refused.pk}" in words for words in found
    )


def test_i5_a_refused_file_became_an_image(archive):
    Verdict.objects.filter(accession=originals()[0]).update(outcome="refused")
    assert "is refused, but accession" in broken()["I5"][0]


def test_i5_an_image_without_accession(archive):
    image = Image.objects.first()
    image.pk, image.key, image.public_id = None, "00000000-0000-4000-8000-000000000001", None
    image.save(force_insert=True)
    assert broken() == {"I5": [f"image {image.pk}: It belongs to no accession, so nobody answers for its files."]}


def test_i6_an_event_was_changed_behind_the_triggers(archive):
    event = Event.objects.order_by("pk").first()
    sql(
        "SET CONSTRAINTS ALL IMMEDIATE",
        "ALTER TABLE ledger_event DISABLE TRIGGER ledger_event_append_only",
        "ALTER TABLE ledger_event DISABLE TRIGGER ledger_event_only_redacted",
        f"UPDATE ledger_event SET verb = 'nothing.happened' WHERE id = {event.pk}",
    )
    found = broken()["I6"]
    assert f"Event {event.pk} (nothing.happened) is not what was sealed" in found[0]
    assert "ledger_event_append_only" in found[-2]
    assert "ledger_event_only_redacted" in found[-1]
    assert len(found) == 3  # One break is told once, not for everything after it.


def test_i6_a_seal_was_taken_out(archive):
    sql(
        "SET CONSTRAINTS ALL IMMEDIATE",
        "ALTER TABLE ledger_seal DISABLE TRIGGER ledger_seal_append_only",
        "DELETE FROM ledger_seal WHERE sequence = 2",
        "ALTER TABLE ledger_seal ENABLE TRIGGER ledger_seal_append_only",
    )
    found = broken(Look(sealing_window=timedelta(days=-1)))["I6"]
    assert "after 1 comes 3" in found[0]
    assert any("1 events older than" in words for words in found)


def test_i6_a_trigger_is_gone(archive):
    sql("SET CONSTRAINTS ALL IMMEDIATE", "DROP TRIGGER ledger_seal_append_only ON ledger_seal")
    assert broken() == {
        "I6": ["ledger_seal: The trigger ledger_seal_append_only, which refuses changes, is not there or not enabled."]
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE imaging_image SET public_id = NULL", "hangs in the scope public and has no public id"),
        ("UPDATE provenance_accession SET published = NULL", "hangs in the scope public and was not published"),
        (
            "INSERT INTO access_withdrawal (image_id, reason) SELECT id, 'asked' FROM imaging_image",
            "is withdrawn and still hangs in the scope public",
        ),
        (
            """UPDATE imaging_imagefile f SET blob_id = o.blob_id FROM imaging_imagefile o
            WHERE o.image_id = f.image_id AND o.kind = 'original' AND f.kind = 'public'""",
            "Its public file is the original",
        ),
    ],
)
def test_i7_private_bytes_hang_in_public(archive, change, words):
    sql(change)
    found = broken()
    assert set(found) == {"I7"}
    assert any(words in line for line in found["I7"])


def test_i7_a_file_of_no_known_kind(archive):
    drop_constraint("imaging_imagefile", "image_file_kind_known")
    ImageFile.objects.filter(kind="web").update(kind="raw")
    assert "file of kind raw" in broken()["I7"][0]


def test_a_delivery_that_is_done_has_a_file_waiting(archive):
    Verdict.objects.filter(outcome="accepted").update(outcome="waiting")
    assert "4 verdicts for 4 files, 2 of them waiting" in broken()["deliveries"][0]


def test_a_delivery_lost_a_verdict(archive):
    Verdict.objects.filter(outcome="skipped").delete()
    assert "3 verdicts for 4 files" in broken()["deliveries"][0]


def test_an_accepted_file_has_no_image(archive):
    accession = originals()[0]
    Accession.objects.filter(pk=accession.pk).update(state="received", image=None, published=None)
    assert any("is accepted, but accession" in words for words in broken()["deliveries"])


def test_the_check_changes_nothing(archive):
    before = {path: path.stat().st_mtime_ns for path in blob_store().path("0" * 64).parents[2].rglob("*")}
    events = Event.objects.count()
    check_archive(Look(deep=True))
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert Event.objects.count() == events


def test_a_tally_that_is_wrong_is_reported(archive):
    sql("INSERT INTO access_tally (delta) VALUES (1)")
    assert "tally says 3 images without embargo, and 2 hang there" in broken()["counts"][0]
