"""From sign-up to a public gallery, by browser, on a real `medtheca up`."""

import pytest

from medtheca.toolkit.synthetic.cohort import draw_lesion
from tests.browser.people import PASSWORD, STAFF_PASSWORD, pack, sign_up
from tests.generators.images import every_secret, find_traces, insert, jpeg, pngs

pytestmark = [pytest.mark.browser, pytest.mark.bare]

GOOD = 182


def lesion(number):
    return draw_lesion(number, size=(300, 225)).jpeg


def files():
    """Two hundred (path, bytes): 194 that are images, of which one name is there twice, and what is none."""
    sick = pngs()
    good = [(f"visit {1 + number // 60}/IMG_{number:04}.jpg", lesion(number)) for number in range(GOOD)]
    odd = [
        ("left/IMG.jpg", jpeg(seed=501)),
        ("right/IMG.jpg", jpeg(seed=502)),
        ("cmyk.jpg", jpeg("CMYK", size=(320, 240))),
        ("phone.jpg", insert(jpeg(size=(320, 240), seed=503), *every_secret(6))),
        ("pixels.jpg", jpeg(size=(320, 240), seed=504)),
        ("pixels again.jpg", jpeg(size=(320, 240), seed=504, optimize=True)),
        ("copy of pixels.jpg", jpeg(size=(320, 240), seed=504)),
        ("progressive.jpg", jpeg(size=(320, 240), seed=505, progressive=True)),
        ("deep.png", sick["RGB 16 bit"][0]),
        ("palette.png", sick["palette 4 bit, interlaced"][0]),
        ("Ünïcode näme.jpg", jpeg(seed=506)),
        ("<script>alert(1)</script>.jpg", jpeg(seed=507)),
    ]
    none = [
        ("cut off.jpg", lesion(900)[:-3000]),
        ("letter.jpg", b"Dear colleague, enclosed the pictures."),
        ("notes.txt", b"Nothing to see."),
        (".DS_Store", b"\0\0\0\1Bud1"),
        ("__MACOSX/._IMG.jpg", b"\0\5\x16\7"),
        ("Thumbs.db", b"\xd0\xcf\x11\xe0"),
    ]
    return good + odd + none


def spreadsheet():
    rows = ["filename,age,sex,diagnosis,image_type"]
    for number in range(GOOD):
        sex, diagnosis = ("female", "Nevus") if number % 3 else ("male", "Seborrheic keratosis")
        rows.append(f"IMG_{number:04}.jpg,{20 + number % 60},{sex},{diagnosis},dermoscopic")
    return "\n".join(rows).encode()


def test_from_sign_up_to_public_gallery(archive, people, tmp_path):
    archive.command(
        "user", "create", "sam@example.org", "--staff", "--accepted-terms", "--password-stdin", input=STAFF_PASSWORD
    )
    alice = people("alice")
    alice.open("/")
    alice.reads("No images yet")
    alice.look("empty")
    sign_up(alice, "alice@example.org", look=True)
    make_cohort(alice)
    upload_everything(alice, tmp_path)
    describe(alice, tmp_path)
    ask_for_publication(alice)
    alice.leave()
    accept(people("sam"))
    visit(people("visitor"))
    assert archive.command("check").strip()
    assert archive.stop() == 0


def make_cohort(alice):
    alice.page.get_by_role("navigation").get_by_role("link", name="Upload").click()
    if "/login/" in alice.page.url:
        alice.fill(login="alice@example.org", password=PASSWORD)
        alice.press("Log in")
    alice.follow("Make a cohort")
    alice.fill(institution_name="University Hospital of Exampleton", default_attribution="Dermatology, Exampleton")
    alice.look("contributor")
    alice.press("Add the contributor")
    alice.fill(name="Pigmented lesion clinic 2026")
    alice.look("cohort-form")
    alice.press("Make the cohort")
    alice.reads("No images in this cohort yet")
    alice.follow("Read it")
    alice.look("agreement")
    alice.press("Accept for the contributor")
    alice.follow("Pigmented lesion clinic 2026")
    alice.reads("No images in this cohort yet")


