"""How this instance is doing, for staff."""

from __future__ import annotations

import platform
import shutil
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from procrastinate.contrib.django import app

import medtheca
from medtheca.base.clock import now
from medtheca.base.work import somebody_works
from medtheca.domains.provenance.access import require_staff
from medtheca.domains.storage.queries import space_is_short
from medtheca.interfaces.web.people import signed_in
from medtheca.interfaces.web.templatetags.words import file_size
from medtheca.toolkit.certificates import WrongCertificate, read_facts
from medtheca.toolkit.sandbox import Level, detect_level

_FENCES = {
    Level.FULL: "Landlock and seccomp hold: a decoder can do nothing but compute.",
    Level.SECCOMP: "seccomp holds; this kernel offers no Landlock.",
    Level.LANDLOCK: "Landlock holds; this kernel offers no seccomp.",
    Level.RLIMITS_ONLY: "No fence of the kernel holds here, only limits on memory and time.",
}


@login_required
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Fence of the decoders, disk, queue, encryption, versions."""
    require_staff(signed_in(request), to="see the status page")
    jobs = _jobs()
    context = {
        "checked": now(),
        "checks": [_queue(jobs), _decoders(), _disk(), _encryption()],
        "groups": [_versions()],
        "jobs": jobs,
    }
    return render(request, "pages/status.html", context)


def _jobs() -> list[dict[str, Any]]:
    return [
        {"name": row["name"], "waiting": row["todo"], "running": row["doing"], "failed": row["failed"]}
        for row in app.job_manager.list_tasks()
    ]


def _queue(jobs: list[dict[str, Any]]) -> dict[str, str]:
    waiting, failed = sum(row["waiting"] for row in jobs), sum(row["failed"] for row in jobs)
    words = f"{waiting:,} waiting, {sum(row['running'] for row in jobs):,} running, {failed:,} failed."
    if not somebody_works():
        return {"name": "Queue", "state": "down", "words": f"No worker has been heard of lately. {words}"}
    return {"name": "Queue", "state": "warning" if failed else "ok", "words": words}


def _decoders() -> dict[str, str]:
    level = detect_level()
    words = f"{_FENCES[level]} Found by trying it in the web process ({level.value})."
    if level is Level.FULL:
        return {"name": "Decoders", "state": "ok", "words": words}
    allowed = settings.ENVIRONMENT.unsafe_decoders
    end = "Decoding goes on all the same, as was asked for." if allowed else "Decoding is refused."
    return {"name": "Decoders", "state": "warning" if allowed else "down", "words": f"{words} {end}"}


def _disk() -> dict[str, str]:
    usage = shutil.disk_usage(settings.ENVIRONMENT.data)
    reserve = settings.ENVIRONMENT.disk_reserve
    words = f"{file_size(usage.free)} free of {file_size(usage.total)}; {file_size(reserve)} are held in reserve."
    if space_is_short():
        return {"name": "Disk", "state": "down", "words": f"{words} Uploads and conversions are refused."}
    return {"name": "Disk", "state": "warning" if usage.free < 4 * reserve else "ok", "words": words}


def _encryption() -> dict[str, str]:
    found = settings.ENVIRONMENT
    if not found.serves_tls:
        local = urlsplit(settings.PUBLIC_URL).hostname in {"localhost", "127.0.0.1", "::1"}
        if settings.PUBLIC_URL.startswith("https://"):
            return {"name": "Encryption", "state": "ok", "words": "A proxy before this archive speaks https."}
        words = "Nothing is encrypted on its way; `medtheca up --tls` serves https."
        return {"name": "Encryption", "state": "ok" if local else "warning", "words": words}
    try:
        facts = read_facts(found.shown_certificate.read_bytes())
    except (OSError, WrongCertificate) as error:
        return {"name": "Encryption", "state": "warning", "words": f"The certificate cannot be read: {error}"}
    whose = "of an authority of its own (`medtheca tls`)" if found.tls_cert is None else "of the operator's"
    left = facts.not_after - now()
    state = "down" if left < timedelta(0) else "warning" if left < timedelta(days=14) else "ok"
    words = f"https, with a certificate {whose} that is good until {facts.not_after:%-d %B %Y}."
    return {"name": "Encryption", "state": state, "words": words}


def _versions() -> dict[str, Any]:
    version = connection.get_database_version()
    rows = [
        ("Medtheca", medtheca.__version__),
        ("Python", platform.python_version()),
        ("Django", django.get_version()),
        ("PostgreSQL", ".".join(map(str, version))),
        ("System", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("Data folder", str(settings.ENVIRONMENT.data)),
    ]
    return {"title": "Versions", "rows": [{"label": label, "value": value} for label, value in rows]}
