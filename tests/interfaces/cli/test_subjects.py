"""`medtheca patients` and `medtheca lesions`: Alice owns, Charlie is a stranger, Sam is staff."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from medtheca.domains.metadata.operations import Change, describe_accessions
from medtheca.domains.provenance.longitudinal import link_subjects
from medtheca.domains.provenance.models import Accession, Lesion, Patient
from medtheca.interfaces.cli import subjects
from medtheca.interfaces.cli.subjects import lesions, patients
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.plugins.server import fresh_database

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort():
    make_user("charlie")
    return make_cohort(make_user("alice"))


def link(cohort, images, *, patient, lesion, values=None):
    rows = list(Accession.objects.filter(image__in=images).order_by("pk"))
    if values:
        describe_accessions(
            changes=[Change(row, said) for row, said in zip(rows, values, strict=True)], creator=cohort.creator
        )
    link_subjects(contributor=cohort.contributor, rows=[(row, patient, lesion) for row in rows])


def run(command, *words, by="alice", exit_code=0):
    done = CliRunner().invoke(command, [*map(str, words), "--as", f"{by}@example.org"])
    assert done.exit_code == exit_code, done.output + str(done.exception)
    return done.output


def run_json(*words, **options):
    return json.loads(run(*words, "--json", **options))


def test_patients_are_listed_with_counts_to_their_people_alone(cohort):
    images = make_images(cohort, 3)
    link(cohort, images[:2], patient="MRN-1", lesion="left arm")
    link(cohort, images[2:], patient="MRN-2", lesion=None)
    first, second = (Patient.objects.get(private_id=name) for name in ("MRN-1", "MRN-2"))
    listed = {row["id"]: row for row in run_json(patients, "list")}
    assert listed[first.public_id] == {
        "id": first.public_id,
        "private_id": "MRN-1",
        "contributor": {"id": cohort.contributor_id, "name": cohort.contributor.institution_name},
        "images_count": 2,
        "lesions_count": 1,
    }
    assert (listed[second.public_id]["images_count"], listed[second.public_id]["lesions_count"]) == (1, 0)
    assert run(patients, "list", "--find", "mrn-2") == f"{second.public_id}\tMRN-2\t1\t0\n"
    assert "There are none." in run(patients, "list", by="charlie")
    make_user("sam")
    assert len(run_json(patients, "list", by="sam")) == 2


def test_lists_are_of_one_contributor_where_that_is_named(cohort):
    other = make_cohort(cohort.creator, name="Other")
    for each, name in ((cohort, "MRN-1"), (other, "MRN-9")):
        link(each, make_images(each, 1), patient=name, lesion=f"lesion of {name}")
    (patient,) = run_json(patients, "list", "--contributor", other.contributor.institution_name)
    assert patient["private_id"] == "MRN-9"
    (lesion,) = run_json(lesions, "list", "--contributor", other.contributor_id)
    assert lesion["id"] == Lesion.objects.get(private_id="lesion of MRN-9").public_id
    for command in (patients, lesions):
        told = run(command, "list", "--contributor", other.contributor_id, by="charlie", exit_code=1)
        assert "There is no such contributor" in told


def test_a_patient_is_shown_with_images_lesions_and_cohorts(cohort):
    images = [*make_images(cohort, 1, visibility="public"), *make_images(cohort, 1)]
    link(cohort, images, patient="MRN-1", lesion="left arm")
    patient, lesion = Patient.objects.get(), Lesion.objects.get()
    shown = run_json(patients, "show", patient.public_id)
    assert shown["lesions"] == [{"id": lesion.public_id, "images_count": 2}]
    assert shown["cohorts"] == [{"id": cohort.pk, "name": cohort.name}]
    assert shown["images"] == [images[0].public_id, str(images[1].key)]
    assert len(shown["submissions"]) == 2
    told = run(patients, "show", patient.public_id)
    assert f"{lesion.public_id}, images: 2" in told
    assert f"{cohort.pk} {cohort.name}" in told
    # Whoever is no one's colleague is not told that there is such a patient.
    assert f"There is no patient {patient.public_id}." in run(
        patients, "show", patient.public_id, by="charlie", exit_code=1
    )
    assert "There is no patient IP_\ufffd." in run(patients, "show", "IP_\udcff", exit_code=1)


def test_lesions_are_for_those_who_may_see_every_image_of_them(cohort, monkeypatch):
    # More lesions than are read at once.
    monkeypatch.setattr(subjects, "_AT_ONCE", 2)
    seen = [make_images(cohort, 1, visibility="public") for _ in range(5)]
    for number, images in enumerate(seen):
        link(cohort, images, patient="MRN-1", lesion=f"lesion {number}")
    half = [*make_images(cohort, 1, visibility="public"), *make_images(cohort, 1)]
    values = [{"acquisition_day": 30, "diagnosis_1": "Benign"}, {"acquisition_day": 1, "diagnosis_1": "Malignant"}]
    link(cohort, half, patient="MRN-1", lesion="half", values=values)
    public_id = Lesion.objects.get(private_id="half").public_id
    listed = run_json(lesions, "list")
    assert [row["id"] for row in listed] == list(
        Lesion.objects.order_by("public_id").values_list("public_id", flat=True)
    )
    assert public_id not in {row["id"] for row in run_json(lesions, "list", by="charlie")}
    assert len(run_json(lesions, "list", by="charlie")) == 5
    shown = run_json(lesions, "show", public_id)
    assert shown == {
        "id": public_id,
        "images": [str(half[1].key), half[0].public_id],
        "index_image": str(half[1].key),
        "longitudinally_monitored": True,
        "outcome_diagnosis": "Malignant",
        "outcome_diagnosis_1": "Malignant",
    }
    assert f"{public_id}\t2\t{half[1].key}\tMalignant" in run(lesions, "list")
    assert "Malignant" in run(lesions, "show", public_id)
    assert f"There is no lesion {public_id}." in run(lesions, "show", public_id, by="charlie", exit_code=1)


def test_the_commands_of_people_and_provenance_work_from_the_shell(tmp_path):
    with fresh_database() as (_, url):
        environment = os.environ | {"DATABASE_URL": url, "MEDTHECA_DATA": str(tmp_path), "MEDTHECA_DISK_RESERVE": "0"}

        def medtheca(*words, given=None):
            done = subprocess.run(
                [sys.executable, "-m", "medtheca", *map(str, words), "--as", "alice@example.org"],
                env=environment,
                capture_output=True,
                text=True,
                timeout=180,
                check=False,
                input=given,
            )
            assert "Traceback" not in done.stderr, done.stderr
            return done.returncode, done.stdout, done.stderr

        made = [sys.executable, "-m", "medtheca", "user", "create", "alice@example.org", "--random-password"]
        subprocess.run(made, env=environment, capture_output=True, check=True, timeout=180)
        assert medtheca("contributor", "create", "Clinic", "--licence", "CC-BY", "--attribution", "Clinic")[0] == 0
        code, told, _ = medtheca("cohort", "create", "Spring", "--contributor", "Clinic", "--json")
        assert (code, json.loads(told)["licence"]) == (0, "CC-BY-4.0")
        # Without a mail server a message is a file, and the answer for programs is nothing but JSON.
        code, told, _ = medtheca("member", "invite", "bob@example.org", "--cohort", "Spring", "--json")
        assert (code, json.loads(told)["email"]) == (0, "bob@example.org")
        assert "/invitations/" in next((tmp_path / "mail").iterdir()).read_text()
        assert medtheca("group", "create", "Readers")[0] == 0
        for words in (["agreement", "list", "Clinic"], ["patients", "list"], ["lesions", "list"]):
            assert medtheca(*words, "--json")[:2] == (0, "[]\n")
        code, told, refused = medtheca("member", "remove", "alice@example.org", "--contributor", "Clinic")
        assert (code, told) == (1, "")
        assert refused == "alice@example.org is the last owner. Make somebody else an owner first.\n"
        assert medtheca("cohort", "show", "Autumn")[0] == 1
        assert medtheca("cohort", "show")[0] == 2
