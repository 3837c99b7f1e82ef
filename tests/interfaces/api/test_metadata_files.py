"""A sheet by API, from the first look to the last undo; corrections of one image, and its versions."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from medtheca.domains.access.enums import Visibility
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort, run_jobs
from tests.factories.storage import use_data_folder
from tests.interfaces.api.world import by_token, make_image, nobody

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data(settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


def give(caller, cohort, text, query="?apply_when_ready=false"):
    path = f"/api/v2/cohorts/{cohort.pk}/metadata-files/{query}"
    given = caller.client.post(path, data=text.encode(), content_type="text/csv", headers=caller.headers)
    assert given.status_code == 202, given.content
    run_jobs()
    return f"metadata-files/{given.json()['id']}/"


def test_from_dry_look_to_undo(alice, cohort):
    make_images(cohort, 3, names=["0001.jpg", "b.jpg", "c.jpg"])
    caller = by_token(alice, "write")
    at = give(caller, cohort, "Bild;Geschlecht;age\n1;femal;53\nB.jpg;male;1,5\nzzz;male;3\n")
    shown = caller.get(at).body
    assert (shown["state"], shown["report"]["groups"][0]["code"]) == ("invalid", "no_filename_column")
    mapping = {"Bild": {"field": "filename"}, "Geschlecht": {"field": "sex"}}
    assert caller.ask("PUT", f"{at}mapping/", {"mapping": mapping}).status_code == 202
    run_jobs()
    assert {(one["line"], one["column"]) for one in caller.get(at).body["report"]["problems"]} == {(2, "Geschlecht")}
    missing = {row["name"]: row["candidates"] for row in caller.get(at).body["report"]["unmatched_rows"]}
    assert set(missing) == {"B.jpg", "zzz"}
    matches = {"B.jpg": missing["B.jpg"][0]["accession"], "zzz": None}
    assert caller.ask("PUT", f"{at}matches/", {"matches": matches}).status_code == 202
    run_jobs()
    replaced = caller.ask("POST", f"{at}replacements/", {"column": "Geschlecht", "old": "femal", "new": "female"})
    assert (replaced.status_code, replaced.body) == (202, {"replaced": 1})
    run_jobs()
    errors = caller.get(f"{at}problems/").body
    assert [(row["line"], row["problems"][0]["code"]) for row in errors] == [(3, "not_integer")]
    sheet = caller.client.get(f"/api/v2/{at}errors.csv", headers=caller.headers)
    assert sheet.headers["Content-Disposition"].startswith("attachment")
    assert "medtheca_errors" in sheet.content.decode("utf-8-sig")
    caller.ask("POST", f"{at}edits/", {"cells": {"3": {"age": "15"}}})
    run_jobs()
    assert caller.get(at).body["state"] == "ready"
    preview = caller.get(f"{at}preview/?size=1&page=2").body
    assert (preview["count"], preview["pages"], preview["results"][0]["line"]) == (2, 2, 3)
    assert caller.ask("POST", f"{at}apply/", {}).status_code == 202
    run_jobs()
    assert (caller.get(at).body["state"], caller.get(at).body["done"], caller.get(at).body["total"]) == (
        "applied",
        2,
        2,
    )
    assert caller.ask("DELETE", at).status_code == 409
    assert caller.ask("POST", f"{at}undo/", {"accept_conflicts": False}).status_code == 202
    run_jobs()
    assert caller.get(at).body["state"] == "undone"
    assert caller.get(at).body["report"]["undone"] == 2


def test_a_choice_that_says_two_things_is_refused(alice, cohort):
    make_images(cohort, 1, names=["a.jpg"])
    caller = by_token(alice, "write")
    at = give(caller, cohort, "filename,sex\na,male\n")
    refused = caller.ask("PUT", f"{at}mapping/", {"mapping": {"sex": {"field": "sex", "ignore": True}}})
    assert (refused.status_code, refused.body["errors"][0]["field"]) == (400, "sex")


def test_a_workbook_larger_than_a_body_may_come_as_a_form(alice, cohort):
    caller = by_token(alice, "write")
    file = SimpleUploadedFile("form.xlsx", b"PK\x03\x04", content_type="application/octet-stream")
    path = f"/api/v2/cohorts/{cohort.pk}/metadata-files/"
    assert caller.client.post(path, data={"file": file}, headers=caller.headers).status_code == 202


def test_a_published_diagnosis_is_corrected_with_a_reason_and_everybody_reads_it(alice, cohort):
    caller = by_token(alice, "write")
    image = make_image(cohort, visibility=Visibility.PUBLIC)
    at = f"images/{image.public_id}/"
    change = {"metadata": {"diagnosis": "Nevus", "age": 53, "patient_id": "MRN 4711"}, "unstructured": {"ward": "7"}}
    refused = caller.ask("PATCH", f"{at}metadata/", change)
    assert (refused.status_code, refused.body["errors"][0]["field"]) == (400, "reason")
    made = caller.ask("PATCH", f"{at}metadata/", change | {"reason": "Read again."})
    assert (made.status_code, made.body["version"]["changes"]["age"]) == (200, [None, 53])
    shown = nobody().get(f"{at}metadata-versions/").body["results"]
    assert (len(shown), shown[0]["reason"]) == (1, "Read again.")
    assert set(shown[0]["changes"]) == {"diagnosis", "age_approx"}
    assert "MRN" not in str(shown)
    assert "ward" not in str(shown)
    assert nobody().get(at).body["isic_id"] == image.public_id
    again = caller.ask("PATCH", f"{at}metadata/", change | {"reason": "Read again."})
    assert again.body == {"version": None}
    whole = caller.get(f"accessions/{image.accession.pk}/metadata-versions/").body
    assert (whole["count"], whole["results"][0]["unstructured"]) == (1, {"ward": [None, "7"]})


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ({"metadata": {"sexe": "male"}}, "sexe", "unknown_field"),
        ({"metadata": {"sex": "femal"}}, "sex", "unknown_value"),
        ({"metadata": {"mel_ulcer": True}}, "mel_ulcer", "missing_field"),
        ({"unstructured": {"age": "5"}}, "age", "bad_name"),
        ({}, "metadata", "required"),
    ],
)
def test_what_cannot_be_is_refused_by_field(alice, cohort, given, field, code):
    image = make_image(cohort)
    answer = by_token(alice, "write").ask("PATCH", f"accessions/{image.accession.pk}/metadata/", given)
    assert answer.status_code == 400
    assert [(error["field"], error["code"]) for error in answer.body["errors"]] == [(field, code)]


def test_the_data_dictionary_and_the_template_are_for_everybody():
    fields = nobody().get("metadata-fields/").body
    assert (fields["pack"], fields["version"]) == ("dermatology", "6.1")
    assert {"age", "diagnosis", "lesion_id"} <= {field["name"] for field in fields["fields"]}
    caller = nobody()
    template = caller.client.get("/api/v2/metadata-fields/template.csv", headers=caller.headers)
    assert template.content.decode().splitlines()[0].startswith("filename,age,sex")
