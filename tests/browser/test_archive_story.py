"""An archive as new users meet it: made, filled, opened, asked for, decided; on a real `medtheca up`, by its pages."""

import io
import re
import time

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.people import PASSWORD, sign_up
from tests.generators import dicoms, slides
from tests.samples import sample_dir

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]

TITLE = "Thorax and skin of Exampleton"
SLICES = 12
TERMS = "For **research** on lung nodules.\n\n- no attempt to find out who somebody is\n- no passing on"
REASON = "The data-use text asks for a named project, and the request names none."


def test_alice_makes_an_archive_lets_bob_in_and_rejects_carol(archive, people, tmp_path):
    alice, bob, carol = people("archive-alice"), people("archive-bob"), people("archive-carol")
    series, slide, visits = bring(tmp_path)
    sign_up(alice, "alice@example.org")
    make_the_archive(alice)
    choose_a_logo(alice)
    upload(alice, "#folder", series, said=f"{SLICES} accepted", item="Item 1")
    upload(alice, "#files", slide, said="1 accepted", item="Item 2")
    let_folders_be_items(alice)
    upload(alice, "#folder", visits, said="2 accepted", item="P003")
    score(alice)
    find_nothing(bob)
    open_to_requests(alice)
    ask(archive, bob, "bob@example.org", "Lung nodules, grant 42")
    ask(archive, carol, "carol@example.org", "Curious")
    decide(archive, alice)
    look_and_not_upload(archive, bob)
    read_the_rejection(archive, carol)
    for person in (alice, bob, carol):
        person.leave()
    assert archive.stop() == 0


# -- what Alice has -----------------------------------------------------------------------------------------


def bring(folder):
    """On her disk: a CT series, a slide, and a folder of one patient with a photograph and its mask."""
    series = folder / "thorax"
    series.mkdir()
    for number, data in enumerate(dicoms.series(places(), pixels=thorax(), Modality="CT")):
        (series / f"IM{number:04}").write_bytes(data)
    slide = sample_dir() / "svs" / "small.svs"
    if not slide.is_file():
        slide = folder / "slide.svs"
        slide.write_bytes(slides.aperio(slides.tissue(1024, 768)))
    visit = folder / "visits" / "P003"
    visit.mkdir(parents=True)
    y, x = np.mgrid[0:480, 0:640]
    lesion = np.hypot(x - 320, y - 240) < 120
    skin = np.stack([225 - x // 40, 178 - y // 40, 150 + 0 * x], 2).astype(np.uint8)
    skin[lesion] = (112, 66, 48)
    Image.fromarray(skin).save(visit / "lesion.png")
    Image.fromarray(lesion.astype(np.uint8)).save(visit / "lesion_mask.png")
    return series, slide, folder / "visits"


def places():
    return dicoms.along([3.0 * number for number in range(SLICES)])


def thorax():
    """Slices of a body with a lung in it, in Hounsfield units."""
    y, x = np.mgrid[0:64, 0:64]
    body = np.where(np.hypot(x - 32, (y - 32) * 1.3) < 28, 40, -1000)
    lungs = [np.hypot(x - 22, y - 32) < 7 + number / 3 for number in range(SLICES)]
    return [np.where(lung, -800, body).astype(np.int16) for lung in lungs]


def logo():
    """Two colours, wider than high."""
    pixels = np.full((700, 1000, 3), (11, 110, 116), np.uint8)
    pixels[200:500, 350:650] = 255
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "PNG")
    return {"name": "logo.png", "mimeType": "image/png", "buffer": packed.getvalue()}


# -- what everybody does ------------------------------------------------------------------------------------


def tab(person, name):
    person.page.get_by_role("navigation", name="This archive").get_by_role("link", name=name).click()


def mail_to(archive, person, email, subject):
    """The newest mail to somebody about something, in the mailbox of whoever sits at the machine."""
    found = person.page.get_by_role("article").filter(has_text=f"To {email}").filter(has_text=subject).first
    until = time.monotonic() + 300
    while True:
        person.open("/mailbox/")
        if found.count():
            return found
        assert time.monotonic() < until, f"no mail to {email} about {subject}"
        archive.tell("tests.browser.due_mail")


def pictures_come(page):
    """Whether the browser could decode every picture of an item."""
    return page.locator("main .item-picture > img").evaluate_all(
        """async (pictures) => {
            for (const picture of pictures) { picture.loading = "eager"; await picture.decode(); }
            return pictures.length > 0 && pictures.every((picture) => picture.naturalWidth > 0);
        }"""
    )


# -- the story ----------------------------------------------------------------------------------------------


def make_the_archive(alice):
    alice.page.get_by_role("navigation").get_by_role("link", name="Archives").first.click()
    alice.reads("No archives yet")
    alice.look("none")
    alice.follow("New archive")
    # Her address is nobody's business, and is not offered as the name of who answers for the images.
    expect(alice.page.locator("main [name=contributor_name]")).to_have_value("")
    alice.fill(title=TITLE, modalities="CT\nDermoscopy", contributor_name="Clinic of Exampleton")
    alice.press("Make the archive")
    alice.reads("What comes next")
    alice.look("made")


def choose_a_logo(alice):
    alice.follow("Choose a logo")
    alice.page.set_input_files("main input[type=file]", logo())
    alice.press("Save the logo")
    picture = alice.page.locator("main header img").first
    picture.wait_for()
    # That of the head is the large picture's smaller sister, and no drawing of letters any more.
    answer = alice.context.request.get(alice.url + picture.get_attribute("src"))
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.body())).size == (128, 128)


