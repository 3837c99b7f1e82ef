"""A folder brought to the upload page: one upload, one ZIP made in the browser, and the images that its files make."""

import base64
import io
import os
import re
import time
import zipfile

import numpy as np
import pytest

from medtheca.toolkit.synthetic.cohort import draw_lesion
from tests.browser.people import PASSWORD, PATIENCE, Keyboard
from tests.generators import dicoms, volumes

pytestmark = pytest.mark.browser

SLICES = 12
CHUNK = 8 << 20
# What the page sends goes through here; the bodies are kept, so that the test can read the ZIP as it went out.
RECORD = """
window.sent = [];
const send = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function (body) {
  if (body instanceof Blob && body.size > 0) window.sent.push(body);
  return send.call(this, body);
};
"""
READ = """async () => {
  const reader = new FileReader();
  reader.readAsDataURL(new Blob(window.sent));
  await new Promise((resolve) => reader.addEventListener("load", resolve));
  return reader.result.slice(reader.result.indexOf(",") + 1);
}"""


@pytest.fixture
def alice(chromium, archive, tmp_path):
    """Alice, whose cohort has one photograph, on the page to upload more."""
    (tmp_path / "first.jpg").write_bytes(draw_lesion(99, size=(300, 225)).jpeg)
    archive.command("user", "create", "alice@example.org", "--password-stdin", input=PASSWORD)
    clinic = ["--cohort", "Clinic", "--contributor", "Clinic of Exampleton", "--as", "alice@example.org"]
    archive.command("ingest", str(tmp_path / "first.jpg"), *clinic)
    met = Keyboard(chromium, archive.url, "alice-series")
    met.context.add_init_script(RECORD)
    met.log_in("alice@example.org", PASSWORD)
    to_upload(met)
    yield met
    met.context.close()


def to_upload(alice):
    alice.open("/upload/")
    alice.page.select_option("#cohort", index=1)


def visit(folder):
    """A folder as from a scanner's disk: a series, a pair, what is no image, and what file managers leave behind."""
    slices = dicoms.series(dicoms.along([3.0 * number for number in range(SLICES)]))
    header, voxels = volumes.metaimage(volumes.draw((30, 20, 8)), data_file="näme.raw")
    files = {f"CT/series 1/{number:03}": data for number, data in enumerate(slices)}
    files |= {"volume/x.mhd": header, "volume/näme.raw": voxels, "READ ME.txt": b"Thank you.", "empty.dat": b""}
    junk = {".DS_Store": b"Bud1", "CT/Thumbs.db": b"x", "CT/._001": b"x", "__MACOSX/x.mhd": b"x", ".git/HEAD": b"x"}
    for path, data in (files | junk).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return files


def drop(page, *paths):
    """Let go of files and folders over the middle of the page, as a file manager does."""
    box = page.locator("[data-drop]").bounding_box()
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, **place, "data": data})


def what_was_sent(page):
    return base64.b64decode(page.evaluate(READ))


def images_on(page):
    """Addresses of the images that the page of an upload names."""
    return set(page.locator("table a").evaluate_all("(links) => links.map((link) => link.getAttribute('href'))"))


def test_a_dropped_folder_is_one_upload_and_its_series_one_image(alice, tmp_path):
    files = visit(tmp_path / "visit")
    alice.look("upload")
    drop(alice.page, tmp_path / "visit")
    alice.reads("visit.zip")
    alice.reads("5 hidden or system files are left out.")
    alice.reads(f"{len(files)} of {len(files)} files uploaded")
    assert alice.page.locator("[data-rows] > li").count() == 1
    alice.look("uploaded")

    sent = what_was_sent(alice.page)
    with zipfile.ZipFile(io.BytesIO(sent)) as packed:
        assert packed.testzip() is None
        assert packed.namelist() == sorted(f"visit/{path}" for path in files)
        assert {path: packed.read(f"visit/{path}") for path in files} == files

    alice.follow("See what became of it")
    alice.reads("Finished")
    alice.reads(f"{SLICES + 2} accepted, 1 skipped, 1 refused")
    assert len(images_on(alice.page)) == 2
    alice.look("verdicts")
    alice.leave()


