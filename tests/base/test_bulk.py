import pytest
from django.db import DataError, IntegrityError

from medtheca.base.bulk import insert_rows, update_rows
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.models import Blob, Upload
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db

_FIELDS = ("sha256", "size", "state")


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


def test_rows_are_inserted_with_keys_of_their_own(django_assert_num_queries):
    blobs = [Blob(sha256=letter * 64, size=at) for at, letter in enumerate("cab")]
    with django_assert_num_queries(2):
        insert_rows(blobs, _FIELDS)
    found = Blob.objects.order_by("size")
    assert [(row.pk, row.sha256[0]) for row in found] == [(blob.pk, blob.sha256[0]) for blob in blobs]
    # The next that is made gets a key that is free.
    assert Blob.objects.create(sha256="d" * 64, size=9).pk > max(blob.pk for blob in blobs)
    insert_rows([], _FIELDS)


def test_rows_that_are_there_are_replaced():
    first = Blob(sha256="a" * 64, size=1)
    insert_rows([first], _FIELDS)
    insert_rows([Blob(sha256="a" * 64, size=2)], _FIELDS, unique=["sha256"], replaced=["size"])
    assert list(Blob.objects.values_list("pk", "size")) == [(first.pk, 2)]
    with pytest.raises(IntegrityError):
        insert_rows([Blob(sha256="a" * 64, size=3)], _FIELDS)
