"""The real `isic-cli` against a real `medtheca up`: every command, as its users type it, and what it then says.

Where port 8000 is free, it is the program's own `isic --dev`; elsewhere a launcher of one line names the host.
Logging in and out is in `test_isic_cli_login.py`.
"""

import csv
import hashlib
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image as Picture

from tests.contract.isic import DEV_PORT, VERSIONS, IsicCli
from tests.plugins.archive import Archive

ROOT = Path(__file__).resolve().parents[2]
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """As everywhere, but at the address of `isic --dev` where that is free."""
    running = Archive(tmp_path_factory.mktemp("up") / "data", port=DEV_PORT)
    running.start()
    try:
        yield running
    finally:
        running.stop()
        print(running.said())


@pytest.fixture(scope="module")
def people(visitor):
    return {name: visitor(name) for name in ("alice", "bob")}


@pytest.fixture(scope="module")
def world(archive, people):
    """Alice's images, four public and one private, and collections of hers and Bob's."""
    script = "from tests.contract import isic_world"
    done = subprocess.run(
        [sys.executable, "-m", "medtheca", "manage", "shell", "--no-imports", "-c", script],
        env=archive.variables | {"PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module", params=VERSIONS)
def version(request):
    return request.param


@pytest.fixture(scope="module")
def alice(version, archive, people, world, tmp_path_factory):
    """Alice at her terminal, logged in."""
    isic = IsicCli(version, f"http://127.0.0.1:{archive.port}", tmp_path_factory.mktemp("alice"))
    code, said = isic.log_in(people["alice"])
    assert code == 0, said
    return isic


@pytest.fixture(scope="module")
def guest(version, archive, world, tmp_path_factory):
    """Somebody who has never logged in."""
    return IsicCli(version, f"http://127.0.0.1:{archive.port}", tmp_path_factory.mktemp("guest"))


def tell(isic, *words, given="", code=0):
    """Run a command, which ends as told and never for a fault of its own; what it printed, on one line."""
    ended, said = isic.run(*map(str, words), given=given)
    said = _COLOURS.sub("", said)
    assert ended == code, said
    for sign in ("Traceback", "bug report", "report this bug", "bug in isic-cli"):
        assert sign not in said, said
    return " ".join(said.split())


def rows_of(path):
    with path.open(newline="", encoding="utf8") as file:
        return {row["isic_id"]: row for row in csv.DictReader(file)}


def picture(path, seed):
    pixels = np.random.default_rng(seed).integers(0, 255, (200, 300, 3), np.uint8)
    Picture.fromarray(pixels).save(path)
    return path


# -- collections --------------------------------------------------------------------------------------------


def test_collections_are_listed_for_each_person(alice, guest, world):
    said = tell(alice, "collection", "list")
    assert all(name in said for name in ("Of Alice", "For all", "Closed"))
    assert "Of Bob" not in said
    said = tell(guest, "collection", "list")
    assert "For all" in said
    assert not any(name in said for name in ("Of Alice", "Closed", "Of Bob"))


def test_images_are_added_to_a_collection_and_removed(alice, world, tmp_path):
    hers, images = world["collections"][f"changed {alice.version}"], world["images"]
    names = [images["mole.jpg"], images["hidden.jpg"], "ISIC_9999999"]
    (tmp_path / "ids.txt").write_text("\n".join(names) + "\n")
    said = tell(alice, "collection", "add-images", hers, "--from-isic-ids", tmp_path / "ids.txt")
    assert re.search(r"Image added . 2 ", said), said
    assert re.search(r"not found or inaccessible . 1 . ISIC_9999999", said), said
    assert f"/collections/{hers}/" in said
    said = tell(alice, "image", "download", "-c", hers, tmp_path / "out")
    assert "Successfully downloaded 2 images" in said
    assert {path.stem for path in (tmp_path / "out").glob("ISIC_*")} == set(names[:2])
    said = tell(alice, "collection", "remove-images", hers, "--from-isic-ids", "-", given="\n".join(names[:2]))
    assert re.search(r"Image removed . 2 ", said), said
    said = tell(alice, "image", "download", "-c", hers, tmp_path / "none")
    assert "Successfully downloaded 0 images" in said


def test_a_public_collection_refuses_private_images_and_names_them(alice, world):
    images = world["images"]
    given = f"{images['hidden.jpg']}\n{images['zero.jpg']}\n"
    said = tell(alice, "collection", "add-images", world["collections"]["open"], "--from-isic-ids", "-", given=given)
    assert re.search(rf"private, collection is public . 1 . {images['hidden.jpg']}", said), said
    assert re.search(rf"Image added . 1 . {images['zero.jpg']}", said), said


def test_a_collection_that_cannot_be_changed_is_told(alice, guest, world):
    image, collections = world["images"]["mole.jpg"], world["collections"]
    add = ("collection", "add-images")
    said = tell(alice, *add, collections["locked"], "--from-isic-ids", "-", given=image, code=1)
    assert "is locked for modifications" in said
    said = tell(alice, *add, collections["bobs"], "--from-isic-ids", "-", given=image, code=2)
    assert "does not exist or you don't have access to it" in said
    said = tell(guest, *add, collections["open"], "--from-isic-ids", "-", given=image, code=1)
    assert "requires a logged in user" in said


# -- downloads ----------------------------------------------------------------------------------------------


def test_a_guest_downloads_what_is_public(guest, world, archive, tmp_path):
    said = tell(guest, "image", "download", tmp_path)
    images = world["images"]
    public = {images[name] for name in ("mole.jpg", "spot.png", "cd30.jpg", "zero.jpg")}
    assert "Successfully downloaded 4 images" in said
    assert {path.stem for path in tmp_path.glob("ISIC_*")} == public
    assert (tmp_path / f"{images['spot.png']}.png").exists(), "files have the extension of their format"
    for isic_id in public:
        shown = requests.get(f"{archive.url}/api/v2/images/{isic_id}/", timeout=30).json()
        [file] = tmp_path.glob(f"{isic_id}.*")
        assert file.stat().st_size == shown["files"]["full"]["size"]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == shown["files"]["full"]["sha256"]
    rows = rows_of(tmp_path / "metadata.csv")
    assert set(rows) == public
    mole = rows[images["mole.jpg"]]
    assert (mole["age_approx"], mole["sex"], mole["pixels_x"]) == ("35", "male", "320")
    assert "age" not in mole
    assert rows[images["spot.png"]]["patient_id"].startswith("IP_")
    assert (tmp_path / "attribution.txt").read_text() == "Clinic of Exampleton\n\nAnonymous"
    assert {path.name for path in (tmp_path / "licenses").iterdir()} == {"CC-BY.txt", "CC-0.txt"}
    assert "Attribution 4.0 International" in (tmp_path / "licenses" / "CC-BY.txt").read_text()


def test_private_images_come_to_who_may_see_them(alice, world, tmp_path):
    tell(alice, "image", "download", tmp_path)
    assert len(list(tmp_path.glob("ISIC_*"))) == 5
    assert (tmp_path / f"{world['images']['hidden.jpg']}.jpg").stat().st_size > 0


def test_a_query_a_collection_and_a_limit_narrow_a_download(alice, guest, world, tmp_path):
    images = world["images"]
    tell(guest, "image", "download", "-s", "age_approx:[20 TO 40] AND sex:male", tmp_path / "query")
    assert set(rows_of(tmp_path / "query" / "metadata.csv")) == {images["mole.jpg"]}
    both = f"{images['mole.jpg']}\n{images['spot.png']}"
    narrow = world["collections"][f"narrow {alice.version}"]
    tell(alice, "collection", "add-images", narrow, "--from-isic-ids", "-", given=both)
    where = ("-c", narrow)
    tell(alice, "image", "download", "-s", "sex:female", *where, tmp_path / "both")
    assert set(rows_of(tmp_path / "both" / "metadata.csv")) == {images["spot.png"]}
    said = tell(alice, "image", "download", "-l", 1, *where, tmp_path / "limit")
    assert "Successfully downloaded 1 images" in said
    assert len(list((tmp_path / "limit").glob("ISIC_*"))) == 1


def test_a_plus_in_a_query_finds_what_it_counted(guest, world, tmp_path):
    query = 'diagnosis_3:"Primary cutaneous CD30+ lymphoproliferative disease"'
    said = tell(guest, "image", "download", "-s", query, tmp_path)
    assert "Successfully downloaded 1 images" in said
    assert set(rows_of(tmp_path / "metadata.csv")) == {world["images"]["cd30.jpg"]}


def test_a_download_that_is_there_is_not_fetched_again(guest, tmp_path):
    tell(guest, "image", "download", tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("ISIC_*")}
    tell(guest, "image", "download", tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("ISIC_*")} == before


def test_a_query_that_cannot_be_read_is_told(guest, tmp_path):
    said = tell(guest, "image", "download", "-s", "sex:(((", tmp_path, code=2)
    assert 'Invalid search query string "sex:((("' in said
    said = tell(guest, "metadata", "download", "-s", "age_approx:[10 to 20]", code=2)
    assert "Invalid search query string" in said


def test_a_collection_that_is_not_there_is_told(guest, world, tmp_path):
    for number in (world["collections"]["hers"], 99_999):
        said = tell(guest, "image", "download", "-c", number, tmp_path, code=2)
        assert f"Collection {number} does not exist or you don't have access to it. Logging in may help" in said


# -- metadata -----------------------------------------------------------------------------------------------


def test_metadata_is_downloaded_and_is_valid(guest, world, tmp_path):
    file = tmp_path / "metadata.csv"
    tell(guest, "metadata", "download", "-o", file)
    rows = rows_of(file)
    assert len(rows) == 4
    assert rows[world["images"]["spot.png"]]["image_type"] == "dermoscopic"
    tell(guest, "metadata", "download", "-s", "sex:male", "-l", 1, "-o", tmp_path / "one.csv")
    assert len(rows_of(tmp_path / "one.csv")) == 1
    # Its validator knows the values that it wrote; those of ours that are not for sheets are told as unknown columns.
    said = tell(guest, "metadata", "validate", file)
    assert "No structural errors found!" in said


def test_metadata_is_validated(guest, tmp_path):
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("filename,age,sex\na.jpg,fifty,male\n")
    said = tell(guest, "metadata", "validate", sheet, code=1)
    assert "age" in said


# -- accessions ---------------------------------------------------------------------------------------------


def test_an_accession_is_uploaded_and_becomes_an_image(alice, people, world, tmp_path):
    file = picture(tmp_path / f"upload-{alice.version}.jpg", seed=21)
    said = tell(alice, "accession", "upload", world["cohort"], file)
    number = int(re.search(r"Accession uploaded, id=(\d+)\.", said)[1])
    page = re.search(r"Browse accessions: (\S+/upload/\d+/browser/)", said)[1]
    answer = people["alice"].get(page.replace("127.0.0.1", "localhost"))
    assert answer.ok
    assert file.name in answer.text
    shown = people["alice"].get(f"/api/v2/accessions/{number}/").json()
    assert (shown["name"], shown["cohort"]) == (file.name, world["cohort"])
    assert shown["original"][0]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    converted(people["alice"], number)


def converted(visitor, number):
    until = time.monotonic() + 300
    while (shown := visitor.get(f"/api/v2/accessions/{number}/").json())["state"] == "received":
        assert time.monotonic() < until, shown
        time.sleep(0.2)
    assert shown["state"] == "converted", shown


def test_a_file_of_several_parts_arrives_whole(alice, people, world, tmp_path):
    file = tmp_path / f"large-{alice.version}.png"
    pixels = np.random.default_rng(7).integers(0, 255, (2200, 2600, 3), np.uint8)
    Picture.fromarray(pixels).save(file, compress_level=0)
    assert file.stat().st_size > 2 * (8 << 20)
    result = json.loads(json_in(tell(alice, "accession", "upload", "--json", world["cohort"], file)))
    shown = people["alice"].get(f"/api/v2/accessions/{result['id']}/").json()
    assert shown["original"][0]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


def json_in(said):
    return said[said.index("{") : said.rindex("}") + 1]


def test_a_duplicate_is_refused_in_words(alice, world, tmp_path):
    file = picture(tmp_path / f"twice-{alice.version}.jpg", seed=3)
    tell(alice, "accession", "upload", world["cohort"], file)
    said = tell(alice, "accession", "upload", world["cohort"], file, code=1)
    assert "An accession with this name already exists." in said
    picture(file, seed=4)
    said = tell(alice, "accession", "upload", world["cohort"], file, code=1)
    assert "An accession with this name already exists." in said
    # Another cohort has names of its own.
    assert "Accession uploaded" in tell(alice, "accession", "upload", world["other"], file)


def test_what_is_no_single_image_is_refused_in_words(alice, world, tmp_path):
    (tmp_path / "pictures.zip").write_bytes(b"PK\x03\x04" + bytes(100))
    said = tell(alice, "accession", "upload", world["cohort"], tmp_path / "pictures.zip", code=1)
    assert "This is a ZIP" in said


def test_a_cohort_of_others_is_as_absent(guest, alice, people, world, tmp_path):
    file = picture(tmp_path / "a.jpg", seed=1)
    bob = IsicCli(alice.version, alice.host, tmp_path)
    bob.log_in(people["bob"])
    for isic in (guest, bob):
        said = tell(isic, "accession", "upload", world["cohort"], file, code=2)
        assert f"Cohort {world['cohort']} does not exist or you don't have access to it." in said
    said = tell(alice, "accession", "upload", 99_999, file, code=2)
    assert "Cohort 99999 does not exist" in said


# -- the session --------------------------------------------------------------------------------------------


def test_a_stale_token_makes_a_guest(archive, people, version, world, tmp_path):
    isic = IsicCli(version, f"http://127.0.0.1:{archive.port}", tmp_path)
    isic.log_in(people["bob"])
    people["bob"].disconnect()
    said = tell(isic, "collection", "list")
    assert "Of Bob" not in said
    assert "For all" in said
    assert not isic.token_file.exists()


def test_logging_out_forgets_the_person(archive, people, version, world, tmp_path):
    isic = IsicCli(version, f"http://127.0.0.1:{archive.port}", tmp_path)
    isic.log_in(people["bob"])
    assert "Of Bob" in tell(isic, "collection", "list")
    tell(isic, "user", "logout")
    assert "Of Bob" not in tell(isic, "collection", "list")
