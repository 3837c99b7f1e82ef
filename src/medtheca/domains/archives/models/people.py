"""Who asks to see an archive, who may until when, and links that let anybody look."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from medtheca.base.models import TimeStamped
from medtheca.domains.archives.enums import RequestState


class AccessRequest(TimeStamped):
    """One person's request to see an archive; whoever was rejected may ask again, with the same row."""

    archive = models.ForeignKey("archives.Archive", on_delete=models.CASCADE, related_name="requests")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=RequestState.choices, default=RequestState.PENDING)
    answers = models.JSONField(default=dict)
    terms_version = models.PositiveIntegerField(null=True, help_text="Of the data-use text that was accepted.")
    asked = models.DateTimeField(db_default=Now())
    decided = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["archive", "user"], name="archive_request_once"),
            models.CheckConstraint(condition=Q(state__in=RequestState.values), name="archive_request_state_known"),
        ]
        indexes = [models.Index(fields=["archive", "state", "-asked"], name="archive_request_queue")]


class Proposal(models.Model):
    """An archive that waits for the staff to agree to it, or to which they did not, and why."""

    archive = models.OneToOneField("archives.Archive", on_delete=models.CASCADE, related_name="+")
    asked = models.DateTimeField(db_default=Now())
    declined = models.DateTimeField(null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["asked"], condition=Q(declined__isnull=True), name="archive_proposal_queue")]


class Acceptance(models.Model):
    """That somebody accepted one version of an archive's data-use text, and when. Kept when they leave."""

    archive = models.ForeignKey("archives.Archive", on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    version = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["archive", "user", "version"], name="archive_accepted_once")]


class Held(models.Model):
    """A user who is out of the circle until they accept the present data-use text: no door is open meanwhile."""

    archive = models.ForeignKey("archives.Archive", on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["archive", "user"], name="archive_held_once")]


class Lasting(models.Model):
    """Until when somebody is in an archive; whoever has no row stays."""

    archive = models.ForeignKey("archives.Archive", on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["archive", "user"], name="archive_lasting_once")]
        indexes = [models.Index(fields=["until"], name="archive_lasting_until")]


class Invited(models.Model):
    """What an invitation into an archive says besides its role."""

    invitation = models.OneToOneField("access.Invitation", on_delete=models.CASCADE, related_name="+")
    archive = models.ForeignKey("archives.Archive", on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField(null=True)


class ReviewerLink(models.Model):
    """An address that lets whoever has it look at an archive, for reviewers of a paper. Stored as SHA-256 of a secret.

    Its holders look into the archive's own circle, as onlookers who are no members of it.
    """

    archive = models.ForeignKey("archives.Archive", on_delete=models.CASCADE, related_name="reviewer_links")
    label = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created = models.DateTimeField(db_default=Now(), editable=False)
    expires = models.DateTimeField()
    revoked = models.DateTimeField(null=True)
    used = models.DateTimeField(null=True)
    uses = models.PositiveIntegerField(default=0)
