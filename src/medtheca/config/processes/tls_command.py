"""`medtheca tls`: what clients have to trust, and the lines that make them."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import Any

import click

from medtheca.config.environment import Environment, environment
from medtheca.config.processes.errors import CannotRun
from medtheca.config.processes.lock import read_holder
from medtheca.config.processes.options import EXIT_CODES
from medtheca.config.processes.tls import authority_of, facts_of, served_pair
from medtheca.toolkit.certificates import Facts

_LINES = """\
Python, with gcapi (0.14 asks for versions without its `verify`; 0.16 takes verify="{file}" as well):

  export SSL_CERT_FILE={quoted} GRAND_CHALLENGE_AUTHORIZATION=mt_…
  python -c 'import gcapi; print(list(gcapi.Client(base_url="{address}/api/v1/").archives.iterate_all()))'

Python, with requests:

  REQUESTS_CA_BUNDLE={quoted} python -c 'import requests; print(requests.get("{address}/api/v1/gcapi/").json())'

All Python programs of a shell, beside the authorities that they trust already:

  cat "$(python -m certifi)" {quoted} > trusted.pem
  export SSL_CERT_FILE="$PWD/trusted.pem" REQUESTS_CA_BUNDLE="$PWD/trusted.pem"

curl:

  curl --cacert {quoted} {address}/api/v1/gcapi/

Debian and Ubuntu, for all programs but browsers:

  sudo cp {quoted} /usr/local/share/ca-certificates/medtheca.crt && sudo update-ca-certificates

Chrome and Chromium on Linux (certutil is in libnss3-tools):

  certutil -d sql:"$HOME/.pki/nssdb" -A -t C,, -n Medtheca -i {quoted}

Firefox: Settings, Privacy & Security, View Certificates, Authorities, Import, this file; tick "identify websites".
macOS, as Safari and Chrome know it:

  security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db {quoted}

Windows, as Edge and Chrome know it:

  certutil -user -addstore Root authority.crt

On another machine, copy the file there (it is no secret; authority.key beside it is) and compare the fingerprint:

  openssl x509 -noout -fingerprint -sha256 -in authority.crt
"""


@click.command(epilog=EXIT_CODES)
@click.option("--json", "as_json", is_flag=True, help="Print what the certificates say as JSON.")
@click.option("--pem", is_flag=True, help="Print the certificate of the authority, to be kept in a file elsewhere.")
def command(*, as_json: bool, pem: bool) -> None:
    r"""Say what clients have to trust where https is served, and print the lines that make them.

    `medtheca up --tls` makes a certificate authority in the data folder, which may speak for the names of this archive
    and for no others. Until a client trusts it, it refuses to talk.

    \b
    Examples:
      medtheca tls
      medtheca tls --json
      medtheca tls --pem > authority.crt
    """
    found = environment()
    authority, served = authority_of(found.data), served_pair(found)
    facts = None if found.tls_cert is not None else facts_of(authority.certificate)
    shown = facts_of(served.certificate)
    if shown is None or (facts is None and found.tls_cert is None):
        raise CannotRun(f"There is no certificate in {served.certificate.parent} yet: `medtheca up --tls` makes one.")
    if pem:
        if facts is None:
            raise CannotRun("The certificate is of an authority that is not ours.")
        click.echo(authority.certificate.read_text(), nl=False)
    elif as_json:
        about = {"authority": _about(authority.certificate, facts), "server": _about(served.certificate, shown)}
        click.echo(json.dumps({"address": _address(found), **about}, indent=2))
    else:
        _tell(found, authority.certificate, facts, served.certificate, shown)


def _tell(found: Environment, authority: Path, facts: Facts | None, served: Path, shown: Facts) -> None:
    address = _address(found)
    click.echo(f"{found.name} is at {address}\n")
    if facts is not None:
        _tell_one("authority", authority, facts)
    _tell_one("server", served, shown)
    if facts is None:
        click.echo("The certificate is the operator's. Where its authority is publicly known, nothing has to be done.")
        sys.exit(0)
    click.echo(_LINES.format(address=address, file=authority, quoted=quote(str(authority))), nl=False)


def _tell_one(title: str, file: Path, facts: Facts) -> None:
    for label, value in (
        (title, str(file)),
        ("  SHA-256", facts.sha256),
        ("  names", ", ".join(facts.names)),
        ("  valid", f"{_day(facts.not_before)} to {_day(facts.not_after)}"),
    ):
        click.echo(f"{label:<10}  {value}")
    click.echo()


def _about(file: Path, facts: Facts | None) -> dict[str, Any] | None:
    if facts is None:
        return None
    return {
        "file": str(file),
        "sha256": facts.sha256,
        "subject": facts.subject,
        "issuer": facts.issuer,
        "names": list(facts.names),
        "not_before": facts.not_before.isoformat(),
        "not_after": facts.not_after.isoformat(),
    }


def _address(found: Environment) -> str:
    """Where it runs now, else where it would."""
    holder = read_holder(found.data)
    running = holder.address if holder is not None and holder.command == "up" else ""
    return running or found.address.replace("http://", "https://", 1)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
