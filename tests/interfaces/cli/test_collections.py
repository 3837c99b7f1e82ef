"""`medtheca collection`: Alice owns, Bob is shown, Charlie is a stranger, Sam is staff."""

import json

import pytest
from click.testing import CliRunner

from medtheca.domains.access.enums import Role
from medtheca.domains.access.groups import create_group
from medtheca.domains.access.operations import add_member, withdraw_image
from medtheca.domains.access.queries import may_see, viewer_of
from medtheca.domains.accounts.models import User
from medtheca.domains.collections.models import Collection
from medtheca.interfaces.cli import collection_images
from medtheca.interfaces.cli.collection import collection
from tests.factories.accounts import make_user
from tests.factories.collections import make_collection
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort, run_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _jobs_in_this_process(monkeypatch):
    """A worker of its own would have a connection of its own, which sees nothing of a test's transaction."""

    def work(is_done):
        run_jobs()
        return is_done()

    monkeypatch.setattr(collection_images, "let_work", work)


@pytest.fixture
def alice():
    for name in ("bob", "charlie", "sam"):
        make_user(name)
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


@pytest.fixture
def images(cohort):
    return make_images(cohort, 3, visibility="public", structured={"sex": "male"})


def run(*words, by="alice", exit_code=0, given=None):
    words = [*map(str, words), "--as", f"{by}@example.org"]
    done = CliRunner().invoke(collection, words, input=given)
    assert done.exit_code == exit_code, done.output + str(done.exception)
    return done.output


def run_json(*words, **options):
    return json.loads(run(*words, "--json", **options))


def test_one_is_made_listed_changed_shown_and_deleted(alice):
    made = run_json("create", "Moles", "--description", "Of the trunk.")
    assert made.items() >= {"name": "Moles", "public": False, "images": 0, "hidden": 0}.items()
    row, together = run("list").splitlines()
    assert row == f"{made['id']}\tMoles\t0\tprivate\tAlice Example\t-"
    assert together == "0 images in them, of which 0 are different."
    assert run_json("list", by="charlie") == []
    assert "There is no collection Moles" in run("show", "Moles", by="charlie", exit_code=1)
    run("change", "Moles", "--name", "Nevi", "--public")
    assert run_json("list", by="charlie")[0]["name"] == "Nevi"
    assert run_json("list", "--mine", by="charlie") == []
    assert "Nothing was changed" in run("delete", "Nevi")
    assert "Only the owner" in run("delete", "Nevi", "--yes", by="charlie", exit_code=1)
    run("delete", made["id"], "--yes")
    assert not Collection.objects.exists()
    run("change", "Nevi", exit_code=2)


def test_images_are_added_by_name_from_a_file_from_standard_input_and_by_search(alice, cohort, images, tmp_path):
    run("create", "Moles")
    assert run("add", "Moles", images[0].public_id) == "1 added.\n"
    file = tmp_path / "ids.txt"
    file.write_text(f"{images[1].public_id}\n\nISIC_0000000\n")
    told = run("add", "Moles", "--from", file, exit_code=1)
    assert "1 added." in told
    assert "ISIC_0000000: there is no such image, or you may not see it." in told
    assert run("remove", "Moles", "--from", "-", given=f"{images[0].public_id}\n") == "1 removed.\n"
    assert run_json("add", "Moles", "--search", "sex:male")["changed"] == 2
    assert run_json("show", "Moles")["images"] == 3
    assert run("remove", "Moles", "--search", "sex:male") == "3 removed.\n"
    for words in ((), ("--search", "", images[0].public_id)):
        run("add", "Moles", *words, exit_code=2)


def test_many_names_go_by_a_job(alice, images, monkeypatch):
    monkeypatch.setattr(collection_images, "MOST_AT_ONCE", 2)
    run("create", "Moles")
    assert run("add", "Moles", *(image.public_id for image in images)) == "3 added.\n"


def test_a_public_collection_names_what_is_private(alice, cohort, images):
    (private,) = make_images(cohort, 1)
    run("create", "Moles", "--public")
    assert f"{private.key}: it is not public" in run("add", "Moles", images[0].public_id, private.key, exit_code=1)
    make_collection(alice, [private], name="Private")
    assert f"{private.key} is not public" in run("change", "Private", "--public", exit_code=1)
    withdraw_image(image=images[0], reason="Consent.", user=alice)
    assert "Consent." in run("show", "Moles")


def test_it_is_shared_with_whom_she_knows_and_taken_back(alice, cohort):
    (private,) = make_images(cohort, 1)
    group = create_group(creator=alice, name="Readers")
    make_collection(alice, [private])
    assert "is in no contributor, cohort or group" in run("share", "Moles", "--with", "bob@example.org", exit_code=1)
    bob = User.objects.get(email="bob@example.org")
    add_member(scope=group, user=bob, role=Role.VIEWER)
    assert run_json("share", "Moles", "--with", "bob@example.org", "--group", "Readers") == {
        "shared": 2,
        "images_shown": 1,
    }
    assert may_see(viewer_of(bob), private.pk)
    assert {row["user"] or row["group"] for row in run_json("show", "Moles")["shared_with"]} == {
        "bob@example.org",
        "Readers",
    }
    # With whom it is shared is its owner's to know.
    assert run_json("show", "Moles", by="bob")["shared_with"] == []
    run("revoke", "Moles", "--group", "Readers")
    run("revoke", "Moles", "--with", "bob@example.org", by="bob")
    assert not may_see(viewer_of(bob), private.pk)


def test_pinning_is_the_staffs_and_locking_the_owners(alice):
    run("create", "Moles", "--public")
    assert "Only staff may pin" in run("pin", "Moles", exit_code=1)
    assert run_json("pin", "Moles", by="sam")["pinned"] is True
    assert run_json("lock", "Moles")["locked"] is True
    assert "is locked" in run("change", "Moles", "--name", "Other", exit_code=1)
    assert run_json("unlock", "Moles")["locked"] is False
    assert run_json("unpin", "Moles", by="sam")["pinned"] is False
