"""ZIPs of what was found: the whole, from any byte on, and nothing where something of them is gone."""

import csv
import hashlib
import http.client
import io
import json
import os
import random
import secrets
import shutil
import subprocess
import zipfile
from urllib.parse import urlsplit

import pytest

from medtheca.domains.access.operations import set_visibility
from medtheca.domains.downloads.models import Download
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import ImageFile
from medtheca.domains.storage.models import Blob
from medtheca.domains.storage.queries import blob_store
from tests.factories.accounts import make_token, make_user
from tests.factories.collections import make_collection
from tests.factories.downloads import make_files, unzipped
from tests.factories.provenance import make_cohort, run_jobs
from tests.factories.storage import keep, keep_composed
from tests.interfaces.bytes.cases import cookie_of, until


@pytest.fixture
def alice(world):
    return make_user(f"alice-{secrets.token_hex(4)}")


@pytest.fixture
def charlie(world):
    return make_user(f"charlie-{secrets.token_hex(4)}")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice, name=f"Moles {secrets.token_hex(4)}")


def by_token(user, scope="read"):
    return {"Authorization": f"Bearer {make_token(user, scope)[1]}"}


def ask(world, user=None, **given):
    """Ask the API for a download, as a program would; the answer, and the path of the ZIP."""
    headers = {"Content-Type": "application/json", **(by_token(user, "write") if user else {})}
    answer = world.request("POST", "/api/v2/downloads/", headers=headers, body=json.dumps(given))
    body = json.loads(answer.content)
    assert answer.status == 201, body
    return body, path_of(body["url"])


def path_of(url):
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def without_ticket(row):
    return {**row, "url": urlsplit(row["url"]).path}


def names(files):
    return [image.public_id or str(image.key) for image, _ in files]


def problem(answer):
    return answer.status, json.loads(answer.content)["code"]


def test_a_zip_has_every_file_and_what_belongs_to_them(world, cohort):
    files = make_files(cohort, 30)
    told, path = ask(world, isic_ids=names(files))
    answer = world.request("GET", path)
    assert answer.status == 200
    assert int(answer.headers["Content-Length"]) == len(answer.content) == told["size"]
    assert (told["state"], told["images"], told["bytes"]) == ("ready", 30, sum(len(data) for _, data in files))
    found = unzipped(answer.content)
    assert list(found)[:4] == ["metadata.csv", "attribution.txt", "licenses/CC-BY.txt", "SHA256SUMS"]
    assert list(found)[4:] == [f"images/{name}.jpg" for name in names(files)]
    for image, data in files:
        assert found[f"images/{image.public_id}.jpg"] == data
    sums = dict(reversed(line.split("  ")) for line in found["SHA256SUMS"].decode().splitlines())
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in found.items() if name != "SHA256SUMS"}
    assert b"30 images" in found["attribution.txt"]
    assert b"Creative Commons Attribution 4.0" in found["licenses/CC-BY.txt"]


def test_the_spreadsheet_runs_nothing_and_keeps_numbers(world, alice):
    cohort = make_cohort(alice, name=f"Odd {secrets.token_hex(4)}", attribution='=HYPERLINK("http://x")')
    values = [{"age_approx": 55, "sex": "male", "clin_size_long_diam_mm": 3.5, "melanocytic": True}, {}]
    files = make_files(cohort, 2, structured=lambda at: values[at])
    found = unzipped(world.request("GET", ask(world, isic_ids=names(files))[1]).content)
    rows = list(csv.DictReader(io.StringIO(found["metadata.csv"].decode(), newline="")))
    assert [row["isic_id"] for row in rows] == names(files)
    assert {row["attribution"] for row in rows} == {'\'=HYPERLINK("http://x")'}
    told = next(row for row in rows if row["sex"])
    assert {name: told[name] for name in ("age_approx", "sex", "clin_size_long_diam_mm", "melanocytic")} == {
        "age_approx": "55",
        "sex": "male",
        "clin_size_long_diam_mm": "3.5",
        "melanocytic": "True",
    }
    assert list(rows[0])[:3] == ["isic_id", "attribution", "copyright_license"]
    assert {row["copyright_license"] for row in rows} == {"CC-BY"}


