"""Uploading, and what became of each file: on a page and as CSV."""

import csv
import io
import re
from html import unescape

import pytest

from medtheca.domains.provenance.enums import DeliveryState
from medtheca.domains.provenance.models import Accession
from medtheca.domains.storage.models import Upload
from tests.factories.images import make_delivery, make_images

pytestmark = pytest.mark.django_db

MIXED = [
    *({"path": f"ok/{number}.jpg", "outcome": "accepted"} for number in range(5)),
    {"path": "b/one.jpg", "outcome": "duplicate", "words": "Two have this name.", "remedy": "Rename one."},
    {"path": "cut.jpg", "outcome": "refused", "code": "truncated", "words": "The picture is cut off."},
    {"path": ".DS_Store", "outcome": "skipped"},
]


def words(answer):
    return answer.content.decode()


def paths_on(answer):
    found = re.findall(r'<td data-label="File"[^>]*>(?:<a[^>]*>)?(.*?)(?:</a>)?</td>', words(answer))
    return [unescape(path) for path in found]


def test_the_verdicts_are_told_in_words_and_counts(as_alice, cohort):
    delivery = make_delivery(cohort, MIXED)
    page = as_alice.get(f"/uploads/{delivery.pk}/")
    text = words(page)
    assert "5 accepted, 1 with a name that is taken, 1 skipped, 1 refused" in text
    assert "The picture is cut off." in text
    assert "Rename one." in text
    assert paths_on(page) == [entry["path"] for entry in MIXED]
    assert "hx-trigger" not in text


def test_each_count_leads_to_as_many_files(as_alice, cohort):
    delivery = make_delivery(cohort, MIXED)
    text = words(as_alice.get(f"/uploads/{delivery.pk}/"))
    choices = re.findall(r'<a class="segment" href="([^"]+)"[^>]*>[^<]*<span class="figures">(\d+)</span>', text)
    assert [int(number) for _, number in choices] == [8, 5, 1, 1, 1]
    for address, number in choices:
        assert len(paths_on(as_alice.get(unescape(address)))) == int(number)


def test_the_page_asks_again_only_while_something_waits(as_alice, cohort):
    waiting = make_delivery(cohort, [{"path": "a.jpg", "outcome": "waiting"}], state=DeliveryState.CONVERTING)
    text = words(as_alice.get(f"/uploads/{waiting.pk}/"))
    assert 'hx-trigger="every 2s"' in text
    assert "Files are being read" in text
    assert "verdicts.csv" not in text


def test_bytes_that_arrive_are_told_as_bytes(as_alice, cohort):
    delivery = make_delivery(cohort, state=DeliveryState.ARRIVING)
    Upload.objects.filter(pk=delivery.pk).update(offset=4, state="receiving")
    assert "Bytes are arriving" in words(as_alice.get(f"/uploads/{delivery.pk}/"))
    assert "40 % is here" in words(as_alice.get("/uploads/"))


def test_many_files_are_paged_both_ways_without_loss(as_alice, cohort, django_assert_max_num_queries):
    names = [f"{number:04}.jpg" for number in range(450)]
    delivery = make_delivery(cohort, [{"path": name, "outcome": "accepted"} for name in names])
    images = make_images(cohort, 450, names=names)
    accessions = {row.name: row for row in Accession.objects.filter(image__in=images)}
    for verdict in delivery.verdicts.all():
        verdict.accession = accessions[verdict.path]
        verdict.save()
    as_alice.get("/styleguide/")  # the first request of a session writes it down
    with django_assert_max_num_queries(12):
        page = as_alice.get(f"/uploads/{delivery.pk}/")
    seen = paths_on(page)
    while following := re.search(r'rel="next" href="([^"]+)"', words(page)):
        page = as_alice.get(unescape(following[1]))
        seen += paths_on(page)
    assert seen == names
    back = re.search(r'rel="prev" href="([^"]+)"', words(page))
    assert paths_on(as_alice.get(unescape(back[1]))) == names[200:400]


def test_an_accepted_file_leads_to_its_image(as_alice, cohort):
    delivery = make_delivery(cohort, [{"path": "a.jpg", "outcome": "accepted"}])
    (image,) = make_images(cohort, 1)
    delivery.verdicts.update(accession=Accession.objects.get(image=image))
    assert f'href="/images/{image.key}/">a.jpg</a>' in words(as_alice.get(f"/uploads/{delivery.pk}/"))


