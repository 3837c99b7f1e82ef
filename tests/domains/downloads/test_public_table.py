"""The file of public metadata, read by an independent reader: what everybody may see, and nothing else."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import duckdb
import pytest
from django.db import connection, transaction

from medtheca.base.clock import now
from medtheca.domains.access.enums import PUBLIC_SCOPE, Visibility
from medtheca.domains.access.models import Placement
from medtheca.domains.access.operations import place_images, set_visibility, withdraw_image
from medtheca.domains.downloads import public_table
from medtheca.domains.downloads.models import PublicTable, PublicTableChange
from medtheca.domains.downloads.operations import forget_downloads_with
from medtheca.domains.downloads.public_table import is_table_coming, published_table, refresh_public_table
from medtheca.domains.imaging.models import Image
from medtheca.domains.metadata.models import Description
from medtheca.domains.provenance.models import Accession, Lesion, Patient
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.queries import blob_store
from medtheca.toolkit.publictable.columns import COLUMNS, Type, dictionary, dictionary_csv
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.factories.storage import use_data_folder
from tests.plugins.server import fresh_database, speaking_to

SAID = {
    "age": 53,
    "age_approx": 55,
    "sex": "male",
    "melanocytic": True,
    "mel_thick_mm": "0.80",
    "diagnosis_1": "Benign",
    "diagnosis_2": "Benign melanocytic proliferations",
    "diagnosis_3": "Nevus",
    "patient_id": "CANARY-MRN-1",
    "lesion_id": "CANARY-LESION",
    "rcm_case_id": "CANARY-RCM",
}
FACTS = {
    "modality": "XC",
    "body_part": {"value": "12738006", "scheme": "SCT", "meaning": "Brain"},
    "stain": [{"value": "12710003", "scheme": "SCT", "meaning": "hematoxylin stain"}],
    "magnification": 20.0,
    "device_serial": "CANARY-SERIAL",
}


@pytest.fixture(autouse=True)
def _database(django_db_setup, django_db_blocker, settings, tmp_path):
    """Transactions that are committed: the file is made of one, and changes come by others."""
    use_data_folder(settings, tmp_path / "data")
    with fresh_database() as (name, _), speaking_to(name), django_db_blocker.unblock():
        yield


@pytest.fixture
def cohort():
    return make_cohort(make_user("alice"), name="CANARY cohort")


@pytest.fixture
def images(cohort):
    """Three public ones of which one has all values, one private, one under embargo, one for the signed-in."""
    said = [SAID, {}, {"sex": "female"}]
    names = [f"CANARY-{at}.jpg" for at in range(3)]
    public = make_images(cohort, 3, structured=lambda at: said[at], visibility="public", names=names)
    hidden = make_images(cohort, 3, structured={"sex": "male"}, names=[f"CANARY-hidden-{at}.jpg" for at in range(3)])
    for at, image in enumerate(hidden):
        Image.objects.filter(pk=image.pk).update(public_id=f"ISIC_{8_880_000 + at}")
    set_visibility(image_ids=[hidden[1].pk], visibility=Visibility.PUBLIC, opens=now() + timedelta(days=1))
    set_visibility(image_ids=[hidden[2].pk], visibility=Visibility.SIGNED_IN)
    patient = Patient.objects.create(public_id="IP_0000007", contributor=cohort.contributor, private_id="CANARY-MRN-1")
    lesion = Lesion.objects.create(public_id="IL_0000009", contributor=cohort.contributor, private_id="CANARY-LESION")
    Accession.objects.filter(image=public[0]).update(patient=patient, lesion=lesion)
    Image.objects.filter(pk=public[0].pk).update(
        facts=FACTS, spacing_x=0.7, spacing_y=0.5, created=datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
    )
    Description.objects.filter(accession__image=public[0]).update(unstructured={"note": "CANARY-NOTE"})
    return public


def path():
    return blob_store().path(published_table().sha256)


def rows():
    """By an independent reader."""
    # Moments as microseconds: for more, DuckDB wants another package.
    found = duckdb.sql(f"SELECT * REPLACE (epoch_us(created) AS created) FROM read_parquet('{path()}')")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def ids(images):
    return sorted(image.public_id for image in images)


def test_rows_are_the_public_images_with_typed_values(images):
    assert refresh_public_table() == "made"
    told = rows()
    assert [row["isic_id"] for row in told] == ids(images)
    full = next(row for row in told if row["isic_id"] == images[0].public_id)
    expected = {
        "age_approx": 55,
        "sex": "male",
        "melanocytic": True,
        "mel_thick_mm": Decimal("0.80"),
        "diagnosis_3": "Nevus",
        "patient_id": "IP_0000007",
        "lesion_id": "IL_0000009",
        "rcm_case_id": None,
        "modality": "XC",
        "body_part": "Brain",
        "stain": ["hematoxylin stain"],
        "magnification": 20,
        "spacing_x": 0.7,
        "pixels_x": 600,
        "file_size": 1000,
        "copyright_license": "CC-BY-4.0",
        "image_kind": "picture",
    }
    assert {name: full[name] for name in expected} == expected
    assert full["created"] == datetime(2026, 2, 3, 4, 5, tzinfo=UTC).timestamp() * 1_000_000
    assert list(full) == [column.name for column in COLUMNS]
    assert {row["sex"] for row in told} == {"male", "female", None}
    found = published_table()
    assert (found.images, found.size) == (3, path().stat().st_size)


def test_types_are_those_of_the_dictionary(images):
    refresh_public_table()
    described = duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet('{path()}')").fetchall()
    types = {
        Type.TEXT: "VARCHAR",
        Type.TEXTS: "VARCHAR[]",
        Type.INTEGER: "BIGINT",
        Type.NUMBER: "DOUBLE",
        Type.BOOL: "BOOLEAN",
        Type.MOMENT: "TIMESTAMP WITH TIME ZONE",
    }
    wanted = {one.name: types.get(one.type, f"DECIMAL(12,{one.places})") for one in COLUMNS}
    assert {name: kind for name, kind, *_ in described} == wanted
    told = list(csv.DictReader(io.StringIO(dictionary_csv())))
    assert [row["name"] for row in told] == [row["name"] for row in dictionary()] == list(wanted)
    assert all(row["description"] and row["type"] for row in told)
    assert {"age", "private_id"}.isdisjoint(wanted)


def test_nothing_private_is_in_it(images):
    refresh_public_table()
    data = path().read_bytes()
    assert b"ISIC_" in data
    values = {str(value) for row in rows() for value in row.values()}
    assert not [value for value in values if "CANARY" in value or value.startswith("ISIC_888") or value == "53"]
    assert b"CANARY" not in data


def test_the_same_state_gives_the_same_bytes(images):
    refresh_public_table(anew=True)
    first = published_table()
    assert refresh_public_table(anew=True) == "made"
    assert published_table().sha256 == first.sha256


def test_a_withdrawal_closes_the_door_until_the_file_is_made_anew(cohort, images):
    refresh_public_table()
    withdraw_image(image=images[1], reason="Consent was withdrawn.", user=cohort.creator)
    assert published_table() is None
    assert refresh_public_table() == "made"
    assert [row["isic_id"] for row in rows()] == ids([images[0], images[2]])
    for change in (
        lambda: set_visibility(image_ids=[images[0].pk], visibility=Visibility.SIGNED_IN),
        lambda: place_images(image_ids=[images[2].pk], scope_ids=[PUBLIC_SCOPE], opens=now() + timedelta(days=1)),
    ):
        change()
        assert published_table() is None
        assert refresh_public_table() == "made"
    assert rows() == []


def test_what_comes_waits_for_its_turn_and_keeps_the_file_open(cohort, images):
    refresh_public_table()
    assert refresh_public_table() == "current"
    more = make_images(cohort, 1, visibility="public")
    Description.objects.filter(accession__image=images[1]).update(structured={"sex": "female"})
    assert refresh_public_table() == "current"
    assert published_table().images == 3
    PublicTable.objects.update(made=now() - timedelta(minutes=11))
    assert refresh_public_table() == "made"
    assert [row["isic_id"] for row in rows()] == ids([*images, *more])
    assert next(row for row in rows() if row["isic_id"] == images[1].public_id)["sex"] == "female"
    assert not PublicTableChange.objects.exists()
    PublicTable.objects.update(made=now() - timedelta(minutes=11))
    assert refresh_public_table() == "current"


def test_publishing_again_closes_nothing(images):
    refresh_public_table()
    place_images(image_ids=[images[0].pk], scope_ids=[PUBLIC_SCOPE])
    set_visibility(image_ids=[images[1].pk], visibility=Visibility.PUBLIC)
    waiting = Placement.objects.filter(scope=PUBLIC_SCOPE, opens__isnull=False)
    assert waiting.update(opens=now() + timedelta(days=2)) == 1
    assert published_table() is not None
    assert waiting.update(opens=None) == 1
    assert published_table() is not None
    assert PublicTableChange.objects.exists()


def test_an_embargo_that_ends_makes_the_file_due(images):
    refresh_public_table()
    PublicTable.objects.update(made=now() - timedelta(minutes=11))
    assert refresh_public_table() == "current"
    waiting = Placement.objects.filter(scope=PUBLIC_SCOPE, opens__isnull=False)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE access_placement DISABLE TRIGGER public_table_update")
    waiting.update(opens=now() - timedelta(seconds=1))
    PublicTable.objects.update(opens=now() - timedelta(seconds=1))
    assert refresh_public_table() == "made"
    assert published_table().images == 4


def test_private_work_makes_nothing_due(cohort, images):
    refresh_public_table()
    (private,) = make_images(cohort, 1, structured={"sex": "male"})
    Accession.objects.filter(image=private).update(attribution="Somebody")
    Description.objects.filter(accession__image=private).update(structured={})
    Image.objects.filter(pk=private.pk).update(depth=2)
    assert not PublicTableChange.objects.exists()


@pytest.fixture
def while_it_is_made(monkeypatch):
    """Have things happen, one each time the file is made, after its snapshot and before its row."""
    make, waiting = public_table._make, []

    def slow():
        made = make()
        if waiting:
            waiting.pop(0)()
        return made

    monkeypatch.setattr(public_table, "_make", slow)
    return waiting


def test_a_withdrawal_while_the_file_is_made_throws_it_away(cohort, images, while_it_is_made):
    refresh_public_table()
    before = published_table().sha256
    while_it_is_made += [lambda: withdraw_image(image=images[0], reason="x", user=cohort.creator)]
    assert refresh_public_table(anew=True) == "made"
    assert images[0].public_id not in {row["isic_id"] for row in rows()}
    assert set(Blob.objects.filter(pk__in=PublicTable.objects.values("blob"))) != {before}
    assert {name for name, _ in blob_store().names()} == {before, published_table().sha256}
    assert list((blob_store().path(before).parents[2] / "staging").iterdir()) == []


def test_a_file_that_is_overtaken_each_time_is_not_kept(cohort, images, while_it_is_made):
    refresh_public_table()
    before = published_table().sha256
    while_it_is_made += [
        lambda image=image: withdraw_image(image=image, reason="x", user=cohort.creator) for image in images
    ]
    assert refresh_public_table(anew=True) == "overtaken"
    assert published_table() is None
    assert {name for name, _ in blob_store().names()} == {before}
    assert refresh_public_table() == "made"
    assert rows() == []


def test_what_comes_while_the_file_is_made_is_not_taken_for_seen(cohort, images, while_it_is_made):
    refresh_public_table()
    while_it_is_made += [lambda: make_images(cohort, 1, visibility="public")]
    assert refresh_public_table(anew=True) == "made"
    assert (published_table().images, PublicTableChange.objects.filter(closing=False).exists()) == (3, True)


def test_an_embargo_that_comes_back_closes_the_door_however_long_its_transaction_is(images):
    """The image is public by the clock, and was not when the transaction began."""
    waiting = Placement.objects.filter(scope=PUBLIC_SCOPE, opens__isnull=False)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT now(), clock_timestamp()")
            began, _ = cursor.fetchone()
        waiting.update(opens=began + timedelta(microseconds=1))
        PublicTableChange.objects.all().delete()
        waiting.update(opens=began + timedelta(days=2))
        assert PublicTableChange.objects.filter(closing=True).exists()


def test_an_erasure_lets_go_of_the_file_and_the_old_one_does_not_stay(cohort, images):
    refresh_public_table()
    before = Blob.objects.get(sha256=published_table().sha256)
    with transaction.atomic():
        forget_downloads_with([images[0].pk])
    assert published_table() is None
    before.refresh_from_db()
    assert before.let_go is not None
    assert refresh_public_table() == "made"
    assert published_table().images == 3


def test_a_process_that_dies_leaves_the_old_file(cohort, images, monkeypatch):
    refresh_public_table()
    before = published_table()
    make_images(cohort, 1, visibility="public")

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(public_table, "store_blobs", die)
        with pytest.raises(KeyboardInterrupt):
            refresh_public_table(anew=True)
    assert published_table() == before
    assert PublicTableChange.objects.exists()


def test_an_empty_archive_has_no_table_until_something_is_public(cohort):
    make_images(cohort, 1)
    assert (refresh_public_table(), published_table(), is_table_coming()) == ("current", None, False)
    make_images(cohort, 1, visibility="public")
    assert (published_table(), is_table_coming(), refresh_public_table()) == (None, True, "made")
    assert len(rows()) == 1
