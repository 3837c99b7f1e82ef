"""Archives and what they say of themselves."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from medtheca.base.models import TimeStamped
from medtheca.domains.archives.enums import AccessHandling
from medtheca.domains.provenance.enums import Licence


class Archive(TimeStamped):
    """An access-controlled set of items. Its people are members of `scope`, in which its images hang.

    A public one is listed for everybody, and its images are seen by its people; a private one is listed for its people,
    and others who know its address may ask to see it, unless it is `hidden`. `cohort` takes in what is uploaded.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=255)
    slug = models.CharField(max_length=80, unique=True)
    description = models.TextField(blank=True, help_text="One paragraph, for lists.")
    information = models.TextField(blank=True, help_text="Markdown, for the archive's page.")
    logo = models.ForeignKey("storage.Blob", null=True, on_delete=models.PROTECT, related_name="+")
    logo_small = models.ForeignKey("storage.Blob", null=True, on_delete=models.PROTECT, related_name="+")
    public = models.BooleanField(default=False)
    hidden = models.BooleanField(default=False, help_text="Others find nothing at its address.")
    downloads = models.BooleanField(default=True, help_text="Whether its users may take files away.")
    access_requests = models.CharField(
        max_length=24, choices=AccessHandling.choices, default=AccessHandling.MANUAL_REVIEW
    )
    request_form = models.JSONField(default=list, help_text="Questions of a request: name, label, required.")
    terms = models.TextField(blank=True, help_text="Markdown. What somebody accepts before they see images.")
    terms_version = models.PositiveIntegerField(default=1)
    licence = models.CharField(max_length=20, choices=Licence.choices, blank=True)
    citation = models.TextField(blank=True)
    contact_email = models.EmailField(max_length=254, blank=True)
    keywords = ArrayField(models.CharField(max_length=60), default=list)
    publications = ArrayField(models.CharField(max_length=255), default=list, help_text="DOIs.")
    modalities = ArrayField(models.CharField(max_length=60), default=list)
    structures = ArrayField(models.CharField(max_length=60), default=list)
    organizations = ArrayField(models.CharField(max_length=255), default=list)
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    contributor = models.ForeignKey("provenance.Contributor", on_delete=models.PROTECT, related_name="+")
    cohort = models.OneToOneField("provenance.Cohort", on_delete=models.PROTECT, related_name="+")
    scope = models.OneToOneField("access.Scope", on_delete=models.PROTECT, related_name="+")
    grouping = models.JSONField(
        default=dict, help_text="How images that are uploaded become items (`toolkit.grouping`), and `socket`."
    )
    viewer = models.ForeignKey("viewing.Viewer", null=True, on_delete=models.PROTECT, related_name="+")
    configuration = models.ForeignKey(
        "viewing.ViewerConfiguration", null=True, on_delete=models.PROTECT, related_name="+"
    )
    hanging_protocol = models.ForeignKey(
        "viewing.HangingProtocol", null=True, on_delete=models.PROTECT, related_name="+"
    )
    optional_protocols = models.ManyToManyField("viewing.HangingProtocol", related_name="+")
    view_content = models.JSONField(default=dict, help_text="Sockets of each viewport.")
    approved = models.BooleanField(default=True, help_text="Whether staff agreed to it, where an instance asks that.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="archive_has_title"),
            models.CheckConstraint(condition=Q(slug__regex=r"^[a-z0-9]+(-[a-z0-9]+)*$"), name="archive_slug_form"),
            models.CheckConstraint(condition=Q(public=False) | Q(hidden=False), name="archive_public_is_not_hidden"),
            models.CheckConstraint(
                condition=Q(access_requests__in=AccessHandling.values), name="archive_request_handling_known"
            ),
        ]
        indexes = [models.Index(fields=["-created", "id"], name="archive_newest")]
