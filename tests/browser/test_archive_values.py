"""Values of items in a real browser: from a spreadsheet, looked at before they are applied; files, into one socket."""

import secrets

import pytest
from playwright.sync_api import expect

from medtheca.domains.archives.items import create_items, put_values
from medtheca.domains.archives.models import ItemValue
from medtheca.domains.sockets.operations import create_value
from tests.browser.visiting import browse, look, unsafe
from tests.factories.accounts import make_user
from tests.factories.archives import image_socket, make_archive, make_socket
from tests.factories.provenance import run_jobs
from tests.factories.storage import make_wide_scopes
from tests.generators.volumes import draw, mha

__all__ = ["browse", "unsafe"]  # fixtures

pytestmark = pytest.mark.browser

_PART = 8 * 1024 * 1024


@pytest.fixture
def alice(world):
    make_wide_scopes()
    image_socket()
    alice = make_user(f"alice-{secrets.token_hex(4)}")
    alice.first_name, alice.last_name = "Alice", "Roe"
    alice.save()
    return alice


@pytest.fixture
def archive(alice):
    """Twelve items, six of them with a score."""
    tag = secrets.token_hex(3)
    archive = make_archive(alice, title=f"Coronary calcium {tag}")
    sockets = {
        "score": make_socket(f"Agatston score {tag}", "FLT", scope=archive.scope, creator=alice),
        "grade": make_socket(
            f"Grade {tag}", "CHOI", scope=archive.scope, creator=alice, schema={"enum": ["none", "mild", "severe"]}
        ),
        "report": make_socket(f"Report {tag}", "PDF", scope=archive.scope, creator=alice),
    }
    for at, item in enumerate(create_items(archive=archive, creator=alice, titles=[f"P{at:03}" for at in range(12)])):
        if at % 2:
            value = create_value(socket=sockets["score"], creator=alice, value=at * 10.5)
            put_values(item=item, actor=alice, values=[value])
    archive.sockets = sockets
    return archive


def give(page, world, archive, lines, name="scores.csv"):
    page.goto(f"{world.url}/archives/{archive.slug}/items/import/")
    page.get_by_label("Spreadsheet", exact=True).set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
    )


def test_alice_brings_scores_from_a_spreadsheet(browse, world, alice, archive):
    score, grade = archive.sockets["score"].slug, archive.sockets["grade"].slug
    page = browse(alice)
    main = page.get_by_role("main")
    page.goto(f"{world.url}/archives/{archive.slug}/items/")
    main.get_by_role("link", name="Import values").click()
    look(page, "values-import")

    # Columns that nobody knows, and cells that are wrong.
    lines = [
        f"title,{score},graed {archive.slug[-6:]},{grade}",
        "P000,much,x,awful",
        "P001,more,x,mild",
        "P099,1,x,mild",
    ]
    give(page, world, archive, lines, "wrong.csv")
    main.get_by_role("button", name="Check the spreadsheet").click()
    expect(main.get_by_text("Every row is being checked")).to_be_visible()
    run_jobs()
    expect(main.get_by_role("heading", name="1 column is unknown")).to_be_visible()
    expect(main.get_by_role("cell", name="much is not a number")).to_be_visible()
    look(page, "values-wrong")
    main.get_by_role("combobox").select_option("-")
    main.get_by_role("button", name="Check it so").click()
    run_jobs()
    expect(main.get_by_role("heading", name="1 column is unknown")).to_be_hidden()
    expect(main.get_by_role("heading", name="problems")).to_be_visible()

    # What is right is looked at, and applied.
    lines = [f"title,{score},{grade}", *(f"P{at:03},{at * 20},{'mild' if at < 9 else ''}" for at in range(12))]
    give(page, world, archive, lines)
    main.get_by_label("Why").fill("Second reading, with contrast")
    main.get_by_role("button", name="Check the spreadsheet").click()
    run_jobs()
    expect(main.get_by_role("button", name="Apply to 12 items")).to_be_visible()
    look(page, "values-preview")
    main.get_by_role("button", name="Apply to 12 items").click()
    expect(main.get_by_text("Items get their values")).to_be_visible()
    run_jobs()
    expect(main.get_by_text("12 items were changed.")).to_be_visible()
    look(page, "values-applied")
    page.goto(f"{world.url}/archives/{archive.slug}/items/")
    main.get_by_role("link", name="P003").click()
    expect(main.get_by_text("31.5 became 60.0 (Second reading, with contrast)")).to_be_visible()

    # What is exported changes nothing when it comes back.
    page.goto(f"{world.url}/archives/{archive.slug}/items/")
    with page.expect_download() as taken:
        main.get_by_role("link", name="XLSX").click()
    page.goto(f"{world.url}/archives/{archive.slug}/items/import/")
    page.get_by_label("Spreadsheet", exact=True).set_input_files(taken.value.path())
    main.get_by_role("button", name="Check the spreadsheet").click()
    run_jobs()
    expect(main.get_by_text("Nothing changes: every value of the spreadsheet is there already.")).to_be_visible()


def test_alice_uploads_files_into_sockets(browse, world, alice, archive):
    item = archive.items.order_by("number").first()
    report = archive.sockets["report"]
    page = browse(alice, lacking=True)
    main = page.get_by_role("main")
    page.goto(f"{world.url}/archives/{archive.slug}/items/{item.pk}/")
    main.get_by_role("link", name="Upload into it").click()
    look(page, "item-upload")

    # A file of another kind is refused at once, and need not be sent again for another socket.
    main.get_by_label("Socket").select_option(report.slug)
    main.get_by_label("Files").set_input_files({"name": "note.pdf", "mimeType": "application/pdf", "buffer": b"no PDF"})
    main.get_by_role("button", name="Upload").click()
    expect(main.get_by_text("Sent already, and used unless other files are chosen:")).to_be_visible()
    look(page, "item-upload-refused")

    # In three parts, the last of them short.
    head, tail = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n", b"\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    pdf = head + b"%" + b"x" * (2 * _PART) + tail
    main.get_by_label("Files").set_input_files({"name": "Befund.pdf", "mimeType": "application/pdf", "buffer": pdf})
    main.get_by_role("button", name="Upload").click()
    link = main.get_by_role("link", name="Befund.pdf")
    expect(link).to_be_visible()
    answer = page.request.get(f"{world.url}{link.get_attribute('href')}")
    assert answer.body() == pdf
    assert ItemValue.objects.get(item=item).value.blob.size == len(pdf)

    # An image is on its way until it is there.
    main.get_by_role("link", name="Upload into it").click()
    main.get_by_label("Socket").select_option("generic-medical-image")
    main.get_by_label("Files").set_input_files(
        {"name": "scan.mha", "mimeType": "application/octet-stream", "buffer": mha(draw((7, 6, 5)))}
    )
    main.get_by_role("button", name="Upload").click()
    expect(main.get_by_text("it is being read and appears here when that is done.")).to_be_visible()
    look(page, "item-pending")
    run_jobs()
    expect(main.get_by_role("heading", name="Images")).to_be_visible()
    look(page, "item-with-files")
