"""What became of an upload to an archive, on its page, that of its files, and the list."""

import html
import re

import pytest
from django.test import Client

from medtheca.domains.archives.intakes import change_grouping
from medtheca.domains.archives.models import Intake, Item
from medtheca.toolkit.synthetic.cohort import draw_lesion
from tests.factories.accounts import make_user
from tests.factories.archives import image_socket, make_archive
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.factories.storage import make_wide_scopes

pytestmark = pytest.mark.django_db(transaction=True)


def seen_by(user):
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(user)
    return client


def words_of(answer):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


@pytest.fixture
def alice(db):
    make_wide_scopes()
    return make_user("alice")


@pytest.fixture
def archive(alice):
    image_socket()
    archive = make_archive(alice, title="Skin of Exampleton")
    change_grouping(archive=archive, actor=alice, rule={"by": "folder"}, socket="generic-medical-image")
    return archive


def visits():
    pictures = [(f"visits/P{number}/lesion.jpg", draw_lesion(number, size=(60, 45)).jpeg) for number in (1, 2)]
    return make_zip([*pictures, ("visits/P2/notes.txt", b"Nothing to see.")])


def test_verdicts_lead_to_the_items_that_files_became(alice, archive):
    delivery = deliver(alice, archive.cohort, visits(), filename="visits.zip")
    page = seen_by(alice).get(f"/uploads/{delivery}/")
    assert page.context["running"]
    run_jobs()
    page = seen_by(alice).get(f"/uploads/{delivery}/")
    assert not page.context["running"]
    text = words_of(page)
    assert "Upload to the archive Skin of Exampleton" in text
    assert "It is in 2 items: P1 , P2 ." in text
    assert "Upload more" in text
    # What is due in a cohort is not due here.
    assert "ask for them to be published" not in text
    for item in Item.objects.filter(archive=archive):
        assert f"/archives/{archive.slug}/items/{item.pk}/" in page.content.decode()


def test_the_list_and_the_page_of_an_upload_name_what_was_uploaded(alice, archive):
    deliver(alice, archive.cohort, visits(), filename="visits.zip")
    run_jobs()
    client, address = seen_by(alice), f"/archives/{archive.slug}/uploads/"
    assert "visits.zip Finished 2 images" in words_of(client.get(address))
    page = words_of(client.get(f"{address}{Intake.objects.get().pk}/"))
    assert "visits.zip" in page
    assert "P1 , P2" in page
    assert "notes.txt" in page


def test_a_page_of_an_upload_asks_itself_while_it_runs(alice, archive):
    deliver(alice, archive.cohort, visits(), filename="visits.zip")
    run_jobs()
    Intake.objects.update(state="receiving")
    page = seen_by(alice).get(f"/archives/{archive.slug}/uploads/{Intake.objects.get().pk}/").content.decode()
    assert 'hx-trigger="every 2s"' in page
    assert "dist/htmx.js" in page


def test_an_upload_to_a_cohort_says_what_is_due_there(alice):
    cohort = make_cohort(alice, name="Clinic")
    delivery = deliver(alice, cohort, visits(), filename="visits.zip")
    run_jobs()
    text = words_of(seen_by(alice).get(f"/uploads/{delivery}/"))
    assert "Upload to Clinic" in text
    assert "ask for them to be published" in text


@pytest.mark.parametrize(("by", "together"), [("each", False), ("folder", True), ("pattern", True)])
def test_where_folders_or_names_make_items_files_go_up_together(alice, archive, by, together):
    rule = {"by": by, **({"pattern": "*_t1.png"} if by == "pattern" else {})}
    change_grouping(archive=archive, actor=alice, rule=rule, socket="generic-medical-image")
    page = seen_by(alice).get(f"/archives/{archive.slug}/uploads/").content.decode()
    assert ("data-together" in page) is together
    assert "Images go to the socket Generic Medical Image." in page