def test_the_same_folder_chosen_again_goes_on_where_it_stopped(alice, tmp_path):
    folder = tmp_path / "thorax"
    folder.mkdir()
    voxels = np.random.default_rng(1).integers(0, 4000, (1, 90, 256, 256)).astype(np.int16)
    header, raw = volumes.metaimage(voxels, data_file="x.raw")
    (folder / "x.mhd").write_bytes(header)
    (folder / "x.raw").write_bytes(raw)
    page = alice.page

    patches = []

    def cut_off(route):
        """The line is dead after the first part."""
        if route.request.method == "PATCH":
            patches.append(route.request.headers["upload-offset"])
            if len(patches) > 1:
                return route.abort("connectionfailed")
        return route.continue_()

    page.route("**/uploads/tus/**", cut_off)
    alice.tab_to("button", "Choose a folder")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(folder)
    until = time.monotonic() + 60
    while len(patches) < 2:
        assert time.monotonic() < until, alice.page.inner_text("[data-rows]")
        page.wait_for_timeout(100)
    assert patches[1] == str(CHUNK)
    page.on("dialog", lambda dialog: dialog.accept())
    to_upload(alice)
    alice.reads("thorax.zip")
    alice.reads(re.compile(r"8.4 MB of 11.8 MB are kept .* 2 files"))
    page.unroute("**/uploads/tus/**")
    # Until here the browser has spoken of the lost connection, as it should.
    alice.complaints.clear()
    alice.look("unfinished")
    # Another day, and the folder was copied meanwhile: what is in it counts, not when it was written.
    for file in folder.iterdir():
        os.utime(file, (1_000_000_000, 1_000_000_000))
    alice.tab_to("button", "Choose the folder again: thorax.zip")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(folder)
    alice.reads("2 of 2 files uploaded")
    rest = what_was_sent(page)
    assert len(rest) == zip_size(folder) - CHUNK
    alice.enter("link", "See what became of it")
    alice.reads("Finished")
    alice.reads("2 accepted")
    assert len(images_on(page)) == 1
    alice.leave()


def test_files_that_are_chosen_before_the_page_is_ready_are_sent(alice, tmp_path):
    (tmp_path / "second.jpg").write_bytes(draw_lesion(98, size=(300, 225)).jpeg)
    held = []

    def hold(route):
        held.append(route)

    alice.page.route(re.compile(r"/dist/upload[^/]*[.]js"), hold)
    alice.page.goto(f"{alice.url}/upload/", wait_until="commit")
    alice.page.select_option("#cohort", index=1)
    alice.page.set_input_files("#files", tmp_path / "second.jpg")
    until = time.monotonic() + 60
    while not held:
        assert time.monotonic() < until, "the page does not ask for its script"
        alice.page.wait_for_timeout(100)
    held[0].continue_()
    alice.reads("second.jpg")
    alice.reads("1 of 1 file uploaded")
    alice.leave()


def zip_size(folder):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{folder.name}/{file.name}")
    return len(packed.getvalue())


def test_few_photographs_go_one_by_one_and_many_in_one_upload(alice, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(21):
        (pictures / f"{number:02}.jpg").write_bytes(draw_lesion(number, size=(200, 150)).jpeg)
    files = sorted(pictures.iterdir())
    (tmp_path / "more.zip").write_bytes(zip_of(files[:1]))
    rows = alice.page.locator("[data-rows] > li")

    drop(alice.page, *files[:3], tmp_path / "more.zip")
    alice.reads("4 of 4 files uploaded")
    assert rows.locator("[data-part=name]").all_inner_texts() == ["more.zip", "00.jpg", "01.jpg", "02.jpg"]

    # All four have been received, so that of the next upload three files are there already.
    second = alice.page.context.new_page()
    second.set_default_timeout(PATIENCE)
    for link in rows.get_by_role("link").all():
        second.goto(f"{alice.url}{link.get_attribute('href')}")
        second.get_by_role("main").get_by_text("1 accepted").first.wait_for()
    second.close()

    alice.page.set_input_files("#files", files)
    alice.reads("25 of 25 files uploaded")
    assert rows.locator("[data-part=name]").all_inner_texts()[4:] == ["00.jpg and 20 more.zip"]
    rows.last.get_by_role("link").click()
    alice.reads("18 accepted, 3 accepted and linked")
    alice.leave()


def zip_of(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in files:
            archive.write(file, file.name)
    return packed.getvalue()


def test_a_file_that_changes_before_it_is_sent_is_told(alice, tmp_path):
    files = visit(tmp_path / "visit")
    changing = tmp_path / "visit/volume/x.mhd"

    def change(route):
        if route.request.method == "POST":
            changing.write_bytes(b"something else altogether")
        return route.continue_()

    alice.page.route("**/uploads/tus/**", change)
    drop(alice.page, tmp_path / "visit")
    alice.reads("A file was changed, moved or taken away while it was sent. Choose the files again.")
    alice.page.unroute("**/uploads/tus/**")
    drop(alice.page, tmp_path / "visit")
    alice.reads(f"{len(files)} of {len(files)} files uploaded")
    assert alice.page.locator("[data-rows] > li").count() == 1


def test_what_is_too_much_for_one_upload_is_told_before_it_is_read(alice, tmp_path):
    visit(tmp_path / "visit")
    alice.page.evaluate("document.querySelector('[data-upload]').dataset.mostFiles = '15'")
    drop(alice.page, tmp_path / "visit")
    alice.reads("16 files are too many for one upload, which may have 15.")
    assert alice.page.evaluate("window.sent.length") == 0
    alice.look("too-many")
    alice.leave()
