"""Values of items by spreadsheets on pages: given, looked at, applied; and taken away as a workbook."""

import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from python_calamine import CalamineWorkbook

from medtheca.domains.archives.items import create_items, put_values
from medtheca.domains.archives.models import ItemValue, ValuesImport
from medtheca.domains.sockets.operations import create_value
from medtheca.workflows.archiving.value_sheets import work_on_values
from tests.factories.accounts import make_user
from tests.factories.archives import image_socket, make_archive, make_socket
from tests.factories.storage import use_data_folder

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")


@pytest.fixture
def people():
    return {name: make_user(name) for name in ("alice", "una", "vic", "olive")}


@pytest.fixture
def archive(people):
    image_socket()
    return make_archive(people["alice"], uploaders=[people["una"]], users=[people["vic"]], onlookers=[people["olive"]])


@pytest.fixture
def score(archive, people):
    return make_socket("Score", "FLT", scope=archive.scope, creator=people["alice"])


@pytest.fixture
def items(archive, people, score):
    made = create_items(archive=archive, creator=people["una"], titles=["P1", "P2"])
    value = create_value(socket=score, creator=None, value=0.25)
    put_values(item=made[0], actor=people["una"], values=[value])
    return made


def client(user):
    found = Client()
    found.force_login(user)
    return found


def give(user, archive, text, **more):
    """Send a spreadsheet, and do what the job would; the address of its page."""
    file = SimpleUploadedFile("scores.csv", text.encode(), "text/csv")
    answer = client(user).post(f"/archives/{archive.slug}/items/import/", {"file": file, **more})
    assert answer.status_code == 302, answer.content.decode()
    work_on_values(import_id=ValuesImport.objects.latest("created").pk)
    return answer["Location"]


def test_a_spreadsheet_is_looked_at_and_applied(archive, items, people):
    una = client(people["una"])
    assert "medtheca archive values" in una.get(f"/archives/{archive.slug}/items/import/").content.decode()
    url = give(people["una"], archive, "title,score\nP1,0.5\nP2,[clear]\n", reason="<b>Second</b> reading")
    page = una.get(url).content.decode()
    assert "Apply to 1 item" in page
    assert "<del>0.25</del>" in page
    assert "&lt;b&gt;Second&lt;/b&gt; reading" in page
    assert ItemValue.objects.get(item=items[0]).number == 0.25
    assert una.post(url, {"action": "apply"}).status_code == 302
    running = una.get(url).content.decode()
    assert "Items get their values" in running
    assert 'hx-trigger="every 1s"' in running
    work_on_values(import_id=ValuesImport.objects.get().pk)
    assert "1 item was changed." in una.get(url).content.decode()
    assert ItemValue.objects.get(item=items[0]).number == 0.5
    assert (
        "0.25 became 0.5 (&lt;b&gt;Second&lt;/b&gt; reading)"
        in una.get(f"/archives/{archive.slug}/items/{items[0].pk}/").content.decode()
    )
    assert una.post(url, {"action": "apply"}).status_code == 409
    assert "scores.csv" in una.get(f"/archives/{archive.slug}/items/import/").content.decode()


def test_what_is_wrong_is_told_by_cause_and_as_csv(archive, items, people):
    una = client(people["una"])
    url = give(people["una"], archive, "title,score\nP1,nine\nP2,ten\n=P3,1\n")
    page = una.get(url).content.decode()
    assert "3 problems" in page
    assert "2, 3" in page
    assert "Write one, such as 0.5" in page
    assert "Apply to" not in page
    answer = una.get(f"{url}errors.csv")
    lines = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [(line["line"], line["column"]) for line in lines] == [("2", "score"), ("3", "score"), ("4", "title")]
    assert lines[2]["value"] == "'=P3"
    assert una.post(url, {"action": "apply"}).status_code == 409
    assert una.post(url, {"action": "check", "makes_items": "on"}).status_code == 302
    given = ValuesImport.objects.get()
    work_on_values(import_id=given.pk)
    given.refresh_from_db()
    assert given.report["problem_count"] == 2


