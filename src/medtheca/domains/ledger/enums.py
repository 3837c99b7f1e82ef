"""Enumerations of the ledger."""

from django.db.models import TextChoices


class Channel(TextChoices):
    """How somebody wants to hear of one kind of thing. Mail comes beside the page, never instead of it."""

    NONE = "none", "Not at all"
    PAGE = "page", "On the page"
    MAIL = "mail", "On the page and by e-mail at once"
    DIGEST = "digest", "On the page and in one e-mail a day"


class MailState(TextChoices):
    """What became of the mail of one notification."""

    NONE = "none"
    DUE = "due"
    SENT = "sent"
    GIVEN_UP = "given_up"
