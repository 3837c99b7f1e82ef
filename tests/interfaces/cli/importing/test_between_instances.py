"""`medtheca import isic` between two archives that really run: each a web process with a database and a data folder."""

import csv
import hashlib
import json

import pytest

from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.operations import set_visibility
from medtheca.domains.accounts.models import User
from medtheca.domains.accounts.operations import create_token
from medtheca.domains.imaging.operations import assign_public_ids
from medtheca.domains.provenance.models import Accession
from medtheca.workflows.correct import correct_metadata
from tests.generators.images import jpeg
from tests.interfaces.cli.importing.instances import instance

SAID = {
    "nevus.jpg": {"age": "52", "sex": "male", "image_type": "dermoscopic", "diagnosis": "Nevus", "patient_id": "p1"},
    "other.jpg": {"age": "40", "sex": "female", "patient_id": "p1", "lesion_id": "l1"},
    "third.jpg": {"sex": "male"},
    "hidden.jpg": {"sex": "female", "age": "33"},
}


def publish_all():
    """Public ids by file name. What is called hidden has one, and is private."""
    images = {row.name: row.image for row in Accession.objects.select_related("image").order_by("pk")}
    assign_public_ids(image_ids=[image.pk for image in images.values()])
    for name, image in images.items():
        visibility = Visibility.PRIVATE if "hidden" in name else Visibility.PUBLIC
        set_visibility(image_ids=[image.pk], visibility=visibility)
        image.refresh_from_db()
    return {name: image.public_id for name, image in images.items()}


def token_of_alice():
    return create_token(user=User.objects.get(email="alice@example.org"), name="A program", scope="read", expires=None)[
        1
    ]


@pytest.fixture(scope="module")
def host(tmp_path_factory, django_db_setup, django_db_blocker):
    """An archive with four images under two licences, one of them private, that answers requests."""
    folder = tmp_path_factory.mktemp("host")
    with instance(folder / "data", django_db_blocker) as archive:
        pictures = folder / "pictures"
        pictures.mkdir()
        for seed, name in enumerate(SAID):
            (pictures / name).write_bytes(jpeg(seed=seed, size=(83 + seed, 61)))
        with (folder / "said.csv").open("w", newline="") as file:
            columns = ["filename", "age", "sex", "image_type", "diagnosis", "patient_id", "lesion_id"]
            sheet = csv.DictWriter(file, columns)
            sheet.writeheader()
            sheet.writerows({"filename": name, **said} for name, said in SAID.items())
        archive.run(
            *("ingest", pictures, "--cohort", "Clinic", "--contributor", "Clinic", "--attribution", "Clinic of Bern"),
            *("--licence", "CC-BY-4.0", "--metadata", folder / "said.csv", "--as", "alice@example.org"),
        )
        (folder / "free.jpg").write_bytes(jpeg(seed=9))
        archive.run(
            *("ingest", folder / "free.jpg", "--cohort", "Free", "--contributor", "Clinic"),
            *("--licence", "CC0-1.0", "--attribution", "Anonymous", "--as", "alice@example.org"),
        )
        with archive.inside():
            archive.ids = publish_all()
            archive.token = token_of_alice()
        archive.server.start()
        yield archive


@pytest.fixture(scope="module")
def home(tmp_path_factory, django_db_setup, django_db_blocker):
    """The archive into which images are brought."""
    with instance(tmp_path_factory.mktemp("home") / "data", django_db_blocker) as archive:
        archive.server.start()
        yield archive


def full_file(host, isic_id, token=""):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = host.server.request("GET", f"/api/v2/images/{isic_id}/", headers=headers)
    return json.loads(answer.content)["files"]["full"]


def test_images_come_with_all_that_the_host_says_and_only_once(host, home):
    looked = home.bring("--host", host.server.url, "--dry-run", cohort="All")
    assert looked["counts"] == {"would_be_brought": 4}
    assert looked["cohort"] is None
    assert home.accessions(cohort__name="All") == 0

    outcome = home.bring("--host", host.server.url, cohort="All")
    assert (outcome["counts"], outcome["found"], outcome["complete"]) == ({"brought": 4}, 4, True)
    assert host.ids["hidden.jpg"] not in outcome["by_id"]
    origins = home.origins("All")
    nevus, free = origins[host.ids["nevus.jpg"]], origins[host.ids["free.jpg"]]
    assert (nevus.accession.licence, nevus.accession.attribution) == ("CC-BY-4.0", "Clinic of Bern")
    assert (free.accession.licence, free.accession.attribution) == ("CC0-1.0", "Anonymous")
    promised = full_file(host, host.ids["nevus.jpg"])
    assert nevus.sha256 == nevus.accession.original.sha256 == promised["sha256"]
    assert nevus.size == promised["size"]
    assert nevus.accession.name == f"{host.ids['nevus.jpg']}.jpg"
    assert nevus.url == f"{host.server.url}/api/v2/images/{host.ids['nevus.jpg']}/"
    assert nevus.is_public
    assert nevus.described
    assert nevus.accession.description.structured["age_approx"] == 50
    assert nevus.accession.description.structured["sex"] == "male"
    assert nevus.accession.description.structured["diagnosis_3"] == "Nevus"
    assert nevus.accession.description.unstructured["origin_isic_id"] == host.ids["nevus.jpg"]
    # One patient there is one patient here, and is nobody's of another host.
    other = origins[host.ids["other.jpg"]]
    assert nevus.accession.description.structured["patient_id"] == other.accession.description.structured["patient_id"]
    assert nevus.accession.description.structured["patient_id"].startswith("IP_")
    assert nevus.accession.description.structured["patient_id"].endswith(f"@127.0.0.1:{host.server.port}")
    # None that the host does not tell was made up.
    assert "patient_id" not in free.accession.description.structured

    again = home.bring("--host", host.server.url, cohort="All")
    assert again["counts"] == {"already_here": 4}
    assert again["complete"]
    assert again["uploads"] == []
    assert home.accessions(cohort__name="All") == 4


