"""A file takes the place of another: through reception, decoding and review, and never half."""

import pytest

from medtheca.base.errors import Conflict, Invalid, NoSpace, NotAllowed, NotFound
from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.access.queries import ANYBODY, viewer_of
from medtheca.domains.access.serving import find_served_image
from medtheca.domains.ledger.models import Event, Notification
from medtheca.domains.provenance.models import Accession, Delivery, FileVersion, Review, Verdict
from medtheca.domains.provenance.moving import move_accessions
from medtheca.domains.provenance.operations import create_cohort
from medtheca.domains.provenance.publication import decide_publication, request_publication
from medtheca.domains.provenance.purging import purge
from medtheca.domains.provenance.reviewing import record_reviews
from medtheca.domains.provenance.selecting import Selection
from medtheca.domains.provenance.stranded import PATIENCE
from medtheca.domains.provenance.versions import file_versions_of
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.uploads import part_path
from medtheca.workflows import replace
from medtheca.workflows.checking import check_archive
from medtheca.workflows.publish import withdraw
from medtheca.workflows.receive import acknowledge_bytes
from medtheca.workflows.replace import begin_replacement, replace_accession
from medtheca.workflows.resume import resume_stranded
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import read, use_data_folder
from tests.generators.images import every_secret, insert, jpeg, pngs

REASON = "The first one was out of focus."


@pytest.fixture
def data(settings, tmp_path):
    yield use_data_folder(settings, tmp_path / "data")
    blob_store.cache_clear()


@pytest.fixture
def alice(db):
    return make_user("alice")


@pytest.fixture
def rita(cohort):
    rita = make_user("rita")
    add_member(scope=cohort.scope, user=rita, role=Role.REVIEWER)
    return rita


@pytest.fixture
def cohort(alice, data):
    return make_cohort(alice)


@pytest.fixture
def accession(alice, cohort):
    deliver(alice, cohort, jpeg(seed=1), filename="first.jpg")
    run_jobs()
    return Accession.objects.get()


def send(user, accession, content, *, filename="second.jpg", reason=REASON):
    upload = begin_replacement(
        user=user, accession_id=accession.pk, filename=filename, size=len(content), reason=reason
    )
    part_path(upload.pk).write_bytes(content)
    acknowledge_bytes(upload=upload, begun_at=0, offset=len(content))
    return upload.pk


def publish(cohort, alice, rita):
    request = request_publication(cohort=cohort, requester=alice, visibility="public")
    decide_publication(request_id=request.pk, staff=rita, accept=True)
    run_jobs()


def public_digests(image):
    served = find_served_image(ANYBODY, image.public_id or str(image.key))
    return {file.digest for file in served.files.values()} if served else None


def test_an_unpublished_file_is_replaced_at_once_and_reviewed_anew(alice, cohort, accession, rita):
    record_reviews(accession_ids=[accession.pk], reviewer=rita, decision="accepted")
    before = accession.image
    upload = send(alice, accession, jpeg(seed=2))
    assert run_jobs() == ["replace.accession"]
    accession.refresh_from_db()
    image = accession.image
    assert (image.pk, image.key, accession.file_version, accession.name) == (before.pk, before.key, 2, "first.jpg")
    assert image.pixel_hash != before.pixel_hash
    assert read(accession.original.sha256) == jpeg(seed=2)
    assert accession.review_state == "awaiting"
    assert Review.objects.get().standing is False
    new, old = file_versions_of(accession)
    assert (new.state, new.reason, new.name, new.creator) == ("current", REASON, "second.jpg", alice)
    assert (old.state, old.original.sha256 in {f.blob.sha256 for f in old.files.all()}) == ("superseded", True)
    verdict = Verdict.objects.get(delivery=upload)
    assert (verdict.outcome, verdict.code, verdict.accession) == ("accepted", "replaced", accession)
    assert Delivery.objects.get(pk=upload).state == "done"
    assert Notification.objects.filter(recipient_id=alice.pk, kind="replacement.done").count() == 1
    assert check_archive().clean
    assert replace_accession(upload_id=upload) is None
    assert FileVersion.objects.count() == 2


def test_the_published_file_stays_until_a_reviewer_accepts_the_new_one(alice, cohort, accession, rita):
    publish(cohort, alice, rita)
    accession.refresh_from_db()
    image = accession.image
    before, public_id = public_digests(image), image.public_id
    send(alice, accession, jpeg(seed=2))
    run_jobs()
    accession.refresh_from_db()
    assert public_digests(image) == before
    assert (accession.file_version, accession.review_state) == (1, "awaiting")
    with pytest.raises(Conflict):
        send(alice, accession, jpeg(seed=3))
    record_reviews(accession_ids=[accession.pk], reviewer=rita, decision="accepted")
    accession.refresh_from_db()
    image.refresh_from_db()
    assert (accession.file_version, accession.review_state, image.public_id) == (2, "accepted", public_id)
    assert public_digests(image) not in (None, before)
    assert Event.objects.get(verb="image.file_replaced").actor_id == rita.pk
    assert check_archive().clean


