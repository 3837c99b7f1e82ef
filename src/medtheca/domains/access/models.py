"""Scopes, their members, and the images that hang in them. There is never a row per image and person."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from medtheca.domains.access.enums import Role, ScopeKind


class Scope(models.Model):
    """A circle of people for which images are visible."""

    kind = models.CharField(max_length=12, choices=ScopeKind.choices)
    name = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ScopeKind.values), name="scope_kind_known"),
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(kind__in=[ScopeKind.PUBLIC, ScopeKind.SIGNED_IN]),
                name="scope_one_public_one_signed_in",
            ),
        ]


class Membership(models.Model):
    """A person in a circle."""

    scope = models.ForeignKey(Scope, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=10, choices=Role.choices)
    created = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "user"], name="membership_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        ]
        indexes = [models.Index(fields=["user", "role"], name="membership_of_user")]


class Grant(models.Model):
    """For whom a circle of kind sharing was opened: a person, or all who are in a named group, now and later.

    Triggers keep the circle's members as its grants and the members of their groups say; nobody else writes them.
    """

    scope = models.ForeignKey(Scope, on_delete=models.CASCADE, related_name="grants")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    group = models.ForeignKey(Scope, null=True, on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, group__isnull=True) | Q(user__isnull=True, group__isnull=False),
                name="grant_for_person_or_group",
            ),
            models.UniqueConstraint(fields=["scope", "user"], name="grant_once_a_person"),
            models.UniqueConstraint(fields=["scope", "group"], name="grant_once_a_group"),
        ]


class Placement(models.Model):
    """An image hangs in a scope, from `opens` on where there is an embargo."""

    image = models.ForeignKey("imaging.Image", on_delete=models.CASCADE, related_name="placements")
    scope = models.ForeignKey(Scope, on_delete=models.PROTECT, related_name="+")
    opens = models.DateTimeField(null=True)
    created = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "scope"], name="placement_once")]
        indexes = [
            models.Index(fields=["scope", "image"], include=["opens"], name="placement_of_scope"),
            models.Index(fields=["scope", "opens"], condition=Q(opens__isnull=False), name="placement_embargoed"),
        ]


class Withdrawal(models.Model):
    """Why an image was taken from view. Its public id stays taken for ever.

    Where the public knew that id, `was_public`, everybody is told the reason and the time; others read nothing.
    """

    image = models.OneToOneField("imaging.Image", on_delete=models.CASCADE, related_name="withdrawal")
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)
    was_public = models.BooleanField(default=False, db_default=False)


class Tally(models.Model):
    """Changes of the number of placements without embargo in the public scope; their sum is that number.

    Triggers add a row a statement, so that nobody waits for a counter; upkeep adds them up to one.
    """

    delta = models.BigIntegerField()


class Invitation(models.Model):
    """An e-mail that lets whoever holds its secret into a circle. The secret is stored as SHA-256."""

    scope = models.ForeignKey(Scope, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=10, choices=Role.choices)
    digest = models.CharField(max_length=64, unique=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created = models.DateTimeField(db_default=Now(), editable=False)
    expires = models.DateTimeField()
    accepted = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    revoked = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role_known")]
        indexes = [models.Index(fields=["scope", "-created"], name="invitation_of_scope")]
