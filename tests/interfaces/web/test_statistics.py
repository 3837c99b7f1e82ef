"""Statistics: page and API say the same, exactly, and to each what they may see."""

import re
from datetime import UTC, datetime

import pytest
from django.db import transaction
from django.test import Client

from medtheca.domains.access.operations import withdraw_image
from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.models import Accession
from medtheca.domains.search.overview import overview_for
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort():
    cohort = make_cohort(make_user("alice"))
    said = [{"diagnosis_1": "Benign", "diagnosis_3": "Nevus"}, {"diagnosis_1": "Malignant"}, {}]
    images = make_images(cohort, 3, structured=lambda at: said[at], visibility="public")
    make_images(cohort, 2, structured={"diagnosis_1": "Indeterminate"})
    when = [
        datetime(2026, 1, 31, 23, 59, tzinfo=UTC),
        datetime(2026, 2, 1, tzinfo=UTC),
        datetime(2026, 4, 9, tzinfo=UTC),
    ]
    for image, moment in zip(images, when, strict=True):
        Image.objects.filter(pk=image.pk).update(created=moment)
    Accession.objects.filter(image=images[2]).update(attribution="A clinic <b>", licence="CC0-1.0")
    return cohort


def page(client):
    return client.get("/statistics/").content.decode()


def rows(html, name):
    section = html.split(f'id="table-{name}"')[1].split("</section>")[0]
    cells = r'<tr><td class="(?:breakable|text-muted)">(?:<a [^>]*>)?(.*?)(?:</a>)?</td><td class="number">([\d,]+)'
    found = re.findall(cells, section)
    return {label: int(number.replace(",", "")) for label, number in found}


def test_page_and_api_say_the_same_to_everybody(cohort):
    told = Client().get("/api/v2/stats/overview/").json()
    assert told["images"] == Client().get("/api/v2/stats/").json()["image"]["images_count"] == 3
    assert told["months"] == {"2026-01": 1, "2026-02": 1, "2026-03": 0, "2026-04": 1}
    assert told["values"]["diagnosis_1"] == {"Benign": 1, "Malignant": 1}
    assert (told["missing"]["diagnosis_1"], told["missing"]["copyright_license"]) == (1, 0)
    html = page(Client())
    assert rows(html, "diagnosis_1") == {"Benign": 1, "Malignant": 1, "Not said": 1}
    assert re.findall(r'height="12" width="([\d.]+)%"', html)[:2] == ["33.33", "33.33"]
    assert rows(html, "diagnosis_3") == {"Nevus": 1, "Not said": 2}
    assert rows(html, "copyright_license") == {"CC-BY": 2, "CC-0": 1}
    assert rows(html, "attribution") == {cohort.attribution: 2, "A clinic &lt;b&gt;": 1}
    assert re.findall(r"<td class=\"figures\">(\S+)</td><td class=\"number\">(\d+)</td>", html) == [
        ("2026-01", "1"), ("2026-02", "1"), ("2026-03", "0"), ("2026-04", "1")]  # fmt: skip
    assert "Indeterminate" not in html


def test_owners_count_what_they_see_and_links_find_what_is_counted(cohort):
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(cohort.creator)
    html = page(client)
    assert rows(html, "diagnosis_1") == {"Indeterminate": 2, "Benign": 1, "Malignant": 1, "Not said": 1}
    links = re.findall(r'<a class="text-link" href="(/gallery/\?q=[^"]*)">(?:Indeterminate|CC-0)</a>', html)
    assert len(links) == 2
    for link, number in zip(links, (2, 1), strict=True):
        assert re.search(rf"\b{number} images?\b", client.get(link).content.decode())


def test_what_is_withdrawn_counts_no_more(cohort):
    image = Image.objects.filter(public_id__isnull=False).first()
    withdraw_image(image=image, reason="x", user=cohort.creator)
    assert Client().get("/api/v2/stats/overview/").json()["images"] == 2


def test_an_empty_archive_has_statistics():
    html = page(Client())
    assert "Statistics</h1>" in html
    assert "<rect" not in html.split("<main")[1].split("</main>")[0]


def test_sql_says_what_the_index_says(cohort):
    by_index = overview_for(cohort.creator)
    with transaction.atomic():
        make_images(cohort, 0)
        assert overview_for(cohort.creator) == by_index
