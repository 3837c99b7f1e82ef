"""A file changes, the image stays the same: versions are begun, accepted, refused, rejected, and kept."""

import pytest
from django.db import transaction

from medtheca.base.errors import Conflict
from medtheca.domains.access.operations import withdraw_image
from medtheca.domains.access.queries import ANYBODY, viewer_of
from medtheca.domains.access.serving import find_served_image
from medtheca.domains.imaging.enums import BASIC_KINDS, FileKind
from medtheca.domains.ledger.models import Event
from medtheca.domains.provenance.models import Accession, FileVersion, VersionFile
from medtheca.domains.provenance.versions import (
    accept_version,
    begin_version,
    complete_version,
    facts_of,
    file_versions_of,
    refuse_version,
    reject_version,
)
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.queries import unreferenced_blobs
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort


@pytest.fixture
def alice(db):
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


def blob(serial):
    return Blob.objects.get_or_create(sha256=f"{serial:064x}", defaults={"size": serial})[0]


def begin(accession, alice, original, **options):
    return begin_version(
        accession=accession,
        kind=options.pop("kind", "replacement"),
        creator=alice,
        reason="Out of focus.",
        name="sharper.png",
        original=original,
        **options,
    )


def complete(version, original, *, public=None, width=100):
    image = version.accession.image
    files = [
        VersionFile(
            kind=kind,
            blob=original if kind is FileKind.ORIGINAL else public or original,
            media_type="image/png",
            recipe="" if kind is FileKind.ORIGINAL else "test 2",
        )
        for kind in BASIC_KINDS
    ]
    facts = facts_of(image) | {"width": width, "media_type": "image/png", "format": "png", "pixel_hash": "f" * 64}
    return complete_version(version=version, facts=facts, files=files)


def test_an_accepted_version_replaces_the_file_and_keeps_the_image(alice, cohort):
    image = make_images(cohort, 1, visibility="public")[0]
    accession, before = image.accession, find_served_image(ANYBODY, image.public_id)
    version = complete(begin(accession, alice, blob(1)), blob(1), public=blob(2))
    assert find_served_image(ANYBODY, image.public_id) == before
    accept_version(version=version)
    image.refresh_from_db()
    accession.refresh_from_db()
    after = find_served_image(ANYBODY, image.public_id)
    assert (image.width, image.media_type, image.pixel_hash) == (100, "image/png", "f" * 64)
    assert (accession.original, accession.file_version, accession.image_id) == (blob(1), 2, image.pk)
    assert after.image_id == before.image_id
    assert {file.digest for file in after.files.values()} == {f"{2:064x}"}
    new, old = file_versions_of(accession)
    assert (new.number, new.state, old.number, old.state, old.kind) == (2, "current", 1, "superseded", "received")
    assert old.facts["width"] == 600
    assert {row.blob.sha256 for row in old.files.all()} == {file.digest for file in before.files.values()}
    assert not unreferenced_blobs().exists()
    event = Event.objects.get(verb="image.file_replaced")
    assert (event.subject_id, event.details, event.actor_id) == (str(image.pk), {"version": 2}, alice.pk)


def test_one_version_is_under_way_at_a_time(alice, cohort):
    accession = make_images(cohort, 1)[0].accession
    version = begin(accession, alice, blob(1))
    with pytest.raises(Conflict):
        begin(accession, alice, blob(2))
    complete(version, blob(1))
    with pytest.raises(Conflict):
        begin(accession, alice, blob(2))
    accept_version(version=version)
    assert begin(accession, alice, blob(2)).number == 3
    for again in (accept_version, lambda version: refuse_version(version=version, code="x", words="Y.")):
        with pytest.raises(Conflict):
            again(version=version)


def test_a_refused_version_leaves_no_bytes_and_the_next_one_can_begin(alice, cohort):
    accession = make_images(cohort, 1)[0].accession
    refuse_version(version=begin(accession, alice, blob(1)), code="corrupt", words="It cannot be decoded.")
    assert list(unreferenced_blobs()) == [blob(1)]
    assert Accession.objects.get().file_version == 1
    assert begin(accession, alice, blob(2)).number == 3


def test_a_rejected_candidate_is_kept_with_its_reason(alice, cohort):
    accession = make_images(cohort, 1)[0].accession
    version = complete(begin(accession, alice, blob(1)), blob(1))
    reject_version(version=version, reason="Another patient.")
    version.refresh_from_db()
    assert (version.state, version.refusal, version.files.count()) == ("superseded", "Another patient.", 4)
    with pytest.raises(Conflict):
        accept_version(version=version)


def test_a_withdrawn_image_and_one_without_conversion_keep_their_file(alice, cohort):
    image = make_images(cohort, 1)[0]
    withdraw_image(image=image, reason="Consent.", user=alice)
    with pytest.raises(Conflict):
        begin(image.accession, alice, blob(1))
    waiting = Accession.objects.create(
        cohort=cohort, name="a", name_key="a", creator=alice, original=blob(7), licence="CC0-1.0", attribution="A"
    )
    with pytest.raises(Conflict):
        begin(waiting, alice, blob(1))
    assert not FileVersion.objects.exists()


def test_a_redaction_keeps_the_original_and_its_boxes(alice, cohort):
    image = make_images(cohort, 1)[0]
    accession = image.accession
    kept = accession.original
    version = begin(accession, alice, kept, kind="redaction", redactions=[(1, 2, 3, 4)])
    accept_version(version=complete(version, kept, public=blob(3)))
    accession.refresh_from_db()
    served = find_served_image(viewer_of(alice), str(image.key))
    assert accession.original == kept
    assert {file.digest for file in served.files.values()} == {f"{3:064x}"}
    assert FileVersion.objects.get(number=2).redactions == [[1, 2, 3, 4]]
    assert Event.objects.filter(verb="image.redacted").exists()


def test_links_between_equal_contents_follow_the_change(alice, cohort):
    first, second, third, other = (image.accession for image in make_images(cohort, 4))
    with transaction.atomic():
        Accession.objects.filter(pk__in=[second.pk, third.pk]).update(same_as=first, original=first.original)
    # The first lets go of its content: the second holds it now, the third is a link to the second.
    accept_version(version=complete(begin(first, alice, blob(1)), blob(1)))
    rows = dict(Accession.objects.values_list("pk", "same_as"))
    assert (rows[first.pk], rows[second.pk], rows[third.pk]) == (None, None, second.pk)
    # The other takes the same bytes: it is a link. Taking others again, it stands by itself.
    accept_version(version=complete(begin(other, alice, blob(1)), blob(1)))
    assert Accession.objects.get(pk=other.pk).same_as == first
    accept_version(version=complete(begin(other, alice, blob(2)), blob(2)))
    assert Accession.objects.get(pk=other.pk).same_as is None
