"""Whose images somebody may show to the people of an archive."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from medtheca.domains.access.access import scopes_joined
from medtheca.domains.access.enums import Role
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.models import Archive
from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.enums import AccessionState
from medtheca.domains.provenance.models import Accession


def shareable_images(user: User, archive: Archive) -> QuerySet[Image]:
    """Images that the person may put into an item of the archive.

    Those that hang there or came in by its cohort, and those of cohorts that the person owns or edits, as which editors
    of another archive count for its cohort. Seeing an image elsewhere is no right to pass it on: on Grand Challenge it
    is, and nobody asks the owner. What is withdrawn is nobody's to show.
    """
    accessions = Accession.objects.filter(state=AccessionState.CONVERTED, image__isnull=False)
    if not user.is_staff:
        mine = scopes_joined(user).filter(role__in=[Role.OWNER, Role.EDITOR]).values("scope")
        theirs = Q(cohort__scope__in=mine) | Q(cohort__contributor__scope__in=mine) | Q(cohort__archive__in=mine)
        accessions = accessions.filter(theirs | Q(cohort=archive.cohort_id))
    hanging = Q(placements__scope=archive.scope_id)
    found = Image.objects.filter(Q(pk__in=accessions.values("image")) | hanging, withdrawal__isnull=True)
    return found.distinct()


def may_share_into(user: User, archive: Archive, image: Image) -> bool:
    """Whether the person may put an image into an item of the archive; see `shareable_images`."""
    return shareable_images(user, archive).filter(pk=image.pk).exists()
