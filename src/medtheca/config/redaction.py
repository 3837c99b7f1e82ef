"""Keeps out of logs what opens a door: links of e-mail, tickets and tokens. Used in the settings of logging."""

from __future__ import annotations

import logging
import re

_SECRETS = (
    # What follows in these addresses resets a password or confirms an address.
    (re.compile(r"(/accounts/(?:password/reset/key|confirm-email)/)[^/\s\"'?]+"), r"\1…"),
    (re.compile(r"(/(?:invitations|groups/join|unsubscribe)/)[^/\s\"'?]+"), r"\1…"),
    (re.compile(r"\b(m[tcor]_)[A-Za-z0-9_-]{8,}"), r"\1…"),
    (re.compile(r"([?&](?:code|state)=)[^\s&\"']+"), r"\1…"),
    # What a provider of single sign-on sends back opens an account for a minute.
    (re.compile(r"(/oidc/[^/\s]+/login/callback/)\?[^\s\"']+"), r"\1?…"),
    (
        re.compile(
            r"\b((?:client_secret|code_verifier|id_token|access_token|refresh_token)[\"']?\s*[=:]\s*[\"']?)[^\s&\"',}]+"
        ),
        r"\1…",
    ),
    (re.compile(r"([?&]ticket=)[A-Za-z0-9_-]+"), r"\1…"),
)


class Redacted(logging.Formatter):
    """Writes a record, its traceback too, without such secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """The line as `logging.Formatter` makes it, with the secrets taken out.

        >>> record = logging.makeLogRecord({"msg": "Forbidden: /accounts/confirm-email/MQ:1u/"})
        >>> Redacted("%(message)s").format(record)
        'Forbidden: /accounts/confirm-email/…/'
        """
        text = super().format(record)
        for pattern, instead in _SECRETS:
            text = pattern.sub(instead, text)
        return text
