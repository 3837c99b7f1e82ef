"""Pages on how items are shown: copies, refusals, the picture beside what is written, the form of view content."""

import re

import pytest
from django.template.loader import render_to_string
from django.test import Client

from medtheca.domains.viewing.models import HangingProtocol, ViewerConfiguration, WindowPreset
from medtheca.domains.viewing.operations import create_hanging_protocol
from medtheca.interfaces.web.viewing.content import SocketChoice, ViewContentForm
from tests.factories.accounts import make_user
from tests.interfaces.web.reading import words

pytestmark = pytest.mark.django_db
TWO = [{"viewport_name": "main"}, {"viewport_name": "secondary"}]
SOCKETS = [
    SocketChoice("ct", "CT", "IMG"),
    SocketChoice("earlier", "Earlier CT", "IMG"),
    SocketChoice("lungs", "Lungs", "SEG"),
    SocketChoice("report", "Report", "PDF"),
    SocketChoice("table", "Table", "CSV"),
]


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def browser(alice):
    client = Client()
    client.force_login(alice)
    return client


class TestHangingProtocols:
    def test_what_is_refused_comes_back_with_what_was_typed(self, browser):
        sent = {"title": "Two", "json": '[{"viewport_name": "mani"}]'}
        answer = browser.post("/hanging-protocols/new/", sent)
        assert answer.status_code == 200
        assert 'viewport_name is "mani"' in words(answer)
        assert "mani" in words(answer).partition("Viewports")[2]
        assert not HangingProtocol.objects.filter(title="Two").exists()

    def test_the_picture_is_drawn_again_or_the_faults_are_told(self, browser):
        right = browser.post("/hanging-protocols/check/", {"json": '[{"viewport_name": "main"}]'})
        assert right.content.count(b"<rect") == 2
        assert b'id="panels-live"' in right.content
        wrong = browser.post("/hanging-protocols/check/", {"json": "[\n{]"})
        assert "Line 2, column 2: this is no JSON" in words(wrong)
        assert browser.post("/hanging-protocols/check/", {}).status_code == 200
        assert browser.get("/hanging-protocols/check/").status_code == 405

    def test_what_is_written_is_never_markup(self, browser):
        text = '[{"viewport_name": "<img src=x onerror=alert(1)>", "specialized_view": "<b>"}]'
        answer = browser.post("/hanging-protocols/check/", {"json": text})
        assert b"<img" not in answer.content
        assert b"<b>" not in answer.content

    def test_a_copy_begins_with_what_the_other_says(self, browser):
        answer = browser.get("/hanging-protocols/new/?from=two-side-by-side")
        assert "Two side by side (copy)" in answer.content.decode()
        assert browser.get("/hanging-protocols/new/?from=nothing").status_code == 404

    def test_one_that_is_used_says_where(self, browser, alice):
        made = create_hanging_protocol(creator=alice, title="Hers", json=TWO)
        answer = browser.post(f"/hanging-protocols/{made.slug}/delete/", {"confirmation": "Other"})
        assert "This is not its title." in words(answer)
        assert browser.post(f"/hanging-protocols/{made.slug}/delete/", {"confirmation": "Hers"}).status_code == 302


class TestConfigurations:
    def test_the_form_begins_with_the_defaults_and_keeps_what_is_chosen(self, browser):
        page = browser.get("/viewer-configurations/new/").content.decode()
        assert len(re.findall(r'name="(?:show|link)_\w+"[^>]* checked', page)) == 12 + 8
        sent = {
            "title": "Slides",
            "image_context": "PATH",
            "window_presets": ["ct-lung", "ct-bone"],
            "default_window_preset": "ct-lung",
            "default_image_interpolation": "NN",
            "default_overlay_interpolation": "NN",
            "ghosting_slice_depth": "5",
            "default_zoom_scale": "1.5",
            "link_images": "on",
            "key_bindings": '[{"key": "i", "command": "invert"}]',
        }
        answer = browser.post("/viewer-configurations/new/", sent)
        assert answer.status_code == 302, words(answer)
        made = ViewerConfiguration.objects.get(slug="slides")
        assert (made.image_context, made.ghosting_slice_depth, made.link_images, made.link_zooming) == (
            "PATH",
            5,
            True,
            False,
        )
        shown = words(browser.get("/viewer-configurations/slides/"))
        assert "Nearest neighbour" in shown
        assert "CT bone, CT lung" in shown
        again = browser.get("/viewer-configurations/new/?from=slides").content.decode()
        assert "Slides (copy)" in again
        assert re.search(r'value="NN" selected', again)

    def test_json_is_refused_with_its_place(self, browser):
        sent = {"title": "Keys", "ghosting_slice_depth": "3", "key_bindings": '[{"key": "i"}]'}
        sent |= {"default_image_interpolation": "CU", "default_overlay_interpolation": "NN"}
        assert "Binding 1: command is missing." in words(browser.post("/viewer-configurations/new/", sent))


def test_a_preset_is_of_one_kind(browser):
    both = {"title": "Odd", "center": "1", "width": "2", "lower_percentile": "3", "upper_percentile": "4"}
    assert "either a centre and width, or two percentiles" in words(browser.post("/window-presets/new/", both))
    assert browser.post("/window-presets/new/", {"title": "Liver", "center": "60", "width": "160"}).status_code == 302
    assert WindowPreset.objects.get(slug="liver").width == 160


class TestViewContent:
    def fill(self, **chosen):
        data = {f"content-{name.replace('_', '-')}": slug for name, slug in chosen.items()}
        return ViewContentForm(data, sockets=SOCKETS, protocol=TWO)

    def test_what_is_chosen_is_kept_in_its_order(self):
        form = self.fill(main_0="ct", main_2="lungs", secondary_0="report")
        assert form.is_valid(), form.errors
        assert form.content() == {"main": ["ct", "lungs"], "secondary": ["report"]}

    def test_nothing_anywhere_is_right(self):
        form = self.fill(main_0="")
        assert form.is_valid()
        assert form.content() == {}

    def test_a_broken_rule_stands_at_its_viewport(self):
        form = self.fill(main_0="ct", main_1="earlier", secondary_0="report")
        assert not form.is_valid()
        assert "main-0" in form.errors
        assert "ct and earlier are images" in form.errors["main-0"][0]
        form = self.fill(main_0="ct")
        assert "has no content" in form.errors["secondary-0"][0]

    def test_sockets_that_cannot_be_shown_are_not_offered(self):
        page = render_to_string(
            "pages/viewing/content_fields.html",
            {"content_form": ViewContentForm(sockets=SOCKETS, protocol=TWO, content={"main": ["ct", "gone"]})},
        )
        assert 'value="table"' not in page
        assert page.count("<fieldset") == 2
        assert 'value="ct" selected' in page
        assert "gone (not there any more)" in page

    def test_without_a_protocol_a_few_viewports_are_offered(self):
        form = ViewContentForm(sockets=SOCKETS, content={"quinary": ["ct"]})
        assert form.viewports == ["main", "secondary", "tertiary", "quaternary", "quinary"]
