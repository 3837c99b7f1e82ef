"""Certificates in the data folder: made once, renewed in time, changed with the names, never readable by others."""

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from medtheca.config.environment import WrongSetting, read_environment
from medtheca.config.processes.errors import CannotRun
from medtheca.config.processes.tls import authority_of, facts_of, instance_names, prepare, served_pair
from medtheca.toolkit.certificates import make_authority, make_server_certificate

NOW = datetime.now(UTC)


@pytest.fixture
def settings(tmp_path):
    def made(**variables):
        return read_environment({"MEDTHECA_DATA": str(tmp_path), "MEDTHECA_TLS": "yes", **variables})

    return made


def test_names_are_those_under_which_the_instance_may_be_asked(settings):
    assert instance_names(settings()) == ("localhost", "127.0.0.1", "::1")
    found = settings(
        MEDTHECA_PUBLIC_URL="https://Archive.example.org:8443",
        MEDTHECA_HOST="192.0.2.7",
        MEDTHECA_ALLOWED_HOSTS="*,.example.net,[2001:db8::1]",
    )
    local = ("localhost", "127.0.0.1", "::1")
    assert instance_names(found) == ("archive.example.org", *local, "192.0.2.7", "example.net", "2001:db8::1")
    assert instance_names(settings(MEDTHECA_HOST="0.0.0.0")) == local


def test_keys_are_their_owner_s_alone_whatever_the_umask(settings):
    before = os.umask(0o000)
    try:
        prepare(settings())
    finally:
        os.umask(before)
    found = settings()
    assert stat.S_IMODE((found.data / "tls").stat().st_mode) == 0o700
    for pair in (authority_of(found.data), served_pair(found)):
        assert stat.S_IMODE(pair.key.stat().st_mode) == 0o600


def test_nothing_changes_until_it_has_to(settings):
    first = prepare(settings(), at=NOW)
    assert first.changed
    assert first.told == ()
    before = {file: file.read_bytes() for file in (settings().data / "tls").iterdir()}
    again = prepare(settings(), at=NOW + timedelta(days=300))
    assert not again.changed
    assert {file: file.read_bytes() for file in (settings().data / "tls").iterdir()} == before


def test_the_server_s_certificate_is_renewed_in_time_and_the_authority_stays(settings):
    prepare(settings(), at=NOW)
    authority = authority_of(settings().data).certificate
    trusted = authority.read_bytes()
    later = NOW + timedelta(days=340)
    outcome = prepare(settings(), at=later)
    assert outcome.changed
    assert outcome.told == ()
    assert authority.read_bytes() == trusted
    assert facts_of(outcome.served.certificate).not_after > later + timedelta(days=390)


def test_a_new_name_needs_a_new_authority_and_that_is_told(settings):
    prepare(settings(), at=NOW)
    authority = authority_of(settings().data)
    old = authority.certificate.read_bytes()
    outcome = prepare(settings(MEDTHECA_PUBLIC_URL="https://archive.example.org"), at=NOW)
    [sentence] = outcome.told
    assert "archive.example.org" in sentence
    assert "medtheca tls" in sentence
    assert authority.certificate.read_bytes() != old
    assert [file.read_bytes() for file in (settings().data / "tls").glob("authority-*.crt")] == [old]
    assert "archive.example.org" in facts_of(outcome.served.certificate).names
    # Back to fewer names: the authority may speak for them too, and nobody has to do anything.
    fewer = prepare(settings(), at=NOW)
    assert (fewer.changed, fewer.told) == (True, ())


def test_an_authority_that_ends_is_replaced_and_that_is_told(settings):
    prepare(settings(), at=NOW)
    outcome = prepare(settings(), at=NOW + timedelta(days=3600))
    assert "ends soon" in outcome.told[0]


@pytest.mark.parametrize("name", ["server.key", "server.crt"])
def test_what_a_crash_left_half_is_made_anew(settings, name):
    prepare(settings(), at=NOW)
    (settings().data / "tls" / name).write_bytes(b"")
    assert prepare(settings(), at=NOW).changed
    assert not prepare(settings(), at=NOW).changed


@pytest.fixture
def operators(tmp_path):
    """A certificate and key of the operator's, for archive.example.org; as settings."""

    def made(*, names=("archive.example.org",), at=NOW):
        authority = make_authority(title="Hospital", names=names, at=at)
        signed = make_server_certificate(authority=authority, names=names, at=at)
        (tmp_path / "own.crt").write_bytes(signed.certificate)
        (tmp_path / "own.key").write_bytes(signed.key)
        return {
            "MEDTHECA_TLS": "no",
            "MEDTHECA_TLS_CERT": str(tmp_path / "own.crt"),
            "MEDTHECA_TLS_KEY": str(tmp_path / "own.key"),
            "MEDTHECA_PUBLIC_URL": "https://archive.example.org",
        }

    return made


