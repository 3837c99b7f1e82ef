"""Enumerations of access."""

from django.db.models import TextChoices


class ScopeKind(TextChoices):
    """What kind of circle a scope is. The public and the signed-in users are one scope each.

    A collection has two: what hangs in the one of kind `COLLECTION` is listed in it, which shows nobody anything, since
    that scope never has members; what hangs in the one of kind `SHARING` is shown to those it is shared with.
    """

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    CONTRIBUTOR = "contributor"
    COHORT = "cohort"
    GROUP = "group"
    COLLECTION = "collection"
    SHARING = "sharing"
    ARCHIVE = "archive"


# The two circles that are there from the first migration on, by their keys, so that no request has to ask for them.
PUBLIC_SCOPE = 1
SIGNED_IN_SCOPE = 2


class Role(TextChoices):
    """What a member of a scope may do there.

    Owners answer for it; editors do its daily work (upload, describe, ask for publication), but not its people,
    licence or erasures; reviewers judge its images; viewers look. In an archive editors answer for everything,
    uploaders bring images and change items, viewers are its users; onlookers see what these see, and take nothing away.
    """

    OWNER = "owner"
    EDITOR = "editor"
    REVIEWER = "reviewer"
    UPLOADER = "uploader"
    VIEWER = "viewer"
    ONLOOKER = "onlooker"


RANK = {
    role: rank
    for rank, role in enumerate([Role.ONLOOKER, Role.VIEWER, Role.UPLOADER, Role.REVIEWER, Role.EDITOR, Role.OWNER])
}
"""Which of two roles stays where somebody is given both."""
LOOKING = frozenset({Role.REVIEWER, Role.UPLOADER, Role.VIEWER, Role.ONLOOKER})
"""Roles that see what is not withdrawn; owners and editors see that too."""


class Visibility(TextChoices):
    """For whom an image is visible, in the words of pages and APIs, from the narrowest to the widest."""

    PRIVATE = "private"
    GROUPS = "groups"
    SIGNED_IN = "signed_in"
    PUBLIC = "public"
