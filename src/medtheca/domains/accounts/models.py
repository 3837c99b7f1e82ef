"""Users, API tokens, applications that act for people; what people accepted, took away and asked to be deleted."""

from __future__ import annotations

import secrets
import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower, Now

from medtheca.domains.accounts.enums import TokenScope

_HASH_ID_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def new_hash_id() -> str:
    """A public pseudonym of five characters without those that are mistaken for others (the ISIC Archive's form)."""
    return "".join(secrets.choice(_HASH_ID_ALPHABET) for _ in range(5))


class UserManager(BaseUserManager["User"]):
    """Makes users; Django's commands and allauth expect these names."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by e-mail address."""

    email = models.EmailField(max_length=254, unique=True)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    is_demo = models.BooleanField(default=False, help_text="A demo login: refused from other machines.")
    hash_id = models.CharField(max_length=5, unique=True, default=new_hash_id)
    accepted_terms = models.DateTimeField(null=True, blank=True, help_text="When terms were accepted first.")
    accepted_version = models.CharField(
        max_length=40, blank=True, default="", db_default="", help_text="The version accepted last."
    )
    affiliation = models.CharField(max_length=200, blank=True, default="", db_default="")
    orcid = models.CharField(max_length=19, blank=True, default="", db_default="")
    country = models.CharField(max_length=2, blank=True, default="", db_default="")
    deleted = models.DateTimeField(null=True, editable=False, help_text="Anonymised then; only the pseudonym is left.")
    created = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]

    def __str__(self) -> str:
        return self.email

    @property
    def full_name(self) -> str:
        """First and last name, or the e-mail address where there is none; of a deleted user the pseudonym."""
        if self.deleted is not None:
            return f"deleted-{self.hash_id}"
        return f"{self.first_name} {self.last_name}".strip() or self.email

    @property
    def shown_name(self) -> str:
        """First and last name, or the pseudonym where there is none: what those read who need not know the address."""
        return self.full_name if self.first_name or self.last_name or self.deleted else f"User {self.hash_id}"


class ApiToken(models.Model):
    """A key for programs: shown once, stored as SHA-256 of its random secret."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    scope = models.CharField(max_length=10, choices=TokenScope.choices, default=TokenScope.READ)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=12, help_text="The first characters, to tell tokens apart.")
    created = models.DateTimeField(db_default=Now(), editable=False)
    expires = models.DateTimeField(null=True, blank=True)
    last_used = models.DateTimeField(null=True, blank=True)
    revoked = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(scope__in=TokenScope.values), name="token_scope_known"),
        ]


class Connection(models.Model):
    """That a user lets an application act for them, and how far. It outlives tokens, and goes when it is revoked."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    application = models.ForeignKey("oauth2_provider.Application", on_delete=models.CASCADE, related_name="+")
    scopes = models.TextField(help_text="All that were allowed, with blanks between them.")
    created = models.DateTimeField(db_default=Now(), editable=False)
    last_used = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "application"], name="connection_once")]


class Verification(models.Model):
    """An institutional address by which somebody shows who they are; verified from `confirmed` on.

    The secret of the link that confirms it is stored as SHA-256. Where staff vouch for somebody, there is no link.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+")
    email = models.EmailField(max_length=254)
    digest = models.CharField(max_length=64, unique=True, null=True)
    asked = models.DateTimeField(db_default=Now())
    expires = models.DateTimeField(null=True)
    confirmed = models.DateTimeField(null=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"), condition=models.Q(confirmed__isnull=False), name="verification_once_an_address"
            ),
        ]


class TermsAcceptance(models.Model):
    """That a user accepted one version of the terms of use."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    version = models.CharField(max_length=40)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "version"], name="terms_accepted_once")]


class DataExport(models.Model):
    """A ZIP of what is held about a user, made by a job and kept for a day.

    The bytes are in the row, not in the blob store: text is small, no backup of blobs carries it on, and it is gone
    with the row.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    requested = models.DateTimeField(db_default=Now(), editable=False)
    ready = models.DateTimeField(null=True)
    expires = models.DateTimeField(null=True)
    size = models.BigIntegerField(default=0, db_default=0)
    content = models.BinaryField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ready__isnull=True) | models.Q(content__isnull=False, expires__isnull=False),
                name="export_ready_has_content",
            ),
        ]
        indexes = [models.Index(fields=["user", "-requested"], name="export_of_user")]


class AccountDeletion(models.Model):
    """A wish that an account be deleted; until `due` logging in takes it back."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    requested = models.DateTimeField(db_default=Now(), editable=False)
    due = models.DateTimeField()
    cancelled = models.DateTimeField(null=True)
    done = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(cancelled__isnull=True, done__isnull=True),
                name="deletion_one_open",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due"],
                condition=models.Q(cancelled__isnull=True, done__isnull=True),
                name="deletion_due",
            ),
        ]
