"""A field taken out of metadata, and images made again from their originals."""

import pytest

from medtheca.base.errors import Conflict, Invalid, NotAllowed
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.ledger.models import Event, Notification
from medtheca.domains.metadata.models import Description, MetadataVersion
from medtheca.domains.provenance.enums import ReviewState, VersionKind, VersionState
from medtheca.domains.provenance.longitudinal import link_subjects
from medtheca.domains.provenance.models import Accession, FileVersion
from medtheca.domains.provenance.purging import purge
from medtheca.domains.provenance.reviewing import record_reviews
from medtheca.domains.provenance.selecting import select
from medtheca.domains.storage.enums import BlobState
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.queries import blob_store
from medtheca.workflows.checking import Look, check_archive
from medtheca.workflows.reconvert import begin_reconversion, plan_reconversion, reconvert_batch
from medtheca.workflows.remove_field import plan_field_removal, remove_field
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import make_wide_scopes, use_data_folder
from tests.generators.images import every_secret, insert, jpeg

WHY = "Asked for by the institution."


@pytest.fixture
def alice(db):
    return make_user("alice")


@pytest.fixture
def sam(db):
    return make_user("sam")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


def values(image):
    return Description.objects.get(accession__image=image).structured


def test_a_field_goes_as_a_version_with_a_reason(cohort, sam):
    one, two = make_images(cohort, 2, structured={"age": 52, "age_approx": 50, "sex": "male"})
    (bare,) = make_images(cohort, 1, structured={"age": 40, "age_approx": 40})
    rita = make_user("rita")
    make_reviewer(cohort, rita)
    accession = Accession.objects.get(image=one)
    record_reviews(accession_ids=[accession.pk], reviewer=rita, decision="accepted")
    selection = select(user=sam, cohort_id=cohort.pk)
    plan = plan_field_removal(selection=selection, field="sex", actor=sam)
    assert (plan.number, plan.steps[0].before) == (2, "male")
    assert values(one)["sex"] == "male"
    remove_field(selection=selection, field="sex", reason=WHY, actor=sam, expected=2)
    assert [values(image) for image in (one, two, bare)] == [
        {"age": 52, "age_approx": 50},
        {"age": 52, "age_approx": 50},
        {"age": 40, "age_approx": 40},
    ]
    version = MetadataVersion.objects.get(accession=accession, number=2)
    assert (version.reason, version.creator) == (WHY, sam)
    accession.refresh_from_db()
    assert accession.review_state == ReviewState.AWAITING
    with pytest.raises(Conflict) as refusal:
        remove_field(selection=selection, field="sex", reason=WHY, actor=sam)
    assert refusal.value.code == "nothing_to_do"
    # What is derived from a field goes with it: the coarse age would still tell of the exact one.
    remove_field(selection=selection, field="age", reason=WHY, actor=sam)
    assert [values(image) for image in (one, two, bare)] == [{}, {}, {}]


def make_reviewer(cohort, user):
    from medtheca.domains.access.enums import Role
    from medtheca.domains.access.operations import add_member

    add_member(scope=cohort.scope, user=user, role=Role.REVIEWER)


def test_private_ids_take_their_links_with_them(cohort, sam):
    (image,) = make_images(cohort, 1, structured={"patient_id": "P-1", "lesion_id": "L-1"})
    accession = Accession.objects.get(image=image)
    link_subjects(contributor=cohort.contributor, rows=[(accession, "P-1", "L-1")])
    remove_field(selection=select(user=sam, cohort_id=cohort.pk), field="lesion_id", reason=WHY, actor=sam)
    accession.refresh_from_db()
    assert accession.lesion is None
    assert accession.patient.private_id == "P-1"


def test_an_unstructured_column_goes_and_its_name_stays_out_of_the_ledger(cohort, sam):
    (image,) = make_images(cohort, 1, structured={"sex": "male"})
    Description.objects.update(unstructured={"name of Mrs Muster": "x", "camera": "y"})
    selection = select(user=sam, cohort_id=cohort.pk)
    remove_field(selection=selection, field="name of Mrs Muster", reason=WHY, actor=sam)
    assert Description.objects.get().unstructured == {"camera": "y"}
    assert "Muster" not in str(Event.objects.get(verb="metadata.field_removed").details)
    assert values(image) == {"sex": "male"}


def test_a_field_is_not_removed_by_others_without_reason_or_by_a_slip(cohort, alice, sam):
    make_images(cohort, 1, structured={"sex": "male"})
    selection = select(user=alice, cohort_id=cohort.pk)
    with pytest.raises(NotAllowed):
        plan_field_removal(selection=selection, field="sex", actor=alice)
    with pytest.raises(Invalid):
        remove_field(selection=selection, field="sex", reason="", actor=sam)
    with pytest.raises(Invalid) as refusal:
        plan_field_removal(selection=selection, field="sexx", actor=sam)
    assert "Did you mean 'sex'?" in refusal.value.problems[0].remedy


