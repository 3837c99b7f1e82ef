"""The time, from one place, so that nothing compares two clocks by accident."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """The present in UTC, aware. Embargoes are compared with the database's clock instead."""
    return timezone.now()