def test_a_rejected_candidate_leaves_the_published_file_and_its_acceptance(alice, cohort, accession, rita):
    publish(cohort, alice, rita)
    image = Accession.objects.get().image
    before = public_digests(image)
    send(alice, accession, jpeg(seed=2))
    run_jobs()
    record_reviews(accession_ids=[accession.pk], reviewer=rita, decision="rejected", reason="Another lesion.")
    accession.refresh_from_db()
    version = FileVersion.objects.get(number=2)
    assert (version.state, version.refusal) == ("superseded", "Another lesion.")
    assert (accession.file_version, accession.review_state, public_digests(image)) == (1, "accepted", before)
    send(alice, accession, jpeg(seed=3))
    run_jobs()
    assert FileVersion.objects.get(number=3).state == "candidate"


def test_identifying_data_stays_out_of_every_public_copy(alice, cohort, accession, rita):
    send(alice, accession, insert(jpeg(seed=5), *every_secret()))
    run_jobs()
    accession.refresh_from_db()
    served = find_served_image(viewer_of(alice), str(accession.image.key))
    assert accession.original.sha256 not in {file.digest for file in served.files.values()}
    assert check_archive().clean


@pytest.mark.parametrize(
    ("content", "outcome", "code"),
    [
        (b"Just words.", "refused", "unsupported_format"),
        (make_zip([("a/one.jpg", jpeg(seed=7)), (".DS_Store", b"x")]), "accepted", "replaced"),
        (jpeg(seed=1), "duplicate", "same_content"),
    ],
)
def test_what_became_of_the_file_is_a_verdict(*, content, outcome, code, alice, cohort, accession):
    upload = send(alice, accession, content, filename="new.zip" if content[:2] == b"PK" else "new.jpg")
    run_jobs()
    verdict = Verdict.objects.get(delivery=upload)
    assert (verdict.outcome, verdict.code) == (outcome, code)
    assert Delivery.objects.get(pk=upload).state == "done"
    accession.refresh_from_db()
    assert accession.file_version == (2 if outcome == "accepted" else 1)
    assert check_archive().clean
    # Nothing is in the way of another try.
    send(alice, accession, jpeg(seed=8))
    run_jobs()
    accession.refresh_from_db()
    assert read(accession.original.sha256) == jpeg(seed=8)


def test_a_zip_of_several_is_refused_with_words(alice, cohort, accession):
    upload = send(alice, accession, make_zip([("a.jpg", jpeg(seed=2)), ("b.jpg", jpeg(seed=3))]), filename="two.zip")
    run_jobs()
    delivery = Delivery.objects.get(pk=upload)
    assert (delivery.state, delivery.refusal_code) == ("refused", "not_one_file")
    assert "2 files" in delivery.refusal
    assert not FileVersion.objects.exists()
    assert check_archive().clean


def test_who_may_replace_and_when(alice, cohort, accession, rita):
    charlie, bob, edith = make_user("charlie"), make_user("bob"), make_user("edith")
    add_member(scope=cohort.scope, user=bob, role=Role.VIEWER)
    add_member(scope=cohort.scope, user=edith, role=Role.EDITOR)
    with pytest.raises(NotFound):
        send(charlie, accession, jpeg(seed=2))
    for person in (bob, rita):
        with pytest.raises(NotAllowed):
            send(person, accession, jpeg(seed=2))
    with pytest.raises(Invalid):
        send(alice, accession, jpeg(seed=2), reason="  ")
    send(edith, accession, jpeg(seed=2))
    run_jobs()
    withdraw(user=alice, image_ref=str(accession.image.key), reason="Consent.")
    with pytest.raises(Conflict):
        send(alice, accession, jpeg(seed=3))


def test_of_two_files_on_their_way_the_first_whole_one_wins(alice, cohort, accession, rita):
    publish(cohort, alice, rita)
    first, second = (send(alice, accession, jpeg(seed=seed)) for seed in (2, 3))
    run_jobs()
    states = {pk: Delivery.objects.get(pk=pk) for pk in (first, second)}
    assert (states[first].state, states[second].state) == ("done", "refused")
    assert states[second].refusal_code == "version_under_way"
    assert FileVersion.objects.filter(state="candidate").count() == 1


class Cut(Exception):
    pass


