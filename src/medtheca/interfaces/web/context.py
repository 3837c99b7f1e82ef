"""What every template may rely on."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

import medtheca


def instance(request: HttpRequest) -> dict[str, Any]:
    """Name, support address and version of this instance."""
    return {
        "instance": {
            "name": settings.INSTANCE_NAME,
            "support_email": settings.SUPPORT_EMAIL,
            "version": medtheca.__version__,
            "demo": settings.ENVIRONMENT.demo,
        }
    }
