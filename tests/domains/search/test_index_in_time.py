"""What becomes of the index of a process where the database takes too long, and of what is kept."""

from datetime import timedelta

import pytest

from medtheca.base.clock import now
from medtheca.domains.search.errors import SearchTooSlow
from medtheca.domains.search.index import holding, keeping
from medtheca.domains.search.index.keeping import keep_index
from medtheca.domains.search.models import IndexPart, IndexState
from medtheca.domains.search.queries import count
from medtheca.toolkit.querylang import parse
from tests.domains.search.indexes import answers, own_database
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.locks import searches_within, table_locked
from tests.factories.provenance import make_cohort


@pytest.fixture(autouse=True)
def _database(django_db_setup, django_db_blocker):
    with own_database(django_db_blocker):
        yield


@pytest.fixture
def cohort():
    return make_cohort(make_user("alice"))


def males():
    return count(parse("sex:male"), asker=None)


def test_catching_up_that_is_cut_off_is_tried_again(cohort, monkeypatch):
    make_images(cohort, 3, structured={"sex": "male"}, visibility="public")
    # As for many images: of few, the process would make its index by itself, whatever became of the first.
    monkeypatch.setattr(holding, "FEW_IMAGES", 2)
    keep_index()
    assert (answers(), males()) == (True, 3)
    make_images(cohort, 2, structured={"sex": "male"}, visibility="public")
    with table_locked("provenance_accession"), searches_within(1), pytest.raises(SearchTooSlow):
        males()
    assert (answers(), males()) == (True, 5)


def test_making_a_small_one_that_is_cut_off_is_told_as_slow(cohort):
    make_images(cohort, 3, structured={"sex": "male"}, visibility="public")
    with table_locked("provenance_accession"), searches_within(1), pytest.raises(SearchTooSlow):
        males()
    assert (answers(), males()) == (True, 3)


def test_what_is_kept_is_loaded_only_when_it_is_due(cohort, monkeypatch):
    make_images(cohort, 3, visibility="public")
    keep_index()
    make_images(cohort, 1, visibility="public")

    def load(_):
        pytest.fail("it was loaded")

    with monkeypatch.context() as patch:
        patch.setattr(keeping, "load", load)
        assert keep_index() == "kept"
    IndexState.objects.update(kept=now() - timedelta(days=1))
    assert keep_index() == "renewed"


@pytest.mark.parametrize("due", [False, True])
@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_parts_that_are_gone_or_damaged_are_made_anew(cohort, due, harm):
    make_images(cohort, 3, structured={"sex": "male"}, visibility="public")
    keep_index()
    if due:
        make_images(cohort, 1, structured={"sex": "male"}, visibility="public")
        IndexState.objects.update(kept=now() - timedelta(days=1))
    part = IndexPart.objects.filter(name="terms sex")
    if harm == "missing":
        part.delete()
    else:
        # Whole by its form: those of another field.
        part.update(data=IndexPart.objects.get(name="terms image_type").data)
    assert keep_index() == "rebuilt"
    assert keep_index() == "kept"
    assert males() == 3 + due
