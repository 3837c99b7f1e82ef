"""Public ids are random, unique, tried again when they collide, and wider when they run out."""

import dataclasses
import threading

import pytest
from django.db import IntegrityError, close_old_connections, connection, transaction

from medtheca.domains.imaging import operations
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.imaging.operations import assign_public_ids
from tests.domains.access.test_visibility import picture
from tests.factories.storage import keep


def pictures(number):
    return Image.objects.bulk_create([picture(serial) for serial in range(number)])


@pytest.fixture
def width(settings):
    def choose(digits):
        settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, id_width=digits)

    return choose


@pytest.mark.django_db
def test_ids_are_unique_and_kept(django_assert_max_num_queries):
    images = pictures(150)
    ids = [image.pk for image in images]
    with django_assert_max_num_queries(8):
        assign_public_ids(image_ids=ids)
    first = dict(Image.objects.values_list("pk", "public_id"))
    assert len(set(first.values())) == 150
    assert all(len(public_id) == len("ISIC_0000000") for public_id in first.values())
    # An id tells nothing of the order in which images came.
    assert sorted(ids, key=first.get) != ids
    assign_public_ids(image_ids=ids)
    assert dict(Image.objects.values_list("pk", "public_id")) == first


@pytest.mark.django_db
def test_wider_ids_are_minted_when_those_of_one_width_run_out(width):
    width(1)
    images = pictures(25)
    for start in range(0, 25, 5):
        assign_public_ids(image_ids=[image.pk for image in images[start : start + 5]])
    lengths = [len(public_id) for public_id in Image.objects.values_list("public_id", flat=True)]
    assert sorted(set(lengths)) == [len("ISIC_0"), len("ISIC_00")]
    assert lengths.count(len("ISIC_0")) == 10


@pytest.mark.django_db(transaction=True)
def test_an_id_that_another_transaction_takes_first_is_drawn_again(monkeypatch):
    mine, theirs = pictures(2)
    drawn = iter(["ISIC_0000001", "ISIC_0000002"])
    taken, waiting = threading.Event(), threading.Event()

    def draw(prefix, width):
        waiting.set()
        return next(drawn)

    monkeypatch.setattr(operations, "random_number", draw)

    def take():
        try:
            with transaction.atomic():
                Image.objects.filter(pk=theirs.pk).update(public_id="ISIC_0000001")
                taken.set()
                # Not visible to others yet, so that only the constraint can tell.
                waiting.wait(10)
        finally:
            close_old_connections()

    thread = threading.Thread(target=take)
    thread.start()
    taken.wait(10)
    assign_public_ids(image_ids=[mine.pk])
    thread.join()
    assert dict(Image.objects.values_list("pk", "public_id")) == {mine.pk: "ISIC_0000002", theirs.pk: "ISIC_0000001"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("width", 0),
        ("height", 0),
        ("public_id", "isic_1"),
        ("public_id", "ISIC-0000001"),
        ("public_id", "ISIC_0000009"),
    ],
)
def test_the_database_refuses_an_image_that_cannot_be(column, value):
    one, _ = pictures(2)
    Image.objects.exclude(pk=one.pk).update(public_id="ISIC_0000009")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE imaging_image SET {column} = %s WHERE id = %s", [value, one.pk])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "recipe"), [("original", "strip 1"), ("thumbnail", ""), ("poster", "strip 1"), ("web", "strip 1")]
)
def test_the_database_refuses_a_file_that_cannot_be(kind, recipe):
    one, blob = pictures(1)[0], keep(b"bytes")
    ImageFile.objects.create(image=one, kind="web", blob=blob, media_type="image/jpeg", recipe="web 1")
    with pytest.raises(IntegrityError), transaction.atomic():
        ImageFile.objects.create(image=one, kind=kind, blob=blob, media_type="image/jpeg", recipe=recipe)
