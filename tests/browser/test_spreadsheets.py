"""A dry run, then a spreadsheet with many kinds of error from upload to applied to undone, by keyboard alone."""

import re

import pytest

from medtheca.toolkit.synthetic.cohort import draw_lesion
from tests.browser.people import PASSWORD, Keyboard, pack
from tests.generators.images import every_secret, insert, jpeg

pytestmark = pytest.mark.browser

IMAGES = 24


def name_of(number):
    return f"IMG_{number:04}.jpg"


def spreadsheet():
    """Semicolons, decimal commas, a column with a slip, one of the clinic's own, names that mean nothing, bad cells."""
    rows = ["filename;gender;age;diagnosys;clin_size_long_diam_mm;room"]
    for number in range(IMAGES):
        sex = "femal" if number % 2 else "male"
        age = "forty" if number == 4 else str(30 + number)
        size = "4,5" if number != 6 else "large"
        file = "IMG-0007.jpg" if number == 7 else name_of(number).removesuffix(".jpg")
        rows.append(f"{file};{sex};{age};Nevus;{size};{number % 3}")
    rows.append("lost picture.jpg;male;50;Nevus;3,0;1")
    return "\n".join(rows).encode("cp1252")


@pytest.fixture
def alice(chromium, archive, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(IMAGES):
        (folder / name_of(number)).write_bytes(draw_lesion(number, size=(300, 225)).jpeg)
    archive.command("user", "create", "alice@example.org", "--password-stdin", input=PASSWORD)
    archive.command(
        "ingest",
        str(folder),
        "--cohort",
        "Clinic",
        "--contributor",
        "Clinic of Exampleton",
        "--as",
        "alice@example.org",
    )
    met = Keyboard(chromium, archive.url, "alice-sheets")
    met.log_in("alice@example.org", PASSWORD)
    yield met
    met.context.close()


def test_from_dry_run_to_applied_to_undone(alice, tmp_path):
    try_first(alice, tmp_path)
    give(alice, tmp_path)
    columns(alice)
    names(alice)
    problems(alice)
    apply(alice)
    correct(alice)
    undo(alice)
    alice.leave()


def try_first(alice, folder):
    packed = pack(
        [
            ("visit/IMG_0000.jpg", draw_lesion(0, size=(300, 225)).jpeg),
            ("visit/again.jpg", draw_lesion(0, size=(320, 240)).jpeg),
            ("phone/IMG_0000.jpg", jpeg(size=(320, 240), seed=3)),
            ("phone/private.jpg", insert(jpeg(size=(320, 240), seed=503), *every_secret(6))),
            ("letter.txt", b"Dear colleague"),
            (".DS_Store", b"x"),
        ]
    )
    for name, content in (("visit.zip", packed), ("visit.csv", spreadsheet())):
        (folder / name).write_bytes(content)
    alice.open("/inspect/")
    alice.look("inspect")
    alice.page.set_input_files("#id_files", [folder / "visit.zip", folder / "visit.csv"])
    alice.reads(re.compile("2 files, .* in all"))
    alice.enter("button", "Try them")
    alice.page.wait_for_url(re.compile("/inspect/[0-9a-f-]{36}/"))
    alice.reads("Some of it would be refused")
    alice.reads("position (GPS) (1)")
    alice.look("inspected")


def give(alice, folder):
    alice.open("/cohorts/")
    alice.enter("link", "Clinic")
    alice.enter("link", "Add metadata")
    alice.page.set_input_files("[name=file]", folder / "visit.csv")
    alice.look("metadata-form")
    alice.enter("button", "Check it")
    alice.reads("Nothing was applied; the images are as they were")
    alice.look("invalid")


def columns(alice):
    alice.enter("link", "Look at the columns")
    alice.reads("Did you mean Diagnosis?")
    alice.look("columns")
    alice.tab_to("combobox", "What diagnosys is")
    alice.page.keyboard.type("Diag")
    assert alice.page.input_value("[aria-describedby=remark-3]") == "field:diagnosis"
    alice.enter("button", "Use these columns")
    alice.reads("Nothing was applied; the images are as they were")


def names(alice):
    alice.enter("link", "Match the file names")
    alice.reads("2 names mean no image")
    alice.look("names")
    alice.tab_to("radio", "IMG_0007.jpg")
    alice.page.keyboard.press("Space")
    alice.enter("button", "Leave out all that are not decided")
    alice.reads("Nothing was applied; the images are as they were")


def problems(alice):
    alice.enter("link", "Correct the problems")
    alice.reads("Replace every one")
    alice.look("problems")
    assert alice.page.input_value("[aria-label='Replace femal by']") == "female"
    # From here to the end of the problems no page is loaded: parts of this one are replaced.
    alice.page.evaluate("window.loadedOnce = true")
    alice.enter("button", "Replace in the whole column")
    alice.reads("2 problems of 2 kinds")
    alice.page.get_by_role("status").filter(has_text="The spreadsheet is being checked again").wait_for()
    hears(alice, "2 problems of 2 kinds")
    has_focus(alice, re.compile("^age: "))
    choose_by_keyboard(alice)
    refuse_what_is_unchanged(alice)
    correct_without_scripts(alice, re.compile("^clin_size_long_diam_mm in line"), "6,5")
    alice.open(f"{alice.page.url.removeprefix(alice.url).partition('?')[0]}")
    alice.reads("1 problem of 1 kind")
    alice.page.evaluate("window.loadedOnce = true")
    alice.type("textbox", re.compile("^age in line"), "40")
    alice.enter("button", "Save these cells")
    alice.reads("No problems")
    alice.look("no-problems")
    assert alice.page.evaluate("window.loadedOnce")


def hears(alice, words):
    alice.page.locator("#announcements").filter(has_text=words).wait_for(state="attached")


def has_focus(alice, heading):
    focused = alice.page.locator("h3:focus")
    focused.wait_for()
    assert heading.search(focused.inner_text()), focused.inner_text()


def choose_by_keyboard(alice):
    """Another cause takes the focus to itself, its address is kept, and going back leads to the one before."""
    causes = alice.page.get_by_role("navigation", name=re.compile("problem")).get_by_role("link")
    causes.nth(1).focus()
    alice.page.keyboard.press("Enter")
    alice.page.wait_for_url(re.compile("cause=1"))
    has_focus(alice, re.compile("^clin_size_long_diam_mm: "))
    assert causes.nth(1).get_attribute("aria-current") == "true"
    assert alice.page.evaluate("window.loadedOnce")
    alice.page.go_back()
    alice.page.get_by_role("heading", name=re.compile("^age: ")).wait_for()


def refuse_what_is_unchanged(alice):
    """A form that is refused stays where it is, with what was typed and the focus on what is wrong."""
    alice.enter("button", "Save these cells")
    alert = alice.page.get_by_role("alert")
    alert.wait_for()
    assert "no cell was changed" in alert.inner_text()
    alice.page.locator("[role=alert]:focus").wait_for()
    # Chromium itself writes of every answer of 400.
    assert all("400" in said for said in alice.complaints), alice.complaints
    alice.complaints.clear()


def correct_without_scripts(alice, cell, right):
    """The same pages for somebody whose browser runs no scripts."""
    context = alice.context.browser.new_context(java_script_enabled=False, storage_state=alice.context.storage_state())
    page = context.new_page()
    page.goto(alice.page.url)
    page.get_by_role("navigation", name=re.compile("problem")).get_by_role("link").nth(1).click()
    page.get_by_role("textbox", name=cell).fill(right)
    page.get_by_role("button", name="Save these cells").click()
    page.get_by_text("The spreadsheet is being checked again").wait_for()
    while page.get_by_role("link", name="Look again").count():
        page.get_by_role("link", name="Look again").click()
    page.get_by_text("1 problem of 1 kind").wait_for()
    context.close()


def apply(alice):
    alice.enter("link", "visit.csv")
    alice.reads("24 images would change")
    alice.look("ready")
    alice.enter("link", "Look at what changes")
    alice.reads("Image by image")
    alice.look("preview")
    alice.page.evaluate("window.loadedOnce = true")
    alice.enter("link", "Age")
    hears(alice, "24 images with changes of Age")
    alice.page.wait_for_url(re.compile("field=age"))
    assert alice.page.locator("#field-age").evaluate("(element) => element === document.activeElement")
    alice.enter("link", "Show all fields")
    alice.page.wait_for_url(lambda url: "field=" not in url)
    alice.type("textbox", re.compile("^Why"), "The clinic's list of May.")
    alice.enter("button", "Apply to 24 images")
    alice.reads("24 images have new values")
    hears(alice, "24 images have new values")
    assert alice.page.evaluate("window.loadedOnce")
    alice.look("applied")


def correct(alice):
    alice.open("/gallery/?cohort=1")
    alice.page.locator("a.tile").first.focus()
    alice.page.keyboard.press("Enter")
    alice.page.wait_for_url(re.compile("/images/"))
    alice.open(re.sub(r"^https?://[^/]+|\?.*$", "", alice.page.url) + "correct/")
    alice.look("correct")
    alice.type("textbox", re.compile("^Age"), "77")
    alice.type("textbox", re.compile("^Why"), "Asked the patient again.")
    alice.enter("button", "Save the changes")
    alice.reads("77")


def undo(alice):
    alice.open("/cohorts/1/metadata-files/")
    alice.look("spreadsheets")
    alice.enter("link", "visit.csv")
    alice.enter("link", "Undo it")
    alice.reads("1 image was changed after the spreadsheet was applied")
    alice.look("undo")
    alice.enter("button", "Undo for 24 images")
    alice.reads("23 images are as before")
    alice.reads("age was changed after the spreadsheet was applied.")
    alice.look("conflicts")
    alice.enter("button", "Take these back all the same")
    alice.reads("24 images are as before")