@pytest.fixture
def real(alice, cohort, settings, tmp_path):
    """Two real pictures, one of which hides what is taken out of public copies."""
    use_data_folder(settings, tmp_path / "data")
    files = [("a.jpg", insert(jpeg(), *every_secret())), ("b.jpg", jpeg(seed=1))]
    deliver(alice, cohort, make_zip(files))
    run_jobs()
    yield [Accession.objects.get(name=name) for name in ("a.jpg", "b.jpg")]
    blob_store.cache_clear()


def files_of(accession):
    return {file.kind: (file.blob_id, file.recipe) for file in ImageFile.objects.filter(image=accession.image)}


def test_images_are_made_again_and_stay_themselves(real, cohort, sam):
    first, second = real
    before, keys = [files_of(row) for row in real], list(Image.objects.order_by("pk").values_list("pk", "key"))
    derived = ImageFile.objects.filter(image=first.image).exclude(kind=FileKind.ORIGINAL)
    derived.update(recipe="an old one", blob=second.original)
    Image.objects.filter(pk=first.image_id).update(perceptual_hash=7, stripped=[])
    selection = select(user=sam, cohort_id=cohort.pk)
    assert plan_reconversion(selection=selection, actor=sam).number == 2
    with pytest.raises(NotAllowed):
        begin_reconversion(selection=selection, actor=make_user("bob"))
    begin_reconversion(selection=selection, actor=sam, expected=2)
    assert run_jobs() == ["convert.again"]
    assert [files_of(row) for row in real] == before
    assert list(Image.objects.order_by("pk").values_list("pk", "key")) == keys
    image = Image.objects.get(pk=first.image_id)
    assert image.perceptual_hash != 7
    assert image.stripped
    told = Event.objects.get(verb="accessions.reconverted").details
    assert (told["made"], told["different"], told["failed"]) == ([first.pk, second.pk], [], [])
    assert not Notification.objects.filter(recipient_id=sam.pk).exists()


def test_an_image_whose_pixels_would_be_others_is_left_alone_and_told(real, sam):
    first, second = real
    before = files_of(first)
    Image.objects.filter(pk=first.image_id).update(pixel_hash="0" * 64, perceptual_hash=7)
    outcome = reconvert_batch(accession_ids=[first.pk, second.pk], actor_id=sam.pk)
    assert (outcome.made, outcome.different) == ([second.pk], [first.pk])
    assert files_of(first) == before
    assert Image.objects.get(pk=first.image_id).perceptual_hash == 7
    assert "1 were left alone" in Notification.objects.get(recipient_id=sam.pk).words


def test_a_redacted_image_is_never_uncovered(real, cohort, alice, sam):
    first, _ = real
    FileVersion.objects.create(
        accession=first,
        number=2,
        kind=VersionKind.REDACTION,
        state=VersionState.CURRENT,
        name=first.name,
        original=first.original,
        redactions=[[0, 0, 10, 10]],
        creator=alice,
    )
    plan = plan_reconversion(selection=select(user=sam, cohort_id=cohort.pk), actor=sam)
    assert plan.number == 1
    assert plan.left[0].subject == "a.jpg"
    ImageFile.objects.filter(image=first.image, kind=FileKind.PUBLIC).update(recipe="redacted 1")
    reconvert_batch(accession_ids=[first.pk], actor_id=sam.pk)
    assert files_of(first)[FileKind.PUBLIC][1] == "redacted 1"


@pytest.mark.django_db(transaction=True)
def test_bytes_of_what_was_purged_get_their_tombstone_at_once(settings, tmp_path):
    make_wide_scopes()
    use_data_folder(settings, tmp_path / "data")
    alice, sam = make_user("alice"), make_user("sam")
    cohort = make_cohort(alice)
    deliver(alice, cohort, make_zip([("a.jpg", insert(jpeg(), *every_secret())), ("b.jpg", jpeg(seed=1))]))
    run_jobs()
    going = Accession.objects.get(name="a.jpg")
    kept = Accession.objects.get(name="b.jpg")
    blobs = set(ImageFile.objects.filter(image=going.image).values_list("blob", flat=True))
    purge(selection=select(user=sam, accession_ids=[going.pk]), reason="Mistake.", actor=sam)
    assert run_jobs() == ["storage.let_go"]
    states = dict(Blob.objects.values_list("pk", "state"))
    assert {states[pk] for pk in blobs} == {BlobState.TOMBSTONED}
    assert states[kept.original_id] == BlobState.STORED
    assert [found for found in check_archive(Look()).all if found.invariant != "I6"] == []
    blob_store.cache_clear()
