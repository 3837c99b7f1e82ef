"""Settings from the environment: declared once, checked at the start, documented by a generated table.

A wrong value stops the start and names itself. `python -m medtheca.config.environment` prints the table
that stands in `docs/reference/settings.md`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from medtheca.config.values import (
    between,
    database_url,
    domains,
    email,
    flag,
    hosts,
    issuer,
    networks,
    one_of,
    optional_path,
    path,
    prefix,
    public_url,
    size,
    smtp_url,
    text,
    text_file,
    whole,
)


class WrongSetting(Exception):
    """One or more environment variables hold something that cannot be used; the message names each."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable: where it goes, how it is read, what it means."""

    variable: str
    attribute: str
    parse: Callable[[str], Any]
    default: str
    help: str
    secret: bool = False
    formerly: str = ""


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "MEDTHECA_DATA",
        "data",
        path,
        "data",
        "Folder of everything Medtheca keeps: database, blobs, uploads, mail, logs, keys.",
    ),
    Setting(
        "DATABASE_URL",
        "database_url",
        database_url,
        "",
        "Outside PostgreSQL, 15 or newer. Empty: Medtheca runs its own inside the data folder.",
        secret=True,
    ),
    Setting(
        "MEDTHECA_SECRET_KEY",
        "secret_key",
        text,
        "",
        "Key that signs sessions, tickets and tokens. Empty: made at random once, kept in the data folder.",
        secret=True,
    ),
    Setting(
        "MEDTHECA_SIGNING_KEY",
        "signing_key",
        text_file,
        "",
        "File with the RSA key (PEM) that signs what applications learn of a log-in. Empty: made at random once, kept "
        "in the data folder.",
    ),
    Setting("MEDTHECA_HOST", "host", text, "127.0.0.1", "Address that the web process listens on."),
    Setting("MEDTHECA_PORT", "port", between(1, 65535), "8000", "Port that the web process listens on."),
    Setting("MEDTHECA_WORKERS", "workers", whole, "1", "Worker processes that `medtheca up` starts."),
    Setting(
        "MEDTHECA_DECODERS", "decoders", between(1, 256), "2", "Decoder children of one worker that may run at once."
    ),
    Setting(
        "MEDTHECA_DECODER_SECONDS",
        "decoder_seconds",
        between(10, 1_000_000),
        "3600",
        "Most processor seconds for one image. By its size and kind a file may take less: a small JPEG 20.",
    ),
    Setting(
        "MEDTHECA_UNSAFE_DECODERS",
        "unsafe_decoders",
        flag,
        "no",
        "Decode even where the kernel offers no fence (Landlock and seccomp). Not for files from strangers.",
    ),
    Setting(
        "MEDTHECA_PUBLIC_URL",
        "public_url",
        public_url,
        "",
        "Address that people type, for links in e-mail and APIs. Empty: http://localhost:PORT, or https:// with TLS.",
    ),
    Setting(
        "MEDTHECA_TLS",
        "tls",
        flag,
        "no",
        "Serve https on the port, with a certificate of an authority that is made in the data folder (`medtheca tls`).",
    ),
    Setting(
        "MEDTHECA_TLS_CERT",
        "tls_cert",
        text_file,
        "",
        "File with a certificate of your own (PEM, with the chain behind it) to serve https with, instead of ours.",
    ),
    Setting("MEDTHECA_TLS_KEY", "tls_key", text_file, "", "File with its private key (PEM, without a password)."),
    Setting(
        "MEDTHECA_ALLOWED_HOSTS",
        "allowed_hosts",
        hosts,
        "",
        "Further host names of requests, with commas, beside localhost, the listening and the public address.",
    ),
    Setting(
        "MEDTHECA_TRUSTED_PROXIES",
        "trusted_proxies",
        networks,
        "",
        "Addresses of reverse proxies, with commas, whose X-Forwarded-For, -Proto and -Host headers are believed.",
    ),
    Setting(
        "MEDTHECA_SMTP_URL",
        "smtp_url",
        smtp_url,
        "",
        "Mail server. Empty: messages are files in the data folder, shown on the development mailbox page.",
        secret=True,
    ),
    Setting("MEDTHECA_MAIL_FROM", "mail_from", text, "Medtheca <noreply@localhost>", "Sender of e-mail."),
    Setting(
        "MEDTHECA_SUPPORT_EMAIL",
        "support_email",
        email,
        "support@localhost",
        "Where people ask for help: in the footer, in errors, in mail and in the API's description.",
        formerly="SUPPORT_EMAIL",
    ),
    Setting("MEDTHECA_NAME", "name", text, "Medtheca", "Name of this instance, in titles and e-mail."),
    Setting(
        "MEDTHECA_TERMS",
        "terms",
        text_file,
        "",
        "File with terms of use of your own (UTF-8; a first line `Version: …` names the version). Empty: ours.",
    ),
    Setting(
        "MEDTHECA_PRIVACY", "privacy", text_file, "", "File with a privacy notice of your own (UTF-8). Empty: ours."
    ),
    Setting(
        "MEDTHECA_STAFF_SECOND_FACTOR",
        "staff_second_factor",
        flag,
        "no",
        "Staff without a second factor may do nothing by browser but set one up. API tokens are not affected.",
    ),
    Setting(
        "MEDTHECA_OIDC_ISSUER",
        "oidc_issuer",
        issuer,
        "",
        "Address of an OpenID Connect provider, for single sign-on. Empty: there is none.",
    ),
    Setting("MEDTHECA_OIDC_CLIENT_ID", "oidc_client_id", text, "", "Name of this instance at the provider."),
    Setting(
        "MEDTHECA_OIDC_CLIENT_SECRET",
        "oidc_client_secret",
        text,
        "",
        "Secret of this instance at the provider.",
        secret=True,
    ),
    Setting(
        "MEDTHECA_OIDC_NAME",
        "oidc_name",
        text,
        "single sign-on",
        "What the button of single sign-on says after “with”.",
    ),
    Setting(
        "MEDTHECA_OIDC_ONLY", "oidc_only", flag, "no", "Log in by single sign-on alone: no passwords, no sign-up here."
    ),
    Setting(
        "MEDTHECA_OIDC_DOMAINS",
        "oidc_domains",
        hosts,
        "",
        "Domains of e-mail addresses, with commas, that single sign-on lets in. Empty: all.",
    ),
    Setting(
        "MEDTHECA_ARCHIVE_CREATION",
        "archive_creation",
        one_of("anyone", "verified", "approval"),
        "anyone",
        "Who may make archives: anyone, verified (people with an institutional address), or approval (staff agree).",
    ),
    Setting(
        "MEDTHECA_FREE_MAIL_DOMAINS",
        "free_mail_domains",
        domains,
        "",
        "Further domains, with commas, whose addresses show no institution; with - before them such as do: -gmx.de.",
    ),
    Setting("MEDTHECA_ID_PREFIX", "id_prefix", prefix, "ISIC", "Prefix of public image ids."),
    Setting(
        "MEDTHECA_ID_WIDTH",
        "id_width",
        between(1, 12),
        "7",
        "Digits of public image ids; wider ones are minted when they run out.",
    ),
    Setting(
        "MEDTHECA_BLOB_STORE",
        "blob_store",
        text,
        "local",
        "Where blobs live: local (a folder in the data folder), or the dotted path of a factory.",
    ),
    Setting(
        "MEDTHECA_DISK_RESERVE",
        "disk_reserve",
        size,
        "512M",
        "Free space below which uploads and conversions are refused, so that a full disk never damages anything.",
    ),
    Setting(
        "MEDTHECA_DOWNLOAD_IMAGES",
        "download_images",
        between(1, 10_000_000),
        "100000",
        "Most images of one download. Freezing its list takes about a second for 5,000 of them.",
    ),
    Setting(
        "MEDTHECA_SEARCH_SECONDS",
        "search_seconds",
        between(1, 3600),
        "30",
        "Longest that answering a search may take; then it is given up, and 503 says so.",
    ),
    Setting("MEDTHECA_MAX_UPLOAD", "max_upload", size, "50G", "Largest single upload."),
    Setting(
        "MEDTHECA_UPLOAD_QUOTA",
        "upload_quota",
        size,
        "200G",
        "Bytes that one person may have in unfinished and unreceived uploads.",
    ),
    Setting("MEDTHECA_MAX_MEMBERS", "max_members", whole, "100000", "Most files in one ZIP."),
    Setting(
        "MEDTHECA_SAMPLES",
        "samples",
        optional_path,
        "",
        "Folder of sample images for the demo and the tests. Empty: shared/data beside the repository, if any.",
    ),
    Setting(
        "MEDTHECA_DEMO",
        "demo",
        flag,
        "no",
        "Set by `medtheca up --demo`: demo logins exist and are refused from other machines.",
    ),
    Setting("MEDTHECA_DEBUG", "debug", flag, "no", "Django's error pages. Never on a machine that others reach."),
    Setting(
        "MEDTHECA_FAULT_STEPS",
        "fault_steps",
        optional_path,
        "",
        "Folder in which each thread notes the named step it is in, and finds orders to abort in one; for crash tests.",
    ),
)


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings of this process, read and checked."""

    data: Path
    database_url: str
    secret_key: str
    signing_key: Path | None
    host: str
    port: int
    workers: int
    decoders: int
    decoder_seconds: int
    unsafe_decoders: bool
    public_url: str
    tls: bool
    tls_cert: Path | None
    tls_key: Path | None
    allowed_hosts: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    smtp_url: str
    mail_from: str
    support_email: str
    name: str
    terms: Path | None
    privacy: Path | None
    staff_second_factor: bool
    oidc_issuer: str
    oidc_client_id: str
    oidc_client_secret: str
    oidc_name: str
    oidc_only: bool
    oidc_domains: tuple[str, ...]
    archive_creation: str
    free_mail_domains: tuple[str, ...]
    id_prefix: str
    id_width: int
    blob_store: str
    disk_reserve: int
    download_images: int
    search_seconds: int
    max_upload: int
    upload_quota: int
    max_members: int
    samples: Path | None
    demo: bool
    debug: bool
    fault_steps: Path | None

    @property
    def serves_tls(self) -> bool:
        """Whether the web process speaks https itself, and no proxy before it."""
        return self.tls or self.tls_cert is not None

    @property
    def shown_certificate(self) -> Path:
        """The certificate with which https is served, where it is: the operator's, or ours."""
        return self.tls_cert or self.data / "tls" / "server.crt"

    @property
    def address(self) -> str:
        """The address that people type: `https://archive.example.org`, without a slash at the end."""
        return self.public_url or f"{'https' if self.serves_tls else 'http'}://localhost:{self.port}"


