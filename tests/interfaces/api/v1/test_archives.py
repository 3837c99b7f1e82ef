"""Archives, items, images and upload sessions in Grand Challenge's shapes."""

import pytest

from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.archives.items import create_item, put_values
from medtheca.domains.archives.models import Item
from medtheca.domains.sockets.operations import create_value
from tests.factories.accounts import make_user
from tests.factories.archives import image_socket, make_archive, make_socket
from tests.factories.images import make_images
from tests.interfaces.api.v1.world import by_token, nobody

pytestmark = pytest.mark.django_db

# Every key of gcapi 0.16.1's data classes.
ARCHIVE_KEYS = {"pk", "title", "logo", "description", "api_url", "url"}
ITEM_KEYS = {"pk", "title", "archive", "values", "hanging_protocol", "optional_hanging_protocols", "view_content"}
VALUE_KEYS = {"socket", "interface", "value", "file", "image", "pk"}
POST_KEYS = {"interface", "value", "file", "image", "pk", "image_name"}
SOCKET_KEYS = {
    "title", "description", "slug", "kind", "pk", "default_value", "super_kind", "relative_path", "overlay_segments",
    "look_up_table",
}  # fmt: skip
IMAGE_KEYS = {
    "pk", "name", "files", "dicom_image_set", "width", "height", "depth", "color_space", "modality", "eye_choice",
    "stereoscopic_choice", "field_of_view", "shape_without_color", "shape", "voxel_width_mm", "voxel_height_mm",
    "voxel_depth_mm", "api_url", "window_center", "window_width", "segments", "patient_id", "patient_name",
    "patient_birth_date", "patient_age", "patient_sex", "study_date", "study_instance_uid", "series_instance_uid",
    "study_description", "series_description",
}  # fmt: skip

NO_UPLOAD = "/api/v1/uploads/00000000-0000-0000-0000-000000000000/"


@pytest.fixture
def people():
    return {name: make_user(name) for name in ("alice", "ed", "una", "vic", "mallory")}


@pytest.fixture
def archive(people):
    return make_archive(
        people["alice"], editors=[people["ed"]], uploaders=[people["una"]], users=[people["vic"]], public=True
    )


@pytest.fixture
def score():
    return make_socket()


def address(archive):
    return f"/api/v1/archives/{archive.pk}/"


def test_an_archive_by_list_slug_and_key(archive, people):
    make_archive(people["alice"], title="Hidden", hidden=True)
    asked = nobody().get("archives/").json()
    assert (asked["count"], [one["title"] for one in asked["results"]]) == (1, ["Chest CT"])
    (one,) = nobody().get("archives/?slug=chest-ct").json()["results"]
    assert set(one) >= ARCHIVE_KEYS
    assert one["api_url"].endswith(address(archive))
    assert nobody().get(f"archives/{archive.pk}/").json() == one
    assert nobody().get("archives/?slug=hidden").json()["count"] == 0
    assert by_token(people["alice"]).get("archives/").json()["count"] == 2


def test_an_item_from_making_it_to_the_trash(archive, people, score):
    una = by_token(people["una"], "write")
    made = una.post("archives/items/", {"archive": f"https://any.example{address(archive)}", "title": "P1"})
    assert made.status_code == 201
    item = made.json()
    assert set(item) >= ITEM_KEYS
    assert item["values"] == []
    changed = una.patch(f"archives/items/{item['pk']}/", {"values": [{"interface": score.slug, "value": 0.5}]})
    (value,) = changed.json()["values"]
    assert set(value) >= POST_KEYS
    assert (value["interface"], value["value"]) == (score.slug, 0.5)
    read = by_token(people["vic"]).get(f"archives/items/{item['pk']}/").json()
    assert set(read["values"][0]) >= VALUE_KEYS
    assert set(read["values"][0]["socket"]) >= SOCKET_KEYS
    assert read["values"][0]["socket"] == read["values"][0]["interface"]
    assert una.ask("DELETE", f"archives/items/{item['pk']}/").status_code == 403
    assert by_token(people["ed"], "write").ask("DELETE", f"archives/items/{item['pk']}/").status_code == 204
    assert by_token(people["vic"]).get(f"archives/items/{item['pk']}/").status_code == 404
    assert Item.objects.get(pk=item["pk"]).trashed


def test_an_item_with_values_at_once(archive, people, score):
    una = by_token(people["una"], "write")
    given = {"archive": address(archive), "values": [{"interface": score.slug, "value": 1.0}]}
    assert una.post("archives/items/", given).json()["values"][0]["value"] == 1.0
    given["values"][0]["value"] = "no number"
    refused = una.post("archives/items/", given)
    assert refused.status_code == 400
    assert "values.0" in next(iter(refused.json()))
    assert Item.objects.count() == 1


