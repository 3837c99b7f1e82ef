"""`medtheca user show`, `export`, `delete` and `reset-second-factor`, as an operator types them."""

import json
import zipfile

import pytest
from allauth.mfa.models import Authenticator
from click.testing import CliRunner

from medtheca.domains.accounts.models import User
from medtheca.interfaces.cli.people import user
from tests.factories.accounts import make_user
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db


def run(*words):
    return CliRunner().invoke(user, list(words), catch_exceptions=False)


def test_show_tells_what_there_is():
    make_user("alice")
    facts = json.loads(run("show", "alice@example.org", "--json").stdout)
    assert (facts["name"], facts["passkeys"], facts["accepted_terms"]) == ("Alice Example", 0, "1")
    assert "hash id" in run("show", "alice@example.org").stdout
    assert run("show", "nobody@example.org").exit_code == 1


def test_export_writes_a_private_file_and_no_other(tmp_path):
    make_user("alice")
    file = tmp_path / "alice.zip"
    assert run("export", "alice@example.org", str(file)).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(zipfile.ZipFile(file).read("profile.json"))["email"] == "alice@example.org"
    before = file.read_bytes()
    assert run("export", "alice@example.org", str(file)).exit_code == 1
    assert file.read_bytes() == before


def test_delete_previews_waits_and_does_it_at_once():
    bob = make_user("bob")
    assert "Nothing was changed" in run("delete", "bob@example.org").stdout
    assert "unless they log in before" in run("delete", "bob@example.org", "--yes").stdout
    assert "is kept" in run("delete", "bob@example.org", "--keep").stdout
    assert "is deleted" in run("delete", "bob@example.org", "--now", "--yes").stdout
    assert User.objects.get(pk=bob.pk).full_name == f"deleted-{bob.hash_id}"


def test_the_last_owner_is_named_and_stays():
    alice = make_user("alice")
    make_cohort(alice)
    done = run("delete", "alice@example.org", "--now", "--yes")
    assert done.exit_code == 1
    assert "only owner" in done.stderr
    assert User.objects.get(pk=alice.pk).deleted is None


def test_a_lost_factor_is_reset():
    alice = make_user("alice")
    Authenticator.objects.create(user=alice, type="totp", data={"secret": "x"})
    assert "password alone" in run("reset-second-factor", "alice@example.org").stdout
    assert not Authenticator.objects.exists()
    assert "no second factor" in run("reset-second-factor", "alice@example.org").stdout


def test_terms_accepted_on_paper_are_noted():
    assert run("create", "eve@example.org", "--random-password", "--accepted-terms").exit_code == 0
    assert User.objects.get(email="eve@example.org").accepted_version == "1"
