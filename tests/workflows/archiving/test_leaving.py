"""An account goes, and no archive is left without an editor."""

import pytest

from medtheca.domains.accounts.errors import LastOwner
from medtheca.domains.archives.access import role_in
from medtheca.workflows.leaving import preview_deletion, request_deletion
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive

pytestmark = pytest.mark.django_db


def test_the_last_editor_of_an_archive_stays(archive):
    ed = make_user("ed")
    other = make_archive(make_user("bob"), title="Ward", editors=[ed], users=[archive.creator])
    assert preview_deletion(user=ed).sole_owner_of == ()
    assert "the archive Chest CT" in preview_deletion(user=archive.creator).sole_owner_of
    with pytest.raises(LastOwner):
        request_deletion(user=archive.creator)
    request_deletion(user=ed)
    assert role_in(other.creator, other) is not None
