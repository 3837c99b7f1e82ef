"""Enumerations of provenance."""

from django.db.models import TextChoices


class Licence(TextChoices):
    """Licences by their SPDX identifiers, from most to least permissive; `toolkit.schemas.licences` says the rest."""

    CC0 = "CC0-1.0"
    CC_BY = "CC-BY-4.0"
    CC_BY_NC = "CC-BY-NC-4.0"


class AccessionState(TextChoices):
    """How far an accession has come. It only moves forward, or to refused."""

    RECEIVED = "received"
    CONVERTED = "converted"
    REFUSED = "refused"


class ReviewDecision(TextChoices):
    """What a person said of an accession."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class DeliveryState(TextChoices):
    """How far a delivery has come."""

    ARRIVING = "arriving"
    UNPACKING = "unpacking"
    CONVERTING = "converting"
    DONE = "done"
    REFUSED = "refused"


class Outcome(TextChoices):
    """What became of one file of a delivery. `waiting` is the only one that changes."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    LINKED = "linked"
    DUPLICATE = "duplicate"
    SKIPPED = "skipped"
    REFUSED = "refused"


class RequestState(TextChoices):
    """How far a request to publish has come."""

    REQUESTED = "requested"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    REJECTED = "rejected"
