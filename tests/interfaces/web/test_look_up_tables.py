"""Pages of look-up tables: bars drawn as they are typed, refusals at their fields, copies, who may what."""

import re

import pytest
from django.test import Client

from medtheca.domains.sockets.models import LookUpTable
from medtheca.domains.viewing.operations import create_configuration, create_look_up_table
from tests.factories.accounts import make_user
from tests.interfaces.web.reading import words

pytestmark = pytest.mark.django_db
TABLE = {"color": "[0 0 0 0, 255 210 0 4095]", "alpha": "[0 0, 1 4095]"}
FORM = {
    "title": "Amber",
    "range_min": "0",
    "range_max": "4095",
    "color_interpolation": "RGB",
    "color_interpolation_invert": "RGB",
    **TABLE,
}


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def browser(alice):
    client = Client()
    client.force_login(alice)
    return client


def drawn(answer):
    """How many bars there are beside the one that is right below the fields."""
    live, near, below = answer.content.partition(b'<div id="table-near"')
    assert near, "Where there is one column, the bar is near what is typed."
    assert below.count(b"<svg") == 1
    assert b'hx-swap-oob="true"' in below
    return live.count(b'<svg class="table-bar"')


def test_one_is_made_changed_and_deleted(browser, alice):
    assert "#e60000" in browser.get("/look-up-tables/new/").content.decode(), "the bar of what the form begins with"
    answer = browser.post("/look-up-tables/new/", FORM)
    assert answer.status_code == 302, words(answer)
    made = LookUpTable.objects.get(slug="amber")
    assert (made.creator, made.color, made.relative) == (alice, TABLE["color"], False)
    edit = browser.get("/look-up-tables/amber/edit/").content.decode()
    assert TABLE["color"] in edit
    assert "<details" in edit
    assert not re.search(r"<details[^>]* open", edit)
    assert browser.post("/look-up-tables/amber/edit/", FORM | {"relative": "on", "range_max": "9"}).status_code == 302
    made.refresh_from_db()
    assert (made.relative, made.range_max) == (True, 9)
    assert browser.post("/look-up-tables/amber/delete/", {"confirmation": "Amber"}).status_code == 302
    assert not LookUpTable.objects.filter(slug="amber").exists()


def test_all_that_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(browser):
    sent = FORM | {"title": "", "color": "[0 0 0 0, 300 0 0 1]", "range_min": "many", "alpha_invert": "[0 0, 1 1]"}
    answer = browser.post("/look-up-tables/new/", sent)
    assert answer.status_code == 200
    assert set(answer.context["form"].errors) == {"title", "color", "range_min", "color_invert"}
    assert "300 0 0 1" in answer.content.decode()
    assert re.search(r"<details[^>]* open", answer.content.decode()), "an error must not be hidden"
    assert "Stop 2 has a colour that is not between 0 and 255." in words(answer)
    assert not LookUpTable.objects.filter(creator__isnull=False).exists()


class TestTheBar:
    def check(self, browser, **said):
        return browser.post("/look-up-tables/check/", FORM | said)

    def test_is_drawn_again_or_the_faults_are_told(self, browser):
        right = self.check(browser, title="")
        assert b'id="table-live"' in right.content
        assert drawn(right) == 1
        assert b'stop-color="#ffd200"' in right.content
        assert "Every rule is kept" in words(right)
        wrong = self.check(browser, alpha="[0 0, 1 1, 1 2]", range_max="0")
        assert "2 fields are wrong" in words(wrong)
        assert "Opacities. There are 2 colours, and 3 opacities." in words(wrong)

    def test_has_a_second_one_for_the_inverted_table(self, browser):
        both = self.check(browser, color_invert=TABLE["color"], alpha_invert=TABLE["alpha"])
        assert drawn(both) == 2
        half = self.check(browser, color_invert=TABLE["color"])
        assert "Inverted opacities. The opacities of the inverted table are missing." in words(half)

    def test_needs_nothing_of_what_the_form_has(self, browser):
        assert "fields are wrong" in words(browser.post("/look-up-tables/check/", {}))
        assert browser.get("/look-up-tables/check/").status_code == 405

    def test_never_is_markup(self, browser):
        answer = self.check(browser, color="[<img src=x onerror=alert(1)>, <b>]", color_interpolation="<b>")
        assert b"<img" not in answer.content
        assert b"<b>" not in answer.content


def test_a_copy_begins_with_what_the_other_says(browser):
    page = browser.get("/look-up-tables/new/?from=hot").content.decode()
    assert "Hot (copy)" in page
    assert LookUpTable.objects.get(slug="hot").color in page
    assert re.search(r'name="relative"[^>]* checked', page)
    assert re.search(r"<details[^>]* open", page)
    assert browser.get("/look-up-tables/new/?from=nothing").status_code == 404


def test_a_refusal_says_where_it_is_used(browser, alice):
    create_look_up_table(creator=alice, values={"title": "Amber", **TABLE})
    create_configuration(creator=make_user("charlie"), values={"title": "Theirs", "overlay_luts": ["amber"]})
    answer = browser.post("/look-up-tables/amber/edit/", FORM | {"range_max": "9"})
    assert "it is used by the viewer configuration Theirs. Others read their values by them." in words(answer)
    assert browser.post("/look-up-tables/amber/edit/", FORM | {"title": "Warm"}).status_code == 302
    deleted = browser.post("/look-up-tables/amber/delete/", {"confirmation": "Warm"})
    assert "Warm cannot be deleted: it is used by the viewer configuration Theirs." in words(deleted)


def test_the_catalogue_is_searched_and_offers_what_one_may_do(browser, alice):
    create_look_up_table(creator=alice, values={"title": "Amber", "description": "Warm light", **TABLE})
    found = browser.get("/look-up-tables/?q=warm").content.decode()
    assert "/look-up-tables/amber/edit/" in found
    assert "slug=hot" not in found
    assert "/look-up-tables/new/?from=hot" not in found
    mine = browser.get("/look-up-tables/?view=mine").content.decode()
    assert "/look-up-tables/amber/delete/" in mine
    assert "?from=grey" not in mine
    everything = browser.get("/look-up-tables/").content.decode()
    assert "/look-up-tables/new/?from=grey" in everything
    assert "/look-up-tables/grey/edit/" not in everything
    public = Client().get("/look-up-tables/").content.decode()
    assert alice.hash_id in public
    assert "/look-up-tables/new/" not in public
    assert Client().get("/look-up-tables/new/").status_code == 302
