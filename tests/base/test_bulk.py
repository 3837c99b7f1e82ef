import pytest
from django.db import DataError

from medtheca.base.bulk import update_rows
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.models import Upload
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db


def uploads(count):
    alice = make_user("alice")
    return [Upload.objects.create(owner=alice, filename=f"{number}.zip", size=9) for number in range(count)]


def test_every_row_gets_its_own_values_and_other_columns_stay(django_assert_num_queries):
    first, second, third = uploads(3)
    first.filename, first.state, first.size = "o'ne; --.zip", UploadState.CANCELLED, 1
    second.filename, second.state, second.size = "zwei \u00fc.zip", "receiving", 2
    with django_assert_num_queries(1):
        assert update_rows([first, second], ["filename", "state"]) == 2
    found = Upload.objects.order_by("filename").values_list("pk", "filename", "state", "size")
    assert set(found) == {
        (first.pk, "o'ne; --.zip", "cancelled", 9),
        (second.pk, "zwei \u00fc.zip", "receiving", 9),
        (third.pk, "2.zip", "receiving", 9),
    }


def test_absent_values_and_relations_are_written(django_assert_num_queries):
    from medtheca.domains.storage.models import Blob

    blob = Blob.objects.create(sha256="a" * 64, size=1)
    first, second = uploads(2)
    first.blob = blob
    assert update_rows([first, second], ["blob"]) == 2
    assert list(Upload.objects.order_by("filename").values_list("blob", flat=True)) == [blob.pk, None]


def test_text_that_is_too_long_is_refused_and_not_cut():
    (row,) = uploads(1)
    row.filename = "x" * 256
    with pytest.raises(DataError, match="too long"):
        update_rows([row], ["filename"])


def test_rows_that_are_gone_are_not_counted_and_none_is_no_statement(django_assert_num_queries):
    first, second = uploads(2)
    Upload.objects.filter(pk=first.pk).delete()
    assert update_rows([first, second], ["size"]) == 1
    with django_assert_num_queries(0):
        assert update_rows([], ["size"]) == 0
