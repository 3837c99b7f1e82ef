"""A contributor and two curators, by browser: from dry run to public, corrected, handed over, a patient erased."""

import re

import pytest

from medtheca.toolkit.synthetic.cohort import draw_lesion
from tests.browser.people import STAFF_PASSWORD, Keyboard, open_invitation, pack, sign_up
from tests.generators import clinic

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]

NAME = "Pigmented lesion clinic"
CONTRIBUTOR = "University Hospital of Exampleton"
TRIED = 12


def test_a_contributor_and_two_curators(archive, people, tmp_path):
    archive.command(
        "user", "create", "sam@example.org", "--staff", "--accepted-terms", "--password-stdin", input=STAFF_PASSWORD
    )
    alice, sam, visitor = people("curation-alice"), people("curation-sam"), people("curation-visitor")
    rita, rob = people("curation-rita", Keyboard), people("curation-rob", Keyboard)
    delivered = clinic.pictures()
    sign_up(alice, "alice@example.org")
    sam.log_in("sam@example.org", STAFF_PASSWORD)

    begin(alice)
    dry_run(alice, tmp_path, delivered)
    deliver(alice, tmp_path, delivered)
    describe(alice, tmp_path)
    name_curators(sam, rita, rob)
    review(rita, rob)
    publish(alice, rita)
    image = visit(visitor)
    replace(alice, (rita, rob), visitor, tmp_path, image)
    correct(alice, visitor, image)
    anna = people("curation-anna")
    hand_over(alice, anna)
    erase(anna, sam, visitor, image)
    for person in (alice, sam, rita, rob, anna, visitor):
        person.leave()
    assert archive.command("check").strip()
    assert archive.stop() == 0


def begin(alice):
    """Contributor, cohort, agreement, what the images are given on, and that they may be."""
    alice.page.get_by_role("navigation").get_by_role("link", name="Upload").click()
    alice.follow("Make a cohort")
    alice.fill(institution_name=CONTRIBUTOR, default_attribution="Dermatology, Exampleton")
    alice.press("Add the contributor")
    alice.fill(name=NAME)
    alice.press("Make the cohort")
    alice.follow("Read it")
    alice.press("Accept for the contributor")
    alice.told("The agreement was accepted")
    alice.look("contributor")
    alice.follow(NAME)
    alice.follow("Edit")
    alice.fill(consent_basis="Ethics board of Exampleton, 2026-17")
    alice.look("cohort-edit")
    alice.press("Save the cohort")
    alice.page.get_by_text("About this cohort").click()
    alice.look("cohort-about")
    alice.press("I may give these images")
    alice.told("Your word was noted")


def dry_run(alice, folder, delivered):
    (folder / "few.zip").write_bytes(pack([*delivered[:TRIED], ("notes.txt", b"Nothing.")]))
    (folder / "clinic.csv").write_bytes(clinic.sheet())
    alice.open("/inspect/")
    alice.page.set_input_files("#id_files", [folder / "few.zip", folder / "clinic.csv"])
    alice.look("inspect")
    alice.press("Try them")
    alice.reads("Some of it would be refused")
    alice.reads("notes.txt")
    alice.look("inspected")


def deliver(alice, folder, delivered):
    (folder / "clinic.zip").write_bytes(pack(delivered))
    to_cohort(alice)
    alice.reads("No images in this cohort yet")
    alice.follow("Upload images")
    alice.page.set_input_files("#files", folder / "clinic.zip")
    alice.follow("See what became of it")
    alice.reads("Finished")
    alice.reads(f"{clinic.NUMBER} accepted")
    alice.look("verdicts")


def to_cohort(person):
    person.open("/cohorts/")
    person.follow(NAME)


def describe(alice, folder):
    """Every fault is shown by its cause, and each is mended on the pages."""
    alice.follow("Add metadata")
    alice.page.set_input_files("[name=file]", folder / "clinic.csv")
    alice.press("Check it")
    alice.reads("Nothing was applied; the images are as they were")
    alice.look("invalid")
    told = alice.page.get_by_role("region", name="Problems", exact=True).inner_text()
    for fault in clinic.FAULTS:
        assert fault.told_at or fault.column in told
        assert str(fault.line) in told
    alice.follow("Correct the problems")
    alice.look("problems")
    replace_all(alice, "diagnosis", "Nevvus", "Nevus")
    mend_cells(alice)
    alice.reads(f"{clinic.NUMBER} images would change")
    alice.follow("Look at what changes")
    alice.reads("Image by image")
    alice.look("preview")
    alice.press(f"Apply to {clinic.NUMBER} images")
    alice.reads(f"{clinic.NUMBER} images have new values")
    alice.look("applied")


def save(alice, words):
    """Send corrections; the part of the page that comes back follows the new check."""
    with alice.page.expect_response(lambda answer: answer.request.method == "POST"):
        alice.press(words)


