"""The example application of the documentation, on a site of its own, shows each person what they may see."""

import functools
import http.server
import io
import re
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image as Picture

from medtheca.domains.access.enums import Role, Visibility
from medtheca.domains.access.groups import create_group
from medtheca.domains.access.operations import add_member, set_visibility
from medtheca.domains.imaging.operations import assign_public_ids
from medtheca.domains.provenance.models import Accession
from medtheca.workflows.decoding import close_decoder_pool
from tests.browser.people import PATIENCE
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.oauth import make_application
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs
from tests.plugins.server import speaking_to

pytestmark = pytest.mark.browser
EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
PAGE = "my-images.html"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    """Another site: the folder of examples on a port of its own."""
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(_Quiet, directory=str(EXAMPLES))
    ) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}/{PAGE}"
        running.shutdown()
        thread.join()


def picture(seed):
    file = io.BytesIO()
    Picture.fromarray(np.random.default_rng(seed).integers(0, 255, (300, 300, 3), np.uint8)).save(file, "JPEG")
    return file.getvalue()


def take_in(owner, names):
    """A cohort of real pictures; gives each image by its name."""
    cohort = make_cohort(owner)
    deliver(owner, cohort, make_zip([(f"{name}.jpg", picture(at)) for at, name in enumerate(names)]))
    run_jobs()
    return {row.name.removesuffix(".jpg"): row.image for row in Accession.objects.filter(cohort=cohort)}


@pytest.fixture(scope="module")
def images(server, django_db_blocker):
    """Bob's images of every visibility, one of them Alice's by her group; one of Alice's own; Carol's, who is apart."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        # Playwright's loop may run in this thread already, and Django takes that for an asynchronous view.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        return make_images_of_all(server)


def make_images_of_all(server):
    with speaking_to(server.database):
        alice, bob, carol = make_user("alice"), make_user("bob"), make_user("carol")
        group, other = create_group(creator=bob, name="Readers"), create_group(creator=carol, name="Others")
        add_member(scope=group, user=alice, role=Role.VIEWER)
        bobs = take_in(bob, ["public", "signed", "group", "secret", "others"])
        bobs["own"] = take_in(alice, ["own"])["own"]
        assign_public_ids(image_ids=[bobs["public"].pk])
        set_visibility(image_ids=[bobs["public"].pk], visibility=Visibility.PUBLIC)
        set_visibility(image_ids=[bobs["signed"].pk], visibility=Visibility.SIGNED_IN)
        set_visibility(image_ids=[bobs["group"].pk], visibility=Visibility.GROUPS, group_ids=[group.pk])
        set_visibility(image_ids=[bobs["others"].pk], visibility=Visibility.GROUPS, group_ids=[other.pk])
        application, _ = make_application(bob, "public", redirect_uris=[f"http://127.0.0.1:9000/{PAGE}"])
        for image in bobs.values():
            image.refresh_from_db()
        close_decoder_pool()
        names = {name: image.public_id or str(image.key) for name, image in bobs.items()}
    return SimpleNamespace(names=names, client=application.client_id)


@pytest.fixture
def visit(chromium, server, site, images):
    """Somebody opens the example, logs in and allows it; gives their page."""
    contexts = []

    def go(email):
        context = chromium.new_context()
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.complaints = []
        page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(site)
        page.fill("[name=archive]", f"http://localhost:{server.port}")
        page.fill("[name=client]", images.client)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(re.compile("/accounts/login/"))
        page.fill("[name=login]", email)
        page.fill("[name=password]", PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()
        page.get_by_role("button", name="Allow", exact=True).click()
        page.wait_for_selector("html[data-ready]")
        return page

    yield go
    for context in contexts:
        context.close()


def seen_on(page):
    """The images of the page; each must have arrived with all its pixels."""
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    widths = page.evaluate("[...document.images].map((image) => image.naturalWidth)")
    assert all(width > 0 for width in widths), widths
    captions = page.locator("figcaption").all_inner_texts()
    assert len(captions) == len(widths)
    return {caption.partition(" ")[0] for caption in captions}


@pytest.mark.parametrize(
    ("email", "sees"),
    [
        ("alice@example.org", {"public", "signed", "group", "own"}),
        ("carol@example.org", {"public", "signed", "others"}),
        ("bob@example.org", {"public", "signed", "group", "others", "secret"}),
    ],
)
def test_each_person_sees_their_own_and_nobody_elses(visit, site, images, email, sees):
    page = visit(email)
    assert page.url == site, "neither code nor state stays in the address"
    assert seen_on(page) == {images.names[name] for name in sees}
    assert page.complaints == []


def test_logging_out_ends_the_token(visit, site, images):
    page = visit("alice@example.org")
    with page.expect_navigation():
        page.get_by_role("button", name="Log out").click()
    page.get_by_role("button", name="Log in").wait_for()
    assert page.locator("figure").count() == 0


def test_who_says_no_is_told_and_gives_nothing(chromium, server, site, images):
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(site)
    page.fill("[name=archive]", f"http://localhost:{server.port}")
    page.fill("[name=client]", images.client)
    page.get_by_role("button", name="Log in").click()
    page.fill("[name=login]", "alice@example.org")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()
    page.get_by_role("button", name="Do not allow").click()
    page.get_by_text("access_denied").wait_for()
    assert page.locator("figure").count() == 0
    context.close()
