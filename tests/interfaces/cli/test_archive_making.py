"""`medtheca archive list`, `show`, `create`, `edit`: Alice edits, Bob is a stranger."""

import pytest

from medtheca.domains.archives.models import Archive
from medtheca.domains.provenance.models import Contributor
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive
from tests.interfaces.cli.archives import run, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(db):
    return {name: make_user(name) for name in ("alice", "bob", "sam")}


def test_an_archive_is_made_with_all_that_a_page_can_say(people, tmp_path):
    (tmp_path / "README.md").write_text("# Methods\n\nTaken in 2024.\n")
    made = told(
        *("create", "Chest CT", "--new-contributor", "Clinic", "--public", "--licence", "CC-BY"),
        *("--description", "Two sites.", "--information", f"@{tmp_path}/README.md", "--modality", "CT"),
        *("--structure", "Lung", "--organisation", "Clinic", "--keyword", "nodule", "--keyword", "lung"),
        *("--publication", "https://doi.org/10.1000/182", "--citation", "Roe A.", "--contact", "a@example.org"),
        *("--requests", "accept_verified_users", "--no-downloads", "--question", "What for? *", "--terms", "Be kind."),
    )
    archive = Archive.objects.get()
    assert (made["slug"], made["visibility"], made["role"], made["contributor"]) == (
        "chest-ct",
        "public",
        "editor",
        "Clinic",
    )
    assert (archive.licence, archive.keywords, archive.publications) == (
        "CC-BY-4.0",
        ["nodule", "lung"],
        ["10.1000/182"],
    )
    assert (archive.information, archive.downloads) == ("# Methods\n\nTaken in 2024.\n", False)
    assert archive.request_form == [{"name": "what_for", "label": "What for?", "required": True}]
    assert (archive.access_requests, archive.terms) == ("accept_verified_users", "Be kind.")
    second = told("create", "Chest CT", "--contributor", "Clinic", "--hidden")
    assert (second["slug"], second["visibility"]) == ("chest-ct-2", "hidden")
    assert Contributor.objects.count() == 1


def test_what_is_left_out_stays(people):
    make_archive(people["alice"], keywords=["lung"], citation="Roe A.")
    changed = told("edit", "chest-ct", "--title", "Chest", "--public", "--keyword", "nodule")
    assert (changed["title"], changed["visibility"], changed["keywords"], changed["citation"], changed["slug"]) == (
        "Chest",
        "public",
        ["nodule"],
        "Roe A.",
        "chest-ct",
    )
    assert told("edit", "chest-ct", "--keyword", "")["keywords"] == []
    assert "Say what to change" in run("edit", "chest-ct", exit_code=2)
    refused = run("edit", "chest-ct", "--contact", "nobody", "--publication", "nature", exit_code=1)
    assert "contact_email: nobody is not an e-mail address" in refused
    assert "publications: nature is not a DOI" in refused
    assert "Only editors" in run("edit", "chest-ct", "--title", "Mine", by="bob", exit_code=1)


def test_archives_are_listed_as_far_as_one_may_find_them(people):
    make_archive(people["alice"], title="Chest CT", public=True, modalities=["CT"])
    make_archive(people["alice"], title="Head MR", modalities=["MR"])
    assert [row["slug"] for row in told("list", by="bob")] == ["chest-ct"]
    assert {row["slug"] for row in told("list", "--mine")} == {"chest-ct", "head-mr"}
    assert [row["slug"] for row in told("list", "--modality", "MR")] == ["head-mr"]
    assert [row["slug"] for row in told("list", "chest")] == ["chest-ct"]
    assert [row["slug"] for row in told("list", "--private")] == ["head-mr"]
    assert "chest-ct\tChest CT\t0\tpublic\teditor" in run("list")
    assert "chest-ct\tChest CT\t-\tpublic\t-" in run("list", by="bob")
    assert "No archive is found" in run("list", "nothing")
    assert "CT" in run("show", "chest-ct", by="bob")
    assert "no such archive" in run("show", "head-mr", by="bob", exit_code=1)


def test_slips_of_a_command_are_told(people, tmp_path):
    assert "one of --contributor" in run("create", "A", exit_code=2)
    assert "cannot be read" in run("create", "A", "--new-contributor", "C", "--terms", "@nothing.md", exit_code=2)
    (tmp_path / "latin.md").write_bytes(b"M\xfcller")
    refused = run("create", "A", "--new-contributor", "C", "--terms", f"@{tmp_path}/latin.md", exit_code=2)
    assert "no UTF-8 text" in refused
    assert not Archive.objects.exists()