def test_files_of_one_image_are_one_row_with_its_note(as_alice, cohort):
    note = "Slices are missing between 12 and 18 mm."
    files = [{"path": f"t1/IM{place}", "outcome": "accepted", "note": note} for place in range(3)]
    delivery = make_delivery(cohort, [*files, {"path": "photo.jpg", "outcome": "accepted"}])
    series, photo = make_images(cohort, 2, names=["t1.dcm", "photo.jpg"])
    delivery.verdicts.filter(path__startswith="t1").update(accession=Accession.objects.get(image=series))
    delivery.verdicts.filter(path="photo.jpg").update(accession=Accession.objects.get(image=photo))
    text = words(as_alice.get(f"/uploads/{delivery.pk}/"))
    assert text.count(f'href="/images/{series.key}/">t1.dcm</a>') == 1
    assert "3 files" in text
    assert all(f"t1/IM{place}" in text for place in range(3))
    assert text.count(note) == 1
    assert f'href="/images/{photo.key}/">photo.jpg</a>' in text
    assert [row["note"] for row in read_csv(as_alice.get(f"/uploads/{delivery.pk}/verdicts.csv"))] == [note] * 3 + [""]


@pytest.mark.parametrize("query", ["outcome=nonsense", "after=x", "before=-1", "after=99999999999999", "after=٣"])
def test_odd_addresses_are_refused_with_words(as_alice, cohort, query):
    delivery = make_delivery(cohort, MIXED)
    assert as_alice.get(f"/uploads/{delivery.pk}/?{query}").status_code == 400


def read_csv(answer):
    assert answer.streaming
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_the_csv_has_every_file_in_order(as_alice, cohort):
    delivery = make_delivery(cohort, MIXED)
    rows = read_csv(as_alice.get(f"/uploads/{delivery.pk}/verdicts.csv"))
    assert [row["path"] for row in rows] == [entry["path"] for entry in MIXED]
    assert rows[6]["code"] == "truncated"


@pytest.mark.parametrize("name", ['=cmd|"/C calc"!A0.jpg', "+1.jpg", "-1.jpg", "@SUM(A1).jpg", "\t=1.jpg", "\r=1.jpg"])
def test_no_cell_of_the_csv_is_a_formula(as_alice, cohort, name):
    delivery = make_delivery(cohort, [{"path": name, "outcome": "refused", "words": f"{name} is no image."}])
    (row,) = read_csv(as_alice.get(f"/uploads/{delivery.pk}/verdicts.csv"))
    assert row["path"] == f"'{name}"
    assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_the_csv_of_many_files_takes_a_bounded_number_of_queries(as_alice, cohort, django_assert_max_num_queries):
    delivery = make_delivery(cohort, [{"path": f"{n}.jpg", "outcome": "refused"} for n in range(3000)])
    as_alice.get("/styleguide/")  # the first request of a session writes it down
    with django_assert_max_num_queries(8):
        rows = read_csv(as_alice.get(f"/uploads/{delivery.pk}/verdicts.csv"))
    assert len(rows) == 3000


def test_the_upload_page_offers_the_cohorts_one_owns(as_alice, as_charlie, cohort):
    text = words(as_alice.get(f"/upload/?cohort={cohort.pk}"))
    assert f'<option value="{cohort.pk}" selected>Clinic 2026' in text
    assert "up to 50 GB" in text
    assert "First, a cohort" in words(as_charlie.get("/upload/"))


def test_uploads_are_listed_newest_first_in_a_bounded_number_of_queries(
    as_alice, as_charlie, cohort, django_assert_max_num_queries
):
    for number in range(12):
        make_delivery(cohort, MIXED, filename=f"{number}.zip")
    as_alice.get("/styleguide/")  # the first request of a session writes it down
    with django_assert_max_num_queries(8):
        text = words(as_alice.get("/uploads/"))
    assert text.count("5 accepted") == 12
    assert text.index("11.zip") < text.index("10.zip")
    assert "No uploads yet" in words(as_charlie.get("/uploads/"))


def test_the_address_that_a_command_line_client_prints_leads_to_the_cohort(as_alice, cohort):
    assert as_alice.get(f"/upload/{cohort.pk}/browser/").url == f"/cohorts/{cohort.pk}/"