def checked(alice):
    """The spreadsheet's own page, once it was checked again; whether something is wrong still."""
    alice.page.goto(alice.page.url.partition("problems/")[0])
    alice.reads(re.compile("Nothing was applied; the images are as they were|Nothing is wrong"))
    return bool(alice.page.get_by_role("link", name="Correct the problems").count())


def causes(alice):
    return alice.page.get_by_role("navigation", name=re.compile("problem")).get_by_role("link")


def replace_all(alice, column, wrong, right):
    """By the form that changes every cell of a column."""
    causes(alice).filter(has_text=column).first.click()
    field = alice.page.get_by_role("textbox", name=f"Replace {wrong} by").or_(
        alice.page.get_by_role("combobox", name=f"Replace {wrong} by")
    )
    assert field.input_value() == right, "what is probably meant stands there already"
    alice.look("replace-all")
    save(alice, "Replace in the whole column")
    checked(alice)


def mend_cells(alice):
    """By the tables, one cause after the other."""
    right = {f"{fault.column} in line {fault.line}": clinic.right(fault) for fault in clinic.FAULTS}
    for _ in range(3 * len(clinic.FAULTS)):
        if not checked(alice):
            return
        alice.follow("Correct the problems")
        causes(alice).first.wait_for()
        for place in range(causes(alice).count()):
            causes(alice).nth(place).click()
            alice.page.wait_for_url(re.compile(rf"cause={place}\b"))
            if mend_shown(alice, right):
                break
        else:
            raise AssertionError("what is wrong cannot be corrected on the page")
    raise AssertionError("there is no end to the problems")


def mend_shown(alice, right):
    """Write what is right into the cells that are shown; whether there was any."""
    fields = alice.page.locator("main input[name^='cell-']")
    found = False
    for field in fields.all():
        wanted = right.pop(field.get_attribute("aria-label"), None)
        if wanted is not None:
            field.fill(wanted)
            found = True
    if found:
        save(alice, "Save these cells")
    return found


def name_curators(sam, rita, rob):
    """Staff invite two newcomers as reviewers, and ask that both accept each image."""
    sam.open("/contributors/")
    sam.follow(CONTRIBUTOR)
    sam.follow("People")
    for curator in (rita, rob):
        email = f"{curator.name.removeprefix('curation-')}@example.org"
        sam.fill(email=email)
        sam.page.select_option("main form:has([value=invite]) [name=role]", "reviewer")
        sam.press("Send an invitation")
        sam.page.get_by_role("region", name="Invitations").get_by_text(email).wait_for()
        open_invitation(curator, email)
        curator.look("invitation")
        sign_up(curator, email)
        open_invitation(curator, email)
        curator.press("Accept the invitation")
        curator.page.wait_for_url(lambda url: "/invitations/" not in url)
    sam.page.reload()
    sam.look("people")
    sam.open("/contributors/")
    sam.follow(CONTRIBUTOR)
    sam.follow(NAME)
    sam.follow("Edit")
    sam.page.get_by_label("Two, each for themselves").check()
    sam.look("readers")
    sam.press("Save the cohort")
    sam.page.wait_for_url(re.compile(r"/cohorts/\d+/$"))


def to_review(curator):
    curator.open("/review/")
    curator.enter("link", NAME)
    curator.page.wait_for_url(re.compile(r"/review/\d+/"))
    curator.page.wait_for_function("() => document.querySelector('[data-picture] img')?.naturalWidth > 0")


def accept_everything(curator):
    """All that are shown, page by page, until nothing is left."""
    done = curator.page.locator("[data-done]")
    more = """() => !document.querySelector("[data-done]").hidden
        || document.querySelector("[data-accession]:not([data-decided])")"""
    for _ in range(clinic.NUMBER):
        curator.page.keyboard.press("Shift+A")
        curator.page.wait_for_function(more)
        if done.is_visible():
            return
    raise AssertionError("there is no end to the images")


def review(rita, rob):
    """Both by keyboard alone: everything is accepted but one picture, which looked as if names could be read."""
    to_review(rita)
    rita.look("review")
    accept_everything(rita)
    rita.reads(f"{clinic.NUMBER} decisions saved")
    rita.look("reviewed")

    to_review(rob)
    rejected = rob.page.inner_text("[data-name]")
    rob.page.keyboard.press("2")
    rob.reads("1 decision saved")
    accept_everything(rob)
    rob.reads(f"{clinic.NUMBER} decisions saved")
    to_cohort(rob)
    rob.enter("link", "Review")
    rob.page.wait_for_url(re.compile(r"/review/\d+/"))
    rob.enter("link", "Rejected")
    rob.page.wait_for_url(re.compile("view=rejected"))
    assert rob.page.inner_text("[data-name]") == rejected
    rob.look("rejected")
    rob.page.keyboard.press("a")
    rob.reads("1 decision saved")


