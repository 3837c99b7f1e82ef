"""The logo of an archive in a real browser: dropped, cropped by mouse, keyboard and numbers, seen, removed."""

import base64
import secrets

import pytest
from playwright.sync_api import expect

from medtheca.domains.archives.models import Archive
from medtheca.domains.storage.opening import read_blob
from medtheca.toolkit.synthetic.cohort import draw_lesion
from tests.browser.visiting import browse, look, unsafe
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive
from tests.factories.pictures import corners, pixels_of, quarters, saved
from tests.factories.storage import make_wide_scopes

__all__ = ["browse", "unsafe"]  # fixtures

pytestmark = pytest.mark.browser

_DROPPED = """given => {
    const bytes = Uint8Array.from(atob(given), letter => letter.charCodeAt(0));
    const dropped = new DataTransfer();
    dropped.items.add(new File([bytes], "logo.png", { type: "image/png" }));
    return dropped;
}"""
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture
def archive(world):
    make_wide_scopes()
    alice = make_user(f"alice-{secrets.token_hex(4)}")
    return make_archive(alice, title=f"Pigmented lesions {Archive.objects.count()}", description="Of the trunk.")


def picture(data, name="logo.png", media_type="image/png"):
    return {"name": name, "mimeType": media_type, "buffer": data}


def square(page):
    return [int(page.input_value(f"main [name={edge}]")) for edge in ("x", "y", "size")]


def chosen(archive):
    row = Archive.objects.get(pk=archive.pk)
    return corners(pixels_of(read_blob(row.logo.sha256)))


def test_alice_chooses_a_square_of_a_photograph(browse, world, archive):
    page = browse(archive.creator)
    main = page.get_by_role("main")
    page.goto(f"{world.url}/archives/{archive.slug}/")
    look(page, "archive-without-logo")
    main.get_by_role("link", name="Choose a logo").click()
    main.get_by_text("Drawn from the title").wait_for()
    look(page, "archive-logo-none")
    page.set_input_files(
        "main input[type=file]", picture(draw_lesion(7, size=(1500, 1100)).jpeg, "l.jpg", "image/jpeg")
    )
    frame = main.get_by_role("application", name="Square to cut out")
    expect(frame).to_be_visible()
    assert square(page) == [200, 0, 1100]
    look(page, "archive-logo-crop")
    main.get_by_role("button", name="Save the logo").click()
    page.get_by_text("This is the logo now.").wait_for()
    main.get_by_text("Chosen by an editor").wait_for()
    look(page, "archive-logo-chosen")
    page.goto(f"{world.url}/archives/{archive.slug}/")
    main.get_by_role("link", name="Change the logo").wait_for()
    expect(main.get_by_role("link", name="Choose a logo")).to_have_count(0)
    look(page, "archive-with-logo")
    page.goto(f"{world.url}/archives/?view=mine")
    look(page, "archives-with-logo")
    page.goto(f"{world.url}/archives/{archive.slug}/settings/logo/")
    main.get_by_role("button", name="Remove the logo").click()
    page.get_by_text("drawn from the title again").wait_for()
    assert Archive.objects.get(pk=archive.pk).logo is None