def test_cut_anywhere_and_resumed_it_is_the_same(world, cohort, tmp_path):
    files = make_files(cohort, 40, sizes=(0, 200_000)) + make_files(cohort, 1, seed=1, sizes=(3_000_000, 3_000_001))
    _, path = ask(world, isic_ids=names(files))
    whole = world.request("GET", path)
    data, etag = whole.content, whole.headers["ETag"]
    directory = data.rindex(b"PK\1\2")
    draw = random.Random(5)
    cuts = [draw.randrange(len(data)) for _ in range(44)] + [0, 1, directory, directory + 20, len(data) - 1, 30]
    for cut in cuts:
        # The client reads so much and goes; then it asks for the rest, of the same ZIP only.
        connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=30)
        connection.request("GET", path)
        got = connection.getresponse().read(cut)
        connection.close()
        rest = world.request("GET", path, headers={"Range": f"bytes={cut}-", "If-Range": etag})
        assert rest.status == 206
        assert rest.headers["Content-Range"] == f"bytes {cut}-{len(data) - 1}/{len(data)}"
        assert got + rest.content == data
    for _ in range(20):
        first = draw.randrange(len(data))
        last = min(len(data) - 1, first + draw.randrange(100_000))
        part = world.request("GET", path, headers={"Range": f"bytes={first}-{last}"})
        assert (part.status, part.content) == (206, data[first : last + 1])
    assert world.request("GET", path, headers={"Range": f"bytes={len(data)}-"}).status == 416
    assert world.request("GET", path, headers={"Range": "bytes=5-", "If-Range": '"other"'}).content == data
    assert world.request("GET", path, headers={"If-None-Match": etag}).status == 304
    head = world.request("HEAD", path)
    assert (head.status, int(head.headers["Content-Length"]), head.headers["ETag"]) == (200, len(data), etag)
    assert head.headers["Accept-Ranges"] == "bytes"
    (tmp_path / "a.zip").write_bytes(data)
    assert shutil.which("unzip"), "This needs Debian's package unzip."
    done = subprocess.run(["unzip", "-q", "a.zip"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    checked = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=False)
    assert checked.returncode == 0


def test_the_same_again_is_the_same_download_to_the_byte(world, cohort, alice):
    files = make_files(cohort, 5)
    one, path = ask(world, alice, isic_ids=names(files))
    other, _ = ask(world, alice, isic_ids=list(reversed(names(files))))
    assert one["id"] == other["id"]
    strangers, open_path = ask(world, isic_ids=names(files))
    assert strangers["id"] != one["id"]
    assert world.request("GET", open_path).content == world.request("GET", path).content


def test_it_is_frozen_while_the_archive_goes_on(world, cohort, alice):
    files = make_files(cohort, 6)
    collection = make_collection(alice, [image for image, _ in files], name=f"C {secrets.token_hex(4)}", public=True)
    told, path = ask(world, collections=[collection.pk])
    data = world.request("GET", path).content
    more = make_files(cohort, 3, seed=1)
    from medtheca.domains.collections.contents import add_named

    add_named(collection=collection, actor=alice, refs=names(more))
    again, other = ask(world, collections=[collection.pk])
    assert (told["images"], again["images"]) == (6, 9)
    assert world.request("GET", path).content == data
    assert len(unzipped(world.request("GET", other).content)) == 9 + 4


def test_a_withdrawn_image_stops_the_whole_and_says_so(world, cohort):
    files = make_files(cohort, 8)
    told, path = ask(world, isic_ids=names(files))
    assert world.request("GET", path).status == 200
    set_visibility(image_ids=[files[3][0].pk], visibility="private")
    for headers in ({}, {"Range": "bytes=0-10"}, {"Range": f"bytes={told['size'] - 5}-"}):
        answer = world.request("GET", path, headers=headers)
        assert problem(answer) == (410, "download_changed")
        assert files[3][0].public_id in json.loads(answer.content)["detail"]
        assert "anew" in json.loads(answer.content)["remedy"]
    assert world.request("HEAD", path).status == 410
    assert problem(world.request("GET", path_of(told["manifests"]["json"]))) == (410, "download_changed")
    # It may come back, and nothing was lost meanwhile.
    set_visibility(image_ids=[files[3][0].pk], visibility="public")
    assert len(unzipped(world.request("GET", path).content)) == 12


def test_another_file_of_an_image_stops_it_too(world, cohort):
    files = make_files(cohort, 3)
    _, path = ask(world, isic_ids=names(files))
    ImageFile.objects.filter(image=files[1][0], kind=FileKind.PUBLIC).update(blob=keep(b"redacted"))
    assert problem(world.request("GET", path)) == (410, "download_changed")


def test_what_is_private_is_for_its_asker_alone(world, cohort, alice, charlie):
    files = make_files(cohort, 3, visibility="private")
    told, path = ask(world, alice, isic_ids=names(files))
    bare = urlsplit(path).path
    assert world.request("GET", path).status == 200
    assert world.request("GET", bare, headers=by_token(alice)).status == 200
    assert world.request("GET", bare, headers=cookie_of(alice)).status == 200
    for headers in ({}, by_token(charlie), cookie_of(charlie)):
        assert problem(world.request("GET", bare, headers=headers)) == (404, "not_found")
        assert world.request("GET", f"{bare}?ticket={'A' * 64}", headers=headers).status == 404
        assert world.request("GET", path_of(told["manifests"]["csv"]), headers=headers).status == 404
    # A ticket of another download opens nothing.
    _, other = ask(world, alice, isic_ids=names(files)[:1])
    assert world.request("GET", f"{bare}?{urlsplit(other).query}").status == 404
    # A stranger finds nothing to download by their names.
    answer = world.request(
        "POST",
        "/api/v2/downloads/",
        headers={"Content-Type": "application/json", **by_token(charlie, "write")},
        body=json.dumps({"isic_ids": names(files)}),
    )
    assert answer.status == 404


def test_whoever_loses_sight_of_the_images_loses_the_download(world, cohort, alice, charlie):
    files = make_files(cohort, 3, visibility="signed_in")
    _, path = ask(world, charlie, isic_ids=names(files))
    assert world.request("GET", path).status == 200
    set_visibility(image_ids=[files[0][0].pk], visibility="private")
    until(lambda: world.request("GET", path).status != 200)
    assert problem(world.request("GET", path)) == (410, "download_changed")
    charlie.is_active = False
    charlie.save()
    # The byte plane is told by the database, a moment later.
    until(lambda: world.request("GET", path).status == 404)


def test_an_expired_one_says_so(world, cohort):
    from datetime import timedelta

    from medtheca.base.clock import now
    from medtheca.domains.downloads.operations import sweep_downloads

    files = make_files(cohort, 2)
    told, path = ask(world, isic_ids=names(files))
    Download.objects.filter(pk=told["id"]).update(expires=now() - timedelta(seconds=1))
    assert problem(world.request("GET", path)) == (410, "download_expired")
    assert sweep_downloads() >= 1
    assert world.request("GET", path).status == 404
    run_jobs()


def test_composed_files_are_in_it_as_any_other(world, cohort):
    files = make_files(cohort, 2, sizes=(400_000, 400_001))
    image, data = files[0]
    blob = Blob.objects.get(sha256=hashlib.sha256(data).hexdigest())
    ImageFile.objects.filter(image=image, kind=FileKind.PUBLIC).update(blob=Blob.objects.exclude(pk=blob.pk).first())
    blob_store().path(blob.sha256).unlink()
    blob.delete()
    source = keep(b"head" + data[:399_000])
    composed = keep_composed(data, source, (0, 4, 399_000))
    ImageFile.objects.filter(image=image, kind=FileKind.PUBLIC).update(blob=composed)
    assert not blob_store().exists(composed.sha256)
    _, path = ask(world, isic_ids=names(files))
    whole = world.request("GET", path).content
    assert unzipped(whole)[f"images/{image.public_id}.jpg"] == data
    assert world.request("GET", path, headers={"Range": "bytes=90000-300000"}).content == whole[90_000:300_001]


def test_where_bytes_are_away_nothing_is_sent(world, cohort):
    files = make_files(cohort, 3)
    _, path = ask(world, isic_ids=names(files))
    place = blob_store().path(hashlib.sha256(files[0][1]).hexdigest())
    whole = place.read_bytes()
    place.unlink()
    assert problem(world.request("GET", path)) == (503, "file_unavailable")
    place.write_bytes(whole + b"x")
    assert problem(world.request("GET", path)) == (503, "file_unavailable")
    place.write_bytes(whole)
    assert world.request("GET", path).status == 200


def test_a_damaged_file_is_never_given_a_checksum(world, cohort):
    files = make_files(cohort, 2)
    place = blob_store().path(hashlib.sha256(files[0][1]).hexdigest())
    place.write_bytes(bytes(len(files[0][1])))
    told, path = ask(world, isic_ids=names(files))
    assert told["state"] == "failed"
    assert problem(world.request("GET", path)) == (409, "download_failed")


def test_a_manifest_names_every_file_in_every_format(world, cohort, alice):
    files = make_files(cohort, 4, visibility="private")
    told, path = ask(world, alice, isic_ids=names(files))
    whole = unzipped(world.request("GET", path).content)
    found = {
        name: world.request("GET", path_of(url), headers=by_token(alice)) for name, url in told["manifests"].items()
    }
    assert {answer.status for answer in found.values()} == {200}
    rows = json.loads(found["json"].content)["files"]
    assert [row["path"] for row in rows] == list(whole)
    for row in rows:
        answer = world.request("GET", path_of(row["url"]))
        assert (answer.status, answer.content) == (200, whole[row["path"]])
        assert (row["size"], row["sha256"]) == (len(answer.content), hashlib.sha256(answer.content).hexdigest())
        part = world.request("GET", path_of(row["url"]), headers={"Range": "bytes=3-9"})
        assert (part.status, part.content) == (206, whole[row["path"]][3:10])
        assert world.request("GET", urlsplit(row["url"]).path).status == 404
    listed = list(csv.DictReader(io.StringIO(found["csv"].content.decode(), newline="")))
    wanted = found["wget"].content.decode().splitlines()
    # Each manifest has tickets of its own, of the second in which it was made.
    assert [without_ticket(row) for row in listed] == [
        {name: str(value) for name, value in without_ticket(row).items()} for row in rows
    ]
    assert [urlsplit(url).path for url in wanted] == [urlsplit(row["url"]).path for row in rows]
    for url, row in zip([*wanted, *(row["url"] for row in listed)], [*rows, *rows], strict=True):
        assert world.request("GET", path_of(url)).content == whole[row["path"]]
    set_visibility(image_ids=[files[0][0].pk], visibility="private")


@pytest.mark.parametrize("whose", ["public", "private"])
def test_aria2_fetches_and_verifies_a_manifest(world, cohort, alice, tmp_path, whose):
    if not shutil.which("aria2c"):
        assert not os.environ.get("MEDTHECA_CI"), "aria2c is needed: Debian's package aria2."
        pytest.skip("aria2c is not installed (Debian's package aria2)")
    files = make_files(cohort, 25, visibility=whose)
    told, path = ask(world, alice if whose == "private" else None, isic_ids=names(files))
    answer = world.request("GET", path_of(told["manifests"]["aria2"]), headers=by_token(alice))
    (tmp_path / "list.txt").write_bytes(answer.content)
    fetch = ["aria2c", "--no-conf", "--quiet", "--continue", "--input-file=list.txt", "--dir=got", "--split=2"]
    done = subprocess.run(fetch, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    got = {str(file.relative_to(tmp_path / "got")): file.read_bytes() for file in (tmp_path / "got").rglob("*.*")}
    got["SHA256SUMS"] = (tmp_path / "got/SHA256SUMS").read_bytes()
    assert got == unzipped(world.request("GET", path).content)
    sums = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path / "got", check=False)
    assert sums.returncode == 0
    # A file with other bytes than were promised is refused by it: it verifies.
    wrong = answer.content.decode().replace("checksum=sha-256=", "checksum=sha-256=0")
    wrong = "\n".join(line[:83] if "checksum" in line else line for line in wrong.splitlines())
    (tmp_path / "wrong.txt").write_text(wrong + "\n")
    fetch = ["aria2c", "--no-conf", "--quiet", "--input-file=wrong.txt", "--dir=wrong"]
    assert subprocess.run(fetch, cwd=tmp_path, capture_output=True, timeout=120, check=False).returncode != 0


def test_wget_fetches_a_list(world, cohort, tmp_path):
    assert shutil.which("wget"), "This needs Debian's package wget."
    files = make_files(cohort, 5)
    told, _ = ask(world, isic_ids=names(files))
    (tmp_path / "list.txt").write_bytes(world.request("GET", path_of(told["manifests"]["wget"])).content)
    fetch = ["wget", "--no-config", "--quiet", "--continue", "--content-disposition", "--input-file=list.txt"]
    assert subprocess.run(fetch, cwd=tmp_path, timeout=120, check=False).returncode == 0
    for image, data in files:
        assert (tmp_path / f"{image.public_id}.jpg").read_bytes() == data


def test_isic_clients_get_an_address_and_its_parts(world, cohort, alice):
    files = make_files(cohort, 4)
    collection = make_collection(alice, [image for image, _ in files], name=f"I {secrets.token_hex(4)}", public=True)
    body = json.dumps({"query": "", "collections": str(collection.pk)})
    headers = {"Content-Type": "application/json"}
    answer = world.request("POST", "/api/v2/zip-download/url/", headers=headers, body=body)
    url = json.loads(answer.content)
    assert answer.status == 200
    whole = unzipped(world.request("GET", path_of(url)).content)
    token = dict(pair.split("=", 1) for pair in urlsplit(url).query.split("&"))["zsid"]
    listing = json.loads(world.request("GET", f"/api/v2/zip-download/file-listing/?token={token}").content)
    assert listing["suggestedFilename"].endswith(".zip")
    assert {one["zipPath"]: world.request("GET", path_of(one["url"])).content for one in listing["files"]} == whole
    for name, path in (("metadata-file", "metadata.csv"), ("attribution-file", "attribution.txt")):
        assert world.request("GET", f"/api/v2/zip-download/{name}/?token={token}").content == whole[path]
    licence = world.request("GET", "/api/v2/zip-download/license-file/CC-BY/")
    assert (licence.status, licence.content) == (200, whole["licenses/CC-BY.txt"])
    answer = world.request("POST", "/api/v2/zip-download/url/", headers=headers, body='{"query": "diagnosys:x"}')
    assert answer.status == 400


def test_the_zip_is_streamed_while_it_is_read(world, cohort):
    """A stored ZIP reads as it comes in, so nobody waits for the end to have the first file."""
    files = make_files(cohort, 3, sizes=(500_000, 500_001))
    _, path = ask(world, isic_ids=names(files))
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    start = answer.read(100)
    assert start[:4] == b"PK\3\4"
    rest = answer.read()
    connection.close()
    assert zipfile.ZipFile(io.BytesIO(start + rest)).testzip() is None


@pytest.mark.parametrize("path", ["x.zip", "files/0/other.csv", "files/99999/metadata.csv", "files/x/y", "", "a/x.zip"])
def test_other_addresses_are_nothing(world, cohort, path):
    told, _ = ask(world, isic_ids=names(make_files(cohort, 1)))
    answer = world.request("GET", f"/downloads/{told['id']}/{path}")
    # The ZIP's own name is whatever people want it to be.
    assert answer.status == (200 if path == "x.zip" else 404)
    assert world.request("POST", f"/downloads/{told['id']}/{path}").status == 405
    assert world.request("GET", f"/downloads/{'-' * 36}/x.zip").status == 404
