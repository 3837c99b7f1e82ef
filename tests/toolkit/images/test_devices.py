"""What headers say of makers and models: known ones may be public, and nobody's name, number or date."""

import random

import pytest

from medtheca.toolkit.images.devices import device_facts, public_maker, public_model
from tests.canary.canaries import Canaries

MAKERS = (
    "SIEMENS", "Siemens Healthineers", "GE MEDICAL SYSTEMS", "G.E. Medical Systems", "Philips Medical Systems, Inc.",
    "TOSHIBA_MEC", "Canon Medical Systems", "HITACHI Medical Corporation", "FUJI PHOTO FILM Co., ltd.",
    "Agfa-Gevaert AG", "Carestream Health", "HOLOGIC, Inc.", "Leica Biosystems",
    "Carl Zeiss Meditec", "Topcon", "Heidelberg Engineering", "3DHISTECH", "Hamamatsu", "Ventana",
)  # fmt: skip
MODELS = (
    "Avanto", "Prisma_fit", "SOMATOM Definition AS+", "Sensation 64", "Biograph64_mCT", "DISCOVERY MR750w",
    "Signa HDxt", "GENESIS_SIGNA", "LightSpeed VCT", "HiSpeed CT/i", "Revolution CT", "Optima CT660",
    "Achieva dStream", "Ingenia Elition X", "iCT 256", "Aquilion ONE", "LOGIQ 700", "EPIQ 7C", "CX50", "Eclipse 1.5T",
    "Selenia Dimensions", "ScanScope AT2", "NanoZoomer S360", "C13210-01", "VENTANA DP 200", "iScan Coreo",
    "Leica SCN400", "3D OCT-2000", "CIRRUS HD-OCT 5000",
)  # fmt: skip
NOT_PUBLIC = (
    "Mary", "Mary Canary", "Canary^Mary", "P1234", "12345", "1947-03-29", "29.03.1947", "03/29/1947", "19470329",
    "2019", "St. Mary Hospital", "ward 3", "", " ", "?", "a@example.org", "Mr Smith", "x" * 65, "\u0421IEMENS",
    "10.0.0.17", "https://example.org", "room 12 1947 03 29", "MARY1", "SN 4711 0815",
)  # fmt: skip


@pytest.mark.parametrize("text", MAKERS)
def test_makers_that_are_known_may_be_public(text):
    assert public_maker(text) == text


@pytest.mark.parametrize("text", MODELS)
def test_models_that_are_known_may_be_public(text):
    assert public_model(text) == text


@pytest.mark.parametrize("text", NOT_PUBLIC)
@pytest.mark.parametrize("before", ["", "SIEMENS ", "Skyra "])
def test_names_numbers_and_dates_are_not_even_beside_what_is_known(text, before):
    if before and not text.strip():
        return
    assert public_maker(before + text) is None
    assert public_model(before + text) is None


def test_no_canary_passes_in_any_company():
    canaries = Canaries()
    chance = random.Random(7)
    for _ in range(2000):
        planted = chance.choice([canaries.word, canaries.name, canaries.uid, canaries.date])()
        known_maker, known_model = chance.choice(MAKERS), chance.choice(MODELS)
        between = chance.choice([" ", "-", "_", ", ", "/", "(", ""])
        for known in (known_maker, known_model):
            for text in (f"{known}{between}{planted}", f"{planted}{between}{known}"):
                assert public_maker(text) is None, text
                assert public_model(text) is None, text


def test_what_is_not_known_is_kept_for_the_owners():
    assert device_facts("SIEMENS", "Skyra of Mary") == {
        "manufacturer": "SIEMENS", "model": None, "stated": ("Skyra of Mary",),
    }  # fmt: skip
    assert device_facts(None, None) == {"manufacturer": None, "model": None, "stated": ()}
