"""The catalogue of sockets in a real browser: found, defined, mended after a mistake, read."""

import pytest
from playwright.sync_api import expect

from medtheca.domains.sockets.models import Socket
from tests.browser.visiting import browse, look, unsafe
from tests.factories.accounts import make_user
from tests.factories.archives import image_socket, make_archive
from tests.factories.storage import make_wide_scopes

__all__ = ["browse", "unsafe"]  # fixtures

pytestmark = pytest.mark.browser


def test_alice_defines_sockets_for_her_archive_and_reads_how_to_fill_them(browse, world):
    make_wide_scopes()
    image_socket()
    alice = make_user("alice")
    make_archive(alice, title="Chest CT of the clinic")
    page = browse(alice)
    main = page.get_by_role("main")
    page.goto(f"{world.url}/sockets/")
    look(page, "sockets")
    main.get_by_role("link", name="New socket").click()
    page.fill("main [name=title]", "Lung segmentation")
    page.select_option("main [name=kind]", "SEG")
    page.fill("main [name=description]", "Both lungs, without airways.")
    page.fill("main [name=overlay_segments]", "1 Left lung\n3 Right lung")
    main.get_by_role("button", name="Define the socket").click()
    # What was typed stays, and the gap is named.
    main.get_by_text("are not without gaps").first.wait_for()
    look(page, "socket-new-refused")
    page.fill("main [name=overlay_segments]", "1 Left lung\n2 Right lung")
    main.get_by_role("button", name="Define the socket").click()
    expect(main.get_by_role("heading", name="Lung segmentation", exact=True)).to_be_visible()
    look(page, "socket-segmentation")
    main.get_by_role("link", name="Change").click()
    page.fill("main [name=overlay_segments]", "1 Left lung\n2 Right lung\n3 Trachea (hidden)")
    look(page, "socket-edit")
    main.get_by_role("button", name="Save the socket").click()
    expect(main.get_by_role("cell", name="Trachea")).to_be_visible()
    assert Socket.objects.get(slug="lung-segmentation").overlay_segments[2]["visible"] is False
    page.goto(f"{world.url}/sockets/new/")
    page.fill("main [name=title]", "Nodules")
    page.select_option("main [name=kind]", "M2DB")
    main.get_by_role("button", name="Define the socket").click()
    expect(main.get_by_role("heading", name="A value that is refused")).to_be_visible()
    expect(main.get_by_text("boxes[0].corners[0] has 2 items, and exactly 3 are wanted")).to_be_visible()
    look(page, "socket-annotations")
    page.goto(f"{world.url}/sockets/?q=lung&kind=SEG")
    expect(main.get_by_role("link", name="Lung segmentation")).to_be_visible()
    expect(main.get_by_text("1 socket", exact=True)).to_be_visible()
    page.goto(f"{world.url}/sockets/?q=nothing+has+this")
    expect(main.get_by_role("heading", name="No socket fits")).to_be_visible()
    look(page, "sockets-none")
