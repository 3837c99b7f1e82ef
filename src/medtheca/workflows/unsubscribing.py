"""Links by which a mail is unsubscribed from without a log-in (RFC 8058): signed, and good for a year."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.core import signing

from medtheca.base.errors import Invalid
from medtheca.domains.accounts.models import User
from medtheca.domains.ledger.inbox import stop_mail
from medtheca.domains.ledger.kinds import KINDS, Kind, kind_of

GOOD_FOR = timedelta(days=366)
_SALT = "medtheca.unsubscribe"
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Link:
    """Whose mail a link stops, and of which kinds."""

    recipient_id: int
    kinds: tuple[Kind, ...]


def link_path(*, recipient_id: int, kinds: Iterable[str]) -> str:
    """The path of a link that stops mail of these kinds to somebody, and can do nothing else."""
    token = signing.dumps([recipient_id, sorted(set(kinds))], salt=_SALT, compress=True)
    return f"/unsubscribe/{token}/"


def read_link(token: str) -> Link:
    """What a link stops. Raises `Invalid` for one that was forged, cut off, or is older than a year."""
    remedy = "Log in and choose under Account, Notifications what you want to be told."
    try:
        recipient_id, kinds = signing.loads(token[:_LONGEST], salt=_SALT, max_age=GOOD_FOR)
    except signing.SignatureExpired:
        raise Invalid("This link is older than a year and stops nothing any more.", remedy=remedy) from None
    except (signing.BadSignature, ValueError):
        raise Invalid("This link is not whole, or was not made here.", remedy=remedy) from None
    return Link(recipient_id, tuple(kind_of(name) for name in kinds))


def unsubscribe(*, token: str, everything: bool = False) -> Link:
    """Stop mail of the link's kinds, or of every kind; repeating it does nothing. Raises as `read_link`.

    The link is proof enough: it stood in a mail to this person, and all it does is to stop more of them.
    """
    link = read_link(token)
    kinds = KINDS if everything else link.kinds
    if User.objects.filter(pk=link.recipient_id, is_active=True).exists():
        stop_mail(recipient_id=link.recipient_id, kinds=[kind.name for kind in kinds])
    return Link(link.recipient_id, tuple(kinds))
