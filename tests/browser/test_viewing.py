"""How items are shown, in a real browser: the catalogues, and a hanging protocol written beside its picture."""

import pytest
from playwright.sync_api import expect

from medtheca.domains.accounts.models import User
from medtheca.domains.sockets.models import LookUpTable
from medtheca.domains.viewing.models import HangingProtocol
from medtheca.domains.viewing.operations import create_hanging_protocol, register_viewer
from tests.browser.visiting import browse, look, unsafe
from tests.factories.accounts import make_user
from tests.factories.archives import image_socket
from tests.factories.viewing import what_everybody_has

__all__ = ["browse", "unsafe"]  # fixtures

pytestmark = pytest.mark.browser
THREE = """[
  {"viewport_name": "main", "x": 0, "y": 0, "w": 2, "h": 2, "orientation": "axial", "label": "Now"},
  {"viewport_name": "secondary", "x": 2, "y": 0, "w": 1, "h": 1},
  {"viewport_name": "tertiary", "x": 2, "y": 1, "w": 1, "h": 1}
]"""


@pytest.fixture
def alice(world, unsafe):
    image_socket()
    what_everybody_has()
    return somebody("alice")


def somebody(name):
    """The person, who may be there from another test of this module."""
    return User.objects.filter(email=f"{name}@example.org").first() or make_user(name)


def test_alice_writes_a_hanging_protocol_and_sees_its_panels(browse, world, alice):
    page = browse(alice)
    main = page.get_by_role("main")
    page.goto(f"{world.url}/hanging-protocols/")
    look(page, "viewing-protocols")
    main.get_by_role("link", name="New hanging protocol").click()
    live = page.locator("#panels-live")
    expect(live.get_by_text("Right: 2 viewports")).to_be_visible()
    page.wait_for_load_state()
    page.fill("main [name=title]", "Now and before")
    # A slip of the pen is told while she writes, and what she writes stays where it is.
    page.fill("main [name=json]", THREE.replace('"orientation"', '"orient"').replace('"tertiary"', '"main"'))
    expect(live.get_by_text("2 rules are broken")).to_be_visible()
    expect(live.get_by_text("Viewport 1 (main): there is no key orient.")).to_be_visible()
    expect(live.get_by_text("Viewport 3 (main): viewport 1 has this viewport_name already.")).to_be_visible()
    expect(page.locator("main [name=json]")).to_be_focused()
    look(page, "viewing-protocol-wrong")
    page.fill("main [name=json]", THREE)
    expect(live.get_by_text("Right: 3 viewports")).to_be_visible()
    assert live.locator("svg.panels > svg").count() == 3
    look(page, "viewing-protocol-editor")
    page.fill("main [name=json]", THREE.replace("axial", "axal"))
    expect(live.get_by_text("1 rule is broken")).to_be_visible()
    main.get_by_role("button", name="Make the hanging protocol").click()
    expect(page.locator("[data-error-summary]").get_by_text("orientation is")).to_be_visible()
    look(page, "viewing-protocol-refused")
    page.fill("main [name=json]", THREE)
    main.get_by_role("button", name="Make the hanging protocol").click()
    expect(main.get_by_role("heading", name="Now and before")).to_be_visible()
    look(page, "viewing-protocol")
    assert HangingProtocol.objects.get(slug="now-and-before").creator == alice
    main.get_by_role("link", name="Delete").click()
    page.fill("main [name=confirmation]", "Now and before")
    main.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("Now and before was deleted.")).to_be_visible()


