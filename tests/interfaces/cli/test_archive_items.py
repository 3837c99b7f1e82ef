"""`medtheca archive items`, `item`, `trash`, `collect`: Alice edits, Una uploads, Vic looks, Bob is a stranger."""

import json

import pytest

from medtheca.domains.archives.items import create_items, put_values
from medtheca.domains.archives.models import Item
from medtheca.domains.sockets.operations import create_value
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.models import Upload
from medtheca.domains.storage.queries import blob_store
from medtheca.interfaces.cli import archive_items, collection_images
from tests.factories.accounts import make_user
from tests.factories.archives import image_socket, make_archive, make_socket
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort, run_jobs
from tests.factories.storage import make_wide_scopes, use_data_folder
from tests.generators.images import jpeg
from tests.interfaces.cli.archives import run, told

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _here(settings, tmp_path, monkeypatch):
    """A worker of its own would have a connection of its own, which sees nothing of a test's transaction."""
    use_data_folder(settings, tmp_path / "data")
    make_wide_scopes()

    def work(is_done):
        run_jobs()
        return is_done()

    monkeypatch.setattr(archive_items, "let_work", work)
    monkeypatch.setattr(collection_images, "let_work", work)
    yield
    blob_store.cache_clear()


@pytest.fixture
def people(db):
    return {name: make_user(name) for name in ("alice", "una", "vic", "bob")}


@pytest.fixture
def archive(people):
    score = make_socket()
    make_socket("Findings", "JSON")
    make_socket("Report", "PDF")
    image_socket()
    archive = make_archive(people["alice"], uploaders=[people["una"]], users=[people["vic"]])
    items = create_items(archive=archive, creator=people["una"], titles=["P0", "P1", "P2"])
    for at, (item, image) in enumerate(zip(items, make_images(archive.cohort, 3), strict=True)):
        held = [
            create_value(socket=image_socket(), creator=people["una"], image=image),
            create_value(socket=score, creator=people["una"], value=at / 2),
        ]
        put_values(item=item, actor=people["una"], values=held)
    return archive


def test_items_are_listed_found_and_sorted(archive):
    out = run("items", "chest-ct", by="vic")
    assert out.splitlines()[0] == "number\ttitle\tgeneric-medical-image\tscore"
    assert "1 to 3 of 3 items." in out
    found = told("items", "chest-ct", "--query", "score > 0.2", "--sort", "-score", by="vic")
    assert (found["count"], [row["title"] for row in found["items"]]) == (2, ["P2", "P1"])
    assert found["items"][0]["values"]["score"] == 1
    page = told("items", "chest-ct", "--limit", 1, "--offset", 1, by="vic")
    assert (page["count"], [row["title"] for row in page["items"]]) == (3, ["P1"])
    assert "Did you mean 'score'" in run("items", "chest-ct", "--query", "scorr > 1", by="vic", exit_code=1)
    assert "cannot be sorted by" in run("items", "chest-ct", "--sort", "colour", by="vic", exit_code=1)
    assert "no such archive" in run("items", "chest-ct", by="bob", exit_code=1)


def test_values_are_typed_removed_and_told_with_their_history(archive):
    shown = told("item", "set", "chest-ct", "P1", "score=0.75", 'findings={"side": "left"}', "--title", "P 1", by="una")
    assert (shown["title"], shown["values"]["score"], shown["values"]["findings"]) == ("P 1", 0.75, {"side": "left"})
    assert shown["history"][0]["words"]
    shown = told("item", "set", "chest-ct", shown["number"], "--remove", "score", by="una")
    assert "score" not in shown["values"]
    assert "findings" in run("item", "show", "chest-ct", shown["id"], by="vic")
    assert "Only editors and uploaders" in run("item", "set", "chest-ct", "P0", "score=1", by="vic", exit_code=1)


