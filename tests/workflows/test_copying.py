"""De-identified DICOM of the archive: asked for, made by a job in the sandbox, and taken by those who may alone."""

import io
import json
import zipfile

import numpy as np
import pydicom
import pytest
from django.test import Client

from medtheca.base.errors import Conflict, NotAllowed, NotFound
from medtheca.domains.access.enums import Role, Visibility
from medtheca.domains.access.operations import add_member, set_visibility
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.imaging.operations import assign_public_ids
from medtheca.domains.ledger.queries import events_of
from medtheca.domains.provenance.copies import ask_for_copy, copy_of, file_of_copy, key_of
from medtheca.domains.provenance.longitudinal import link_subjects
from medtheca.domains.provenance.models import Accession, Contributor, DicomCopy
from medtheca.domains.storage.opening import read_blob
from medtheca.domains.storage.queries import blob_store
from medtheca.workflows import copying
from medtheca.workflows.copying import make_copy
from medtheca.workflows.decoding import close_decoder_pool
from tests.canary import planting_dicom
from tests.canary.canaries import Canaries, find
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import use_data_folder
from tests.generators import dicoms, images

pytestmark = pytest.mark.django_db
HOST = "localhost:8000"


@pytest.fixture(autouse=True)
def data(settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")
    yield
    close_decoder_pool()
    blob_store.cache_clear()


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


def slices(seed=0, **attributes):
    return dicoms.series(
        dicoms.along([0, 3.0, 6.0]),
        pixels=[dicoms.phantom((12, 17), np.int16, seed + place) for place in range(3)],
        StudyDate="20240301",
        PatientID="MRN-4711",
        **attributes,
    )


def send(alice, cohort, files):
    deliver(alice, cohort, make_zip(files))
    run_jobs()
    return Accession.objects.filter(cohort=cohort).order_by("-pk").first()


def series_of(alice, cohort, **options):
    return send(alice, cohort, [(f"t1/{place}.dcm", data) for place, data in enumerate(slices(**options))])


def made_for(alice, accession):
    ask_for_copy(accession_id=accession.pk, actor=alice)
    run_jobs()
    return copy_of(Accession.objects.get(pk=accession.pk))


def files_in(found):
    data = read_blob(found.sha256)
    if found.media_type == "application/dicom":
        return [pydicom.dcmread(io.BytesIO(data))]
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return [pydicom.dcmread(io.BytesIO(opened.read(name))) for name in opened.namelist()]


def client_of(user):
    client = Client(headers={"host": HOST})
    client.force_login(user)
    return client


def test_a_series_becomes_a_zip_of_as_many_files_with_the_same_pixels(alice, cohort):
    sources = [pydicom.dcmread(io.BytesIO(data)) for data in slices()]
    accession = series_of(alice, cohort)
    assert copy_of(accession) is None
    with pytest.raises(NotFound):
        file_of_copy(alice, accession.pk)
    copy = made_for(alice, accession)
    assert (copy.state, copy.report["files"], copy.refusal) == ("made", 3, "")
    found = file_of_copy(alice, accession.pk)
    assert (found.media_type, found.name) == ("application/zip", f"{accession.image.key}.zip")
    made = files_in(found)
    assert sorted(one.PixelData for one in made) == sorted(one.PixelData for one in sources)
    assert len({one.SeriesInstanceUID for one in made}) == 1
    assert not {one.SOPInstanceUID for one in made} & {one.SOPInstanceUID for one in sources}
    assert {one.PatientIdentityRemoved for one in made} == {"YES"}
    assert {one.PatientID for one in made} != {"MRN-4711"}
    (day,) = {one.StudyDate for one in made}
    assert day < "20240301"
    assert ["00100010", "PatientName", "Z", 3] in copy.report["actions"]


def test_no_identifier_of_the_original_is_in_the_copy_the_page_or_the_answers(alice, cohort):
    canaries = Canaries()
    pixels = dicoms.phantom((12, 16), np.int16)
    accession = send(alice, cohort, [("a.dcm", planting_dicom.slice_(canaries, pixels))])
    assert len(canaries) > 4_000
    assert made_for(alice, accession).state == "made"
    found = file_of_copy(alice, accession.pk)
    # Days are moved within the days that were planted; that they are moved is tested by themselves.
    dates = {str(day) for day in canaries.dates}
    data = read_blob(found.sha256)
    assert not set(find(canaries, {"copy": data})) - dates
    assert pydicom.dcmread(io.BytesIO(data)).PixelData == pixels.astype("<i2").tobytes()
    client = client_of(alice)
    api = client.get(f"/api/v2/accessions/{accession.pk}/deidentified/")
    assert api.json()["state"] == "made"
    page = client.get(f"/accessions/{accession.pk}/")
    assert b"De-identified DICOM" in page.content
    said = Image.objects.get(pk=accession.image_id).facts["stated"]
    # What the header says of its device is told to the people of the cohort, on that page alone.
    shown = page.content.replace("; ".join(said).encode(), b"")
    assert not find(canaries, {"api": api.content, "page": shown})
    image = Image.objects.get(pk=accession.image_id)
    assign_public_ids(image_ids=[image.pk])
    set_visibility(image_ids=[image.pk], visibility=Visibility.PUBLIC)
    image.refresh_from_db()
    nobody = Client(headers={"host": HOST})
    public = {
        address: nobody.get(address).content
        for address in (f"/api/v2/images/{image.public_id}/", f"/images/{image.public_id}/", "/api/v2/images/", "/")
    }
    assert image.public_id.encode() in public[f"/images/{image.public_id}/"]
    assert not find(canaries, public)


def test_pages_and_api_ask_show_and_send_it(alice, cohort):
    accession = series_of(alice, cohort)
    client = client_of(alice)
    at, api = f"/accessions/{accession.pk}/", f"/api/v2/accessions/{accession.pk}/deidentified/"
    assert b"Make it" in client.get(at).content
    assert client.get(api).status_code == 404
    assert client.post(f"{at}deidentified/").headers["Location"] == at
    assert b"It is being made" in client.get(at).content
    assert client.post(api).status_code == 202
    run_jobs()
    page = client.get(at).content
    assert b"deidentified/file/" in page
    assert b"PatientName" in page
    told = client.get(api).json()
    assert (told["state"], told["files"]) == ("made", 3)
    for address in (f"{at}deidentified/file/", f"{api}file/"):
        answer = client.get(address)
        content = b"".join(answer.streaming_content)
        assert answer.headers["Content-Length"] == str(len(content))
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["Content-Disposition"].startswith("attachment; ")
        assert content == read_blob(file_of_copy(alice, accession.pk).sha256)


def test_only_owners_editors_and_staff_have_it_though_the_image_is_public(alice, cohort):
    accession = series_of(alice, cohort)
    people = {name: make_user(name) for name in ("edith", "rita", "vera", "mallory")}
    for name, role in (("edith", Role.EDITOR), ("rita", Role.REVIEWER), ("vera", Role.VIEWER)):
        add_member(scope=cohort.scope, user=people[name], role=role)
    assert made_for(people["edith"], accession).state == "made"
    assign_public_ids(image_ids=[accession.image_id])
    set_visibility(image_ids=[accession.image_id], visibility=Visibility.PUBLIC)
    for user in (people["edith"], alice, make_user("sam")):
        assert file_of_copy(user, accession.pk).size
    for name, refusal in (("rita", NotAllowed), ("vera", NotAllowed), ("mallory", NotFound)):
        with pytest.raises(refusal):
            file_of_copy(people[name], accession.pk)
        with pytest.raises(refusal):
            ask_for_copy(accession_id=accession.pk, actor=people[name])
    assert b"De-identified" not in client_of(people["vera"]).get(f"/accessions/{accession.pk}/").content
    listed = Client(headers={"host": HOST}).get("/api/v2/images/").json()["results"]
    assert [set(image["files"]) & {"dicom", "original"} for image in listed] == [set()]


def test_one_key_a_contributor_and_days_by_the_patient(alice, cohort):
    first, second = series_of(alice, cohort), series_of(alice, cohort, seed=50, SeriesDescription="another")
    assert first.pk != second.pk
    bob = make_user("bob")
    elsewhere = series_of(bob, make_cohort(bob, name="Elsewhere"), seed=90)
    link_subjects(contributor=cohort.contributor, rows=[(row, "patient 1", None) for row in (first, second)])
    for user, accession in ((alice, first), (alice, second), (bob, elsewhere)):
        assert made_for(user, accession).state == "made"
    days, names = [], []
    for user, accession in ((alice, first), (alice, second), (bob, elsewhere)):
        made = files_in(file_of_copy(user, accession.pk))[0]
        days.append(made.StudyDate)
        names.append(made.PatientID)
    assert days[0] == days[1]
    assert names[0] == names[1] != names[2]
    keys = {key_of(pk) for pk in Contributor.objects.values_list("pk", flat=True)}
    assert len(keys) == 2
    assert {len(key) for key in keys} == {32}
    key = key_of(cohort.contributor_id)
    assert key == key_of(cohort.contributor_id)
    told = client_of(alice).get(f"/api/v2/contributors/{cohort.contributor_id}/").content
    assert key.hex().encode() not in told
    assert b"copies_key" not in told


def test_asking_again_and_doing_it_again_change_nothing(alice, cohort):
    accession = series_of(alice, cohort)
    for _ in range(3):
        ask_for_copy(accession_id=accession.pk, actor=alice)
    run_jobs()
    before = file_of_copy(alice, accession.pk)
    copy = copy_of(accession)
    make_copy(accession_id=accession.pk)
    assert ask_for_copy(accession_id=accession.pk, actor=alice).made == copy.made
    run_jobs()
    assert file_of_copy(alice, accession.pk) == before
    assert DicomCopy.objects.count() == 1
    assert not list((blob_store().path(before.sha256).parents[2]).rglob("*.part"))


def test_a_copy_of_another_original_is_nobodys(alice, cohort):
    accession = series_of(alice, cohort)
    assert made_for(alice, accession).state == "made"
    DicomCopy.objects.update(source="0" * 64)
    assert copy_of(accession) is None
    with pytest.raises(NotFound):
        file_of_copy(alice, accession.pk)
    # The same where the file's row is of another original than the copy's.
    assert made_for(alice, accession).state == "made"
    ImageFile.objects.filter(kind="dicom").update(source="0" * 64)
    assert copy_of(accession) is None
    assert made_for(alice, accession).state == "made"


def test_what_changes_while_the_copy_is_made_is_not_overwritten(alice, cohort, monkeypatch):
    accession = series_of(alice, cohort)
    ask_for_copy(accession_id=accession.pk, actor=alice)

    def replaced(copy):
        DicomCopy.objects.update(source="0" * 64)
        return original(copy)

    original = copying.lock_waiting_copy
    monkeypatch.setattr(copying, "lock_waiting_copy", replaced)
    make_copy(accession_id=accession.pk)
    assert not ImageFile.objects.filter(kind="dicom").exists()


def test_what_is_no_image_is_refused_with_the_reason_and_can_be_tried_again(alice, cohort):
    document = dicoms.dataset(SOPClassUID=dicoms.STORAGE + "104.1", Modality="DOC")
    accession = send(alice, cohort, [("letter.dcm", dicoms.write(document))])
    copy = made_for(alice, accession)
    assert copy.state == "refused"
    assert "SOP class" in copy.refusal
    page = client_of(alice).get(f"/accessions/{accession.pk}/").content
    assert b"Try again" in page
    assert ask_for_copy(accession_id=accession.pk, actor=alice).state == "waiting"


def test_what_is_no_dicom_has_none(alice, cohort):

    accession = send(alice, cohort, [("photo.jpg", images.jpeg())])
    with pytest.raises(Conflict):
        ask_for_copy(accession_id=accession.pk, actor=alice)
    assert b"De-identified" not in client_of(alice).get(f"/accessions/{accession.pk}/").content


def test_the_ledger_says_who_asked(alice, cohort):

    accession = series_of(alice, cohort)
    made_for(alice, accession)
    events = [(event.verb, event.actor_id) for event in events_of("accession", accession.pk)]
    assert ("accession.copy_asked", alice.pk) in events
    assert "MRN-4711" not in json.dumps([event.details for event in events_of("accession", accession.pk)])
