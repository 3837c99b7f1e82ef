"""Enumerations of access."""

from django.db.models import TextChoices


class ScopeKind(TextChoices):
    """What kind of circle a scope is. The public and the signed-in users are one scope each."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    CONTRIBUTOR = "contributor"
    COHORT = "cohort"
    GROUP = "group"


# The two circles that are there from the first migration on, by their keys, so that no request has to ask for them.
PUBLIC_SCOPE = 1
SIGNED_IN_SCOPE = 2


class Role(TextChoices):
    """What a member of a scope may do there.

    Owners answer for it; editors do its daily work (upload, describe, ask for publication), but not its people,
    licence or erasures; reviewers judge its images; viewers look.
    """

    OWNER = "owner"
    EDITOR = "editor"
    REVIEWER = "reviewer"
    VIEWER = "viewer"


class Visibility(TextChoices):
    """For whom an image is visible, in the words of pages and APIs, from the narrowest to the widest."""

    PRIVATE = "private"
    GROUPS = "groups"
    SIGNED_IN = "signed_in"
    PUBLIC = "public"