def test_an_operator_s_certificate_is_served_and_nothing_of_ours_is_made(settings, operators):
    found = settings(**operators())
    outcome = prepare(found)
    assert (outcome.served.certificate, outcome.told) == (found.tls_cert, ())
    assert not (found.data / "tls").exists()


def test_an_operator_s_certificate_for_another_name_or_near_its_end_is_told(settings, operators):
    [sentence] = prepare(settings(**operators(names=("other.example.org",)))).told
    assert "not for archive.example.org" in sentence
    [sentence] = prepare(settings(**operators()), at=NOW + timedelta(days=390)).told
    assert "ends on" in sentence


def test_an_operator_s_certificate_that_cannot_be_served_stops_the_start(settings, operators, tmp_path):
    variables = operators()
    with pytest.raises(CannotRun, match="ended on"):
        prepare(settings(**variables), at=NOW + timedelta(days=400))
    (tmp_path / "own.key").write_bytes(b"no key")
    with pytest.raises(CannotRun, match=r"own\.key cannot be served"):
        prepare(settings(**variables))


def test_settings_that_contradict_each_other_are_named(tmp_path):
    file = tmp_path / "a.crt"
    file.touch()
    for variables, told in (
        ({"MEDTHECA_TLS": "yes", "MEDTHECA_PUBLIC_URL": "http://archive.example.org"}, "begin with https://"),
        ({"MEDTHECA_TLS_CERT": str(file)}, "given together"),
        ({"MEDTHECA_TLS_KEY": str(file)}, "given together"),
        ({"MEDTHECA_TLS_CERT": str(tmp_path / "none")}, "no such file"),
    ):
        with pytest.raises(WrongSetting, match=told):
            read_environment(variables)


def test_the_address_says_https_where_it_is_served():
    assert read_environment({}).address == "http://localhost:8000"
    assert read_environment({"MEDTHECA_TLS": "yes", "MEDTHECA_PORT": "8443"}).address == "https://localhost:8443"
    behind_a_proxy = read_environment({"MEDTHECA_PUBLIC_URL": "https://archive.example.org"})
    assert (behind_a_proxy.address, behind_a_proxy.serves_tls) == ("https://archive.example.org", False)


@pytest.mark.parametrize(
    ("variables", "cookies", "seconds"),
    [
        ({}, False, 0),
        ({"MEDTHECA_TLS": "yes"}, True, 0),
        ({"MEDTHECA_TLS": "yes", "MEDTHECA_PUBLIC_URL": "https://archive.example.org"}, True, 0),
        ({"MEDTHECA_PUBLIC_URL": "https://archive.example.org"}, True, 31_536_000),
        ({"MEDTHECA_PUBLIC_URL": "https://localhost:8443"}, True, 0),
    ],
)
def test_cookies_are_secure_with_https_and_browsers_promise_nothing_for_local_names(
    tmp_path, variables, cookies, seconds
):
    code = (
        "import medtheca.config.settings as s, json;"
        "print(json.dumps([s.SESSION_COOKIE_SECURE and s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS]))"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDTHECA_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=kept | {"MEDTHECA_DATA": str(tmp_path), **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [cookies, seconds]


def ask(*words, **variables):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDTHECA_")}
    return subprocess.run(
        [sys.executable, "-m", "medtheca", "tls", *words],
        env=kept | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_tells_what_to_trust(settings):
    found = settings()
    nothing = ask(MEDTHECA_DATA=str(found.data))
    assert nothing.returncode == 1
    assert "medtheca up --tls" in nothing.stderr
    prepare(found)
    file = authority_of(found.data).certificate
    told = ask(MEDTHECA_DATA=str(found.data), MEDTHECA_PORT="8443").stdout
    assert str(file) in told
    assert facts_of(file).sha256 in told
    assert "https://localhost:8443/api/v1/" in told
    said = json.loads(ask("--json", MEDTHECA_DATA=str(found.data)).stdout)
    assert said["authority"]["sha256"] == facts_of(file).sha256
    assert said["server"]["names"] == ["localhost", "127.0.0.1", "::1"]
    assert ask("--pem", MEDTHECA_DATA=str(found.data)).stdout == file.read_text()


def test_the_command_tells_of_an_operator_s_certificate_that_nothing_has_to_be_done(settings, operators):
    found = settings(**operators())
    variables = {"MEDTHECA_DATA": str(found.data), **operators()}
    told = ask(**variables)
    assert told.returncode == 0
    assert "operator's" in told.stdout
    assert ask("--pem", **variables).returncode == 1