def test_where_an_image_came_from_is_told_to_those_who_may_see_it(host, home):
    outcome = home.bring("--host", host.server.url, cohort="Told")
    accession = outcome["by_id"][host.ids["nevus.jpg"]]["accession"]
    with home.inside():
        mine = {"Authorization": f"Bearer {token_of_alice()}"}
    shown = json.loads(home.server.request("GET", f"/api/v2/accessions/{accession}/", headers=mine).content)
    (origin,) = shown["origins"]
    assert origin["host"] == f"127.0.0.1:{host.server.port}"
    assert origin["isic_id"] == host.ids["nevus.jpg"]
    assert origin["sha256"] == shown["original"][0]["sha256"]
    assert origin["license_spdx"] == "CC-BY-4.0"
    image = json.loads(home.server.request("GET", f"/api/v2/images/{shown['isic_id']}/", headers=mine).content)
    assert image["origins"] == [origin]
    assert (image["license_spdx"], image["attribution"]) == ("CC-BY-4.0", "Clinic of Bern")
    stranger = home.server.request("GET", f"/api/v2/images/{shown['isic_id']}/")
    assert stranger.status == 404


def test_a_token_brings_what_its_owner_sees_and_is_nowhere_kept(host, home):
    variables = {"ISIC_IMPORT_TOKEN": host.token}
    outcome = home.bring("--host", host.server.url, "--query", "age_approx:35", cohort="Private", **variables)
    hidden = host.ids["hidden.jpg"]
    assert outcome["by_id"].keys() == {hidden}
    assert outcome["by_id"][hidden]["outcome"] == "brought"
    origin = home.origins("Private")[hidden]
    assert origin.sha256 == full_file(host, hidden, host.token)["sha256"]
    assert not origin.is_public
    assert host.token not in json.dumps(outcome) + home.said + str(vars(origin))
    kept = [path for path in home.data.rglob("*") if path.is_file() and host.token.encode() in path.read_bytes()]
    assert kept == []


def test_a_limit_means_the_same_images_in_a_second_run(host, home):
    first = home.bring("--host", host.server.url, "--limit", "2", cohort="Few")
    again = home.bring("--host", host.server.url, "--limit", "2", cohort="Few")
    assert (first["counts"], again["counts"]) == ({"brought": 2}, {"already_here": 2})
    assert first["by_id"].keys() == again["by_id"].keys()


def test_what_changed_at_the_host_is_named_and_left_alone(host, home):
    home.bring("--host", host.server.url, "--query", "sex:female", cohort="Watched")
    other = host.ids["other.jpg"]
    with host.inside():
        row = Accession.objects.get(name="other.jpg")
        alice = User.objects.get(email="alice@example.org")
        correct_metadata(user=alice, changes={"age": 60}, accession_id=row.pk, reason="A slip.")
    outcome = home.bring("--host", host.server.url, "--query", "sex:female", cohort="Watched")
    assert outcome["by_id"][other]["outcome"] == "changed_at_host"
    assert "age_approx" in outcome["by_id"][other]["words"]
    assert outcome["complete"]
    assert home.origins("Watched")[other].accession.description.structured["age_approx"] == 40


def test_the_bytes_that_came_are_those_of_the_host(host, home):
    home.bring("--host", host.server.url, cohort="Same")
    for isic_id, origin in home.origins("Same").items():
        path = full_file(host, isic_id)["url"].removeprefix(host.server.url)
        assert hashlib.sha256(host.server.request("GET", path).content).hexdigest() == origin.accession.original.sha256


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--host", "http://archive.example.org"), "--insecure-http"),
        (("--host", "ftp://archive.example.org"), "no web address"),
        (("--host", "https://user:secret@archive.example.org"), "no web address"),
    ],
)
def test_addresses_that_cannot_be_used_are_refused_before_anything_is_made(home, words, told):
    before = home.accessions()
    home.run(
        *("import", "isic", "--as", "alice@example.org", "--cohort", "None such", "--contributor", "X", *words), code=2
    )
    assert told in home.said
    assert "secret" not in home.said
    assert home.accessions() == before


def test_a_query_that_the_host_refuses_is_told_in_its_words(host, home):
    outcome = home.bring("--host", host.server.url, "--query", "sex:(", cohort="Brought", code=3)
    assert outcome["stopped"]
    assert "400" in outcome["stopped"]
    assert outcome["images"] == []
