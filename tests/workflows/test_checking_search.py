"""`medtheca check` finds an index that says something else than the tables, and words that nobody wrote."""

import json

import pytest
from click.testing import CliRunner
from django.db import connection
from pyroaring import BitMap

from medtheca.domains.search.index.holding import HOLDER
from medtheca.domains.search.index.keeping import keep_index, load, state_kept
from medtheca.domains.search.index.snapshots import one_snapshot
from medtheca.domains.search.models import IndexPart, Text
from medtheca.interfaces.cli.check import command
from medtheca.workflows.checking import check_archive
from medtheca.workflows.checking_search import search_says_what_tables_say
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.plugins.server import fresh_database, speaking_to


@pytest.fixture(autouse=True)
def _database(django_db_setup, django_db_blocker):
    """Transactions that are committed: the index is kept in one of its own."""
    HOLDER.forget()
    with fresh_database() as (name, _), speaking_to(name), django_db_blocker.unblock():
        yield
    HOLDER.forget()


@pytest.fixture
def images():
    cohort = make_cohort(make_user("alice"))
    return make_images(cohort, 4, structured={"sex": "male"}, visibility="public")


def found():
    return [violation.subject for violation in check_archive().violations["search"]]


def plant(part, change):
    """Change a part of the kept index as a fault of ours would, with a digest that is right."""
    with one_snapshot():
        archive, _ = load(state_kept())
    change(archive)
    IndexPart.objects.filter(name=part).update(data=dict(archive.parts())[part])


def test_an_archive_without_an_index_and_one_with_a_right_one_are_clean(images):
    assert found() == []
    keep_index()
    assert found() == []


def test_a_planted_bitmap_is_found_and_mended(images):
    keep_index()
    plant("terms sex", lambda archive: archive.terms["sex"].bitmaps["male"].discard(images[1].pk))
    assert found() == ["search index, terms sex"]
    keep_index(anew=True)
    assert found() == []


def test_a_planted_right_to_see_is_found_and_told_on_the_terminal(images):
    keep_index()
    plant("circles", lambda archive: archive.place(1, BitMap([9999]), BitMap([9999]), {}))
    told = CliRunner().invoke(command, ["--json"])
    assert told.exit_code == 1
    assert json.loads(told.output)["invariants"]["search"] == 1
    words = CliRunner().invoke(command, []).output
    assert "BROKEN  search: Search finds what the tables say, and nothing else." in words
    assert "search index, circles" in words
    assert "medtheca index rebuild" in words


def test_planted_words_are_found_and_mended(images):
    Text.objects.filter(source="accession", key__in=Text.objects.values("key")[:1]).update(shown="'sanatorium':1")
    assert len(found()) == 1
    keep_index(anew=True)
    assert found() == []


def test_emptied_tables_are_no_fault_of_the_index(images):
    keep_index()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE access_placement")
    assert list(search_says_what_tables_say(None)) == []
