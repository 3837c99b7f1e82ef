"""Images of another archive come in as uploads do, with what it says of each; and what is noted goes where they go."""

import os
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from medtheca.base.errors import Conflict, NotAllowed
from medtheca.domains.access.enums import Role, Visibility
from medtheca.domains.access.operations import add_member, set_visibility
from medtheca.domains.imaging.operations import assign_public_ids
from medtheca.domains.ledger.models import Event
from medtheca.domains.provenance.models import Accession, Origin, Verdict
from medtheca.domains.provenance.moving import merge_cohorts, move_accessions
from medtheca.domains.provenance.operations import create_cohort
from medtheca.domains.provenance.origins import forget_origins_of, origins_of
from medtheca.domains.provenance.purging import purge
from medtheca.domains.provenance.selecting import Selection
from medtheca.workflows.correct import correct_metadata
from medtheca.workflows.importing import looking, staging
from medtheca.workflows.importing.bringing import Import, preview
from medtheca.workflows.importing.describing import Describing
from medtheca.workflows.importing.host import Host, Manners
from medtheca.workflows.importing.looking import Wish
from medtheca.workflows.importing.staging import sweep_staging
from medtheca.workflows.receive import receive_delivery
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, run_jobs
from tests.factories.storage import make_wide_scopes
from tests.generators.images import jpeg
from tests.generators.isic_host import FILE, Answer, IsicHost, as_json, image_of

pytestmark = pytest.mark.django_db(transaction=True)
ONE, TWO = "ISIC_0000001", "ISIC_0000002"
PICTURES = {ONE: jpeg(seed=1), TWO: jpeg(seed=2)}


@pytest.fixture
def wide_scopes():
    """The circles of everybody: a test with real transactions finds none."""
    make_wide_scopes()


@pytest.fixture
def there():
    with IsicHost() as host:
        host.holds(PICTURES, sex="male")
        yield host


def asked(there, token="", **manners):
    return Host(there.site, Manners(agent="x", delay=0, tries=2, **manners), token, sleep=lambda _: None)


def bring(user, cohort, host, **wish):
    run = Import(user=user, cohort=cohort, host=host, wish=Wish(**wish))
    run.bring()
    run_jobs()
    assert run.is_converted()
    describing = Describing(user=user, cohort=cohort, host=host.name, outcome=run.outcome)
    while not describing.go_on():
        run_jobs()
    run.settle()
    return run.outcome


def origin(isic_id=ONE):
    return Origin.objects.select_related("accession").get(remote_id=isic_id)


def test_licence_and_attribution_are_those_of_the_image_from_its_first_moment(alice, cohort, there):
    """Before anything is converted: nobody could publish it meanwhile on other terms."""
    free = image_of(TWO, PICTURES[TWO], site=there.site, licence="CC-0", attribution="Nobody")
    there.on("/api/v2/images/", as_json({"results": [free], "count": 1, "next": None}))
    run = Import(user=alice, cohort=cohort, host=asked(there), wish=Wish())
    run.bring()
    receive_delivery(upload_id=run.deliveries[0])
    (row,) = Accession.objects.all()
    assert (row.state, row.licence, row.attribution) == ("received", "CC0-1.0", "Nobody")
    assert (cohort.licence, cohort.attribution) == ("CC-BY-4.0", "Clinic of Exampleton")
    assert origin(TWO).accession == row


def test_the_ledger_says_who_brought_how_many_from_where(alice, cohort, there):
    bring(alice, cohort, asked(there))
    event = Event.objects.get(verb="delivery.imported")
    assert (event.actor_id, event.cohort_id) == (alice.pk, cohort.pk)
    assert event.details == {"host": there.site.removeprefix("http://"), "images": 2}


def test_what_a_person_brought_before_keeps_its_licence_and_values(alice, cohort, there):
    deliver(alice, cohort, PICTURES[ONE], filename=f"{ONE}.jpg")
    run_jobs()
    outcome = bring(alice, cohort, asked(there))
    assert outcome.counts == {"already_here": 1, "brought": 1}
    assert "The same file was here" in outcome.images[ONE].words
    row = Accession.objects.select_related("description").get(name=f"{ONE}.jpg")
    assert origin(ONE).accession == row
    assert row.licence == cohort.licence
    assert getattr(row, "description", None) is None


def test_a_name_that_is_taken_by_another_image_gets_the_name_of_its_host(alice, cohort, there):
    deliver(alice, cohort, jpeg(seed=77), filename=f"{ONE}.jpg")
    run_jobs()
    assert bring(alice, cohort, asked(there)).counts == {"brought": 2}
    assert origin().accession.name == f"{ONE}-{there.site.removeprefix('http://').replace(':', '-')}.jpg"
    assert origin().sha256 == sha256(PICTURES[ONE]).hexdigest()


