"""What happens to a person's collections when the person goes."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from medtheca.domains.access.models import Grant
from medtheca.domains.accounts.models import User
from medtheca.domains.collections.models import Collection, Editor
from medtheca.domains.collections.operations import remove_whole


def collections_that_go(user: User) -> QuerySet[Collection]:
    """The person's collections that nobody else has a part in: private, not locked, shared with nobody.

    The others stay under the person's pseudonym, and the staff answers for them.
    """
    shared = Grant.objects.filter(scope=OuterRef("sharing"))
    edited = Editor.objects.filter(collection=OuterRef("pk"))
    mine = Collection.objects.filter(creator=user, public=False, locked=False)
    return mine.filter(~Exists(shared), ~Exists(edited)).order_by("pk")


def leave_collections(user: User) -> int:
    """Remove what would be nobody's, and end what the person might change of others; return how many were removed."""
    with transaction.atomic():
        Editor.objects.filter(user=user).delete()
        going = list(collections_that_go(user).select_for_update(of=("self",)))
        for row in going:
            remove_whole(row)
    return len(going)