def test_put_takes_away_what_is_not_named(archive, people, score):
    age = make_socket("Age", "INT")
    una = by_token(people["una"], "write")
    values = [{"interface": score.slug, "value": 1.0}, {"interface": age.slug, "value": 50}]
    item = una.post("archives/items/", {"archive": address(archive), "values": values}).json()
    url = f"archives/items/{item['pk']}/"
    kept = una.patch(url, {"values": [{"interface": age.slug, "value": 51}]}).json()
    assert {value["interface"]: value["value"] for value in kept["values"]} == {score.slug: 1.0, age.slug: 51}
    left = una.ask("PUT", url, {"values": [{"interface": age.slug, "value": 52}]}).json()
    assert {value["interface"]: value["value"] for value in left["values"]} == {age.slug: 52}
    assert len(una.ask("PUT", url, {"title": "P1"}).json()["values"]) == 1


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"interface": "none", "value": 1}, "Object with slug=none does not exist."),
        ({"interface": "score", "value": None}, "value is required for interface kind Float"),
        ({"interface": "score", "value": 1.0, "image": "/api/v1/cases/images/00000000-0000-0000-0000-000000000000/"},
         "You can only provide one of"),
        ({"interface": "score", "value": "high"}, "has to be a number"),
        ({"interface": "generic-medical-image", "value": 1}, "are required for interface kind Image"),
        ({"interface": "generic-medical-image", "user_uploads": []}, "may not be empty"),
        ({"interface": "generic-medical-image", "user_uploads": [NO_UPLOAD]}, "Object does not exist"),
        ({"interface": "generic-medical-image", "image": "nonsense"}, "Invalid hyperlink"),
        ({"value": 1}, "This field is required."),
    ],
)  # fmt: skip
def test_wrong_values_are_refused_at_once(archive, people, score, value, words):
    una = by_token(people["una"], "write")
    item = una.post("archives/items/", {"archive": address(archive)}).json()
    refused = una.patch(f"archives/items/{item['pk']}/", {"values": [value]})
    assert refused.status_code == 400
    assert words in str(refused.json())


def test_who_may_read_and_who_may_write(archive, people, score):
    item = create_item(archive=archive, creator=people["una"])
    url, body = f"archives/items/{item.pk}/", {"values": [{"interface": score.slug, "value": 1.0}]}
    expected = {"alice": (200, 200), "ed": (200, 200), "una": (200, 200), "vic": (200, 403), "mallory": (404, 404)}
    for name, (reading, writing) in expected.items():
        client = by_token(people[name], "write")
        assert (client.get(url).status_code, client.patch(url, body).status_code) == (reading, writing), name
    assert nobody().get(url).status_code == 404
    assert nobody().patch(url, body).status_code == 401
    assert by_token(people["una"], "read").patch(url, body).status_code == 403
    refused = by_token(people["mallory"], "write").post("archives/items/", {"archive": address(archive)})
    assert (refused.status_code, "does not exist" in str(refused.json())) == (400, True)


def test_items_of_one_archive_in_stable_order(archive, people):
    other = make_archive(people["alice"], title="Other")
    for number in range(5):
        create_item(archive=archive, creator=people["una"], title=f"P{number}")
        create_item(archive=other, creator=people["alice"], title=f"Q{number}")
    alice = by_token(people["alice"])
    page = alice.get(f"archives/items/?archive={archive.pk}&limit=2&offset=1").json()
    assert (page["count"], [one["title"] for one in page["results"]]) == (5, ["P1", "P2"])
    assert alice.get("archives/items/").json()["count"] == 10
    assert by_token(people["vic"]).get("archives/items/").json()["count"] == 5
    assert alice.get(f"archives/items/?archive={archive.pk}&title=P3").json()["count"] == 1
    assert alice.get("archives/items/?archive=nonsense").status_code == 400


def test_images_of_an_archive_and_their_files(archive, people):
    (image, unused) = make_images(archive.cohort, 2)
    item = create_item(archive=archive, creator=people["una"])
    value = create_value(socket=image_socket(), creator=people["una"], image=image)
    put_values(item=item, actor=people["una"], values=[value])
    vic = by_token(people["vic"])
    (shown,) = vic.get(f"cases/images/?archive={archive.pk}").json()["results"]
    assert set(shown) >= IMAGE_KEYS
    assert shown["pk"] == str(image.key)
    assert shown["files"][0]["file"].endswith(".jpg")
    assert shown["files"][0]["image_type"] is None
    assert vic.get(f"cases/images/{image.key}/").json() == shown
    assert vic.get(f"cases/images/{unused.key}/").status_code == 404
    assert by_token(people["mallory"]).get(f"cases/images/?archive={archive.pk}").json()["count"] == 0
    assert nobody().get(f"cases/images/{image.key}/").status_code == 404


def test_somebody_elses_image_is_not_passed_on(archive, people):
    theirs = make_archive(people["mallory"], title="Theirs", users=[people["una"]])
    (image,) = make_images(theirs.cohort, 1)
    item = create_item(archive=theirs, creator=people["mallory"])
    put_values(
        item=item, actor=people["mallory"], values=[create_value(socket=image_socket(), creator=None, image=image)]
    )
    una = by_token(people["una"], "write")
    mine = una.post("archives/items/", {"archive": address(archive)}).json()
    body = {"values": [{"interface": "generic-medical-image", "image": f"/api/v1/cases/images/{image.key}/"}]}
    refused = una.patch(f"archives/items/{mine['pk']}/", body)
    assert (refused.status_code, "not show it" in refused.json()["detail"]) == (403, True)
    add_member(scope=theirs.scope, user=people["una"], role=Role.EDITOR)
    assert una.patch(f"archives/items/{mine['pk']}/", body).status_code == 200
    (unseen,) = make_images(make_archive(people["alice"], title="Unseen").cohort, 1)
    body["values"][0]["image"] = f"/api/v1/cases/images/{unseen.key}/"
    assert una.patch(f"archives/items/{mine['pk']}/", body).status_code == 400


def test_sessions_are_ones_own(archive, people):
    assert by_token(people["una"]).get("cases/upload-sessions/").json() == {
        "count": 0, "next": None, "previous": None, "results": []
    }  # fmt: skip
    assert nobody().get("cases/upload-sessions/").status_code == 401


def test_a_table_of_items(archive, people, score):
    item = create_item(archive=archive, creator=people["una"], title="P1")
    put_values(item=item, actor=people["una"], values=[create_value(socket=score, creator=None, value=0.25)])
    answer = by_token(people["vic"]).get(f"archives/items/?archive={archive.pk}&format=csv")
    head, row = answer.content.decode().splitlines()[:2]
    assert head.startswith("pk,title,archive")
    assert "P1" in row
