"""The pages of dry runs, also for people who are not logged in."""

import csv
import io

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from medtheca.domains.storage.queries import blob_store
from medtheca.domains.trials.models import Inspection
from medtheca.workflows.inspect import FOR_ANYBODY
from tests.factories.provenance import make_zip, run_jobs
from tests.factories.storage import use_data_folder
from tests.generators import dicoms, images

pytestmark = pytest.mark.django_db
SHEET = b"filename;sex;Alter\na.jpg;male;1\nb.jpg;mal;2\n<i>.jpg;male;3\n"


@pytest.fixture(autouse=True)
def _data(settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")
    cache.clear()
    yield
    blob_store.cache_clear()


def sent(*files):
    return {"files": [SimpleUploadedFile(name, content) for name, content in files]}


def try_files(browser, *files):
    answer = browser.post(reverse("inspect"), sent(*files))
    assert answer.status_code == 302, answer.content.decode()
    return answer.url


def text_of(answer):
    return " ".join(answer.content.decode().split())


def test_a_stranger_sees_the_form_with_what_is_kept(nobody):
    page = text_of(nobody.get(reverse("inspect")))
    assert "up to 50 images, 500 rows and 25 MB in all" in page
    assert "kept for an hour, for whoever has its address" in page


def test_a_stranger_tries_files_and_reads_the_verdicts(nobody):
    content = make_zip([("x/a.jpg", images.insert(images.jpeg(), images.exif_segment())), ("note.txt", b"no image")])
    address = try_files(nobody, ("set.zip", content), ("values.csv", SHEET))
    waiting = text_of(nobody.get(address))
    assert "Waiting for its turn" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    run_jobs()
    page = text_of(nobody.get(address))
    assert "every 1s" not in page
    assert "Some of it would be refused" in page
    assert "Send JPEG, PNG, TIFF" in page
    assert "position (GPS) (1)" in page
    assert images.CANARY not in page
    assert "Did you mean &#x27;male&#x27;" in page
    assert "2 rows without a file" in page
    assert "&lt;i&gt;.jpg" in page


def test_a_series_is_shown_as_one_image_with_its_spacing_and_what_was_found(nobody):
    places = dicoms.along([0, 2.5, 5.0])
    slices = dicoms.series(places, Modality="CT", Manufacturer="<b>Maker")
    address = try_files(nobody, ("set.zip", make_zip([(f"t1/{n}", data) for n, data in enumerate(slices)])))
    run_jobs()
    page = text_of(nobody.get(address))
    assert "t1.dcm" in page
    assert "3 files, the first is t1/0" in page
    assert "x 1, y 2, z 2.5 mm" in page
    assert "&lt;b&gt;Maker" in page
    rows = list(csv.DictReader(io.StringIO(b"".join(nobody.get(f"{address}verdicts.csv").streaming_content).decode())))
    assert {(row["image"], row["kind"], row["depth"], row["modality"]) for row in rows} == {
        ("t1.dcm", "volume", "3", "CT")
    }


def test_verdicts_can_be_filtered_and_taken_as_csv(nobody):
    address = try_files(nobody, ("set.zip", make_zip([("=a.jpg", images.jpeg()), ("b.txt", b"no")])))
    assert nobody.get(f"{address}verdicts.csv").status_code == 409
    run_jobs()
    refused = nobody.get(address, {"outcome": "refused"})
    assert [file["path"] for file in refused.context["files"]] == ["b.txt"]
    answer = nobody.get(f"{address}verdicts.csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [(row["path"], row["outcome"]) for row in rows] == [("'=a.jpg", "accepted"), ("b.txt", "refused")]


def test_a_form_without_files_or_with_too_many_says_so(nobody):
    assert "Choose images, a ZIP of them, or a spreadsheet." in text_of(nobody.post(reverse("inspect"), {}))
    many = [(f"{number}.jpg", b"x") for number in range(FOR_ANYBODY.files + 1)]
    assert "A dry run may have 50 files" in text_of(nobody.post(reverse("inspect"), sent(*many)))
    assert not Inspection.objects.exists()


def test_a_stranger_may_try_a_few_times_an_hour(nobody, as_alice, clock):
    for _ in range(FOR_ANYBODY.an_hour):
        try_files(nobody, ("a.jpg", b"x"))
        run_jobs()
    refused = nobody.post(reverse("inspect"), sent(("a.jpg", b"x")))
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert "many dry runs within the hour" in text_of(refused)
    try_files(as_alice, ("a.jpg", b"x"))


def test_charlie_cannot_see_alice_s(as_alice, as_charlie, nobody):
    address = try_files(as_alice, ("a.jpg", images.jpeg()))
    assert as_alice.get(address).status_code == 200
    assert as_charlie.get(address).status_code == 404
    assert nobody.get(address).status_code == 404


def test_many_pages_of_verdicts(as_alice):
    content = make_zip([(f"{number}.txt", b"no") for number in range(150)])
    address = try_files(as_alice, ("set.zip", content))
    run_jobs()
    first = as_alice.get(address)
    assert (len(first.context["files"]), first.context["previous_url"]) == (100, None)
    second = as_alice.get(first.context["next_url"])
    assert (len(second.context["files"]), second.context["next_url"]) == (50, None)
