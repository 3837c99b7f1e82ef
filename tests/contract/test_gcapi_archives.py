"""The real `gcapi`, unpatched, brings archives to life: items, images, values of every super kind."""

import hashlib
import json
import threading
from pathlib import Path
from textwrap import dedent

import pytest

from tests.contract.gcapi_world import make_world, wait_for
from tests.generators.dicoms import along, series
from tests.generators.images import jpeg
from tests.generators.volumes import draw, metaimage, mha

ARCHIVE = "chest-ct"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture(scope="module")
def world(tls_archive):
    return make_world(tls_archive)


@pytest.fixture(scope="module")
def una(gcapi_of, world):
    """An uploader."""
    return gcapi_of("una")


@pytest.fixture(scope="module")
def vic(gcapi_of, world):
    """A user."""
    return gcapi_of("vic")


@pytest.fixture(scope="module")
def mallory(gcapi_of, world):
    """Nobody of the archive."""
    return gcapi_of("mallory")


@pytest.fixture
def files(tmp_path):
    """Writes files: `files("a.mha", data)` is its path."""

    def write(name, data):
        path = tmp_path / name
        path.write_bytes(data)
        return str(path)

    return write


ADD = """
specs = [gcapi.SocketValueSpec(**spec) for spec in given["specs"]]
more = {"title": given["title"]} if given.get("title") else {}  # 0.14.0 knows no title
answer = client.add_case_to_archive(archive_slug=given["archive"], values=specs, **more)
"""
UPDATE = """
specs = [gcapi.SocketValueSpec(**spec) for spec in given["specs"]]
answer = client.update_archive_item(archive_item_pk=given["pk"], values=specs)
"""


TAKE = """
pathlib = __import__("pathlib")
taken = client.images.download(output_directory=pathlib.Path(given["to"]), filename="taken", url=given["url"])
answer = [str(path) for path in taken]
"""

TAKE_TYPE = TAKE.replace("url=", "image_type=gcapi.models.ImageTypeEnum.MHD, url=")


def snippet(code):
    return dedent(code).strip()


def add(client, specs, *, archive=ARCHIVE, title=None):
    return client.run(ADD, specs=specs, archive=archive, **({"title": title} if title else {}))


def update(client, item, specs):
    return client.run(UPDATE, specs=specs, pk=item["pk"])


def detail(client, item):
    return client.run("answer = client.archive_items.detail(pk=given['pk'])", pk=item["pk"])


def filled(client, item, slug):
    """The value in a socket, once it is there."""

    def look():
        now = detail(client, item)
        return next((value for value in now["values"] if value["interface"]["slug"] == slug), None)

    return wait_for(look)


def test_archives_are_found_by_slug_and_key(una, mallory):
    found = una.run(f"answer = client.archives.detail(slug='{ARCHIVE}')")
    assert found["title"] == "Chest CT"
    assert una.run("answer = client.archives.detail(pk=given['pk'])", pk=found["pk"]) == found
    for question in (f"slug='{ARCHIVE}'", f"pk='{found['pk']}'"):
        assert mallory.fails(f"client.archives.detail({question})").type == "ObjectNotFound"


