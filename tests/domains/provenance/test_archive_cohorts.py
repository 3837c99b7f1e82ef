"""The cohort of an archive: who brings images, and what they are called there."""

import pytest

from medtheca.base.errors import NotAllowed
from medtheca.domains.access.enums import Role, ScopeKind
from medtheca.domains.access.operations import add_member, create_scope, remove_member
from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.provenance.access import may_edit, may_own, may_upload, visible_cohorts
from medtheca.domains.provenance.models import Cohort
from medtheca.domains.provenance.operations import open_delivery
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db


@pytest.fixture
def circle():
    return create_scope(kind=ScopeKind.ARCHIVE, name="Chest CT")


@pytest.fixture
def cohort(circle):
    made = make_cohort(make_user("alice"))
    Cohort.objects.filter(pk=made.pk).update(archive=circle)
    made.refresh_from_db()
    return made


@pytest.mark.parametrize(
    ("role", "uploads", "edits"),
    [
        (Role.EDITOR, True, True),
        (Role.UPLOADER, True, False),
        (Role.VIEWER, False, False),
        (Role.ONLOOKER, False, False),
    ],
)
def test_roles_of_an_archive_reach_its_cohort(cohort, circle, role, uploads, edits):
    bob = make_user("bob")
    add_member(scope=circle, user=make_user("eve"), role=Role.EDITOR)
    add_member(scope=circle, user=bob, role=role)
    assert (may_upload(bob, cohort), may_edit(bob, cohort), may_own(bob, cohort)) == (uploads, edits, False)
    assert (cohort in visible_cohorts(bob)) == edits
    (image,) = make_images(cohort, 1)
    assert image not in visible_images(viewer_of(bob))  # Only what is in an item hangs in the archive's circle.


def test_a_stranger_brings_nothing(cohort):
    with pytest.raises(NotAllowed):
        open_delivery(upload=None, cohort=cohort, actor=make_user("mallory"))


def test_the_last_editor_stays(circle):
    bob, carol = make_user("bob"), make_user("carol")
    add_member(scope=circle, user=bob, role=Role.EDITOR)
    add_member(scope=circle, user=carol, role=Role.VIEWER)
    with pytest.raises(Exception, match="last editor"):
        remove_member(scope=circle, user=bob)
    remove_member(scope=circle, user=carol)