def upload(alice, where, path, *, said, item):
    tab(alice, "Uploads")
    alice.page.set_input_files(where, path)
    alice.follow("See what became of it")
    alice.reads(said)
    # Exactly so: until items are made of the images, links to these are called by their paths, in which it may stand.
    alice.page.get_by_role("main").get_by_role("link", name=item, exact=True).first.click()
    alice.page.get_by_role("heading", name=item).wait_for()
    assert pictures_come(alice.page)
    alice.look(f"item-{item.lower().replace(' ', '-')}")


def let_folders_be_items(alice):
    """Sockets for the mask and the score; and from now on what lies in one folder is one item."""
    tab(alice, "Uploads")
    alice.follow("Change how uploads become items")
    alice.follow(re.compile("the archive.s sockets"))
    alice.follow("Define a socket")
    alice.fill(title="Lesion mask", overlay_segments="1 Lesion")
    alice.page.get_by_label("Kind").select_option("SEG")
    alice.press("Define the socket")
    alice.page.get_by_role("heading", name="Lesion mask", exact=True).wait_for()
    alice.follow("All sockets of the archive")
    alice.follow("Define a socket")
    alice.fill(title="Malignancy", description="Score of the classifier, 0 to 1.")
    alice.page.get_by_label("Kind").select_option("FLT")
    alice.press("Define the socket")
    alice.follow("All sockets of the archive")
    tab(alice, "Uploads")
    alice.follow("Change how uploads become items")
    alice.page.get_by_label("What lies in one folder is one item").check()
    alice.fill(sockets="*mask* = lesion-mask")
    alice.look("rule")
    alice.press("Save the rule")
    alice.reads("*mask* to Lesion mask")


def score(alice):
    """She stands on the page of the patient's item."""
    main = alice.page.get_by_role("main")
    expect(main.locator(".item-picture")).to_have_count(2)
    # The mask is a mask: what it outlines is named.
    expect(main.get_by_text("1 Lesion")).to_be_visible()
    alice.follow("Add a value")
    alice.page.get_by_label("Socket").select_option("malignancy")
    alice.press("Next")
    alice.fill(value="0,87")
    alice.press("Save")
    alice.reads("0,87 is not a number")
    alice.fill(value="0.87")
    alice.press("Save")
    alice.told("Malignancy is there")
    alice.reads("0.87")


def find_nothing(bob):
    """What is private is in no list."""
    bob.open("/archives/")
    bob.reads("No archives yet")
    assert bob.page.get_by_text(TITLE).count() == 0


def open_to_requests(alice):
    tab(alice, "Settings")
    alice.page.get_by_label("Public: listed").check()
    alice.page.get_by_label("An editor decides", exact=True).check()
    alice.fill(description="A thorax, a slide and a lesion with its outline and a score.")
    alice.fill(request_form="What for? *\nWho pays?", terms=TERMS)
    alice.look("settings")
    alice.press("Save the settings")
    alice.told("The archive was changed")


