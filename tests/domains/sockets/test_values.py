"""Values: each is one thing, fits its socket, is never changed, and goes when nothing holds it."""

import io
import json
import zipfile

import pytest
from django.db import IntegrityError, connection, transaction

from medtheca.base.errors import Invalid
from medtheca.domains.sockets.defining import define_socket
from medtheca.domains.sockets.models import Socket, Value
from medtheca.domains.sockets.operations import create_value, remove_values
from medtheca.domains.storage.models import Blob
from medtheca.toolkit.sockets.definitions import Definition
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.factories.storage import keep, use_data_folder

pytestmark = pytest.mark.django_db


@pytest.fixture
def sam():
    return make_user("sam")


def socket_of(sam, kind, **said):
    return define_socket(creator=sam, definition=Definition(title=f"Of kind {kind}", kind=kind, **said))


SEGMENTS = [{"name": "Lung", "visible": True, "voxel_value": 1}, {"name": "Nodule", "visible": True, "voxel_value": 2}]


def image_with(owner, **said):
    [image] = make_images(make_cohort(owner), 1)
    for name, value in said.items():
        setattr(image, name, value)
    image.save()
    return image


def test_a_value_is_kept_as_it_is(sam):
    made = create_value(socket=socket_of(sam, "FLT"), creator=sam, value=0.5)
    assert (made.has_value, Value.objects.get().value, made.creator) == (True, 0.5, sam)


def test_null_is_a_value_where_the_kind_allows_it(sam):
    made = create_value(socket=socket_of(sam, "JSON"), creator=sam, value=None)
    made.refresh_from_db()
    assert (made.has_value, made.value) == (True, None)
    with pytest.raises(Invalid, match="is null, and has to be a text"):
        create_value(socket=socket_of(sam, "STR"), creator=sam, value=None)


def test_a_wrong_value_says_where_and_by_which_rule(sam):
    with pytest.raises(Invalid) as refused:
        create_value(
            socket=socket_of(sam, "POIN"),
            creator=sam,
            value={"type": "Point", "version": {"major": 1, "minor": 0}, "point": [1, "2", 3]},
        )
    assert refused.value.message == 'Of kind POIN: point[1] is "2", and has to be a number (rule type).'
    assert refused.value.problems[0].code == "invalid_value"
    assert not Value.objects.exists()


def test_the_socket_s_own_schema_counts_too(sam):
    side = socket_of(sam, "CHOI", schema={"enum": ["left", "right"]})
    create_value(socket=side, creator=sam, value="left")
    with pytest.raises(Invalid, match='has to be one of "left", "right"') as refused:
        create_value(socket=side, creator=sam, value="rights")
    assert refused.value.remedy == "Did you mean 'right'?"


@pytest.mark.parametrize("given", [{}, {"value": 1, "filename": "a", "blob": True}, {"blob": True}])
def test_a_value_is_one_thing_of_the_right_sort(sam, settings, tmp_path, given):
    use_data_folder(settings, tmp_path / "data")
    if given.get("blob"):
        given["blob"] = keep(b"1")
    with pytest.raises(Invalid, match="takes one value here, and nothing else"):
        create_value(socket=socket_of(sam, "INT"), creator=sam, **given)


def test_no_value_can_be_changed(sam):
    made = create_value(socket=socket_of(sam, "STR"), creator=sam, value="a")
    other = socket_of(sam, "INT")
    for change in (
        {"value": "b"},
        {"socket": other},
        {"has_value": False},
        {"filename": "a"},
        {"creator": make_user("bob")},
    ):
        with pytest.raises(IntegrityError, match="values of sockets never change"), transaction.atomic():
            Value.objects.filter(pk=made.pk).update(**change)
    Value.objects.filter(pk=made.pk).update(creator=None)
    assert Value.objects.get().creator is None


def test_the_database_wants_exactly_one_thing(sam):
    socket = socket_of(sam, "STR")
    for wrong in ({}, {"has_value": True, "filename": "a"}, {"has_value": False, "value": 1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Value.objects.create(socket=socket, **wrong)


def test_equal_values_are_not_shared_unless_one_takes_the_place_of_the_other(sam):
    socket = socket_of(sam, "FLT")
    first = create_value(socket=socket, creator=sam, value=1)
    assert create_value(socket=socket, creator=sam, value=1).pk != first.pk
    assert create_value(socket=socket, creator=sam, value=1, instead_of=first).pk == first.pk
    assert create_value(socket=socket, creator=sam, value=1.5, instead_of=first).pk != first.pk


def test_a_json_file_is_checked_whole(sam, settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")
    points = {"type": "Multiple points", "version": {"major": 1, "minor": 0}, "points": [{"point": [1, 2, 3]}]}
    socket = socket_of(sam, "MPOI")
    made = create_value(socket=socket, creator=sam, blob=keep(json.dumps(points).encode()), filename="p.json")
    assert (made.filename, made.media_type, made.has_value) == ("p.json", "application/json", False)
    points["points"].append({"point": [1, 2]})
    with pytest.raises(Invalid, match=r"points\[1\].point has 2 items, and exactly 3 are wanted"):
        create_value(socket=socket, creator=sam, blob=keep(json.dumps(points).encode()), filename="p.json")


def test_a_file_with_another_suffix_or_content_is_refused(sam, settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../a.txt", b"a")
    socket = socket_of(sam, "ZIP")
    with pytest.raises(Invalid, match=r"ends with .pdf, and files of kind ZIP file end with .zip"):
        create_value(socket=socket, creator=sam, blob=keep(b"%PDF-"), filename="a.pdf")
    with pytest.raises(Invalid, match="climbs out of its folder"):
        create_value(socket=socket, creator=sam, blob=keep(packed.getvalue()), filename="a.zip")
    with pytest.raises(Invalid):
        create_value(socket=socket, creator=sam, blob=keep(b"a"), filename="../a.zip")


def test_a_segmentation_has_only_values_that_mean_something(sam):
    socket = socket_of(sam, "SEG", overlay_segments=SEGMENTS)
    grey = {"colour_space": "grey", "channels": 1}
    good = image_with(sam, geometry={"labels": [0, 2]}, **grey)
    assert create_value(socket=socket, creator=sam, image=good).image == good
    good.geometry = {"labels": [0, 3, 7]}
    with pytest.raises(Invalid, match="it has the values 3, 7, which the socket gives no meaning"):
        create_value(socket=socket, creator=sam, image=good)
    good.geometry = {}
    with pytest.raises(Invalid, match="its values are not labels"):
        create_value(socket=socket, creator=sam, image=good)


def test_values_go_with_their_bytes_when_nothing_holds_them(sam, settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")
    made = create_value(socket=socket_of(sam, "CSV"), creator=sam, blob=keep(b"a,b\n1,2\n"), filename="a.csv")
    assert remove_values([made.pk]) == 1
    assert not Value.objects.exists()
    assert Blob.objects.get().let_go is not None


def test_the_value_of_an_image_goes_with_it(sam):
    image = image_with(sam)
    create_value(socket=Socket.objects.get(slug="generic-medical-image"), creator=sam, image=image)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sockets_value WHERE image_id = %s", [image.pk])
        assert cursor.fetchone() == (1,)
    image.accession.delete() if hasattr(image, "accession") else None
    image.delete()
    assert not Value.objects.exists()
