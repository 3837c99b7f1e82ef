"""The page on which Alice chooses the logo of her archive; Bob is one of its users."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.archives.models import Archive
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive
from tests.factories.pictures import corners, pixels_of, quarters, saved
from tests.factories.storage import use_data_folder

pytestmark = pytest.mark.django_db

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture(autouse=True)
def _data_folder(settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")


@pytest.fixture
def archive():
    return make_archive(make_user("alice"), users=[make_user("bob")])


@pytest.fixture
def alice(archive):
    return logged_in(archive.creator)


def logged_in(user):
    client = Client()
    client.force_login(user)
    return client


def address(archive):
    return f"/archives/{archive.slug}/settings/logo/"


def give(client, archive, data, name="logo.png", **said):
    return client.post(address(archive), {"file": SimpleUploadedFile(name, data), **said})


def shown(client, archive, more=""):
    return client.get(f"/archives/{archive.slug}/logo/{more}")


def test_a_picture_becomes_the_logo_and_goes_again(alice, archive):
    page = alice.get(address(archive))
    assert page.status_code == 200
    assert b"Drawn from the title" in page.content
    assert give(alice, archive, saved(quarters())).status_code == 302
    for more, side in (("", 640), ("?size=small", 128)):
        answer = shown(alice, archive, more)
        assert answer["Content-Type"] == "image/png"
        assert pixels_of(answer.content).shape == (side, side, 3)
        assert corners(pixels_of(answer.content)) == [RED, GREEN, BLUE, WHITE]
    etag = shown(alice, archive)["ETag"]
    assert alice.get(f"/archives/{archive.slug}/logo/", headers={"if-none-match": etag}).status_code == 304
    page = alice.get(address(archive)).content.decode()
    assert "Chosen by an editor" in page
    assert "This is the logo now." in page
    assert alice.post(address(archive), {"action": "remove"}).status_code == 302
    assert shown(alice, archive)["Content-Type"] == "image/svg+xml"
    assert Archive.objects.get(pk=archive.pk).logo is None


def test_a_square_may_be_said_in_numbers(alice, archive):
    give(alice, archive, saved(quarters()), x="0", y="0", size="650")
    assert corners(pixels_of(shown(alice, archive).content)) == [RED, RED, BLUE, BLUE]


@pytest.mark.parametrize(
    ("data", "said", "expected"),
    [
        (b"<svg/>", {}, ("file", "neither a PNG nor a JPEG")),
        (saved(quarters(600, 600)), {}, ("file", "600 by 600 pixels; 640")),
        (saved(quarters()) + bytes(8_000_000), {}, ("file", "8,000,000 are the most")),
        (b"", {}, ("file", "The file is empty")),
        (saved(quarters()), {"x": "9", "y": "0", "size": "701"}, ("size", "700 at most")),
        (saved(quarters()), {"x": "9", "size": "700"}, ("y", "Say all three")),
        (saved(quarters()), {"x": "-9", "y": "0", "size": "700"}, ("x", "greater than or equal to 0")),
        (saved(quarters()), {"x": "left", "y": "0", "size": "700"}, ("x", "whole number")),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(alice, archive, data, said, expected):
    field, words = expected
    page = give(alice, archive, data, **said)
    assert page.status_code == 200
    form = page.context["form"]
    assert list(form.errors) == [field]
    assert words in form.errors[field][0]
    assert words in page.content.decode()
    # What was typed is still there.
    for name, value in said.items():
        assert f'name="{name}" value="{value}"' in page.content.decode()
    assert Archive.objects.get(pk=archive.pk).logo is None


def test_a_form_without_a_file_says_so(alice, archive):
    assert alice.post(address(archive), {}).context["form"].errors["file"] == ["Choose a PNG or JPEG."]


def test_editors_are_led_to_it_and_others_are_not(alice, archive):
    pages = [f"/archives/{archive.slug}/", f"/archives/{archive.slug}/items/"]
    for page in pages:
        assert address(archive) in alice.get(page).content.decode()
    assert "Choose a logo" in alice.get(pages[0]).content.decode()
    give(alice, archive, saved(quarters()))
    assert "Choose a logo" not in alice.get(pages[0]).content.decode()
    assert address(archive) in alice.get(f"/archives/{archive.slug}/settings/").content.decode()
    bob = logged_in(user_by_email("bob@example.org"))
    for page in pages:
        assert address(archive) not in bob.get(page).content.decode()
    assert bob.get(address(archive)).status_code == 403
    assert give(bob, archive, saved(quarters(), "JPEG")).status_code == 403
    assert shown(bob, archive)["Content-Type"] == "image/png"
