"""Downloads on pages: what would be in one, one that is being prepared, and who gets which."""

import re
import shlex
from html import unescape

import pytest
from django.test import override_settings

from medtheca.domains.access.models import Placement
from medtheca.domains.access.operations import withdraw_image
from medtheca.domains.downloads.models import Download
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.interfaces.web.templatetags.words import file_size
from medtheca.workflows.downloading import make_download, prepare
from tests.factories.collections import make_collection
from tests.factories.downloads import make_files

pytestmark = pytest.mark.django_db


def words_on(page):
    return unescape(page.content.decode())


@pytest.fixture
def files(cohort):
    """Three public images with files of 1,000 bytes each, and a private one."""
    made = make_files(cohort, 3, sizes=(1000, 1000), structured={"sex": "male"})
    make_files(cohort, 1, visibility="private", seed=1, sizes=(5000, 5000), structured={"sex": "male"})
    return made


def test_it_says_how_many_bytes_and_whose_and_then_makes_it(nobody, files, cohort):
    page = words_on(nobody.get("/download/new/?q=sex:male"))
    assert "Download 3 images" in page
    assert f"<dd>{file_size(3000)}</dd>" in page
    assert cohort.attribution in page
    assert "CC BY 4.0" in page
    answer = nobody.post("/download/new/?q=sex:male")
    made = Download.objects.get()
    assert answer.url == f"/download/{made.pk}/"
    assert (made.owner, made.images, made.bytes) == (None, 3, 3000)
    prepare(download_id=made.pk)  # where two seconds were not enough
    page = words_on(nobody.get(answer.url))
    assert f'href="http://localhost:8000/downloads/{made.pk}/images.zip"' in page
    assert "3 images" in page
    assert "These images may be used under the licences below" in page


def test_the_lines_can_be_pasted_into_a_shell(as_alice, alice, files):
    made = make_download(asker=alice, refs=[image.public_id for image, _ in files])
    page = as_alice.get(f"/download/{made.pk}/").content.decode()
    lines = [shlex.split(unescape(text)) for text in re.findall(r'aria-label="Line for [^"]+">([^<]+)</pre>', page)]
    assert [line[0] for line in lines] == ["curl", "wget", "aria2c", "aria2c", "wget"]
    for line in lines[:3]:
        assert line[-1].startswith(f"http://localhost:8000/downloads/{made.pk}/images.zip?ticket=")
    assert lines[0][1:4] == ["--fail", "-C", "-"]
    for name in ("json", "csv", "aria2", "wget"):
        assert as_alice.get(f"/api/v2/manifests/{made.pk}/?format={name}").status_code == 200
        assert f"/api/v2/manifests/{made.pk}/?format={name}" in page


def test_a_selection_and_a_collection_are_downloaded_too(as_alice, nobody, alice, files):
    chosen = "&".join(f"image={image.public_id}" for image, _ in files[:2])
    assert "Download 2 images" in words_on(as_alice.get(f"/download/new/?{chosen}"))
    assert nobody.post(f"/download/new/?{chosen}").status_code == 302
    kept = make_collection(alice, [files[0][0]], name="Mine, for training")
    address = f"/download/new/?collection={kept.pk}"
    assert "Mine, for training" in words_on(as_alice.get(address))
    assert f'href="{address}"' in words_on(as_alice.get(f"/collections/{kept.pk}/"))
    as_alice.post(address)
    assert Download.objects.get(owner=alice).name == "Mine-for-training"
    assert nobody.get(address).status_code == 404


def test_while_it_is_prepared_the_page_watches_and_then_has_the_link(as_alice, alice, files):
    made = make_download(asker=alice, refs=[files[0][0].public_id])
    Download.objects.update(state="preparing")
    page = words_on(as_alice.get(f"/download/{made.pk}/"))
    assert "Being prepared" in page
    assert 'hx-trigger="every 2s"' in page
    assert "images.zip, " not in page
    prepare(download_id=made.pk)
    page = words_on(as_alice.get(f"/download/{made.pk}/"))
    assert "hx-trigger" not in page
    assert "images.zip, " in page
    Download.objects.update(state="failed", words="The file of an image cannot be read.")
    assert "The file of an image cannot be read." in words_on(as_alice.get(f"/download/{made.pk}/"))


