import json
import re

import pytest
from click.testing import CliRunner

from medtheca.domains.accounts.models import ApiToken, User
from medtheca.domains.accounts.queries import user_of_token
from medtheca.interfaces.cli.accounts import token, user
from tests.factories.accounts import PASSWORD, make_token, make_user

pytestmark = pytest.mark.django_db


def run(command, *arguments, typed=""):
    return CliRunner().invoke(command, list(arguments), input=typed)


def test_a_user_is_made_with_a_password_from_standard_input():
    result = run(
        user, "create", "Sam@example.org", "--staff", "--name", "Sam Van Dyk", "--password-stdin", typed=PASSWORD + "\n"
    )
    assert (result.exit_code, result.stdout) == (0, "sam@example.org can log in now, as staff.\n")
    sam = User.objects.get()
    assert (sam.first_name, sam.last_name, sam.is_staff) == ("Sam", "Van Dyk", True)
    assert sam.check_password(PASSWORD)


def test_the_password_is_asked_for_twice_and_never_shown():
    result = run(user, "create", "alice@example.org", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0
    assert User.objects.get().check_password(PASSWORD)
    assert PASSWORD not in result.output


def test_a_random_password_is_printed_and_works():
    shown = json.loads(run(user, "create", "alice@example.org", "--random-password", "--json").stdout)
    assert User.objects.get().check_password(shown["password"])
    assert (shown["email"], shown["staff"]) == ("alice@example.org", False)
    words = run(user, "create", "bob@example.org", "--random-password").stdout
    assert User.objects.get(email="bob@example.org").check_password(re.search(r"Password: (\S+)", words)[1])


def test_refusals_exit_with_1_and_name_each_field():
    result = run(user, "create", "alice", "--password-stdin", typed="short\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "email: 'alice' is not an e-mail address." in result.stderr
    assert "password: " in result.stderr
    make_user("bob")
    taken = run(user, "create", "bob@example.org", "--random-password")
    assert (taken.exit_code, "already" in taken.stderr) == (1, True)


def test_a_command_written_wrongly_exits_with_2():
    assert run(user, "create", "a@example.org", "--password-stdin", "--random-password").exit_code == 2
    assert run(token, "create", "a@example.org").exit_code == 2


def test_users_are_listed():
    make_user("sam")
    make_user("bob")
    rows = json.loads(run(user, "list", "--json").stdout)
    assert [(row["email"], row["staff"], row["active"]) for row in rows] == [
        ("bob@example.org", False, True),
        ("sam@example.org", True, True),
    ]
    assert run(user, "list").stdout.splitlines()[1] == "sam@example.org\tSam Example\tstaff"


def test_a_disabled_user_is_out_and_an_enabled_one_in_again():
    bob = make_user("bob")
    assert run(user, "disable", "Bob@example.org").exit_code == 0
    bob.refresh_from_db()
    assert not bob.is_active
    assert "disabled" in run(user, "list").stdout
    assert run(user, "enable", "bob@example.org").exit_code == 0
    bob.refresh_from_db()
    assert bob.is_active
    assert run(user, "disable", "nobody@example.org").exit_code == 1


def test_a_token_is_made_listed_without_its_secret_and_revoked():
    alice = make_user("alice")
    made = json.loads(
        run(
            token, "create", "alice@example.org", "--name", "importer", "--scope", "write", "--days", "30", "--json"
        ).stdout
    )
    assert user_of_token(made["secret"]) == (alice, "write")
    listed = run(token, "list", "alice@example.org", "--json").stdout
    assert [(row["name"], row["state"]) for row in json.loads(listed)] == [("importer", "active")]
    assert made["secret"] not in listed
    assert run(token, "revoke", "alice@example.org", str(made["id"])).exit_code == 0
    assert user_of_token(made["secret"]) is None
    assert "revoked" in run(token, "list", "alice@example.org").stdout


def test_the_secret_alone_stands_on_standard_output():
    make_user("alice")
    result = run(token, "create", "alice@example.org", "--name", "notebook")
    assert user_of_token(result.stdout.strip()) is not None


def test_a_token_without_end_is_warned_of_and_one_too_long_refused():
    make_user("alice")
    forever = run(token, "create", "alice@example.org", "--name", "robot", "--days", "0")
    assert "Warning: this token lives until it is revoked." in forever.stderr
    assert ApiToken.objects.get().expires is None
    assert run(token, "create", "alice@example.org", "--name", "robot", "--days", "10000000000").exit_code == 1


def test_bobs_tokens_are_not_revoked_under_alices_name():
    make_user("alice")
    bobs, secret = make_token(make_user("bob"))
    assert run(token, "revoke", "alice@example.org", str(bobs.pk)).exit_code == 1
    assert user_of_token(secret) is not None


@pytest.mark.parametrize("command", [*user.commands.values(), *token.commands.values()], ids=lambda each: each.name)
def test_help_teaches_by_example(command):
    words = CliRunner().invoke(command, ["--help"]).output
    assert "Example" in words
    assert "medtheca " in words
