"""Dry runs by API, with and without an account."""

import uuid

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from medtheca.domains.storage.queries import blob_store
from medtheca.workflows.inspect import FOR_ANYBODY
from tests.factories.accounts import make_token, make_user
from tests.factories.provenance import make_zip, run_jobs
from tests.factories.storage import use_data_folder
from tests.generators import images, volumes
from tests.interfaces.api.world import HOST

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v2/inspections/"


@pytest.fixture(autouse=True)
def _data(settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")
    cache.clear()
    yield
    blob_store.cache_clear()


def files(*given, name="files"):
    return {name: [SimpleUploadedFile(called, content) for called, content in given]}


def post(data, user=None, scope="write"):
    headers = {"host": HOST}
    if user:
        headers |= {"authorization": f"Bearer {make_token(user, scope)[1]}"}
    return Client().post(ADDRESS, data, headers=headers)


def get(answer, user=None):
    headers = {"host": HOST} | ({"authorization": f"Bearer {make_token(user)[1]}"} if user else {})
    return Client().get(f"{ADDRESS}{answer.json()['id']}/", headers=headers)


def test_a_stranger_tries_a_zip_and_a_spreadsheet():
    content = make_zip([("a.jpg", images.jpeg()), ("b.txt", b"no")])
    begun = post(files(("set.zip", content)) | files(("values.txt", b"filename;sex\nz.jpg;mal\n"), name="metadata"))
    assert begun.status_code == 202
    assert (begun.json()["state"], begun.json()["report"]) == ("waiting", None)
    run_jobs()
    found = get(begun).json()
    assert found["state"] == "done"
    report = found["report"]
    assert (report["clean"], report["counts"]) == (False, {"accepted": 1, "refused": 1})
    assert [file["code"] for file in report["files"]] == ["accepted", "unsupported_format"]
    assert report["metadata"]["rows_without_file"] == ["z.jpg"]
    assert report["metadata"]["problem_count"] == 1


def test_a_volume_is_described_as_its_file_has_it():
    content = volumes.nifti(volumes.draw(), sform=volumes.affine(), sform_code=1)
    begun = post(files(("brain.nii", content)))
    run_jobs()
    report = get(begun).json()["report"]
    (image,) = report["images"]
    assert report["files"][0]["image"] == image["number"] == 1
    assert (image["kind"], image["size"], image["value_type"]) == ("volume", [5, 4, 3], "int16")
    assert image["spacing"] == {"x": 0.5, "y": 2.0, "z": 3.25}
    # NIfTI counts to the right and front, LPS to the left and back.
    assert image["origin"] == [10.5, -20.25, 3.0]
    assert image["files"] == ["brain.nii"]


def test_hers_is_hers_alone():
    alice, bob = make_user("alice"), make_user("bob")
    begun = post(files(("a.jpg", images.jpeg())), alice)
    assert get(begun, alice).status_code == 200
    assert get(begun, bob).status_code == 404
    assert get(begun).status_code == 404
    assert Client().get(f"{ADDRESS}{uuid.uuid4()}/", headers={"host": HOST}).status_code == 404


def test_a_read_token_changes_nothing_here_either():
    assert post(files(("a.jpg", b"x")), make_user("alice"), scope="read").status_code == 403


def test_nothing_given_and_too_much_given_are_refused():
    empty = post({})
    assert (empty.status_code, empty.json()["errors"][0]["field"]) == (400, "files")
    many = post(files(*((f"{number}.jpg", b"x") for number in range(FOR_ANYBODY.files + 1))))
    assert (many.status_code, many.json()["code"]) == (413, "too_large")


def test_too_many_at_once_and_too_many_an_hour(clock):
    for _ in range(FOR_ANYBODY.waiting):
        assert post(files(("a.jpg", b"x"))).status_code == 202
    busy = post(files(("a.jpg", b"x")))
    assert (busy.status_code, busy.json()["code"]) == (409, "busy")
    run_jobs()
    assert post(files(("a.jpg", b"x"))).status_code == 202
    often = post(files(("a.jpg", b"x")))
    assert (often.status_code, often.json()["code"]) == (429, "too_often")
    assert int(often.headers["Retry-After"]) > 0