def publish(alice, rita):
    to_cohort(alice)
    alice.follow("Publish")
    alice.press("Check first")
    alice.reads("Somebody might be recognised by these values.")
    alice.look("publish-checked")
    alice.press(f"Ask for publication of {clinic.NUMBER} images")
    alice.page.wait_for_url(lambda url: "/publish/" not in url)
    alice.look("asked")
    rita.open("/publish-requests/")
    rita.look("request")
    rita.enter("button", f"Publish {clinic.NUMBER} images")
    rita.told("Accepted. The images are being published.")
    rita.reads(f"{clinic.NUMBER} images were published")
    rita.look("published")


def visit(visitor):
    """Everything is there; the address of the image that the rest is about."""
    visitor.open("/gallery/")
    visitor.reads(f"{clinic.NUMBER} images")
    visitor.look("gallery")
    visitor.page.locator("a.tile").first.click()
    visitor.page.wait_for_url(re.compile("/images/"))
    visitor.look("image")
    return re.search(r"/images/[^/?]+/", visitor.page.url)[0]


def picture(visitor, image):
    """The bytes that the public gets."""
    visitor.open(image)
    return visitor.context.request.get(visitor.url + visitor.page.locator("a[download]").get_attribute("href")).body()


def replace(alice, curators, visitor, folder, image):
    """The page sends the file by tus; the published picture stays until both curators have accepted the new one."""
    before = picture(visitor, image)
    (folder / "better.jpg").write_bytes(draw_lesion(4711, size=(300, 220)).jpeg)
    alice.open(image)
    alice.look("image-own")
    alice.follow("Replace the file")
    alice.look("replace")
    alice.page.set_input_files("[name=file]", folder / "better.jpg")
    alice.fill(reason="Taken again in focus.")
    sent = []
    alice.page.on("request", lambda request: sent.append(request.method) if "/uploads/tus/" in request.url else None)
    alice.press("Replace the file")
    alice.page.wait_for_url(re.compile("/uploads/[0-9a-f-]{36}/"))
    assert "PATCH" in sent or "POST" in sent, "the script sends the file by tus"
    alice.reads("Finished")
    alice.look("replaced")
    assert picture(visitor, image) == before
    for curator in curators:
        to_review(curator)
        curator.look("candidate")
        curator.page.keyboard.press("a")
        curator.reads("1 decision saved")
    assert picture(visitor, image) != before
    visitor.reads("Taken again in focus.")


def correct(alice, visitor, image):
    alice.open(image)
    alice.follow("Correct the values")
    alice.look("correct")
    alice.fill(diagnosis="Melanoma, NOS")
    alice.press("Save the changes")
    alice.reads("Why it is changed")
    alice.fill(reason="Second histology.")
    alice.press("Save the changes")
    alice.told("The values were changed")
    visitor.open(image)
    log = visitor.page.locator("#changes").inner_text()
    assert "Second histology." in log
    assert "Taken again in focus." in log
    assert "Melanoma" in log
    visitor.look("changes")


def hand_over(alice, anna):
    alice.open("/contributors/")
    alice.follow(CONTRIBUTOR)
    alice.follow("People")
    alice.fill(email="anna@example.org")
    alice.press("Send an invitation")
    alice.reads("anna@example.org")
    sign_up(anna, "anna@example.org")
    open_invitation(anna, "anna@example.org")
    anna.press("Accept the invitation")
    anna.page.wait_for_url(lambda url: "/invitations/" not in url)
    alice.page.reload()
    alice.look("hand-over")
    alice.page.select_option("#taker", label="anna@example.org")
    alice.press("Hand over")
    alice.page.wait_for_url(lambda url: "/people/" not in url)
    alice.look("handed-over")
    anna.open("/contributors/")
    anna.follow(CONTRIBUTOR)
    anna.follow("Invite and change")
    assert "alice" not in anna.page.get_by_role("region", name="People").inner_text()


def erase(anna, sam, visitor, image):
    anna.open(image)
    anna.page.locator("main a[href^='/patients/']").first.click()
    patient = re.search(r"IP_\d+", anna.page.url)[0]
    anna.look("patient")
    anna.follow("Erase this patient")
    anna.page.get_by_label("The patient asked for it").check()
    anna.look("erasure-new")
    anna.press(f"Ask to erase {patient}")
    anna.page.wait_for_url("**/erasures/*-*/")
    anna.look("erasure-asked")
    sam.open("/erasures/")
    sam.look("erasures")
    sam.follow(patient)
    sam.page.get_by_label(f"Type {patient} to confirm").fill(patient)
    sam.look("erasure-to-confirm")
    sam.press(f"Erase {patient}")
    sam.reads("Receipt")
    sam.look("receipt")
    anna.page.reload()
    anna.reads("Receipt")
    visitor.open(image)
    visitor.reads("erased")
    visitor.look("tombstone")
    assert all("410" in said for said in visitor.complaints), visitor.complaints
    visitor.complaints.clear()
    visitor.open("/gallery/")
    visitor.reads(f"{clinic.NUMBER - 4} images")
