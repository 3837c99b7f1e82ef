"""A spreadsheet describes a cohort: all of it or, with every problem told, nothing."""

import time

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from medtheca.base.errors import Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.metadata.models import Description, MetadataFile, MetadataVersion
from medtheca.domains.metadata.queries import metadata_file_for
from medtheca.domains.provenance import longitudinal
from medtheca.domains.provenance.models import Accession, Lesion, Patient
from medtheca.domains.provenance.operations import create_cohort
from medtheca.workflows import describe
from medtheca.workflows.describe import describe_file, give_metadata
from medtheca.workflows.describing import report, writing
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.samples import needs_samples, sample_dir

pytestmark = pytest.mark.usefixtures("data")


@pytest.fixture
def cohort(alice):
    cohort = make_cohort(alice)
    make_images(cohort, 4, names=["1.jpg", "2.jpg", "3.jpg", "4.png"])
    return cohort


def name_accessions(cohort, names):
    """Accessions of these names that wait for conversion, thousands in a second."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH blobs AS (INSERT INTO storage_blob (sha256, size, state)"
            " SELECT encode(sha256(name::bytea), 'hex'), 1, 'stored' FROM unnest(%s::text[]) AS name"
            " RETURNING id, sha256)"
            " INSERT INTO provenance_accession (cohort_id, name, name_key, original_path, creator_id, state,"
            " original_id, licence, attribution, modified)"
            " SELECT %s, name, name, name, %s, 'received', blobs.id, %s, %s, now()"
            " FROM unnest(%s::text[]) AS name JOIN blobs ON blobs.sha256 = encode(sha256(name::bytea), 'hex')",
            [names, cohort.pk, cohort.creator_id, cohort.licence, cohort.attribution, names],
        )


def apply(user, cohort, text, **options):
    content = text if isinstance(text, bytes) else text.encode()
    file = give_metadata(user=user, cohort_id=cohort.pk, name="sheet.csv", data=content, **options)
    describe_file(file_id=file.pk)
    file.refresh_from_db()
    return file


def said(name):
    return Description.objects.get(accession__name=name).structured


def test_good_rows_are_applied_with_a_version_each(alice, cohort):
    file = apply(
        alice, cohort, "filename,age,sex,diagnosis,colour of hair\n1.jpg,53,female,Nevus,red\nfolder/2,40,male,,\n"
    )
    assert (file.state, file.rows) == ("applied", 2)
    assert (file.report["matched"], file.report["changed"], file.report["unmatched_count"]) == (2, 2, 0)
    assert (said("1.jpg")["age"], said("1.jpg")["age_approx"], said("1.jpg")["sex"]) == (53, 55, "female")
    assert Description.objects.get(accession__name="1.jpg").unstructured == {"colour of hair": "red"}
    version = MetadataVersion.objects.get(accession__name="2.jpg")
    assert (version.number, version.source, version.creator) == (1, file, alice)


def test_with_one_problem_nothing_is_applied_and_every_problem_is_told(alice, cohort):
    file = apply(alice, cohort, "filename,age,sex\n1.jpg,53,female\n2.jpg,old,female\n3.jpg,40,femal\n")
    assert file.state == "invalid"
    assert [(p["line"], p["file"], p["field"]) for p in file.report["problems"]] == [
        (3, "2.jpg", "age"),
        (4, "3.jpg", "sex"),
    ]
    assert all(p["message"] and p["remedy"] for p in file.report["problems"])
    assert not Description.objects.exists()


def test_a_job_for_what_is_gone_ends(db):
    describe_file(file_id=10**9)


def test_two_names_of_one_image_are_a_problem_and_no_crash(alice, cohort):
    file = apply(alice, cohort, "filename,age\n1.jpg,53\nfolder/1.jpg,54\n1,55\n")
    assert file.state == "invalid"
    assert [(p["line"], p["code"]) for p in file.report["problems"]] == [
        (3, "duplicate_filename"),
        (4, "duplicate_filename"),
    ]
    assert "line 2" in file.report["problems"][0]["message"]


def test_rows_of_no_image_are_passed_over_and_told(alice, cohort, monkeypatch):
    monkeypatch.setattr(report, "_MOST_REPORTED", 3)
    strangers = "".join(f"stranger{n}.jpg,40\n" for n in range(9))
    file = apply(alice, cohort, f"filename,age\n1.jpg,53\n{strangers}")
    assert (file.state, file.report["matched"], file.report["unmatched_count"]) == ("applied", 1, 9)
    assert file.report["unmatched"] == ["stranger0.jpg", "stranger1.jpg", "stranger2.jpg"]


def test_a_name_without_extension_must_mean_one_image(alice, cohort):
    make_images(cohort, 1, names=["1.png"])
    file = apply(alice, cohort, "filename,age\n1,53\n2,40\n4.PNG,30\n")
    assert file.report["unmatched"] == ["1", "4.PNG"]


def test_a_blank_cell_keeps_and_the_same_sheet_again_changes_nothing(alice, cohort):
    apply(alice, cohort, "filename,age,sex\n1.jpg,53,female\n")
    file = apply(alice, cohort, "filename,age,sex\n1.jpg,,male\n2.jpg,30,\n")
    assert (said("1.jpg")["age"], said("1.jpg")["sex"]) == (53, "male")
    assert file.report["changed"] == 2
    again = apply(alice, cohort, "filename,age,sex\n1.jpg,,male\n2.jpg,30,\n")
    assert (again.state, again.report["changed"]) == ("applied", 0)
    versions = MetadataVersion.objects.filter(accession__name="1.jpg").order_by("number")
    assert list(versions.values_list("number", flat=True)) == [1, 2]


class Cut(Exception):
    pass


def test_an_application_that_is_cut_off_goes_on(alice, cohort, monkeypatch):
    monkeypatch.setattr(describe, "CHUNK", 1)
    calls = []

    def step(name):
        calls.append(name)
        if len(calls) == 2:
            raise Cut

    monkeypatch.setattr(writing, "step", step)
    with pytest.raises(Cut):
        apply(alice, cohort, "filename,age\n1.jpg,53\n2.jpg,40\n3.jpg,30\n")
    file = MetadataFile.objects.get()
    assert file.state == "applying"
    describe_file(file_id=file.pk)
    file.refresh_from_db()
    assert file.state == "applied"
    assert MetadataVersion.objects.count() == 3
    describe_file(file_id=file.pk)
    assert MetadataVersion.objects.count() == 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"age,sex\n5,male\n",
        b"\x00\x01\x02",
        b"filename,note\n1.jpg,a\x00b\n",
        b"filename,no\x00te\n1.jpg,b\n",
        b'filename,age\n"1.jpg,4',
        b"\xff\xfe\x00\xd8",
        b"filename,note\nnobody\x00.jpg,b\n",
    ],
)
def test_what_is_no_spreadsheet_ends_with_a_reason(content, alice, cohort):
    file = apply(alice, cohort, content)
    assert file.state == "invalid"
    assert all(problem["message"] and problem["remedy"] for problem in file.report["problems"])
    assert file.report["problems"]


def test_private_ids_become_public_ones_for_each_contributor_over_its_cohorts(alice, cohort):
    second = create_cohort(
        contributor=cohort.contributor, creator=alice, name="Second", licence="CC0-1.0", attribution="Clinic"
    )
    make_images(second, 1, names=["5.jpg"])
    bob = make_user("bob")
    elsewhere = make_cohort(bob, name="Elsewhere")
    make_images(elsewhere, 1, names=["6.jpg"])
    apply(alice, cohort, "filename,patient_id,lesion_id\n1.jpg,P1,L1\n2.jpg,P1,L2\n3.jpg,P2,L3\n")
    apply(alice, second, "filename,patient_id,lesion_id\n5.jpg,P1,L1\n")
    apply(bob, elsewhere, "filename,patient_id,lesion_id\n6.jpg,P1,L1\n")
    whose = {a.name: (a.patient.public_id, a.lesion.public_id) for a in Accession.objects.filter(patient__isnull=False)}
    assert whose["1.jpg"] == whose["5.jpg"]
    assert whose["1.jpg"][0] == whose["2.jpg"][0] != whose["3.jpg"][0]
    assert whose["6.jpg"][0] not in {whose["1.jpg"][0], whose["3.jpg"][0]}
    assert Patient.objects.count() == 3
    assert Lesion.objects.count() == 4
    assert all(patient.startswith("IP_") and lesion.startswith("IL_") for patient, lesion in whose.values())


def test_a_public_id_that_is_taken_is_drawn_again(alice, cohort, monkeypatch):
    apply(alice, cohort, "filename,patient_id\n1.jpg,P1\n")
    taken = Patient.objects.get().public_id
    drawn = iter([taken, "IP_0000001"])
    monkeypatch.setattr(longitudinal, "random_number", lambda *_: next(drawn))
    apply(alice, cohort, "filename,patient_id\n2.jpg,P2\n")
    assert Accession.objects.get(name="2.jpg").patient.public_id == "IP_0000001"


def test_who_may_describe(alice, cohort):
    bob, charlie = make_user("bob"), make_user("charlie")
    add_member(scope=cohort.scope, user=bob, role=Role.VIEWER)
    with pytest.raises(NotAllowed):
        give_metadata(user=bob, cohort_id=cohort.pk, name="a.csv", data=b"filename\n")
    with pytest.raises(NotFound):
        give_metadata(user=charlie, cohort_id=cohort.pk, name="a.csv", data=b"filename\n")
    with pytest.raises(Invalid):
        give_metadata(user=alice, cohort_id=cohort.pk, name="a.csv", data=b"filename\n", recipe="isic2071")
    file = give_metadata(user=alice, cohort_id=cohort.pk, name="a.csv", data=b"filename\n1.jpg\n")
    with pytest.raises(NotFound):
        metadata_file_for(charlie, file.pk)


def test_twenty_thousand_rows_take_few_queries_and_little_time(alice, cohort):
    names = [f"lesion_{n:05}.jpg" for n in range(20_000)]
    name_accessions(cohort, names)
    sites = ["male", "female"]
    rows = "".join(f"{name},{n % 80},{sites[n % 2]},P{n // 3}\n" for n, name in enumerate(names))
    file = give_metadata(
        user=alice, cohort_id=cohort.pk, name="big.csv", data=f"filename,age,sex,patient_id\n{rows}".encode()
    )
    begun = time.process_time()
    with CaptureQueriesContext(connection) as queries:
        describe_file(file_id=file.pk)
    file.refresh_from_db()
    assert (file.state, file.report.get("changed")) == ("applied", 20_000), file.report["problems"][:3]
    assert len(queries) / (20_000 / describe.CHUNK) < 30
    # Far from what a query or a parse a row would take.
    assert time.process_time() - begun < 60


@needs_samples
@pytest.mark.parametrize("name", ["validation", "training"])
def test_the_spreadsheets_of_the_challenge_are_read_by_their_recipe(name, alice, cohort):
    content = (sample_dir() / "isic2017" / f"{name}.csv").read_bytes()
    names = [line.split(b",")[0].decode() for line in content.splitlines()[1:]]
    name_accessions(cohort, [f"{image}.jpg" for image in names])
    file = apply(alice, cohort, content, recipe="isic2017")
    assert file.state == "applied", file.report["problems"][:3]
    assert (file.report["matched"], file.report["unmatched_count"]) == (len(names), 0)
    assert Description.objects.filter(structured__has_key="diagnosis_1").exists()


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("UPDATE metadata_metadatafile SET state = %s", ["half done"]),
        ("UPDATE metadata_metadataversion SET number = %s", [7]),
        ("UPDATE provenance_patient SET public_id = %s", ["P_1"]),
        ("UPDATE provenance_lesion SET public_id = %s", ["IP_0000001"]),
        (
            (
                "INSERT INTO provenance_patient (public_id, contributor_id, private_id)"
                " SELECT 'IP_7777777', contributor_id, private_id FROM provenance_patient"
            ),
            [],
        ),
    ],
)
def test_the_database_refuses_what_must_not_be(statement, values, alice, cohort):
    apply(alice, cohort, "filename,age,patient_id,lesion_id\n1.jpg,53,P1,L1\n")
    apply(alice, cohort, "filename,age\n1.jpg,54\n")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
