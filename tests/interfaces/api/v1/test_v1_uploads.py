"""What the API says of uploads where bytes are not needed; these are in `tests/interfaces/bytes`."""

from dataclasses import replace

import pytest

from medtheca.domains.storage import open_ended
from medtheca.domains.storage.open_ended import begin_open_upload, reserve_part
from medtheca.interfaces.api.v1.routes import uploads
from medtheca.interfaces.http.limits import UPLOADS_BEGUN
from tests.factories.accounts import make_user
from tests.interfaces.api.v1.world import ORIGIN, by_token, nobody, walk

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_user("alice")


def test_addresses_are_absolute_and_of_the_public_origin(alice):
    begun = by_token(alice, "write").post("uploads/", {"filename": "a.mha"}).body
    assert begun["api_url"] == f"{ORIGIN}/api/v1/uploads/{begun['pk']}/"
    path = f"uploads/{begun['pk']}/{begun['s3_upload_id']}/generate-presigned-urls/"
    urls = by_token(alice, "write").patch(path, {"part_numbers": [1, 2, 3, 4, 5]}).body["presigned_urls"]
    assert list(urls) == ["1", "2", "3", "4", "5"]
    assert all(url.startswith(f"{ORIGIN}/uploads/s3/{begun['pk']}/{number}?ticket=") for number, url in urls.items())


def test_every_upload_is_listed_once(alice):
    begun = [begin_open_upload(owner=alice, filename=f"{n}.mha") for n in range(120)]
    found = [row["pk"] for row in walk(by_token(alice), "uploads/")]
    assert found == [str(upload.pk) for upload in begun]


def test_a_full_quota_is_told_before_bytes_are_sent(alice, settings):
    upload = begin_open_upload(owner=alice, filename="a.mha")
    reserve_part(owner_id=alice.pk, upload_id=upload.pk, number=1, size=100)
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, upload_quota=100)
    answer = by_token(alice, "write").patch(
        f"uploads/{upload.pk}/{upload.pk.hex}/generate-presigned-urls/", {"part_numbers": [2]}
    )
    assert answer.status_code == 403
    assert answer.body["detail"].startswith("Upload limit reached")
    assert answer.body["remedy"]


def test_too_many_uploads_are_told_as_on_grand_challenge(alice, monkeypatch):
    caller = by_token(alice, "write")
    with monkeypatch.context() as limited:
        limited.setattr(open_ended, "MOST_OPEN", 0)
        held = caller.post("uploads/", {"filename": "a.mha"})
    monkeypatch.setattr(uploads, "UPLOADS_BEGUN", replace(UPLOADS_BEGUN, name="few-uploads", amount=1))
    assert caller.post("uploads/", {"filename": "a.mha"}).status_code == 201
    hourly = caller.post("uploads/", {"filename": "a.mha"})
    for answer in (held, hourly):
        # Never 429, which gcapi waits for without a word.
        assert answer.status_code == 400
        assert answer.body == {
            "non_field_errors": ["You have created too many uploads. Please try again later."],
        }


def test_nobody_and_tokens_that_read_begin_nothing(alice):
    assert nobody().post("uploads/", {"filename": "a.mha"}).status_code == 401
    assert nobody().get("uploads/").status_code == 401
    assert by_token(alice).post("uploads/", {"filename": "a.mha"}).status_code == 403
