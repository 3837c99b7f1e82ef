"""Pages of items: searched, sorted, changed, taken away."""

import csv
import hashlib
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from medtheca.domains.access.operations import withdraw_image
from medtheca.domains.archives.items import create_items, put_values
from medtheca.domains.archives.models import Item, ItemValue
from medtheca.domains.sockets.operations import create_value
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.models import Upload
from tests.factories.accounts import make_user
from tests.factories.archives import image_socket, make_archive, make_socket, whole
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.factories.storage import keep, use_data_folder

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture
def people():
    return {name: make_user(name) for name in ("alice", "una", "vic", "olive")}


@pytest.fixture
def archive(people):
    return make_archive(people["alice"], uploaders=[people["una"]], users=[people["vic"]], onlookers=[people["olive"]])


@pytest.fixture
def score():
    return make_socket()


@pytest.fixture
def items(archive, people, score):
    made = create_items(archive=archive, creator=people["una"], titles=["P1", "P2", "P3"])
    for at, item in enumerate(made):
        value = create_value(socket=score, creator=people["una"], value=at / 4)
        put_values(item=item, actor=people["una"], values=[value])
    return made


@pytest.fixture
def image(archive, people, items):
    (image,) = make_images(archive.cohort, 1)
    value = create_value(socket=image_socket(), creator=people["una"], image=image)
    put_values(item=items[0], actor=people["una"], values=[value])
    return image