def upload_everything(alice, folder):
    entries = files()
    assert len(entries) == 200
    packed = folder / "clinic.zip"
    packed.write_bytes(pack(entries))
    alice.follow("Upload images")
    alice.look("upload")
    alice.page.set_input_files("#files", packed)
    alice.follow("See what became of it")
    alice.reads("Finished")
    alice.reads("192 accepted, 1 accepted and linked, 1 with a name that is taken, 3 skipped, 3 refused")
    alice.look("verdicts")
    verdict(alice, "right/IMG.jpg", "Duplicate name", "have the same name")
    verdict(alice, "cut off.jpg", "Refused", "ends too early")
    verdict(alice, "letter.jpg", "Refused", "text")
    verdict(alice, ".DS_Store", "Skipped", "")
    verdict(alice, "pixels again.jpg", "Accepted", "Its pixels are those of pixels.jpg")
    verdict(alice, "copy of pixels.jpg", "Accepted, linked", "its bytes are those of pixels.jpg")


def verdict(alice, path, state, words):
    row = alice.page.get_by_role("row").filter(has=alice.page.get_by_text(path, exact=True))
    text = row.inner_text()
    assert state in text
    assert words in text


def describe(alice, folder):
    table = folder / "clinic.csv"
    table.write_bytes(spreadsheet())
    alice.follow("Add metadata")
    alice.page.set_input_files("[name=file]", table)
    alice.look("metadata-form")
    alice.press("Check it")
    alice.reads("182 images would change")
    alice.follow("Look at what changes")
    alice.look("metadata-preview")
    alice.press("Apply to 182 images")
    alice.reads("182 images have new values")
    alice.look("metadata-applied")


def ask_for_publication(alice):
    alice.follow("Publish")
    alice.look("publish")
    alice.press("Ask for publication")
    alice.reads("Waiting for a reviewer")
    alice.look("requested")
    alice.page.get_by_role("main").get_by_role("link", name="Pigmented lesion clinic 2026").first.click()
    alice.reads("193 images · 0 published")
    alice.look("cohort")


def accept(sam):
    sam.log_in("sam@example.org", STAFF_PASSWORD)
    sam.open("/publish-requests/")
    sam.look("request")
    sam.press("Publish 193 images")
    sam.told("Accepted. The images are being published.")
    until_published(sam)
    sam.look("published")
    sam.open("/status/")
    sam.look("status")
    sam.leave()


def until_published(sam):
    for _ in range(120):
        sam.open("/publish-requests/")
        if sam.page.get_by_role("main").get_by_text("Published", exact=True).count():
            return
        sam.page.wait_for_timeout(500)
    raise AssertionError("the images were not published within a minute")


def visit(visitor):
    visitor.open("/")
    visitor.reads("193 medical images to look at, search and cite")
    visitor.look("home")
    visitor.open("/gallery/")
    visitor.reads("193 images")
    visitor.look("gallery")
    women = sum(1 for number in range(GOOD) if number % 3)
    visitor.page.get_by_role("link", name=f"female {women}").click()
    visitor.reads(f"{women} images")
    visitor.look("found")
    assert pictures_come(visitor)
    visitor.page.locator("a.tile").first.click()
    visitor.reads("Benign melanocytic proliferations")
    visitor.look("image")
    public = visitor.page.locator("a[download]").get_attribute("href")
    assert visitor.context.request.get(visitor.url + public).ok
    look_for_secrets(visitor)
    visitor.leave()


def pictures_come(visitor):
    return visitor.page.evaluate(
        """async () => {
            const pictures = [...document.querySelectorAll(".tile > img")].slice(0, 20);
            for (const picture of pictures) { picture.loading = "eager"; await picture.decode(); }
            return pictures.length > 0 && pictures.every((picture) => picture.naturalWidth > 0);
        }"""
    )


def look_for_secrets(visitor):
    """No file that the visitor may have tells what the camera or the clinic wrote; the phone's picture is upright."""
    sizes, cursor = [], "/api/v2/images/?limit=100"
    while cursor:
        found = visitor.context.request.get(cursor if cursor.startswith("http") else visitor.url + cursor).json()
        for image in found["results"]:
            address = f"{visitor.url}/files/images/{image['isic_id']}"
            assert find_traces(visitor.context.request.get(f"{address}/full").body()) == []
            acquisition = image["metadata"]["acquisition"]
            sizes.append((acquisition["pixels_x"], acquisition["pixels_y"]))
        cursor = found["next"]
    assert len(sizes) == 193
    assert sizes.count((240, 320)) == 1, "the one that was taken with the phone on its side"
