import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from medtheca.interfaces.api.v2.routes import metadata_files
from medtheca.toolkit.schemas import TableLimits
from medtheca.workflows.describe import describe_file
from medtheca.workflows.receive import receive_delivery
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip
from tests.factories.storage import use_data_folder
from tests.interfaces.api.world import by_token, make_image, walk

pytestmark = pytest.mark.django_db
FILES = [("a.jpg", b"one"), ("other/a.jpg", b"two"), ("__MACOSX/._a.jpg", b"junk"), ("=cmd|x.jpg", b"three")]


@pytest.fixture(autouse=True)
def _data(settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


@pytest.fixture
def upload(alice, cohort):
    upload_id = deliver(alice, cohort, make_zip(FILES))
    receive_delivery(upload_id=upload_id)
    return upload_id


def test_an_upload_says_how_far_it_is_and_what_became_of_its_files(alice, cohort, upload):
    body = by_token(alice).get(f"uploads/{upload}/").body
    assert (body["cohort"], body["filename"], body["offset"]) == (cohort.pk, "images.zip", body["size"])
    assert (body["state"], body["is_final"], body["refusal"]) == ("converting", False, None)
    assert body["summary"] == {
        "members": 4,
        "waiting": 2,
        "accepted": 0,
        "linked": 0,
        "duplicate": 1,
        "skipped": 1,
        "refused": 0,
    }


def test_an_upload_that_cannot_be_read_says_why(alice, cohort):
    upload = deliver(alice, cohort, b"PK\x03\x04 and nothing more")
    receive_delivery(upload_id=upload)
    body = by_token(alice).get(f"uploads/{upload}/").body
    assert (body["state"], body["is_final"]) == ("refused", True)
    assert body["refusal"]["message"]


def test_verdicts_come_in_the_order_of_the_files_with_words_and_remedy(alice, upload):
    rows = walk(by_token(alice), f"uploads/{upload}/verdicts/?limit=2")
    assert [row["path"] for row in rows] == [path for path, _ in FILES]
    [duplicate] = walk(by_token(alice), f"uploads/{upload}/verdicts/?outcome=duplicate")
    assert (duplicate["code"], duplicate["accession"]) == ("duplicate_name", None)
    assert "other/a.jpg" in duplicate["message"]
    assert "Rename" in duplicate["remedy"]


def test_verdicts_can_be_had_as_a_spreadsheet_whose_cells_are_no_formulas(alice, upload):
    answer = by_token(alice).get(f"uploads/{upload}/verdicts/?limit=1", accept="text/csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-store"
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [row["outcome"] for row in rows] == ["waiting", "duplicate", "skipped", "waiting"]
    assert rows[3]["path"] == "'=cmd|x.jpg"


@pytest.mark.parametrize(
    "accept", ["application/json", "*/*", "text/html,*/*;q=0.8", "text/csv;q=0.1,application/json"]
)
def test_verdicts_are_json_for_all_others(alice, upload, accept):
    assert by_token(alice).get(f"uploads/{upload}/verdicts/", accept=accept).body["count"] == 4


@pytest.mark.parametrize("query", ["outcome=lost", "limit=-3"])
def test_a_wrong_parameter_of_the_verdicts_is_told(alice, upload, query):
    assert by_token(alice).get(f"uploads/{upload}/verdicts/?{query}").status_code == 422


def test_uploads_are_listed_newest_first_in_few_queries(django_assert_max_num_queries, alice, cohort, upload):
    made = [upload, *(deliver(alice, cohort, b"x" * number, filename=f"{number}.jpg") for number in (1, 2, 3))]
    rows = walk(by_token(alice), "uploads/?limit=3")
    assert {row["id"] for row in rows} == {str(upload_id) for upload_id in made}
    assert [row["created"] for row in rows] == sorted((row["created"] for row in rows), reverse=True)
    caller = by_token(alice)
    with django_assert_max_num_queries(8):
        assert caller.get(f"uploads/?cohort={cohort.pk}").body["count"] == 4


@pytest.mark.parametrize("reference", ["x", "0" * 8 + "-0000-0000-0000-" + "0" * 12])
def test_an_upload_that_is_none_is_404(alice, reference):
    assert by_token(alice).get(f"uploads/{reference}/").status_code == 404


def send_csv(caller, cohort, data, *, query="", content_type="text/csv"):
    path = f"/api/v2/cohorts/{cohort.pk}/metadata-files/{query}"
    return caller.client.post(path, data=data, content_type=content_type, headers=caller.headers)


def test_a_spreadsheet_describes_the_images_of_its_cohort(alice, cohort):
    image, caller = make_image(cohort), by_token(alice, "write")
    name = image.accession.name
    given = send_csv(caller, cohort, f"filename,age,sex\n{name},53,male\n", query="?name=spring.csv")
    assert given.status_code == 202
    assert (given.json()["name"], given.json()["state"]) == ("spring.csv", "checking")
    describe_file(file_id=given.json()["id"])
    report = caller.get(f"metadata-files/{given.json()['id']}/").body
    assert (report["state"], report["rows"], report["report"]["changed"]) == ("applied", 1, 1)
    assert caller.get(f"images/{image.key}/").body["metadata"]["clinical"] == {"age_approx": 55, "sex": "male"}


def test_a_spreadsheet_may_come_as_a_form(alice, cohort):
    caller = by_token(alice, "write")
    path = f"/api/v2/cohorts/{cohort.pk}/metadata-files/"
    file = SimpleUploadedFile("form.csv", b"filename,sex\nnone.jpg,robot\n", content_type="text/csv")
    given = caller.client.post(path, data={"file": file}, headers=caller.headers)
    assert (given.status_code, given.json()["name"]) == (202, "form.csv")
    [row] = walk(caller, f"cohorts/{cohort.pk}/metadata-files/")
    assert row["id"] == given.json()["id"]


def test_problems_of_a_spreadsheet_name_line_and_field(alice, cohort):
    image, caller = make_image(cohort), by_token(alice, "write")
    given = send_csv(caller, cohort, f"filename,sex\n{image.accession.name},robot\n")
    describe_file(file_id=given.json()["id"])
    report = caller.get(f"metadata-files/{given.json()['id']}/").body
    assert report["state"] == "invalid"
    [problem] = report["report"]["problems"]
    assert (problem["line"], problem["field"]) == (2, "sex")


@pytest.mark.parametrize(
    ("data", "query", "field"), [("", "", "body"), ("filename\n", "?recipe=nobodys", "recipe")], ids=["empty", "recipe"]
)
def test_a_spreadsheet_that_cannot_be_taken_is_refused_by_name(alice, cohort, data, query, field):
    answer = send_csv(by_token(alice, "write"), cohort, data, query=query)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_a_form_without_its_file_is_refused(alice, cohort):
    caller = by_token(alice, "write")
    answer = caller.client.post(f"/api/v2/cohorts/{cohort.pk}/metadata-files/", data={"a": "b"}, headers=caller.headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "file")


def test_a_spreadsheet_that_is_too_large_is_refused_either_way(settings, monkeypatch, alice, cohort):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    monkeypatch.setattr(metadata_files, "TableLimits", lambda: TableLimits(size=1000))
    caller, large = by_token(alice, "write"), b"filename\n" + b"x" * 2000
    assert send_csv(caller, cohort, large).status_code == 413
    path = f"/api/v2/cohorts/{cohort.pk}/metadata-files/"
    form = {"file": SimpleUploadedFile("large.csv", large)}
    assert caller.client.post(path, data=form, headers=caller.headers).status_code == 413
