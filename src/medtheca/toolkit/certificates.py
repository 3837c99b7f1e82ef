"""Certificates for TLS (X.509, RFC 5280): an authority of one's own that may speak for a few names only, and the
certificate of a server that it signs.

The authority is bound to its names by critical name constraints. Whoever trusts it trusts it for these and for no
others, so a stolen key signs nothing for a bank.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = timedelta(days=3652)
SERVER_LIFE = timedelta(days=397)
"""A year and a month: browsers accept 398 days of anybody's authority, and more only of one that its user added."""
_BACKDATED = timedelta(hours=1)
_WITHOUT_PATH = 0
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class WrongCertificate(Exception):
    """A certificate or key that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Facts:
    """What a certificate says, in words that can be shown. The names of an authority are those it may speak for."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    sha256: str

    @property
    def is_self_signed(self) -> bool:
        """Whether it names itself as its issuer."""
        return self.subject == self.issuer


def make_authority(*, title: str, names: Sequence[str], at: datetime) -> Signed:
    """A certificate authority that may speak for these host names, what is below them, and these IP addresses.

    `at` is the present moment; it is valid for ten years from an hour before it, for clocks that are behind.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title[:64])])
    builder = (
        _begin(subject, subject, key.public_key(), at=at, life=AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=_WITHOUT_PATH), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints([_constraint(name) for name in names], None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Signed(_pem(builder.sign(key, hashes.SHA256())), _key_pem(key))


def make_server_certificate(*, authority: Signed, names: Sequence[str], at: datetime) -> Signed:
    """A certificate for a server of these names, signed by the authority. The first name is its subject.

    Raises `WrongCertificate` where the authority may not speak for one of them.
    """
    issuer = _load(authority.certificate)
    if missing := [name for name in names if not permits(authority.certificate, name)]:
        raise WrongCertificate(f"The authority may not speak for {', '.join(missing)}.")
    issuer_key = serialization.load_pem_private_key(authority.key, None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    # Never longer than who vouches for it.
    life = min(SERVER_LIFE, issuer.not_valid_after_utc - at + _BACKDATED)
    builder = (
        _begin(subject, issuer.subject, key.public_key(), at=at, life=life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
                issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
            ),
            critical=False,
        )
    )
    return Signed(_pem(builder.sign(issuer_key, hashes.SHA256())), _key_pem(key))


def permits(certificate: bytes, name: str) -> bool:
    """Whether an authority (PEM) may speak for a name. One without name constraints may for all."""
    allowed = _permitted(_load(certificate))
    if allowed is None:
        return True
    address = _address(name)
    for subtree in allowed:
        if address is not None and isinstance(subtree, x509.IPAddress):
            if isinstance(subtree.value, _Network) and address in subtree.value:
                return True
        elif address is None and isinstance(subtree, x509.DNSName):
            host, domain = name.lower(), subtree.value.lower()
            if host == domain or host.endswith("." + domain):
                return True
    return False


def read_facts(certificate: bytes) -> Facts:
    """What a certificate (PEM, the first of a chain) says. Raises `WrongCertificate`."""
    found = _load(certificate)
    try:
        alternatives = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [*alternatives.get_values_for_type(x509.DNSName)]
        names += [str(address) for address in alternatives.get_values_for_type(x509.IPAddress)]
    except x509.ExtensionNotFound:
        names = [_words(subtree) for subtree in _permitted(found) or ()]
    return Facts(
        subject=found.subject.rfc4514_string(),
        issuer=found.issuer.rfc4514_string(),
        names=tuple(names),
        not_before=found.not_valid_before_utc,
        not_after=found.not_valid_after_utc,
        sha256=found.fingerprint(hashes.SHA256()).hex(":").upper(),
    )


def covers(facts: Facts, name: str) -> bool:
    """Whether a certificate is good for a name; a star stands for one label.

    >>> from datetime import UTC
    >>> facts = Facts("", "", ("*.example.org", "::1"), datetime.now(UTC), datetime.now(UTC), "")
    >>> covers(facts, "archive.example.org"), covers(facts, "a.b.example.org"), covers(facts, "0:0::1")
    (True, False, True)
    """
    address = _address(name)
    if address is not None:
        return any(_address(known) == address for known in facts.names)
    host = name.lower()
    below_first = host.partition(".")[2]
    return any(known.lower() in {host, f"*.{below_first}"} for known in facts.names)


def was_signed_by(certificate: bytes, authority: bytes) -> bool:
    """Whether an authority's key has signed a certificate; both PEM."""
    try:
        _load(certificate).verify_directly_issued_by(_load(authority))
    except Exception:  # noqa: BLE001 - the library raises what it likes for what is wrong with a signature
        return False
    return True


def check_pair(certificate: bytes, key: bytes) -> None:
    """Raise `WrongCertificate` unless a certificate and an unencrypted private key (PEM) belong together."""
    found = _load(certificate)
    try:
        private = serialization.load_pem_private_key(key, None)
    except TypeError:
        raise WrongCertificate("The private key is encrypted; write it without a password.") from None
    except ValueError:
        raise WrongCertificate("The private key is no key in PEM.") from None
    if _public_bytes(private.public_key()) != _public_bytes(found.public_key()):
        raise WrongCertificate("The private key is another certificate's.")


def _begin(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, at: datetime, life: timedelta
) -> x509.CertificateBuilder:
    begin = at - _BACKDATED
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + life)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return None


def _general_name(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name.lower()) if address is None else x509.IPAddress(address)


def _constraint(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name.lower()) if address is None else x509.IPAddress(ipaddress.ip_network(address))


def _permitted(certificate: x509.Certificate) -> list[x509.GeneralName] | None:
    """What an authority is bound to; None where it is not bound."""
    try:
        return certificate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
    except x509.ExtensionNotFound:
        return None


def _words(name: x509.GeneralName) -> str:
    if isinstance(name, x509.IPAddress) and isinstance(name.value, _Network):
        whole = name.value.prefixlen == name.value.max_prefixlen
        return str(name.value.network_address if whole else name.value)
    return str(name.value)


def _load(certificate: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(certificate)
    except ValueError:
        raise WrongCertificate("The certificate is none in PEM.") from None


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _public_bytes(key: object) -> bytes:
    read = getattr(key, "public_bytes")  # noqa: B009 - every kind of key has it, and they share no type
    found: bytes = read(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return found