@pytest.fixture
def _folder(settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")


def client(user):
    client = Client()
    client.force_login(user)
    return client


def titles(page):
    return [row["title"] for row in page.context["rows"]]


def test_items_are_found_and_sorted(archive, items, people):
    vic = client(people["vic"])
    url = f"/archives/{archive.slug}/items/"
    assert titles(vic.get(url)) == ["P1", "P2", "P3"]
    assert titles(vic.get(f"{url}?q=score+%3E+0.2&sort=-score")) == ["P3", "P2"]
    assert titles(vic.get(f"{url}?in.score=0..0.3")) == ["P1", "P2"]
    wrong = vic.get(f"{url}?q=scorr+%3E+1")
    assert wrong.status_code == 400
    assert "Did you mean &#x27;score&#x27;" in wrong.content.decode()
    assert 'value="scorr &gt; 1"' in wrong.content.decode()


def test_a_page_costs_as_many_queries_for_many_items(archive, items, people, score, django_assert_max_num_queries):
    more = create_items(archive=archive, creator=people["una"], titles=[""] * 45)
    for item in more:
        put_values(item=item, actor=people["una"], values=[create_value(socket=score, creator=None, value=1.0)])
    vic = client(people["vic"])
    vic.get("/archives/")  # the session is written down once
    with django_assert_max_num_queries(12):
        assert len(titles(vic.get(f"/archives/{archive.slug}/items/"))) == 48


def test_pictures_are_shown_to_those_who_see_them(archive, items, image, people):
    vic = client(people["vic"])
    url = f"/archives/{archive.slug}/items/"
    assert f"/files/images/{image.key}/thumbnail" in vic.get(f"{url}?view=pictures").content.decode()
    withdraw_image(image=image, reason="Consent has ended.", user=people["alice"])
    for address in (url, f"{url}?view=pictures", f"{url}{items[0].pk}/", f"{url}values.csv"):
        answer = vic.get(address)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert str(image.key).encode() not in body, address


def test_chosen_items_are_set_trashed_and_restored(archive, items, people):
    url = f"/archives/{archive.slug}/items/"
    chosen = [str(item.pk) for item in items[:2]]
    una, alice = client(people["una"]), client(people["alice"])
    assert una.post(url, {"item": chosen, "action": "set", "socket": "score", "value": "9"}).status_code == 302
    assert sorted(ItemValue.objects.values_list("number", flat=True)) == [0.5, 9, 9]
    refused = una.post(url, {"item": chosen, "action": "set", "socket": "score", "value": "nine"})
    assert refused.status_code == 409
    assert "nine is not a number" in refused.content.decode()
    assert una.post(url, {"item": chosen, "action": "trash"}).status_code == 403
    assert alice.post(url, {"item": chosen, "action": "trash"}).status_code == 302
    assert titles(alice.get(url)) == ["P3"]
    trash = alice.get(f"{url}trash/")
    assert [row.title for row in trash.context["rows"]] == ["P1", "P2"]
    assert alice.post(f"{url}trash/", {"item": chosen[:1], "action": "restore"}).status_code == 302
    assert titles(alice.get(url)) == ["P1", "P3"]
    assert alice.post(url, {"item": "x", "action": "trash"}).status_code == 409
    assert una.get(f"{url}trash/").status_code == 403


def test_an_item_is_renamed_filled_and_emptied(archive, items, people):
    una = client(people["una"])
    url = f"/archives/{archive.slug}/items/{items[0].pk}/"
    assert una.post(url, {"action": "title", "title": "Patient 1"}).status_code == 302
    assert una.post(url, {"action": "title", "title": "P2"}).status_code == 409
    refused = una.post(f"{url}value/?socket=score", {"value": "much"})
    assert refused.status_code == 200
    assert "much is not a number" in refused.content.decode()
    assert 'value="much"' in refused.content.decode()
    assert una.post(f"{url}value/?socket=score", {"value": "0.9"}).status_code == 302
    page = una.get(url).content.decode()
    assert "0.0 became 0.9" in page
    assert una.post(url, {"action": "remove", "socket": "score"}).status_code == 302
    assert not ItemValue.objects.filter(item=items[0]).exists()
    assert "Patient 1" in una.get(url).content.decode()
    assert client(people["vic"]).post(url, {"action": "title", "title": "Mine"}).status_code == 403


def test_an_image_is_put_in_by_those_who_may_pass_it_on(archive, items, people):
    una, alice = people["una"], people["alice"]
    own, others = make_cohort(una, name="Una's"), make_cohort(make_user("carol"), name="Carol's")
    (mine,) = make_images(own, 1)
    (public,) = make_images(others, 1, visibility="public")
    (unseen,) = make_images(others, 1)
    url = f"/archives/{archive.slug}/items/{items[0].pk}/value/?socket={image_socket().slug}"
    words = {
        image: client(una).post(url, {"value": str(image.public_id or image.key)}).content.decode()
        for image in (public, unseen)
    }
    assert "not show it to the people of this archive" in words[public]
    assert "There is no image" in words[unseen]
    assert client(una).post(url, {"value": str(mine.key)}).status_code == 302
    assert str(mine.key) in client(people["vic"]).get(f"/archives/{archive.slug}/items/").content.decode()
    assert client(alice).get(f"/archives/{archive.slug}/items/{items[0].pk}/").status_code == 200


@pytest.mark.usefixtures("_folder")
def test_files_have_addresses_on_the_byte_plane(archive, items, people):
    report = make_socket("Report", "PDF")
    value = create_value(socket=report, creator=None, blob=keep(PDF), filename="repört.pdf")
    put_values(item=items[0], actor=people["una"], values=[value])
    address = f"/files/items/{items[0].pk}/{value.pk}/rep%C3%B6rt.pdf"
    for page in (f"/archives/{archive.slug}/items/", f"/archives/{archive.slug}/items/{items[0].pk}/"):
        assert f'href="{address}"' in client(people["vic"]).get(page).content.decode()
        assert address not in client(people["olive"]).get(page).content.decode()


@pytest.mark.usefixtures("_folder")
def test_a_file_is_uploaded_into_a_socket(archive, items, people):
    make_socket("Report", "PDF")
    url = f"/archives/{archive.slug}/items/{items[0].pk}/upload/"
    una = client(people["una"])
    assert una.get(f"{url}?socket=report").context["form"]["socket"].value() == "report"
    sent = SimpleUploadedFile("Befund.pdf", PDF, "application/pdf")
    assert una.post(url, {"socket": "report", "file": sent}).status_code == 302
    assert ItemValue.objects.get(item=items[0], socket__slug="report").value.filename == "Befund.pdf"
    assert "added Report: Befund.pdf" in una.get(url.removesuffix("upload/")).content.decode()
    assert client(people["vic"]).get(url).status_code == 403


@pytest.mark.usefixtures("_folder")
@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([("report.pdf", b"no PDF")], "PDF"),
        ([("report.txt", PDF)], "report.txt"),
        ([("a.pdf", PDF), ("b.pdf", PDF)], "takes one file; 2 are chosen"),
        ([("empty.pdf", b"")], "empty"),
        ([], "Choose a file."),
    ],
)
def test_a_file_of_another_kind_is_refused_at_once(archive, items, people, files, words):
    make_socket("Report", "PDF")
    sent = [SimpleUploadedFile(name, data) for name, data in files]
    url = f"/archives/{archive.slug}/items/{items[0].pk}/upload/"
    answer = client(people["una"]).post(url, {"socket": "report", "file": sent})
    assert answer.status_code == 200
    assert words in " ".join(answer.context["form"].errors.get("file", []))
    assert not ItemValue.objects.filter(item=items[0], socket__slug="report").exists()
    assert not Upload.objects.exclude(state=UploadState.CANCELLED).exists()