def test_unknown_columns_are_chosen_on_the_page(archive, items, people):
    una = client(people["una"])
    url = give(people["una"], archive, "title,scorre,remark\nP1,0.5,fine\n")
    page = una.get(url).content.decode()
    assert "2 columns are unknown" in page
    assert '<option value="score" selected>' in page
    assert una.post(url, {"action": "check", "column-1": "score", "column-2": "-"}).status_code == 302
    work_on_values(import_id=ValuesImport.objects.get().pk)
    page = una.get(url).content.decode()
    assert "Apply to 1 item" in page
    assert "left out" in page
    assert una.post(url, {"action": "away"}).status_code == 302
    assert not ValuesImport.objects.exists()


def test_what_was_checked_anew_is_looked_at_anew_before_it_is_applied(archive, items, people):
    una = client(people["una"])
    url = give(people["una"], archive, "title,score\nP1,0.5\nP9,0.7\n")
    given = ValuesImport.objects.get()
    assert una.post(url, {"action": "check", "makes_items": "on"}).status_code == 302
    work_on_values(import_id=given.pk)
    seen = re.search(r'name="seen" value="([^"]+)"', una.get(url).content.decode())[1]
    assert client(people["alice"]).post(url, {"action": "check"}).status_code == 302
    work_on_values(import_id=given.pk)
    assert client(people["alice"]).post(url, {"action": "check", "makes_items": "on"}).status_code == 302
    work_on_values(import_id=given.pk)
    answer = una.post(url, {"action": "apply", "seen": seen})
    assert answer.status_code == 409
    assert "checked anew since" in answer.content.decode()
    seen = re.search(r'name="seen" value="([^"]+)"', answer.content.decode())[1]
    assert una.post(url, {"action": "apply", "seen": seen}).status_code == 302
    work_on_values(import_id=given.pk)
    assert ItemValue.objects.filter(number__in=[0.5, 0.7]).count() == 2


def test_a_file_that_is_none_is_asked_for_again(archive, items, people):
    answer = client(people["una"]).post(f"/archives/{archive.slug}/items/import/", {"reason": "Because"})
    assert answer.status_code == 200
    assert 'value="Because"' in answer.content.decode()
    empty = SimpleUploadedFile("empty.csv", b"")
    again = client(people["una"]).post(f"/archives/{archive.slug}/items/import/", {"file": empty})
    assert "empty" in " ".join(again.context["form"].errors["file"])


def test_only_uploaders_and_editors_import_and_see_it(archive, items, people):
    url = give(people["una"], archive, "title,score\nP1,0.5\n")
    for name, status in (("alice", 200), ("una", 200), ("vic", 403), ("olive", 403)):
        for address in (f"/archives/{archive.slug}/items/import/", url, f"{url}errors.csv"):
            assert client(people[name]).get(address).status_code == status, (name, address)
    uno = make_user("uno")
    other = make_archive(uno, title="Other")
    assert client(uno).get(url.replace(archive.slug, other.slug)).status_code == 404
    assert client(people["vic"]).post(url, {"action": "apply"}).status_code == 403


def test_the_table_as_a_workbook_has_types_and_no_formulas(archive, items, people):
    note = make_socket("Note", "STR", scope=archive.scope, creator=people["alice"])
    healthy = make_socket("Healthy", "BOOL", scope=archive.scope, creator=people["alice"])
    for socket, value in ((note, "=HYPERLINK(1)"), (healthy, True)):
        put_values(item=items[1], actor=people["una"], values=[create_value(socket=socket, creator=None, value=value)])
    url = f"/archives/{archive.slug}/items/values.xlsx"
    answer = client(people["vic"]).get(url)
    data = b"".join(answer.streaming_content)
    rows = list(CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).iter_rows())
    assert rows[0] == ["id", "title", "healthy", "note", "score"]
    assert rows[1] == [str(items[0].pk), "P1", "", "", 0.25]
    assert rows[2] == [str(items[1].pk), "P2", True, "=HYPERLINK(1)", ""]
    found = client(people["vic"]).get(f"{url}?q=score+%3E+0")
    few = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(found.streaming_content)))
    assert len(few.get_sheet_by_index(0).to_python()) == 2
    assert client(people["vic"]).get(f"{url}?q=scorr+%3E+0").status_code == 400
    assert client(people["olive"]).get(url).status_code == 403
    page = client(people["una"]).get(f"/archives/{archive.slug}/items/").content.decode()
    assert f'href="{url}"' in page
    assert f"/archives/{archive.slug}/items/import/" in page
    assert (
        f"/archives/{archive.slug}/items/import/"
        not in client(people["vic"]).get(f"/archives/{archive.slug}/items/").content.decode()
    )
