"""An authority that speaks for its names only, by the judgement of OpenSSL."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization

from medtheca.toolkit.certificates import (
    WrongCertificate,
    check_pair,
    covers,
    make_authority,
    make_server_certificate,
    permits,
    read_facts,
    was_signed_by,
)

NOW = datetime.now(UTC)
NAMES = ("archive.example.org", "localhost", "127.0.0.1", "::1")


@pytest.fixture(scope="module")
def authority():
    return make_authority(title="Medtheca certificate authority", names=NAMES, at=NOW)


@pytest.fixture(scope="module")
def server(authority):
    return make_server_certificate(authority=authority, names=NAMES, at=NOW)


def shake_hands(trusted, shown, name, tmp_path):
    """Both sides of TLS in memory, as strict as Python 3.13 is by default. Raises what the client says."""
    (tmp_path / "server.crt").write_bytes(shown.certificate)
    (tmp_path / "server.key").write_bytes(shown.key)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    asking = ssl.create_default_context(cadata=trusted.certificate.decode())
    asking.verify_flags |= ssl.VERIFY_X509_STRICT
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(back, there, server_hostname=name)
    host = serving.wrap_bio(there, back, server_side=True)
    for side in (client, host, client, host):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return client.version()


@pytest.mark.parametrize("name", NAMES)
def test_a_client_that_trusts_the_authority_alone_accepts_every_name(authority, server, name, tmp_path):
    assert shake_hands(authority, server, name, tmp_path) == "TLSv1.3"


def test_a_client_refuses_another_name_and_another_authority(authority, server, tmp_path):
    with pytest.raises(ssl.SSLCertVerificationError, match="match"):
        shake_hands(authority, server, "bank.example.com", tmp_path)
    other = make_authority(title="Medtheca certificate authority", names=NAMES, at=NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(other, server, "localhost", tmp_path)
    assert was_signed_by(server.certificate, authority.certificate)
    assert not was_signed_by(server.certificate, other.certificate)


@pytest.mark.parametrize("name", ["bank.example.com", "example.org", "10.0.0.1", "::2"])
def test_a_stolen_authority_signs_nothing_for_others(authority, name, tmp_path, monkeypatch):
    assert not permits(authority.certificate, name)
    with pytest.raises(WrongCertificate, match="may not speak for"):
        make_server_certificate(authority=authority, names=[name], at=NOW)
    # A thief has no such scruples: clients have to refuse what they make with the key.
    monkeypatch.setattr("medtheca.toolkit.certificates.permits", lambda *_: True)
    forged = make_server_certificate(authority=authority, names=[name], at=NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        shake_hands(authority, forged, name, tmp_path)


def test_lives_are_as_long_as_is_said_and_the_server_s_ends_with_the_authority_s(authority, server):
    theirs, ours = read_facts(authority.certificate), read_facts(server.certificate)
    assert theirs.not_after - theirs.not_before == timedelta(days=3652)
    assert ours.not_after - ours.not_before == timedelta(days=397)
    assert theirs.not_before < NOW
    assert set(theirs.names) == set(ours.names) == set(NAMES)
    assert theirs.is_self_signed
    assert not ours.is_self_signed
    late = make_server_certificate(authority=authority, names=NAMES, at=theirs.not_after - timedelta(days=10))
    assert read_facts(late.certificate).not_after <= theirs.not_after


def test_names_below_an_allowed_one_are_allowed_and_stars_stand_for_one_label(authority):
    assert permits(authority.certificate, "Images.archive.example.org")
    assert not permits(authority.certificate, "notarchive.example.org")
    starred = make_server_certificate(authority=authority, names=["*.archive.example.org"], at=NOW)
    facts = read_facts(starred.certificate)
    assert covers(facts, "a.archive.example.org")
    assert not covers(facts, "a.b.archive.example.org")
    assert not covers(facts, "archive.example.org")


def test_what_does_not_belong_together_is_told(authority, server):
    check_pair(server.certificate, server.key)
    with pytest.raises(WrongCertificate, match="another certificate's"):
        check_pair(server.certificate, authority.key)
    with pytest.raises(WrongCertificate, match="none in PEM"):
        check_pair(b"hello", server.key)
    with pytest.raises(WrongCertificate, match="no key in PEM"):
        check_pair(server.certificate, b"hello")
    key = serialization.load_pem_private_key(server.key, None)
    locked = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"word")
    )
    with pytest.raises(WrongCertificate, match="without a password"):
        check_pair(server.certificate, locked)
