"""Enumerations of accounts."""

from django.db.models import TextChoices


class TokenScope(TextChoices):
    """What a token may do; write includes read."""

    READ = "read"
    WRITE = "write"


class TokenState(TextChoices):
    """Whether a token still opens anything."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


class ApplicationKind(TextChoices):
    """What sort of program an application is, which settles how it proves itself."""

    WEB = "web"
    PUBLIC = "public"
    SERVICE = "service"
