"""An archive is made together with the contributor who answers for it, where that is made on the spot."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from medtheca.domains.accounts.models import User
from medtheca.domains.archives.models import Archive
from medtheca.domains.archives.operations import create_archive
from medtheca.domains.provenance.operations import create_contributor
from medtheca.domains.provenance.queries import contributor_for


def make_archive(*, user: User, contributor_id: int | None, institution_name: str = "", **said: Any) -> Archive:
    """Make an archive of one's own contributor, or of a new one that is called `institution_name`; both or neither.

    Raises as `create_contributor`, `contributor_for` and `create_archive`.
    """
    with transaction.atomic():
        if contributor_id is None:
            contributor = create_contributor(creator=user, institution_name=institution_name)
        else:
            contributor = contributor_for(user, contributor_id)
        return create_archive(creator=user, contributor=contributor, **said)