def read_environment(variables: Mapping[str, str]) -> Environment:
    """Read and check every setting; raise `WrongSetting` naming all that cannot be used."""
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for setting in SETTINGS:
        given = variables.get(setting.variable, variables.get(setting.formerly, setting.default))
        try:
            values[setting.attribute] = setting.parse(given)
        except ValueError as error:
            shown = "(not shown)" if setting.secret else repr(given)
            wrong.append(f"{setting.variable}={shown}: {error}")
    if values.get("oidc_issuer") and not values.get("oidc_client_id"):
        wrong.append("MEDTHECA_OIDC_CLIENT_ID is empty: a provider (MEDTHECA_OIDC_ISSUER) knows us by it")
    if values.get("oidc_only") and not values.get("oidc_issuer", True):
        wrong.append("MEDTHECA_OIDC_ONLY=yes lets nobody in while MEDTHECA_OIDC_ISSUER is empty")
    if bool(values.get("tls_cert")) != bool(values.get("tls_key")):
        wrong.append("MEDTHECA_TLS_CERT and MEDTHECA_TLS_KEY are given together: a certificate is served with its key")
    if (values.get("tls") or values.get("tls_cert")) and str(values.get("public_url")).startswith("http://"):
        wrong.append(f"MEDTHECA_PUBLIC_URL={values['public_url']!r} has to begin with https:// where TLS is served")
    # MEDTHECA_CI is read by the tests alone: with 1, what they would skip is a failure.
    known = {setting.variable for setting in SETTINGS} | {"MEDTHECA_CI"}
    strangers = sorted(name for name in variables if name.startswith("MEDTHECA_") and name not in known)
    wrong += [f"{name} is not a setting of Medtheca; `medtheca settings` lists them" for name in strangers]
    if wrong:
        raise WrongSetting("Settings that cannot be used:\n  " + "\n  ".join(wrong))
    return Environment(**values)


@cache
def environment() -> Environment:
    """The settings of this process. Read once."""
    return read_environment(os.environ)


def settings_table() -> str:
    """All settings as a Markdown table."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    lines += [
        f"| `{setting.variable}` | {f'`{setting.default}`' if setting.default else '(empty)'} | {setting.help} |"
        for setting in SETTINGS
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(settings_table() + "\n")