def test_several_connections_bring_the_same(alice, cohort, there):
    pictures = {f"ISIC_{number:07}": jpeg(seed=number) for number in range(9)}
    there.holds(pictures)
    assert bring(alice, cohort, asked(there, connections=4)).counts == {"brought": 9}
    assert sorted(there.paths) == sorted(["/api/v2/images/", *map(FILE.format, pictures)])


def test_what_is_too_large_here_is_told_and_not_fetched(alice, cohort, there, settings):
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, max_upload=70_000)
    there.on(FILE.format(ONE), Answer(200, b"", {"Content-Type": "image/jpeg"}, length=1 << 40))
    run = Import(user=alice, cohort=cohort, host=asked(there), wish=Wish())
    run.bring()
    assert run.outcome.images[ONE].fate == "failed_at_host"
    assert "1,099,511,627,776" in run.outcome.images[ONE].words


def test_what_finds_no_room_is_kept_for_the_next_run(alice, cohort, there, settings):
    whole = settings.ENVIRONMENT
    settings.ENVIRONMENT = replace(whole, upload_quota=100)
    run = Import(user=alice, cohort=cohort, host=asked(there), wish=Wish())
    run.bring()
    run.settle()
    assert "100 are under way" in run.outcome.stopped
    assert run.outcome.counts == {"not_reached": 2}
    settings.ENVIRONMENT = whole
    there.asked.clear()
    assert bring(alice, cohort, asked(there)).counts == {"brought": 2}
    assert there.paths == ["/api/v2/images/"]


def test_only_those_who_may_upload_may_bring(cohort, there):
    rita = make_user("rita")
    add_member(scope=cohort.scope, user=rita, role=Role.REVIEWER)
    for doing in (preview, Import):
        with pytest.raises(NotAllowed):
            doing(user=rita, cohort=cohort, host=asked(there), wish=Wish())
    assert there.asked == []


def test_a_dry_run_asks_for_no_file_and_writes_nothing(alice, cohort, there, data):
    outcome = preview(user=alice, cohort=cohort, host=asked(there), wish=Wish())
    assert outcome.counts == {"would_be_brought": 2}
    assert there.paths == ["/api/v2/images/"]
    assert not Origin.objects.exists()
    assert not (data / "imports").exists()


def test_a_query_and_collections_are_asked_for_as_isic_does():
    wish = Wish(query='sex:male AND diagnosis_3:"Nevus"', collections=(3, 5), limit=250)
    assert wish.address == (
        "/api/v2/images/search/?limit=100&query=sex%3Amale+AND+diagnosis_3%3A%22Nevus%22&collections=3%2C5"
    )
    assert Wish(limit=7).address == "/api/v2/images/?limit=7"


def test_origins_are_for_those_who_may_know(wide_scopes, alice, cohort, there, client):
    """What the host shows to everybody is told to everybody; that of an image of a token's owner is not."""
    bring(alice, cohort, asked(there))
    Origin.objects.filter(remote_id=TWO).update(is_public=False)
    assign_public_ids(image_ids=[origin(key).accession.image_id for key in (ONE, TWO)])
    set_visibility(image_ids=[origin(key).accession.image_id for key in (ONE, TWO)], visibility=Visibility.PUBLIC)
    stranger = make_user("charlie")
    assert [row.remote_id for row in origins_of(stranger, origin(ONE).accession)] == [ONE]
    assert origins_of(stranger, origin(TWO).accession) == origins_of(None, origin(TWO).accession) == []
    assert [row.remote_id for row in origins_of(alice, origin(TWO).accession)] == [TWO]
    for isic_id, is_told in ((ONE, True), (TWO, False)):
        key = origin(isic_id).accession.image.key
        assert (f"{there.site}/images/{isic_id}/" in client.get(f"/images/{key}/").content.decode()) is is_told
        assert bool(client.get(f"/api/v2/images/{key}/").json()["origins"]) is is_told
    client.force_login(alice)
    for path in (f"/images/{origin(TWO).accession.image.key}/", f"/accessions/{origin(TWO).accession_id}/"):
        text = client.get(path).content.decode()
        assert f"{there.site}/images/{TWO}/" in text


def test_what_is_noted_goes_along_to_another_cohort(alice, cohort, there):
    bring(alice, cohort, asked(there))
    other = create_cohort(
        contributor=cohort.contributor, creator=alice, name="Other", licence="CC-BY-4.0", attribution="A"
    )
    move_accessions(source=cohort, target=other, accession_ids=[origin(ONE).accession_id], actor=alice)
    assert origin(ONE).cohort == other
    assert origin(TWO).cohort == cohort
    merge_cohorts(source=cohort, target=other, actor=alice)
    assert set(Origin.objects.values_list("cohort", flat=True)) == {other.pk}
    assert bring(alice, other, asked(there)).counts == {"already_here": 2}


