"""`medtheca publish`, `medtheca reviews` and `medtheca replace`."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from medtheca.domains.access.enums import Role
from medtheca.domains.access.groups import create_group
from medtheca.domains.access.operations import add_member
from medtheca.domains.provenance.models import PublishRequest
from medtheca.interfaces.cli.publish import publish, reviews
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.generators.images import jpeg
from tests.plugins.server import fresh_database

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    make_user("sam")
    return make_cohort(alice)


def run(command, *words, by="alice", exit_code=0):
    done = CliRunner().invoke(command, [*map(str, words), "--as", f"{by}@example.org"])
    assert done.exit_code == exit_code, done.output + str(done.exception)
    return done.output


def test_a_dry_run_says_what_would_be_shown_and_asks_for_nothing(cohort):
    make_images(cohort, 3, structured={"sex": "female"})
    told = run(publish, cohort.name, "--dry-run")
    assert "3 images would be shown (public), 3 not judged yet." in told
    assert "Fewer than 5 patients: female: 3 patients, 3 images" in told
    found = json.loads(run(publish, cohort.pk, "--dry-run", "--json"))
    assert (found["number"], found["rare"]) == (3, [{"values": "female", "patients": 3, "images": 3}])
    assert not PublishRequest.objects.exists()


def test_what_waits_is_listed_for_whoever_decides(cohort):
    make_images(cohort, 2)
    add_member(scope=cohort.scope, user=make_user("rita"), role=Role.REVIEWER)
    asked = json.loads(run(publish, cohort.pk, "--json"))
    assert (asked["state"], asked["images"], asked["waiting"]) == ("requested", 2, 2)
    told = run(reviews, "list", by="rita")
    assert f"Cohort {cohort.pk} {cohort.name}: 2 to judge, 0 flagged" in told
    assert f"Request {asked['id']}: 2 images of {cohort.name}, public" in told
    assert "Only" in run(reviews, "accept", asked["id"], exit_code=1)
    make_user("charlie")
    assert "Nothing waits." in run(reviews, "list", by="charlie")


def test_rita_rejects_with_a_reason(cohort):
    make_images(cohort, 1)
    asked = json.loads(run(publish, cohort.pk, "--json"))
    run(reviews, "reject", asked["id"], by="sam", exit_code=2)
    assert "rejected" in run(reviews, "reject", asked["id"], "--reason", "A face.", by="sam")
    assert PublishRequest.objects.get().reason == "A face."


def test_images_are_asked_for_a_group_with_an_embargo(cohort, alice):
    make_images(cohort, 1)
    group = create_group(creator=alice, name="Readers")
    run(publish, cohort.pk, "--visibility", "groups", "--group", "Readers", "--opens", "2099-01-31")
    request = PublishRequest.objects.get()
    assert request.opens == datetime(2099, 1, 31, tzinfo=UTC)
    assert list(request.groups.all()) == [group]


def test_what_cannot_be_is_refused_with_words(cohort):
    assert "There is no cohort nothing." in run(publish, "nothing", exit_code=1)
    assert "No image of the cohort is ready" in run(publish, cohort.pk, exit_code=1)
    assert "You are in no group 7" in run(publish, cohort.pk, "--visibility", "groups", "--group", 7, exit_code=1)
    run(publish, cohort.pk, "--visibility", "everyone", exit_code=2)
    make_user("charlie")
    assert "There is no cohort" in run(publish, cohort.pk, by="charlie", exit_code=1)
    assert "There is no publish request 7." in run(reviews, "accept", 7, exit_code=1)


_SIGNED = """
from medtheca.domains.accounts.models import User
from medtheca.domains.provenance.agreements import AGREEMENT_VERSION, accept_agreement
from medtheca.domains.provenance.models import Contributor
alice = User.objects.get(email="alice@example.org")
accept_agreement(contributor=Contributor.objects.get(), actor=alice, version=AGREEMENT_VERSION)
"""


@pytest.fixture
def medtheca(tmp_path):
    """Runs commands in processes of their own, with no worker beside them, on an archive with one image."""
    with fresh_database() as (_, url):
        environment = os.environ | {"DATABASE_URL": url, "MEDTHECA_DATA": str(tmp_path), "MEDTHECA_DISK_RESERVE": "0"}

        def run(*arguments):
            words = [sys.executable, "-m", "medtheca", *map(str, arguments)]
            done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=180, check=False)
            assert "Traceback" not in done.stderr, done.stderr
            return done.returncode, done.stdout, done.stderr

        picture = tmp_path / "a.jpg"
        picture.write_bytes(jpeg(seed=1))
        alice = ("--as", "alice@example.org")
        for words in (
            ("user", "create", "alice@example.org", "--random-password"),
            ("user", "create", "sam@example.org", "--random-password", "--staff"),
            ("ingest", picture, "--cohort", "Clinic", "--contributor", "Clinic", *alice),
            ("manage", "shell", "-c", _SIGNED),
        ):
            assert run(*words)[0] == 0, words
        yield run


def test_a_file_is_replaced_and_all_is_published_without_a_worker(medtheca, tmp_path):
    better, text = tmp_path / "better.jpg", tmp_path / "text.jpg"
    better.write_bytes(jpeg(seed=2))
    text.write_bytes(b"no picture")
    why = ("--reason", "Out of focus.", "--as", "alice@example.org")
    assert medtheca("replace", 1, better, *why)[:2] == (0, "Accepted as version 2.\n")
    code, told, _ = medtheca("replace", 1, text, "--json", *why)
    assert code == 1
    assert json.loads(told)["words"]
    code, told, _ = medtheca("replace", 1, better, "--json", *why)
    assert (code, json.loads(told)["version"]) == (1, None)
    assert "There is no accession 9." in medtheca("replace", 9, better, *why)[2]
    assert "published: 1" in medtheca("publish", "Clinic", "--accept", "--as", "sam@example.org")[1]
