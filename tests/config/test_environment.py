"""A wrong setting stops the start and names itself; a right one is read as it is meant."""

import json
import os
import subprocess
import sys

import pytest

from medtheca.config.environment import WrongSetting, read_environment

GOOD = {
    "MEDTHECA_TRUSTED_PROXIES": "10.0.0.5, 192.168.0.0/16,::1",
    "MEDTHECA_ALLOWED_HOSTS": "archive.example.org,.example.com,[2001:db8::1],10.0.0.5",
    "MEDTHECA_DISK_RESERVE": "1.5GiB",
    "MEDTHECA_ID_WIDTH": "12",
    "MEDTHECA_ID_PREFIX": "ABCDEFGHIJ",
    "MEDTHECA_DEMO": "On",
    "MEDTHECA_FREE_MAIL_DOMAINS": "Mail.Example, -gmx.de",
}


def test_right_settings_are_read():
    found = read_environment(GOOD)
    assert found.trusted_proxies == ("10.0.0.5", "192.168.0.0/16", "::1")
    assert found.allowed_hosts == ("archive.example.org", ".example.com", "[2001:db8::1]", "10.0.0.5")
    assert found.free_mail_domains == ("mail.example", "-gmx.de")
    assert (found.disk_reserve, found.demo, found.port) == (1_610_612_736, True, 8000)


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("MEDTHECA_TRUSTED_PROXIES", "10.0.0.5/8", "10.0.0.5/8"),
        ("MEDTHECA_TRUSTED_PROXIES", "10.0.0.1,proxy.local", "proxy.local"),
        ("MEDTHECA_ALLOWED_HOSTS", "https://archive.example.org", "without http"),
        ("MEDTHECA_ALLOWED_HOSTS", "archive.example.org:8000", "without http"),
        ("MEDTHECA_PORT", "65536", "65,535"),
        ("MEDTHECA_PORT", "0", "65,535"),
        ("MEDTHECA_PORT", "http", "65,535"),
        ("MEDTHECA_DECODERS", "0", "from 1"),
        ("MEDTHECA_WORKERS", "-1", "0 or more"),
        ("MEDTHECA_WORKERS", "two", "0 or more"),
        ("MEDTHECA_ID_WIDTH", "0", "from 1"),
        ("MEDTHECA_ID_WIDTH", "13", "to 12"),
        ("MEDTHECA_ID_PREFIX", "isic", "capital"),
        ("MEDTHECA_ID_PREFIX", "ABCDEFGHIJK", "2 to 10"),
        ("MEDTHECA_DISK_RESERVE", "lots", "500M"),
        ("MEDTHECA_ARCHIVE_CREATION", "nobody", "anyone, verified, approval"),
        ("MEDTHECA_FREE_MAIL_DOMAINS", "mail.example, @gmx.de", "@gmx.de"),
        ("MEDTHECA_DEMO", "maybe", "yes or no"),
        ("MEDTHECA_PUBLIC_URL", "archive.example.org", "https://"),
        ("MEDTHECA_PUBLIC_URL", "https://archive.example.org:99999", "port"),
        ("MEDTHECA_SMTP_URL", "http://mail", "smtp://"),
        ("DATABASE_URL", "mysql://a/b", "PostgreSQL"),
        ("DATABASE_URL", "postgresql://u:secret@h:port/b", "port"),
        ("MEDTHECA_DATTA", "/srv", "not a setting"),
    ],
)
def test_a_wrong_setting_names_itself_and_what_would_be_right(variable, value, told):
    with pytest.raises(WrongSetting) as refusal:
        read_environment({variable: value})
    assert variable in str(refusal.value)
    assert told in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_all_wrong_settings_are_named_at_once():
    with pytest.raises(WrongSetting) as refusal:
        read_environment({"MEDTHECA_PORT": "x", "MEDTHECA_DEMO": "perhaps"})
    assert "MEDTHECA_PORT" in str(refusal.value)
    assert "MEDTHECA_DEMO" in str(refusal.value)


def database_for(url, tmp_path):
    program = "from django.conf import settings; import json; print(json.dumps(settings.DATABASES['default']))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ
        | {"DATABASE_URL": url, "MEDTHECA_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "medtheca.config.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_what_an_address_of_a_database_says_is_not_lost(tmp_path):
    found = database_for(
        "postgresql://al%40ice:p%2Fw@db.example.org:6543/arch%20ive?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem",
        tmp_path,
    )
    assert [found[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")] == [
        "arch ive",
        "al@ice",
        "p/w",
        "db.example.org",
        "6543",
    ]
    assert found["OPTIONS"]["sslmode"] == "verify-full"
    assert found["OPTIONS"]["sslrootcert"] == "/etc/ca.pem"


def test_a_socket_is_named_in_the_query(tmp_path):
    found = database_for("postgresql://me@/archive?host=%2Frun%2Fa%20b&port=5433", tmp_path)
    assert [found[key] for key in ("NAME", "HOST", "PORT")] == ["archive", "/run/a b", "5433"]
    assert "host" not in found["OPTIONS"]