@pytest.mark.usefixtures("_folder")
def test_uploads_that_were_sent_are_used_once_and_by_their_owner(archive, items, people):
    make_socket("Report", "PDF")
    una, url = people["una"], f"/archives/{archive.slug}/items/{items[0].pk}/upload/"
    (upload,) = whole(una, [("report.pdf", PDF)])
    stolen = client(people["alice"]).post(url, {"socket": "report", "upload": str(upload.pk)})
    assert "Choose a file." in stolen.content.decode()
    nowhere = client(una).post(url, {"socket": "", "upload": str(upload.pk)})
    assert f'value="{upload.pk}"' in nowhere.content.decode()
    assert client(una).post(url, {"socket": "report", "upload": str(upload.pk)}).status_code == 302
    again = client(una).post(url, {"socket": "report", "upload": str(upload.pk)})
    assert "Choose a file." in again.content.decode()


def test_values_as_csv(archive, items, image, people, score):
    note = make_socket("Note", "STR", scope=archive.scope, creator=people["alice"])
    long = "=1+1 " + "x" * 300
    put_values(item=items[1], actor=people["una"], values=[create_value(socket=note, creator=None, value=long)])
    url = f"/archives/{archive.slug}/items/values.csv"
    answer = client(people["vic"]).get(url)
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert rows[0] == ["id", "title", image_socket().slug, "note", "score"]
    assert rows[1][1:] == ["P1", str(image.key), "", "0.0"]
    assert rows[2][1:] == ["P2", "", f"'{long}", "0.25"]
    some = client(people["vic"]).get(f"{url}?q=score+%3E+0.3")
    assert b"".join(some.streaming_content).count(b"\r\n") == 2
    assert client(people["olive"]).get(url).status_code == 403


def test_an_item_of_another_archive_is_not_at_this_address(archive, items, people):
    other = make_archive(people["alice"], title="Other")
    assert client(people["alice"]).get(f"/archives/{other.slug}/items/{items[0].pk}/").status_code == 404


def test_making_an_item(archive, people):
    url = f"/archives/{archive.slug}/items/new/"
    assert client(people["una"]).post(url, {"title": "New"}).status_code == 302
    assert Item.objects.get(archive=archive).title == "New"
    again = client(people["una"]).post(url, {"title": "New"})
    assert again.status_code == 200
    assert "called so already" in again.content.decode()
    assert client(people["vic"]).get(url).status_code == 403


@pytest.mark.usefixtures("_folder")
def test_lists_to_take_away(archive, items, image, people):
    report = make_socket("Report", "PDF")
    pdf = b"%PDF-1.7\n%%EOF\n"
    value = create_value(socket=report, creator=people["una"], blob=keep(pdf), filename="r.pdf")
    put_values(item=items[1], actor=people["una"], values=[value])
    vic = client(people["vic"])
    assert vic.get(f"/archives/{archive.slug}/export/").status_code == 200
    lines = {}
    for name in ("images", "manifest"):
        answer = vic.get(f"/archives/{archive.slug}/export/{name}.csv")
        lines[name] = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [(row["item_title"], row["image"]) for row in lines["images"]] == [("P1", str(image.key))]
    (file,) = [row for row in lines["manifest"] if row["name"] == "r.pdf"]
    assert (file["bytes"], file["sha256"]) == (str(len(pdf)), hashlib.sha256(pdf).hexdigest())
    withdraw_image(image=image, reason="Consent has ended.", user=people["alice"])
    again = vic.get(f"/archives/{archive.slug}/export/manifest.csv")
    assert str(image.key) not in b"".join(again.streaming_content).decode()


def test_activity_is_read_by_editors(archive, items, people):
    alice = client(people["alice"])
    alice.post(f"/archives/{archive.slug}/items/", {"item": str(items[0].pk), "action": "trash"})
    page = alice.get(f"/archives/{archive.slug}/activity/").content.decode()
    assert "of an archive into the trash" in page
    assert "made an archive" in page
