"""Who may do what with users and tokens: everybody with their own, and nobody with another's, staff included."""

from __future__ import annotations

from django.db.models import QuerySet

from medtheca.domains.accounts.models import ApiToken, User


def tokens_visible_to(user: User) -> QuerySet[ApiToken]:
    """Tokens that this user may see and revoke."""
    return ApiToken.objects.filter(user_id=user.pk)
