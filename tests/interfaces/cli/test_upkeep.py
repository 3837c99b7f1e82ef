import json

import pytest
from click.testing import CliRunner

from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.models import Event
from medtheca.domains.ledger.operations import record
from medtheca.domains.storage.queries import blob_store
from medtheca.interfaces.cli import backup, check, scrub
from tests.factories.storage import keep_for, sha256_of, use_data_folder

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _archive(settings, tmp_path):
    use_data_folder(settings, tmp_path / "data")
    keep_for(User.objects.create_user("alice@example.org"), b"content")
    yield
    blob_store.cache_clear()


def run(command, *arguments):
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def test_scrub_says_what_it_saw_and_ends_with_its_code():
    result = run(scrub.command)
    assert result.exit_code == 0
    assert result.output.startswith("1 files, 7 bytes")
    blob_store().path(sha256_of(b"content")).write_bytes(b"changed")
    result = run(scrub.command, "--json", "--oldest-first", "--limit", 5)
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert (told["clean"], told["findings"][0]["condition"], told["blobs"]) == (False, "differs", 1)
    assert "holds other bytes" not in run(scrub.command).output
    assert run(scrub.command, "--limit", 0).exit_code == 2


def test_check_lists_what_is_broken_and_ends_with_its_code():
    result = run(check.command)
    assert result.exit_code == 0
    assert "ok      I1: Every acknowledged upload and every original exists." in result.output
    blob_store().delete(sha256_of(b"content"))
    result = run(check.command)
    assert result.exit_code == 1
    assert "BROKEN  I1" in result.output
    assert "has no file" in result.output
    told = json.loads(run(check.command, "--json", "--deep").stdout)
    assert (told["clean"], told["invariants"]["I3"], told["invariants"]["I2"]) == (False, 1, 0)
    assert run(check.command, "--depe").exit_code == 2


def test_check_seals_when_asked():
    record(actor_id=None, verb="something.done", subject_type="test", subject_id=1)
    assert run(check.command).exit_code == 0
    assert Event.objects.filter(seal__isnull=True).exists()
    assert run(check.command, "--seal").exit_code == 0
    assert not Event.objects.filter(seal__isnull=True).exists()


def test_backup_and_restore_refuse_in_words(tmp_path):
    result = run(backup.backup, tmp_path / "data" / "inside")
    assert result.exit_code == 1
    assert "would be lost with it" in result.stderr
    result = run(backup.backup, tmp_path / "backup")
    assert result.exit_code == 0
    assert "1 files" in result.output
    result = run(backup.restore, tmp_path / "backup", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "conflict"
    assert run(backup.restore, tmp_path / "backup", "--snapshot", "none").exit_code == 1
    assert run(backup.backup, tmp_path / "backup", "--keep", 0).exit_code == 2


@pytest.mark.parametrize("command", [scrub.command, check.command, backup.backup, backup.restore])
def test_exit_codes_are_in_the_help(command):
    result = run(command, "--help")
    assert "Exit codes:" in result.output
    assert "  2  wrong usage" in result.output