def ask(archive, person, email, purpose):
    """Found in the list, asked for after a sign-up on the way, which comes back to where it began."""
    person.open("/archives/")
    person.follow(TITLE)
    person.follow("Log in to ask to see it")
    person.follow("Sign up")
    person.fill(email=email, password1=PASSWORD, password2=PASSWORD)
    person.press("Sign up")
    person.reads("Confirm your e-mail address")
    mail = mail_to(archive, person, email, "onfirm")
    mail.locator("a[href*='/confirm-email/']").first.click()
    person.press(re.compile("Confirm"))
    person.page.wait_for_url(lambda url: "confirm-email" not in url)
    if "/login/" in person.page.url:
        person.fill(login=email, password=PASSWORD)
        person.press("Log in")
    person.press(re.compile("Accept version"))
    person.follow("Ask to see it")
    person.look("ask")
    person.press("Ask to see the archive")
    person.reads("Read the data-use text and accept it")
    person.page.get_by_label("What for?").fill(purpose)
    person.page.get_by_label("I have read the data-use text (version 1)").check()
    person.press("Ask to see the archive")
    person.told("Your request is with the editors")
    person.open(f"/archives/{slug(person)}/")
    person.reads("An editor decides, and you get a mail")
    assert person.page.get_by_role("main").get_by_role("link", name="Items").count() == 0


def slug(person):
    return person.page.url.split("/archives/")[1].split("/")[0]


def decide(archive, alice):
    mail = mail_to(archive, alice, "alice@example.org", "to be let into the archive")
    assert f"2 people wait to be let into the archive {TITLE}." in mail.inner_text()
    mail.locator("a[href*='/requests/']").first.click()
    alice.look("requests")
    alice.page.get_by_label("Choose the request of bob@example.org").check()
    alice.page.get_by_label("Accept until").fill("2099-01-31")
    alice.press("Accept as users")
    alice.told("1 request was accepted")
    alice.press("Reject")
    alice.reads("A rejection has a reason")
    # The browser says so too, of the answer's status.
    alice.complaints.clear()
    alice.fill(reason=REASON)
    alice.press("Reject")
    alice.told("1 request was rejected")
    tab(alice, "People")
    expect(alice.page.get_by_label("Until when bob@example.org is in")).to_have_value("2099-01-31")
    alice.look("people")


def look_and_not_upload(archive, bob):
    mail = mail_to(archive, bob, "bob@example.org", "Your request")
    assert f"Your request to see the archive {TITLE} was accepted. You see it until 31 January 2099." in (
        mail.inner_text()
    )
    mail.locator("a[href*='/archives/']").first.click()
    bob.reads("You are a user")
    tab(bob, "Items")
    expect(bob.page.locator("main tbody tr")).to_have_count(3)
    bob.look("items")
    bob.follow("P003")
    bob.reads("0.87")
    assert pictures_come(bob.page)
    bob.look("item")
    main, tabs = bob.page.get_by_role("main"), bob.page.get_by_role("navigation", name="This archive")
    for name in ("Add a value", "Upload into it", "Replace"):
        assert main.get_by_role("link", name=name).count() == 0
    assert tabs.get_by_role("link").all_inner_texts() == ["Information", "Items", "Export"]
    item, place = bob.page.url, slug(bob)
    bob.page.locator("main .item-picture").first.click()
    bob.page.get_by_role("main").locator("img").first.wait_for()
    # What its file was called on Alice's disk is hers.
    assert "lesion.png" not in bob.page.content()
    bob.look("image")
    for address in (f"{bob.url}/archives/{place}/uploads/", f"{item}upload/", f"{item}value/"):
        bob.page.goto(address)
        bob.reads("You may not do this")
    bob.complaints.clear()


def read_the_rejection(archive, carol):
    mail = mail_to(archive, carol, "carol@example.org", "Your request")
    assert f"was rejected: {REASON}" in mail.inner_text()
    mail.locator("a[href*='/archives/']").first.click()
    carol.reads("Your request was rejected")
    carol.reads(REASON)
    carol.reads("You may ask again from")
    carol.look("rejected")
    carol.open(f"/archives/{slug(carol)}/items/")
    carol.reads("You may not do this")
    carol.complaints.clear()