@pytest.mark.parametrize("place", ["_only_source", "begin_version", "examine_originals", "complete_version", "_finish"])
def test_a_replacement_that_is_cut_off_goes_on(place, alice, cohort, accession, monkeypatch):
    upload = send(alice, accession, jpeg(seed=2))
    real = getattr(replace, place)

    def cut(*arguments, **options):
        real(*arguments, **options)
        raise Cut

    monkeypatch.setattr(replace, place, cut)
    with pytest.raises(Cut):
        replace_accession(upload_id=upload)
    monkeypatch.setattr(replace, place, real)
    accession.refresh_from_db()
    assert accession.file_version == 1
    replace_accession(upload_id=upload)
    accession.refresh_from_db()
    assert (accession.file_version, Delivery.objects.get(pk=upload).state) == (2, "done")
    assert FileVersion.objects.count() == 2
    assert check_archive().clean


def test_a_stranded_replacement_is_taken_up_again(alice, cohort, accession):
    from procrastinate.contrib.django.models import ProcrastinateJob

    upload = send(alice, accession, jpeg(seed=2))
    ProcrastinateJob.objects.all()._raw_delete("default")
    old = Delivery.objects.get(pk=upload).modified - 2 * PATIENCE
    Delivery.objects.filter(pk=upload).update(modified=old)
    type(Delivery.objects.get(pk=upload).upload).objects.filter(pk=upload).update(modified=old)
    assert resume_stranded() == 1
    assert run_jobs() == ["replace.accession"]
    accession.refresh_from_db()
    assert accession.file_version == 2


def test_without_space_the_file_waits(alice, cohort, accession, monkeypatch):
    upload = send(alice, accession, jpeg(seed=2))
    monkeypatch.setattr(replace, "space_is_short", lambda **_: True)
    with pytest.raises(NoSpace):
        replace_accession(upload_id=upload)
    monkeypatch.undo()
    replace_accession(upload_id=upload)
    accession.refresh_from_db()
    assert accession.file_version == 2


def test_a_png_takes_the_place_of_a_jpeg(alice, cohort, accession):
    content, _ = next(iter(pngs().values()))
    send(alice, accession, content, filename="new.png")
    run_jobs()
    accession.refresh_from_db()
    assert (accession.image.media_type, accession.image.format) == ("image/png", "png")
    files = {file.kind: file.media_type for file in accession.image.files.all()}
    assert files["public"] == "image/png"


def test_an_upload_does_not_follow_an_image_into_another_cohort(alice, cohort, accession):
    edith = make_user("edith")
    add_member(scope=cohort.scope, user=edith, role=Role.EDITOR)
    content = jpeg(seed=2)
    upload = begin_replacement(
        user=edith, accession_id=accession.pk, filename="b.jpg", size=len(content), reason=REASON
    )
    other = create_cohort(
        contributor=cohort.contributor, creator=alice, name="Other", licence="CC0-1.0", attribution="Clinic"
    )
    move_accessions(source=cohort, target=other, accession_ids=[accession.pk], actor=alice)
    part_path(upload.pk).write_bytes(content)
    acknowledge_bytes(upload=upload, begun_at=0, offset=len(content))
    run_jobs()
    assert Delivery.objects.get(pk=upload.pk).refusal_code == "moved"
    assert not FileVersion.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_was_to_replace_a_purged_image_does_not_become_a_new_one(alice, cohort, accession):
    content = jpeg(seed=2)
    arriving = begin_replacement(
        user=alice, accession_id=accession.pk, filename="b.jpg", size=len(content), reason=REASON
    )
    send(alice, accession, jpeg(seed=3))
    plan = purge(selection=Selection(accession_ids=(accession.pk,)), reason="A mistake.", actor=make_user("sam"))
    assert plan.number == 1
    part_path(arriving.pk).write_bytes(content)
    with pytest.raises(Conflict):
        acknowledge_bytes(upload=arriving, begun_at=0, offset=len(content))
    run_jobs()
    assert not Accession.objects.exists()
    assert set(Delivery.objects.filter(upload__filename__in=["b.jpg", "second.jpg"]).values_list("state")) == {
        ("refused",)
    }


def test_a_reviewer_sees_no_version_of_a_withdrawn_image(client, alice, cohort, accession, rita):
    send(alice, accession, jpeg(seed=2))
    run_jobs()
    address = f"/accessions/{accession.pk}/versions/1/web/"
    client.force_login(rita)
    assert client.get(address).status_code == 200
    accession.refresh_from_db()
    withdraw(user=alice, image_ref=str(accession.image.key), reason="Consent was withdrawn.")
    assert client.get(address).status_code == 404
    client.force_login(alice)
    assert client.get(address).status_code == 200