def test_a_whole_case(una, vic, files, tmp_path):
    """An image, several files of one image, a value, a PDF, a JSON file."""
    header, payload = metaimage(draw((7, 6, 5), seed=2), data_file="b.raw")
    item = add(
        una,
        [
            {"socket_slug": "ct-image", "file": files("scan.mha", mha(draw((9, 8, 7))))},
            {"socket_slug": "ct-overlay", "files": [files("b.mhd", header), files("b.raw", payload)]},
            {"socket_slug": "lung-volume", "value": 4.25},
            {"socket_slug": "report", "file": files("report.pdf", PDF)},
            {"socket_slug": "findings-json", "value": {"nodules": [1, 2]}},
        ],
    )
    assert filled(una, item, "ct-image")["image"]
    assert filled(una, item, "ct-overlay")["image"]
    shown = {value["interface"]["slug"]: value for value in detail(vic, item)["values"]}
    assert shown["lung-volume"]["value"] == 4.25
    assert shown["report"]["file"].endswith(".pdf")
    target = tmp_path / "taken"
    target.mkdir()
    for slug, value in shown.items():
        vic.run(
            snippet("""
            item = client.archive_items.detail(pk=given["pk"])
            (value,) = [value for value in item.values if value.interface.slug == given["slug"]]
            client.download_socket_value(value, output_directory=__import__("pathlib").Path(given["to"]))
            """),
            pk=item["pk"],
            slug=slug,
            to=str(target),
        )
        assert value["interface"]["relative_path"]
    found = {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert json.loads(found[shown["findings-json"]["interface"]["relative_path"]]) == {"nodules": [1, 2]}
    assert found[shown["report"]["interface"]["relative_path"]].startswith(b"%PDF-1.4")
    assert any(path.endswith(".mha") and data.startswith(b"ObjectType") for path, data in found.items())


def test_a_dicom_series_is_one_image(una, files, tmp_path):
    paths = [files(f"{at}.dcm", data) for at, data in enumerate(series(along(range(4))))]
    item = add(una, [{"socket_slug": "ct-image", "files": paths}])
    address = filled(una, item, "ct-image")["image"]
    image = una.run("answer = client.images.detail(api_url=given['url'])", url=address)
    assert image["shape"] == [4, 10, 20]
    assert (image["voxel_width_mm"], image["voxel_height_mm"], image["voxel_depth_mm"]) == (1.0, 2.0, 1.0)
    # Trap 15: `gcapi` finds it by its own name of the type; a plain word is none of these to it.
    (path,) = una.run(TAKE_TYPE, url=address, to=str(tmp_path))
    assert path.endswith(".mha")
    assert Path(path).read_bytes().startswith(b"ObjectType")


def test_what_is_there_is_used_again(una, files):
    scan = files("c.mha", mha(draw((5, 5, 5), seed=3)))
    first = add(una, [{"socket_slug": "ct-image", "file": scan}, {"socket_slug": "lung-volume", "value": 1.5}])
    image = filled(una, first, "ct-image")
    second = add(una, [{"socket_slug": "ct-image", "existing_image_api_url": image["image"]}])
    assert filled(una, second, "ct-image")["image"] == image["image"]
    code = snippet("""
    values = client.archive_items.detail(pk=given["first"]).values
    (value,) = [value for value in values if value.interface.slug == given["slug"]]
    spec = gcapi.SocketValueSpec(socket_slug=given["slug"], existing_socket_value=value)
    answer = client.update_archive_item(archive_item_pk=given["second"], values=[spec])
    """)
    for slug in ("ct-image", "lung-volume"):
        una.run(code, first=first["pk"], second=second["pk"], slug=slug)
    assert filled(una, second, "lung-volume")["value"] == 1.5


def test_a_value_is_replaced_and_others_stay(una):
    item = add(una, [{"socket_slug": "lung-volume", "value": 1.0}, {"socket_slug": "findings-json", "value": [1]}])
    update(una, item, [{"socket_slug": "lung-volume", "value": 2.0}])
    values = {value["interface"]["slug"]: value for value in detail(una, item)["values"]}
    assert values["lung-volume"]["value"] == 2.0
    assert values["findings-json"]["file"]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"socket_slug": "lung-volume", "value": "much"}, "number"),
        ({"socket_slug": "lung-volume", "value": None}, "value is required"),
    ],
)
def test_a_wrong_value_is_a_400_at_once_that_says_why(una, spec, words):
    failed = una.fails(ADD, specs=[spec], archive=ARCHIVE)
    assert failed.status == 400
    assert words in " ".join(failed.logged)


def test_an_image_that_is_none_is_told_of_in_the_item(una, files):
    item = add(una, [{"socket_slug": "ct-image", "file": files("broken.mha", b"no image")}])

    def failed():
        told = una.run("answer = client(method='GET', path=f\"archives/items/{given['pk']}/\")", pk=item["pk"])
        return next((one for one in told["pending"] if one["status"] == "Failed"), None)

    assert "single image" in wait_for(failed)["error"]


def test_users_look_and_change_nothing(una, vic, mallory):
    item = add(una, [{"socket_slug": "lung-volume", "value": 3.0}])
    assert detail(vic, item)["values"][0]["value"] == 3.0
    assert vic.fails(UPDATE, specs=[{"socket_slug": "lung-volume", "value": 9.0}], pk=item["pk"]).status == 403
    assert vic.fails(ADD, specs=[], archive=ARCHIVE).status == 403
    assert mallory.fails("client.archive_items.detail(pk=given['pk'])", pk=item["pk"]).type == "ObjectNotFound"
    assert mallory.run("answer = list(client.archive_items.iterate_all())") == []


def test_every_item_comes_once(una):
    for number in range(3):
        add(una, [{"socket_slug": "lung-volume", "value": float(number)}])
    code = snippet("""
    archive = client.archives.detail(slug=given["slug"])
    answer = [one.pk for one in client.archive_items.iterate_all(params={"archive": archive.pk})]
    """)
    keys = una.run(code, slug=ARCHIVE)
    assert len(keys) == len(set(keys)) >= 3
    images = una.run(
        snippet("""
        archive = client.archives.detail(slug=given["slug"])
        answer = [one.pk for one in client.images.iterate_all(params={"archive": archive.pk})]
        """),
        slug=ARCHIVE,
    )
    assert len(images) == len(set(images))


def test_images_are_downloaded_as_they_are_stored(una, files, tmp_path):
    item = add(una, [{"socket_slug": "ct-image", "file": files("photo.jpg", jpeg(seed=7))}])
    address = filled(una, item, "ct-image")["image"]
    (path,) = una.run(TAKE, url=address, to=str(tmp_path))
    assert path.endswith(".jpg")


def test_what_is_away_for_a_moment_is_asked_for_again(una, files, tls_archive, tmp_path):
    # Trap 16: 503 is tried again, after as long as the answer says.
    data = jpeg(seed=8)
    item = add(una, [{"socket_slug": "ct-image", "file": files("again.jpg", data)}])
    address = filled(una, item, "ct-image")["image"]
    image = una.run("answer = client(path=None, url=given['url'], method='get')", url=address)
    digest = image["files"][0]["sha256"]
    (blob,) = [path for path in tls_archive.data.rglob(f"*{digest[4:]}*") if path.is_file()]
    away = blob.with_name("away")
    blob.rename(away)
    back = threading.Timer(3, away.rename, [blob])
    back.start()
    try:
        taken = una.run(TAKE, url=address, to=str(tmp_path))
    finally:
        back.join()
    assert [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in taken] == [digest]
