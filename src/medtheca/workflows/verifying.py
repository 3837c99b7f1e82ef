"""Verification by an institutional address: it is noted, and the mail with its link goes out."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from medtheca.domains.accounts import verifying
from medtheca.domains.accounts.models import User, Verification
from medtheca.workflows.inviting import deliver, in_one_line


def ask(*, user: User, email: str) -> Verification:
    """Send the link that confirms an institutional address to that address. Raises `Invalid` or `Conflict`."""
    row, secret = verifying.ask_for_verification(user=user, email=email)
    until = f"{row.expires.day} {row.expires:%B %Y}" if row.expires else ""
    message = EmailMessage(
        subject=f"{settings.INSTANCE_NAME}: confirm this address",
        body=(
            f"{in_one_line(user.full_name)} ({user.email}) says at {settings.INSTANCE_NAME}, an archive of medical"
            " images, that this is their address at an institution.\n\n"
            f"If that is you, log in with your account and confirm it here, until {until}:\n"
            f"{settings.PUBLIC_URL}/account/verification/{secret}/\n\n"
            "If it is not, do nothing: without the link nobody is taken for you.\n"
        ),
        to=[row.email],
    )
    # Not by a job: its arguments are rows, and the secret is to stand in none.
    transaction.on_commit(lambda: deliver(message))
    return row
