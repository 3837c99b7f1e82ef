"""`medtheca index`: what is kept is told, compared and made anew."""

import json

import pytest
from click.testing import CliRunner
from django.db import connection

from medtheca.domains.search.index.holding import HOLDER
from medtheca.domains.search.models import IndexPart, IndexState
from medtheca.interfaces.cli.index import index
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.plugins.server import fresh_database, speaking_to


@pytest.fixture(autouse=True)
def _database(django_db_setup, django_db_blocker):
    with fresh_database() as (name, _), speaking_to(name), django_db_blocker.unblock():
        yield
    HOLDER.forget()


def call(*words):
    return CliRunner().invoke(index, words)


def test_an_index_is_made_verified_and_told_of():
    make_images(make_cohort(make_user("alice")), 3, structured={"sex": "male"}, visibility="public")
    told = call("status")
    assert (told.exit_code, "rebuild" in told.output) == (1, True)
    refused = call("verify")
    assert (refused.exit_code, "No search index is kept" in refused.output) == (1, True)
    made = call("rebuild", "--json")
    assert made.exit_code == 0
    assert json.loads(made.output) | {"version": 1, "images": 3, "waiting": 0, "done": "rebuilt"} == json.loads(
        made.output
    )
    told = call("status")
    assert (told.exit_code, "3 images" in told.output) == (0, True)
    assert call("verify").output == "The index says what the tables say.\n"


def test_a_difference_is_told_and_ends_in_one():
    make_images(make_cohort(make_user("alice")), 3, structured={"sex": "male"}, visibility="public")
    call("rebuild")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE metadata_description DISABLE TRIGGER search_updated")
        cursor.execute("UPDATE metadata_description SET structured = '{}'")
    found = call("verify", "--json")
    assert (found.exit_code, json.loads(found.output)) == (1, {"clean": False, "different": ["terms sex"]})
    assert "rebuild" in call("verify").output
    assert call("rebuild").exit_code == 0
    assert call("verify").exit_code == 0


def test_parts_of_another_release_are_no_use():
    call("rebuild")
    IndexState.objects.update(layout="of another release")
    assert call("status", "--json").exit_code == 1
    assert call("rebuild").exit_code == 0
    assert IndexPart.objects.exists()