@pytest.mark.parametrize("state", ["ready", "preparing"])
def test_after_a_withdrawal_the_page_shows_nothing_of_what_was_in_it(nobody, alice, files, cohort, state):
    made = make_download(asker=None, refs=[image.public_id for image, _ in files])
    Download.objects.update(state=state)
    assert cohort.attribution in words_on(nobody.get(f"/download/{made.pk}/"))
    withdraw_image(image=files[1][0], reason="Consent was withdrawn.", user=alice)
    answer = nobody.get(f"/download/{made.pk}/")
    page = words_on(answer)
    assert answer.status_code == 410
    assert "no longer available" in page
    assert "Make a new download" in page
    for word in (cohort.attribution, "3 images", "images.zip", "hx-trigger", *(image.public_id for image, _ in files)):
        assert word not in page
    watching = nobody.get(f"/download/{made.pk}/", headers={"HX-Request": "true"})
    assert (watching.status_code, 'id="download"' in words_on(watching)) == (200, True)


def test_a_download_of_ones_own_ends_when_one_may_not_see_an_image_any_more(as_alice, alice, files):
    """What the person who made it may see counts."""
    hidden = Image.objects.exclude(pk__in=[image.pk for image, _ in files]).get()
    made = make_download(asker=alice, refs=[str(hidden.key)])
    assert as_alice.get(f"/download/{made.pk}/").status_code == 200
    Placement.objects.filter(image=hidden).delete()
    assert as_alice.get(f"/download/{made.pk}/").status_code == 410


def test_what_cannot_be_made_says_why(nobody, files, settings):
    from dataclasses import replace

    assert "Nothing to download" in words_on(nobody.get("/download/new/?q=sex:female"))
    answer = nobody.post("/download/new/?q=sex:female")
    assert (answer.status_code, Download.objects.count()) == (409, 0)
    assert "Nothing is found" in words_on(answer)
    with override_settings(ENVIRONMENT=replace(settings.ENVIRONMENT, download_images=2)):
        assert "One download has 2 images at most" in words_on(nobody.get("/download/new/?q=sex:male"))
        assert nobody.post("/download/new/?q=sex:male").status_code == 409
    ImageFile.objects.filter(kind="public").delete()
    answer = nobody.post("/download/new/?q=sex:male")
    assert "has no file to download yet" in words_on(answer)


def test_an_address_has_a_most_of_downloads_a_day(nobody, files, monkeypatch):
    from medtheca.interfaces.http import limits

    monkeypatch.setattr(limits, "DOWNLOADS_BY_STRANGERS", limits.Limit("few-downloads", 1, 86_400))
    assert nobody.post("/download/new/?q=sex:male").status_code == 302
    answer = nobody.post("/download/new/?q=sex:male")
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (429, True)
    assert "Logged in, you may make more." in words_on(answer)


def test_ones_own_are_listed_and_deleted(as_alice, as_charlie, nobody, alice, files):
    made = make_download(asker=alice, refs=[files[0][0].public_id])
    assert f"/download/{made.pk}/" in words_on(as_alice.get("/account/downloads/"))
    for stranger in (as_charlie, nobody):
        assert stranger.get(f"/download/{made.pk}/").status_code == 404
    assert as_charlie.post(f"/download/{made.pk}/delete/").status_code == 404
    assert as_alice.post(f"/download/{made.pk}/delete/").url == "/account/downloads/"
    assert not Download.objects.exists()


def test_the_gallery_offers_it_to_everybody(nobody, as_alice, files):
    page = words_on(nobody.get("/gallery/?q=sex:male"))
    assert 'href="/download/new/?q=sex%3Amale"' in page
    assert 'name="image"' in page
    assert "Add to collection" not in page
    assert "Add to collection" in words_on(as_alice.get("/gallery/?q=sex:male"))
    assert "/download/new/?" not in words_on(nobody.get("/gallery/?q=sex:female"))
