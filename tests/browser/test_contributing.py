"""Contributors, people, moving and the staff tools in a real browser: by keyboard, at every width, no barriers."""

import os

import pytest
from django.test import Client

from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.provenance.agreements import AGREEMENT_VERSION, accept_agreement
from medtheca.domains.provenance.contributors import attest, edit_cohort, edit_contributor
from medtheca.domains.provenance.longitudinal import link_subjects
from medtheca.domains.provenance.models import Accession
from medtheca.domains.provenance.operations import create_cohort, create_contributor
from medtheca.domains.provenance.people import invite_person
from tests.browser.axe import assert_no_barriers
from tests.browser.conftest import SCREENSHOTS
from tests.factories.accounts import make_user
from tests.factories.images import make_delivery, make_images
from tests.factories.provenance import make_cohort
from tests.factories.storage import make_wide_scopes

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def unsafe():
    """Playwright's loop runs in this thread, and the tests look into the database from it."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def clinic(world):
    """Alice's clinic with two cohorts, some people and open invitations; Bob's with a patient of the same number."""
    make_wide_scopes()
    alice, bob, sam = make_user("alice"), make_user("bob"), make_user("sam")
    spring = make_cohort(alice, name="Pigmented lesion clinic, spring 2026")
    clinic = edit_contributor(
        contributor=spring.contributor,
        actor=alice,
        institution_name="University Hospital of Exampleton, Department of Dermatology",
        institution_url="https://derm.example.org/research/imaging",
        legal_contact_info="Dr Erika Muster\nData protection office\n+41 00 000 00 00",
        default_licence="CC-BY-4.0",
        default_attribution="University Hospital of Exampleton",
    )
    create_cohort(contributor=clinic, creator=alice, name="Autumn 2026", licence="CC0-1.0", attribution="Exampleton")
    edit_cohort(cohort=spring, actor=alice, consent_basis="Ethics committee of Exampleton, approval 2026-00123.")
    attest(cohort=spring, actor=alice)
    for name, role in (("edith", Role.EDITOR), ("rita", Role.REVIEWER), ("victor", Role.VIEWER)):
        add_member(scope=clinic.scope, user=make_user(name), role=role)
    invite_person(thing=clinic, email="new.colleague@example.org", role=Role.EDITOR, actor=alice)
    make_delivery(spring, [{"path": "a.jpg", "outcome": "refused"}])
    images = make_images(spring, 6, structured={"sex": "female"})
    make_images(spring, 3, visibility="public", structured={"sex": "male"})
    others = create_contributor(creator=bob, institution_name="Practice of Bob")
    his = create_cohort(contributor=others, creator=bob, name="Bob's", licence="CC0-1.0", attribution="Bob")
    (image,) = make_images(his, 1)
    for cohort, one in ((spring, images[0]), (his, image)):
        rows = [(Accession.objects.get(image=one), "P-001", None)]
        link_subjects(contributor=cohort.contributor, rows=rows)
    accept_agreement(contributor=others, actor=bob, version=AGREEMENT_VERSION)
    return {"alice": alice, "sam": sam, "spring": spring, "clinic": clinic, "others": others}


class Visitor:
    """Somebody at a browser."""

    def __init__(self, chromium, server, user):
        url = server.url
        client = Client()
        client.force_login(user)
        self.context = chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        session = client.cookies["sessionid"].value
        self.context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.url, self.server = url, server

    def go(self, path):
        answer = self.page.goto(f"{self.url}{path}")
        assert answer.status == 200, f"{path}: {answer.status}\n{self.server.log()}"
        return self.page

    def look(self, what):
        page = self.page
        SCREENSHOTS.mkdir(exist_ok=True)
        for width, height, scheme in (
            (1440, 900, "light"),
            (1440, 900, "dark"),
            (390, 844, "light"),
            (390, 844, "dark"),
        ):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(150)
            page.screenshot(path=SCREENSHOTS / f"contrib-{what}-{width}-{scheme}.png", full_page=True)
            assert_no_barriers(page)
            overhang = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert overhang <= 0, f"{what} is {overhang} px wider than {width} px"
        page.set_viewport_size({"width": 1440, "height": 900})
        page.emulate_media(color_scheme="light")


def test_every_page_at_every_width_has_no_barriers(chromium, unsafe, world, clinic):
    alice = Visitor(chromium, world, clinic["alice"])
    spring, contributor = clinic["spring"].pk, clinic["clinic"].pk
    for name, path in {
        "contributors": "/contributors/",
        "contributor": f"/contributors/{contributor}/",
        "contributor-edit": f"/contributors/{contributor}/edit/",
        "people": f"/contributors/{contributor}/people/",
        "agreement": f"/contributors/{contributor}/agreement/",
        "cohorts": "/cohorts/",
        "cohort": f"/cohorts/{spring}/",
        "cohort-edit": f"/cohorts/{spring}/edit/",
        "cohort-people": f"/cohorts/{spring}/people/",
        "guide": "/guide/",
    }.items():
        page = alice.go(path)
        if name == "cohort":
            page.get_by_text("About this cohort").click()
        alice.look(name)
    page = alice.go(f"/cohorts/{spring}/licence/")
    page.get_by_label("Licence", exact=True).select_option("CC-BY-NC-4.0")
    page.get_by_label("Reason").fill("The sponsor asked for it.")
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("3 are left alone").click()
    alice.look("licence")
    sam = Visitor(chromium, world, clinic["sam"])
    for name, path in {
        "staff": "/staff/",
        "staff-purge": "/staff/purge/",
        "staff-reconvert": "/staff/reconvert/",
        "staff-people": "/staff/people/",
        "staff-person": f"/staff/people/{clinic['alice'].pk}/",
    }.items():
        sam.go(path)
        sam.look(name)
    page = sam.go(f"/staff/merge/?source={clinic['others'].pk}")
    page.get_by_label("Contributor that stays").fill(str(contributor))
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("1 thing stands in the way").wait_for()
    sam.look("staff-merge")
    page.get_by_label("one and the same").check()
    page.get_by_role("button", name="Preview again").click()
    page.get_by_role("button", name="Merge the contributors: 3 changes").click()
    page.get_by_text("is part of this contributor now").wait_for()
    moved_by_keyboard(alice, spring)


def moved_by_keyboard(alice, spring):
    """Alice moves two images with keys alone: preview, then the button that names the number."""
    page = alice.go(f"/cohorts/{spring}/move/")
    names = list(Accession.objects.filter(cohort=spring).order_by("pk").values_list("name", flat=True)[:2])
    page.get_by_label("Into the cohort").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("\n".join(names))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Move 2 images").wait_for()
    alice.look("move")
    page.get_by_role("button", name="Move 2 images").focus()
    page.keyboard.press("Enter")
    page.get_by_text("2 images moved.").wait_for()
    assert not Accession.objects.filter(cohort=spring, name__in=names).exists()