def test_what_staff_removed_for_good_may_come_again(alice, cohort, there):
    bring(alice, cohort, asked(there))
    sam = make_user("sam")
    purge(selection=Selection(accession_ids=(origin(ONE).accession_id,)), reason="By mistake", actor=sam)
    assert not Origin.objects.filter(remote_id=ONE).exists()
    assert bring(alice, cohort, asked(there)).counts == {"brought": 1, "already_here": 1}


def test_what_a_run_left_behind_is_swept_once_nobody_goes_on_with_it(alice, cohort, there, data):
    there.on(FILE.format(TWO), Answer(429, headers={"Retry-After": "86400"}))
    run = Import(user=alice, cohort=cohort, host=asked(there), wish=Wish())
    run._deliver = lambda: None
    run.bring()
    assert "86,400 seconds" in run.outcome.stopped
    left = [path for path in (data / "imports").rglob("*") if path.is_file()]
    assert len(left) == 2
    (data / "imports" / "killed.lock").touch()
    assert sweep_staging(idle=timedelta(days=7)) == 0
    for path in (data / "imports").rglob("*"):
        os.utime(path, (1, 1))
    assert sweep_staging(idle=timedelta(days=7)) == 1
    assert not list((data / "imports").iterdir())
    assert not Verdict.objects.exists()


def test_what_was_applied_by_a_run_that_was_cut_is_not_laid_over_what_people_corrected_since(alice, cohort, there):
    """The run is cut after workers applied its sheet, and before it took that down."""
    run = Import(user=alice, cohort=cohort, host=asked(there), wish=Wish())
    run.bring()
    run_jobs()
    cut = Describing(user=alice, cohort=cohort, host=run.host.name, outcome=run.outcome)
    assert not cut.go_on()
    run_jobs()
    assert origin().accession.description.structured["sex"] == "male"
    assert origin().described is None
    correct_metadata(user=alice, accession_id=origin().accession_id, changes={"sex": "female"})
    assert bring(alice, cohort, asked(there)).counts == {"already_here": 2}
    assert origin().accession.description.structured["sex"] == "female"
    assert origin().described


def test_a_next_page_at_what_is_no_address_ends_the_run_in_words(alice, cohort, there):
    listed = [image_of(ONE, PICTURES[ONE], site=there.site)]
    there.on("/api/v2/images/", as_json({"results": listed, "count": 2, "next": "http://["}))
    outcome = bring(alice, cohort, asked(there))
    assert outcome.counts == {"brought": 1}
    assert "which is none" in outcome.stopped


def test_what_was_erased_stays_so_where_its_cohort_becomes_part_of_one_that_knows_the_image(alice, cohort, there):
    """In one cohort an image was erased; in the other it was refused, and another of the same kind is there."""
    bring(alice, cohort, asked(there))
    other = create_cohort(
        contributor=cohort.contributor, creator=alice, name="Other", licence="CC-BY-4.0", attribution="A"
    )
    bring(alice, other, asked(there))
    rows = Accession.objects.filter(cohort=cohort)
    forget_origins_of(list(rows.values_list("pk", flat=True)))
    Origin.objects.filter(cohort=other, remote_id=ONE).update(accession=None)
    rows.delete()
    merge_cohorts(source=cohort, target=other, actor=alice)
    assert set(Origin.objects.values_list("cohort", "erased")) == {(other.pk, True)}
    assert (origin(ONE).said, origin(ONE).url) == ({}, "")
    assert origin(TWO).accession is not None
    there.asked.clear()
    outcome = bring(alice, other, asked(there))
    assert outcome.counts == {"refused": 2}
    assert "erased here" in outcome.images[ONE].words
    assert there.paths == ["/api/v2/images/"]


def test_nothing_of_a_run_stays_in_its_folder(alice, cohort, there, data):
    bring(alice, cohort, asked(there))
    assert not list((data / "imports").iterdir())


def test_a_lock_that_was_taken_away_meanwhile_locks_nobody_in(tmp_path, monkeypatch):
    """Two open the same file; the first ends and takes it away. The second has to lock the one that is there now."""
    real, ended = staging.fcntl.flock, []

    def slow(lock, how):
        if not ended:
            ended.append((tmp_path / "a.lock").unlink())
        real(lock, how)

    monkeypatch.setattr(staging.fcntl, "flock", slow)
    with staging._alone(tmp_path / "a"), pytest.raises(Conflict), staging._alone(tmp_path / "a"):
        raise AssertionError
    assert not list(tmp_path.iterdir())


def test_a_list_of_ever_new_images_ends(alice, cohort, there, monkeypatch):
    monkeypatch.setattr(looking, "_SLACK", 10)

    def more(_):
        at = len(there.asked)
        listed = [{"isic_id": f"ISIC_{at:04}{number:03}"} for number in range(5)]
        return as_json({"results": listed, "count": 3, "next": f"/api/v2/images/?cursor={at}"})

    there.on("/api/v2/images/", more)
    outcome = preview(user=alice, cohort=cohort, host=asked(there), wish=Wish())
    assert "goes on after 20 images" in outcome.stopped
    assert len(there.asked) == 4