def test_the_square_follows_keys_mouse_and_numbers(browse, world, archive):
    page = browse(archive.creator)
    main = page.get_by_role("main")
    page.goto(f"{world.url}/archives/{archive.slug}/settings/logo/")
    expect(main.get_by_label("Left edge")).to_be_hidden()
    dropped = page.evaluate_handle(_DROPPED, base64.b64encode(saved(quarters(1600, 1000))).decode())
    page.dispatch_event("main [data-drop]", "drop", {"dataTransfer": dropped})
    frame = main.get_by_role("application", name="Square to cut out")
    expect(frame).to_be_visible()
    assert square(page) == [300, 0, 1000]
    frame.focus()
    for key, expected in (
        ("ArrowRight", [305, 0, 1000]),
        ("Shift+ArrowLeft", [255, 0, 1000]),
        ("ArrowDown", [255, 0, 1000]),
        ("-", [260, 5, 990]),
        ("ArrowUp", [260, 0, 990]),
        ("+", [255, 0, 1000]),
        ("Home", [300, 0, 1000]),
    ):
        page.keyboard.press(key)
        assert square(page) == expected, key
    for _ in range(60):
        page.keyboard.press("Shift+-")
        page.keyboard.press("Shift+ArrowLeft")
        page.keyboard.press("Shift+ArrowUp")
    # Shift and the minus key are an underscore on some keyboards; both make it smaller, down to the least.
    assert square(page) == [0, 0, 640]
    # By mouse: the square to the right, then its corner to the lower right.
    box, stage = frame.bounding_box(), main.get_by_alt_text("The picture that you chose").bounding_box()
    scale = 1600 / stage["width"]
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 60, steps=4)
    page.mouse.up()
    x, y, size = square(page)
    assert size == 640
    assert abs(x - 100 * scale) < 2 * scale
    assert abs(y - 20 * scale) < 2 * scale
    box = frame.bounding_box()
    corner = (box["x"] + box["width"] - 6, box["y"] + box["height"] - 6)
    page.mouse.move(*corner)
    page.mouse.down()
    page.mouse.move(corner[0] + 30, corner[1] + 30, steps=4)
    page.mouse.up()
    assert square(page)[:2] == [x, y]
    assert abs(square(page)[2] - 640 - 30 * scale) < 2 * scale
    # By numbers; what lies outside is moved in when one leaves the field.
    page.fill("main [name=size]", "800")
    page.fill("main [name=x]", "0")
    page.fill("main [name=y]", "900")
    page.locator("main [name=y]").blur()
    assert square(page) == [0, 200, 800]
    main.get_by_role("button", name="Save the logo").click()
    page.get_by_text("This is the logo now.").wait_for()
    assert chosen(archive) == [RED, RED, BLUE, BLUE]


def test_what_cannot_be_a_logo_is_said_at_once(browse, world, archive):
    page = browse(archive.creator)
    main = page.get_by_role("main")
    page.goto(f"{world.url}/archives/{archive.slug}/settings/logo/")
    save = main.get_by_role("button", name="Save the logo")
    for given, words in (
        (picture(saved(quarters(600, 900))), "600 by 900 pixels; 640 on the shorter side"),
        (picture(b"GIF89a", "a.gif", "image/gif"), "a.gif is neither a PNG nor a JPEG"),
        (picture(b"no picture at all"), "cannot be opened as a picture"),
        (picture(saved(quarters()) + bytes(8_000_000)), "8,000,000 are the most"),
    ):
        page.set_input_files("main input[type=file]", given)
        main.get_by_role("alert").filter(has_text=words).wait_for()
        expect(save).to_be_disabled()
    look(page, "archive-logo-refused")
    page.set_input_files("main input[type=file]", picture(saved(quarters())))
    expect(save).to_be_enabled()
    expect(main.get_by_role("alert")).to_have_count(0)
    save.click()
    page.get_by_text("This is the logo now.").wait_for()
    assert chosen(archive) == [RED, GREEN, BLUE, WHITE]


def test_the_form_works_without_scripts(browse, world, archive):
    page = browse(archive.creator, java_script_enabled=False)
    main = page.get_by_role("main")
    page.goto(f"{world.url}/archives/{archive.slug}/settings/logo/")
    main.get_by_text("the largest square in the middle is taken").wait_for()
    page.set_input_files("main input[type=file]", picture(saved(quarters(600, 900))))
    main.get_by_role("button", name="Save the logo").click()
    main.get_by_text("600 by 900 pixels").first.wait_for()
    page.set_input_files("main input[type=file]", picture(saved(quarters())))
    for edge, value in (("x", "0"), ("y", "0"), ("size", "650")):
        page.fill(f"main [name={edge}]", value)
    main.get_by_role("button", name="Save the logo").click()
    page.get_by_text("This is the logo now.").wait_for()
    assert chosen(archive) == [RED, RED, BLUE, BLUE]
