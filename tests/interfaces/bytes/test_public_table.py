"""The file of public metadata over the byte plane: whole, in parts, revalidated, and closed by a withdrawal."""

import hashlib
import io
import secrets

import pyarrow.parquet as pq
import pytest

from medtheca.domains.access.operations import withdraw_image
from medtheca.domains.downloads.models import PublicTable, PublicTableChange
from medtheca.domains.downloads.public_table import refresh_public_table
from medtheca.domains.imaging.models import Image
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

PATH = "/files/public/metadata.parquet"


@pytest.fixture
def images(world):
    cohort = make_cohort(make_user(f"alice-{secrets.token_hex(4)}"), name=f"Moles {secrets.token_hex(4)}")
    return make_images(cohort, 3, visibility="public")


def ids_in(content):
    return set(pq.read_table(io.BytesIO(content), columns=["isic_id"])["isic_id"].to_pylist())


def test_everybody_gets_it_whole_in_parts_and_only_when_it_is_new(world, images):
    refresh_public_table(anew=True)
    whole = world.request("GET", PATH)
    assert (whole.status, whole.headers["Content-Type"]) == (200, "application/vnd.apache.parquet")
    assert {image.public_id for image in images} <= ids_in(whole.content)
    etag = whole.headers["ETag"]
    assert etag == f'"{hashlib.sha256(whole.content).hexdigest()}"'
    assert whole.headers["Cache-Control"] == "no-cache"
    assert whole.headers["Access-Control-Allow-Origin"] == "*"
    part = world.request("GET", PATH, headers={"Range": "bytes=-8", "If-Range": etag})
    assert (part.status, part.content) == (206, whole.content[-8:])
    assert part.content.endswith(b"PAR1")
    assert world.request("GET", PATH, headers={"If-None-Match": etag}).status == 304
    head = world.request("HEAD", PATH)
    assert (head.status, head.headers["Content-Length"], head.content) == (200, str(len(whole.content)), b"")
    assert world.request("POST", PATH, body=b"x").status == 405


def test_a_withdrawal_closes_the_door_at_once_and_the_next_file_opens_it(world, images):
    refresh_public_table(anew=True)
    assert world.request("GET", PATH).status == 200
    image = Image.objects.get(pk=images[0].pk)
    withdraw_image(image=image, reason="Consent was withdrawn.", user=make_user(f"sam-{secrets.token_hex(4)}"))
    closed = world.request("GET", PATH)
    assert (closed.status, closed.headers["Retry-After"]) == (503, "30")
    assert image.public_id.encode() not in closed.content
    assert world.request("HEAD", PATH).status == 503
    assert refresh_public_table() == "made"
    assert image.public_id not in ids_in(world.request("GET", PATH).content)


def test_without_a_file_there_is_none(world):
    PublicTable.objects.all().delete()
    PublicTableChange.objects.all().delete()
    assert world.request("GET", PATH).status == 404
    PublicTableChange.objects.create()
    assert world.request("GET", PATH).status == 503
