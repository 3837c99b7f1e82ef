"""`medtheca download` against a real server, also through a proxy that cuts: Alice owns, Charlie is a stranger."""

import csv
import hashlib
import json
import os
import secrets
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.operations import set_visibility
from tests.factories.accounts import make_token, make_user
from tests.factories.collections import make_collection
from tests.factories.downloads import make_files
from tests.factories.provenance import make_cohort
from tests.interfaces.cli.cutting import cutter
from tests.plugins.server import server, world

__all__ = ["server", "world"]  # fixtures
BELONGING = {"metadata.csv", "attribution.txt", "SHA256SUMS", "licenses/CC-BY.txt"}


@pytest.fixture
def alice(world):
    return make_user(f"alice-{secrets.token_hex(4)}")


@pytest.fixture
def files(alice):
    """Eight public images: pairs of image and bytes, in a collection of their own."""
    made = make_files(make_cohort(alice, name=f"Moles {secrets.token_hex(4)}"), 8, sizes=(20_000, 60_000))
    images = [image for image, _ in made]
    return make_collection(alice, images, name=f"Set {secrets.token_hex(4)}", public=True), made


def download(*words, exit_code=0, given=None, **variables):
    """Run the command as people do, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "medtheca", "download", *map(str, words)],
        env={name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | variables,
        input=given,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == exit_code, done.stdout + done.stderr
    return done.stdout + done.stderr


def download_json(*words, **options):
    return json.loads(download(*words, "--json", **options))


def there(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def require_whole(folder, made):
    paths = {f"images/{image.public_id}.jpg": data for image, data in made}
    assert there(folder) == set(paths) | BELONGING
    for path, data in paths.items():
        assert (folder / path).read_bytes() == data
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, path = line.split("  ")
        assert hashlib.sha256((folder / path).read_bytes()).hexdigest() == digest
    with (folder / "metadata.csv").open(newline="") as file:
        assert {row["isic_id"] for row in csv.DictReader(file)} == {image.public_id for image, _ in made}


def test_a_collection_comes_whole_and_a_second_time_nothing_is_fetched(world, files, tmp_path):
    collection, made = files
    with cutter(world.url) as proxy:
        words = ["--host", proxy.url, "--collection", collection.name, "--to", tmp_path / "out"]
        told = download_json(*words, "--dry-run")
        assert (told["images"], told["files"], told["missing_files"]) == (8, 12, 12)
        assert told["missing_bytes"] == told["bytes"] > sum(len(data) for _, data in made)
        assert not (tmp_path / "out").exists()
        told = download_json(*words)
        assert (told["fetched_files"], told["missing_files"], told["failed"]) == (12, 0, [])
        require_whole(tmp_path / "out", made)
        asked = len(proxy.files())
        assert "0 fetched, 12 were there" in download(*words)
        assert len(proxy.files()) == asked


def test_cut_connections_are_gone_on_with_where_they_were(world, files, tmp_path):
    collection, made = files
    with cutter(world.url) as proxy:
        proxy.cuts = [0, 1, 7_000, 10_000, 500, 19_999, 300]
        told = download_json("--host", proxy.url, "--collection", collection.pk, "--to", tmp_path / "out")
        assert (told["missing_files"], proxy.cuts) == (0, [])
        parts = [(part, status) for _, part, status in proxy.files() if part]
        assert len(parts) >= 4
        assert {status for _, status in parts} == {206}
    require_whole(tmp_path / "out", made)


def test_what_another_run_left_is_gone_on_with_and_wrong_bytes_are_fetched_anew(world, files, tmp_path):
    collection, made = files
    words = ["--host", world.url, "--collection", collection.pk, "--to", tmp_path]
    download(*words)
    (cut, data), (wrong, _), (shorter, _), (misled, _) = made[:4]
    path = tmp_path / "images"
    (path / f"{cut.public_id}.jpg").unlink()
    (path / f"{cut.public_id}.jpg.part").write_bytes(data[:9_000])
    (path / f"{wrong.public_id}.jpg").write_bytes(b"x" * (path / f"{wrong.public_id}.jpg").stat().st_size)
    (path / f"{shorter.public_id}.jpg").write_bytes(b"x")
    (path / f"{misled.public_id}.jpg").unlink()
    (path / f"{misled.public_id}.jpg.part").write_bytes(b"not the beginning of it")
    with cutter(world.url) as proxy:
        told = download_json("--host", proxy.url, *words[2:])
        assert (told["fetched_files"], told["missing_files"]) == (4, 0)
        ranges = {part for _, part, _ in proxy.files()}
        assert "bytes=9000-" in ranges
    require_whole(tmp_path, made)


def test_an_image_that_goes_midway_is_named_and_the_rest_comes(world, files, tmp_path):
    collection, made = files
    gone = made[3][0]
    with cutter(world.url) as proxy, ThreadPoolExecutor() as beside:
        # One file at a time, what belongs to all of them first; the first image is held until another is gone.
        proxy.held = f"/{made[0][0].public_id}."
        words = ["--host", proxy.url, "--collection", collection.pk, "--to", tmp_path, "--jobs", "1"]
        running = beside.submit(download_json, *words, exit_code=1)
        try:
            assert proxy.reached.wait(120)
            set_visibility(image_ids=[gone.pk], visibility=Visibility.PRIVATE)
        finally:
            proxy.go_on.set()
        told = running.result()
    assert [row["path"] for row in told["failed"]] == [f"images/{gone.public_id}.jpg"]
    assert "something else, or is not there" in told["failed"][0]["reason"]
    assert there(tmp_path) == {f"images/{image.public_id}.jpg" for image, _ in made if image != gone} | BELONGING
    # Asked for anew, it is a download of what there is.
    told = download_json("--host", world.url, "--collection", collection.pk, "--to", tmp_path)
    assert (told["images"], told["missing_files"]) == (7, 0)


def test_a_token_shows_what_its_owner_sees_and_goes_to_the_api_alone(world, alice, tmp_path):
    made = make_files(make_cohort(alice, name=f"Private {secrets.token_hex(4)}"), 2, visibility="private")
    ids = "".join(f"{image.public_id}\n" for image, _ in made)
    (tmp_path / "token").write_text(make_token(alice, "read")[1] + "\n")
    words = ["--ids-file", "-", "--to", tmp_path / "out"]
    assert "There is no image" in download("--host", world.url, *words, given=ids, exit_code=1)
    with cutter(world.url) as proxy:
        download("--host", proxy.url, *words, "--token-file", tmp_path / "token", given=ids)
        assert {bool(authorization) for path, _, authorization, _ in proxy.asked if path.startswith("/api/")} == {True}
        assert {authorization for path, _, authorization, _ in proxy.asked if "/files/" in path} == {None}
        charlie = make_token(make_user(f"charlie-{secrets.token_hex(4)}"), "read")[1]
        said = download("--host", proxy.url, *words, given=ids, exit_code=1, ARCHIVE_TOKEN=charlie)
        assert "There is no image" in said
    assert len(there(tmp_path / "out" / "images")) == 2


def test_refusals_say_what_is_wrong(world, files, tmp_path):
    collection, _ = files
    at = ["--host", world.url, "--to", tmp_path / "out"]
    assert "Say which images" in download(*at, exit_code=2)
    assert "sxe" in download(*at, "--query", "sxe:male", exit_code=1)
    assert "There is no collection Nothing" in download(*at, "--collection", "Nothing", exit_code=1)
    assert "Nothing is found" in download(*at, "--query", "isic_id:ISIC_0000000", exit_code=1)
    assert "no address" in download("--host", "ftp://x", "--query", "", "--to", tmp_path, exit_code=2)
    assert "1 to 10,000" in download(*at, "--ids-file", "-", given="\n", exit_code=2)
    said = download(
        "--host", "http://archive.example.org", "--query", "", "--to", tmp_path, exit_code=2, ARCHIVE_TOKEN="x"
    )
    assert "Without encryption" in said
    assert "mt_wrong" not in download(*at, "--query", "", exit_code=1, ARCHIVE_TOKEN="mt_wrong")
    (tmp_path / "file").write_text("x")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "images").write_text("a file where a folder should be")
    said = download("--host", world.url, "--to", tmp_path / "in", "--collection", collection.pk, exit_code=1)
    assert "cannot be written" in said
    assert not (tmp_path / "out").exists()
