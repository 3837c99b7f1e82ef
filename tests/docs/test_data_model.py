"""The page of the data model says what the tables and the API say, and its requests work."""

from pathlib import Path

import pytest
from django.apps import apps

from medtheca.domains.collections.operations import create_collection
from medtheca.domains.metadata.models import MetadataFile
from medtheca.domains.provenance.models import Accession, Lesion, Patient
from medtheca.interfaces.api.v2.api import api
from medtheca.interfaces.api.v2.data_model import ABSENT, CLASSES, address_of, answer_of, page
from tests.factories.archives import make_archive
from tests.interfaces.api.world import HOST, by_token
from tests.interfaces.matrix.world import make_world

PAGE = Path(__file__).resolve().parents[2] / "docs" / "data-model.md"
SCHEMA = api.get_openapi_schema(path_prefix="/")


def test_the_page_is_current():
    assert PAGE.read_text() == page(), "Print page() of medtheca.interfaces.api.v2.data_model into docs/data-model.md."


def test_every_table_of_people_s_things_has_its_class():
    """Tables that no class names are inner ones; a new domain has to be told of here."""
    told = {label.split(".")[0] for one in CLASSES for label in one.tables}
    inner = {"ledger", "trials", "search", "downloads"}
    there = {model._meta.app_label for model in apps.get_models() if model.__module__.startswith("medtheca.")}
    assert there - told - inner == set()


def test_what_is_said_to_be_absent_is_absent():
    names = {model.__name__.lower() for model in apps.get_models() if model.__module__.startswith("medtheca.")}
    for name in ABSENT:
        assert not {name.lower().replace(" ", "").removesuffix("s"), name.split()[0].lower()} & names, name


@pytest.mark.django_db
@pytest.mark.parametrize("one", CLASSES, ids=lambda one: one.name)
def test_the_worked_requests_work(one, settings):
    settings.ALLOWED_HOSTS = [HOST]
    world = make_world()
    alice = world.people["alice"]
    keys = {
        "contributor_id": world.cohort.contributor_id,
        "cohort_id": world.cohort.pk,
        "accession_id": world.names["accession"],
        "isic_id": world.names["public"],
        "file_id": MetadataFile.objects.get().pk,
        "request_id": world.names["request"],
        "upload_id": world.names["upload"],
    }
    name = one.route.partition("{")[2].partition("}")[0]
    # Things with slugs come with the archive.
    keys["slug"] = one.address
    key = keys[name] if name in keys else make(one, world) if name else ""
    path = address_of(one).removeprefix("/api/v2/")
    path = path.replace(one.address, str(key)) if one.address else path
    answer = by_token(alice).get(path)
    assert answer.status_code == 200, answer.content
    shown, told = answer.body, answer_of(one, SCHEMA)
    if isinstance(told, list):
        shown, told = (shown or [{}])[0], told[0]
    assert set(shown) <= set(told)


def make(one, world):
    """The key of a thing of a class that the small world has none of."""
    alice, contributor = world.people["alice"], world.cohort.contributor
    accession = Accession.objects.get(pk=world.names["public_accession"])
    if one.name == "Collections":
        return create_collection(creator=alice, name="Hers", description="", public=False).pk
    if one.name == "Archives":
        return make_archive(alice, title="Chest CT").slug
    if one.name == "Patients":
        return Patient.objects.create(contributor=contributor, private_id="p", public_id="IP_0000001").public_id
    lesion = Lesion.objects.create(contributor=contributor, private_id="l", public_id="IL_0000001")
    accession.lesion = lesion
    accession.save()
    return lesion.public_id
