"""A patient and a lesion looked at, and the patient erased by two people, in a real browser of every width."""

import io
import os
import zipfile

import pytest
from django.db import transaction
from django.test import Client

from medtheca.domains.metadata.operations import Change, describe_accessions
from medtheca.domains.provenance.longitudinal import link_subjects
from medtheca.domains.provenance.models import Accession, Erasure, Lesion, Patient
from medtheca.toolkit.synthetic import as_zip_and_csv
from medtheca.workflows.decoding import close_decoder_pool
from medtheca.workflows.erase.running import erase_patient
from tests.browser.axe import assert_no_barriers
from tests.browser.conftest import SCREENSHOTS
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, run_jobs
from tests.factories.storage import make_wide_scopes

pytestmark = pytest.mark.browser
LOOKS = [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")]
VISITS = ({"acquisition_day": 0}, {"acquisition_day": 0}, {"acquisition_day": 182}, {"acquisition_day": 364})


@pytest.fixture(scope="module", autouse=True)
def _around():
    # Playwright's loop runs in this thread, and the tests look into the database from it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    close_decoder_pool()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def story(world):
    """Alice's patient with four images of two lesions over a year, and Sam of the staff."""
    make_wide_scopes()
    suffix = os.urandom(3).hex()
    alice, sam = make_user(f"alice{suffix}"), make_user(f"sam{suffix}", staff=True)
    cohort = make_cohort(alice, name="Pigmented lesion clinic")
    packed = io.BytesIO()
    as_zip_and_csv(packed, 5, seed=int(suffix, 16))
    assert len(zipfile.ZipFile(packed).namelist()) == 5
    deliver(alice, cohort, packed.getvalue())
    run_jobs()
    rows = list(Accession.objects.filter(cohort=cohort).order_by("pk"))[: len(VISITS)]
    values = [{"diagnosis_1": "Benign", "diagnosis_3": "Nevus", "image_type": "dermoscopic", **day} for day in VISITS]
    with transaction.atomic():
        describe_accessions(changes=[Change(row, said) for row, said in zip(rows, values, strict=True)], creator=alice)
        lesions = ["left arm", "back", "left arm", "left arm"]
        link_subjects(
            contributor=cohort.contributor,
            rows=[(row, "MRN-20471", lesion) for row, lesion in zip(rows, lesions, strict=True)],
        )
    patient = Patient.objects.get(contributor=cohort.contributor)
    lesion = Lesion.objects.get(contributor=cohort.contributor, private_id="left arm")
    return alice, sam, patient, lesion


@pytest.fixture
def browse(chromium, world):
    """Open a page as somebody; errors of the page fail the test at its end."""
    opened, complaints = [], []

    def open_page(person, *, width=1440, scheme="light", scripts=True):
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        opened.append(context)
        client = Client()
        client.force_login(person)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": world.url}])
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_page
    for context in opened:
        context.close()
    assert complaints == []


def look(page, world, address, name, size):
    page.goto(world.url + address)
    page.wait_for_load_state("networkidle")
    assert_no_barriers(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} is too wide"
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}-{size}.png", full_page=True)


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_page_is_without_barriers(browse, world, story, width, scheme):
    alice, sam, patient, lesion = story
    size = f"{width}-{scheme}"
    page = browse(alice, width=width, scheme=scheme)
    look(page, world, "/patients/", "patients", size)
    look(page, world, f"/patients/{patient.public_id}/", "patient", size)
    look(page, world, f"/lesions/{lesion.public_id}/", "lesion", size)
    look(page, world, f"/erasures/new/?patient={patient.public_id}", "erasure-new", size)
    page.get_by_label("The patient asked for it").check()
    page.get_by_role("button", name=f"Ask to erase {patient.public_id}").click()
    page.wait_for_url("**/erasures/*-*/")
    address = f"/erasures/{Erasure.objects.get(patient_public_id=patient.public_id).pk}/"
    look(page, world, address, "erasure-asked", size)
    second = browse(sam, width=width, scheme=scheme)
    look(second, world, address, "erasure-to-confirm", size)
    second.get_by_label(f"Type {patient.public_id} to confirm").fill("IP_0000000")
    second.get_by_role("button", name=f"Erase {patient.public_id}").click()
    second.get_by_text("IP_0000000 is not").first.wait_for()
    second.get_by_label(f"Type {patient.public_id} to confirm").fill(patient.public_id)
    second.get_by_role("button", name=f"Erase {patient.public_id}").click()
    second.get_by_role("heading", name="How far it has come").wait_for()
    look(second, world, address, "erasure-running", size)
    erase_patient(erasure_id=Erasure.objects.get(patient_public_id=patient.public_id).pk)
    look(second, world, address, "erasure-done", size)
    look(second, world, "/erasures/", "erasures", size)
    look(second, world, f"/patients/{patient.public_id}/", "erased", size)


def test_by_keyboard_alone_and_without_scripts(browse, world, story):
    alice, sam, patient, _ = story
    page = browse(alice, scripts=False)
    page.goto(f"{world.url}/erasures/new/?patient={patient.public_id}")
    page.get_by_label("The patient asked for it").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("File 17.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/erasures/*-*/")
    second = browse(sam, scripts=False)
    second.goto(page.url)
    second.get_by_label(f"Type {patient.public_id} to confirm").focus()
    second.keyboard.type(patient.public_id)
    second.keyboard.press("Enter")
    second.get_by_role("heading", name="How far it has come").wait_for()
    assert Erasure.objects.get(patient_public_id=patient.public_id).state == "erasing"
