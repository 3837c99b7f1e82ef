"""What every template may rely on."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

import medtheca
from medtheca.domains.provenance.people import is_reviewer
from medtheca.interfaces.http.request_ids import request_id
from medtheca.interfaces.web.people import person


def instance(request: HttpRequest) -> dict[str, Any]:
    """Name, support address and version of this instance."""
    return {
        "instance": {
            "name": settings.INSTANCE_NAME,
            "support_email": settings.SUPPORT_EMAIL,
            "version": medtheca.__version__,
            "demo": settings.ENVIRONMENT.demo,
        },
        # Of error pages that are not made here, such as those of the limits of log-ins.
        "error_id": lambda: request_id(request),
        # Asked for only where a template names it: error pages need no database.
        "is_reviewer": lambda: _is_reviewer(request),
    }


def _is_reviewer(request: HttpRequest) -> bool:
    user = person(getattr(request, "user", None))
    return user is not None and is_reviewer(user)