def test_alice_writes_a_look_up_table_and_sees_its_bar(browse, world, alice):
    page = browse(alice)
    main = page.get_by_role("main")
    page.goto(f"{world.url}/look-up-tables/")
    main.get_by_role("link", name="New look-up table").click()
    live = page.locator("#table-live")
    expect(live.get_by_text("4 stops")).to_be_visible()
    look(page, "viewing-table-new")
    page.fill("main [name=title]", "Amber")
    # A slip of the pen is told while she writes, and what she writes stays where it is.
    page.fill("main [name=color]", "[0 0 0 0, 255 300 0 4095]")
    expect(live.get_by_text("Stop 2 has a colour that is not between 0 and 255.")).to_be_visible()
    page.fill("main [name=range_max]", "-1")
    expect(live.get_by_text("2 fields are wrong")).to_be_visible()
    expect(page.locator("main [name=range_max]")).to_be_focused()
    page.get_by_text("When the table is inverted").click()
    page.fill("main [name=color_invert]", "[255 210 0 0, 0 0 0 4095]")
    expect(live.get_by_text("3 fields are wrong")).to_be_visible()
    look(page, "viewing-table-wrong")
    main.get_by_role("button", name="Make the look-up table").click()
    expect(page.locator("[data-error-summary]").get_by_text("Stop 2")).to_be_visible()
    look(page, "viewing-table-refused")
    page.fill("main [name=color]", "[0 0 0 0, 255 210 0 4095]")
    page.fill("main [name=alpha]", "[0 0, 1 4095]")
    page.fill("main [name=alpha_invert]", "[1 0, 0 4095]")
    page.fill("main [name=range_max]", "100")
    page.locator("main [name=color_interpolation]").select_option("HLS")
    expect(live.get_by_text("Every rule is kept")).to_be_visible()
    expect(live.locator("svg.table-bar")).to_have_count(2)
    expect(page.locator("#table-near")).to_be_hidden()
    look(page, "viewing-table-editor")
    page.set_viewport_size({"width": 390, "height": 844})
    page.fill("main [name=alpha]", "[0.5 0, 1 4095]")
    expect(page.locator("#table-near [stop-opacity='0.5']").first).to_be_attached()
    expect(page.locator("#table-near")).to_be_visible()
    page.set_viewport_size({"width": 1440, "height": 900})
    main.get_by_role("button", name="Make the look-up table").click()
    expect(page.get_by_text("Amber is there.")).to_be_visible()
    look(page, "viewing-tables-hers")
    assert LookUpTable.objects.get(slug="amber").creator == alice
    main.get_by_role("link", name="Change Amber").click()
    expect(main.locator("[name=range_max]")).to_have_value("100")
    look(page, "viewing-table-change")
    main.get_by_role("link", name="Cancel").click()
    main.get_by_role("link", name="Delete Amber").click()
    page.fill("main [name=confirmation]", "Amber")
    main.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("Amber was deleted.")).to_be_visible()


def test_alice_makes_a_configuration_of_the_default_one(browse, world, alice):
    page = browse(alice)
    main = page.get_by_role("main")
    page.goto(f"{world.url}/viewer-configurations/")
    look(page, "viewing-configurations")
    main.get_by_role("link", name="Default").click()
    look(page, "viewing-configuration")
    main.get_by_role("link", name="Make a copy").click()
    page.fill("main [name=default_overlay_alpha]", "2")
    main.get_by_role("button", name="Make the configuration").click()
    expect(page.locator("#id_default_overlay_alpha_error")).to_contain_text("from 0 to 1")
    look(page, "viewing-configuration-refused")
    page.fill("main [name=default_overlay_alpha]", "0.4")
    main.get_by_label("Flip", exact=True).uncheck()
    main.get_by_role("button", name="Make the configuration").click()
    expect(main.get_by_role("heading", name="Default (copy)")).to_be_visible()
    expect(main.get_by_text("0.4")).to_be_visible()


def test_everybody_reads_the_catalogues(browse, world, alice):
    create_hanging_protocol(
        creator=alice, title="<script>alert(1)</script> " + "long " * 40, json=[{"viewport_name": "main"}]
    )
    register_viewer(creator=somebody("sam"), title="Other viewer", address="https://viewer.example.org/?item={item}")
    page = browse()
    for path, name in (
        ("viewing/", "viewing-guide"),
        ("hanging-protocols/?q=long", "viewing-protocols-found"),
        ("hanging-protocols/?q=nothing+of+the+kind", "viewing-protocols-none"),
        ("window-presets/", "viewing-presets"),
        ("look-up-tables/", "viewing-tables"),
        ("viewers/", "viewing-viewers"),
        ("hanging-protocols/axial-coronal-sagittal/", "viewing-protocol-mpr"),
        ("hanging-protocols/slide-with-overview/", "viewing-protocol-minimap"),
    ):
        page.goto(f"{world.url}/{path}")
        look(page, name)