def test_wrong_values_change_nothing_and_are_all_told(archive, tmp_path):
    refused = run("item", "set", "chest-ct", "P0", "score=high", "scorr=1", by="una", exit_code=1)
    assert "scorr: There is no socket scorr here. Did you mean 'score'" in refused
    refused = run("item", "set", "chest-ct", "P0", "score=high", "report=text", "--title", "X", by="una", exit_code=1)
    assert "score: high is not a number" in refused
    assert "report: Report takes a file. Write report=@report.pdf." in refused
    (tmp_path / "no.pdf").write_bytes(b"nothing of the kind")
    refused = run("item", "set", "chest-ct", "P0", f"report=@{tmp_path}/no.pdf", "score=0.9", by="una", exit_code=1)
    assert "  report: " in refused
    assert "There is no file or folder" in run(
        "item", "set", "chest-ct", "P0", "report=@gone.pdf", by="una", exit_code=1
    )
    assert told("item", "show", "chest-ct", "P0", by="una")["values"]["score"] == 0
    assert Item.objects.get(number=1).title == "P0"
    assert set(Upload.objects.filter(open_ended=True).values_list("state", flat=True)) == {UploadState.CANCELLED}
    for slip in ("score", "=1"):
        assert "is no SOCKET=VALUE" in run("item", "set", "chest-ct", "P0", slip, by="una", exit_code=2)
    assert "given twice" in run("item", "set", "chest-ct", "P0", "score=1", "score=2", by="una", exit_code=2)
    assert "Say what to change" in run("item", "set", "chest-ct", "P0", by="una", exit_code=2)
    assert "There is no item P9" in run("item", "show", "chest-ct", "P9", by="una", exit_code=1)


def test_files_and_images_of_this_machine_go_in(archive, tmp_path):
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    (tmp_path / "scan.jpg").write_bytes(jpeg(seed=7))
    (tmp_path / "findings.json").write_text(json.dumps({"side": "right"}))
    made = told(
        *("item", "add", "chest-ct", "P3", f"report=@{tmp_path}/report.pdf", f"findings=@{tmp_path}/findings.json"),
        f"generic-medical-image=@{tmp_path}/scan.jpg",
        by="una",
    )
    assert (made["title"], made["pending"]) == ("P3", [])
    assert (made["values"]["report"], made["values"]["findings"]) == ("report.pdf", {"side": "right"})
    assert made["values"]["generic-medical-image"]
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    image = f"generic-medical-image=@{tmp_path}/broken.jpg"
    refused = run("item", "set", "chest-ct", "P0", image, by="una", exit_code=1)
    assert "generic-medical-image is failed" in refused
    assert "should result in a single image" in refused


def test_an_image_that_is_there_goes_in_where_one_may_pass_it_on(archive, people):
    (image,) = make_images(make_cohort(people["bob"]), 1, visibility="public")
    said = f"generic-medical-image={image.public_id}"
    assert "may see the image" in run("item", "set", "chest-ct", "P0", said, exit_code=1)
    (own,) = make_images(archive.cohort, 1)
    shown = told("item", "set", "chest-ct", "P0", f"generic-medical-image={own.key}")
    assert shown["values"]["generic-medical-image"] == str(own.key)


def test_items_go_to_the_trash_and_come_back(archive):
    assert "2 in the trash" in run("trash", "chest-ct", "P0", "2")
    assert told("items", "chest-ct", by="vic")["count"] == 1
    assert [row["title"] for row in told("items", "chest-ct", "--trashed")["items"]] == ["P0", "P1"]
    assert "Only editors" in run("items", "chest-ct", "--trashed", by="una", exit_code=1)
    assert "There is no item P0" in run("trash", "chest-ct", "P0", exit_code=1)
    assert "Only editors" in run("restore", "chest-ct", "P0", by="una", exit_code=1)
    assert "1 restored" in run("restore", "chest-ct", "P0")
    assert "Only editors" in run("trash", "chest-ct", "P2", by="una", exit_code=1)


def test_items_become_a_collection(archive):
    made = told("collect", "chest-ct", "--new", "High", "--query", "score > 0.2", by="vic")
    assert (made["items"], made["images"], made["added"], made["name"]) == (2, 2, 2, "High")
    assert ": 1 of 1 image of 1 item." in run("collect", "chest-ct", "P0", "--into", "High", by="vic")
    assert [(row["name"], row["items"]) for row in told("uses", "chest-ct", by="vic")] == [("High", 1)]
    listed = run("uses", "chest-ct")
    assert "Use in a reader study: comes with reader studies." in listed
    assert "collection\t-\t-\t1" in listed
    assert "one of --into" in run("collect", "chest-ct", by="vic", exit_code=2)
    assert "not public, and Open is" in run("collect", "chest-ct", "--new", "Open", "--public", by="vic", exit_code=1)
    assert "no such archive" in run("collect", "chest-ct", "--new", "Mine", by="bob", exit_code=1)
