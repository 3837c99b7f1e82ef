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
    FLAGGED = "flagged"


class ReviewReason(TextChoices):
    """Why an image was rejected or flagged."""

    IDENTIFIABLE = "identifiable", "A person can be recognised"
    TEXT = "text", "Names, dates or labels can be read"
    QUALITY = "quality", "Too poor to be of use"
    CONTENT = "content", "Not what the cohort is of"
    DUPLICATE = "duplicate", "The same picture as another"
    METADATA = "metadata", "The metadata contradict the picture"
    CONSENT = "consent", "Consent or rights are in doubt"
    OTHER = "other", "Another reason"


class ReviewState(TextChoices):
    """What the standing reviews of an accession come to."""

    AWAITING = "awaiting"
    FLAGGED = "flagged"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class VersionKind(TextChoices):
    """What made a file version."""

    RECEIVED = "received"
    REPLACEMENT = "replacement"
    REDACTION = "redaction"


class VersionState(TextChoices):
    """How far a file version has come."""

    WAITING = "waiting"
    CANDIDATE = "candidate"
    CURRENT = "current"
    SUPERSEDED = "superseded"
    REFUSED = "refused"


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


class PublishOutcome(TextChoices):
    """What became of one accession of a publish request."""

    WAITING = "waiting"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    NOT_ACCEPTED = "not_accepted"


class ErrandKind(TextChoices):
    """What is to be done with the accessions of an errand."""

    UNPUBLISH = "unpublish"
    WITHDRAW = "withdraw"
    RECONVERT = "reconvert"


class ErasureState(TextChoices):
    """How far the erasure of a patient has come."""

    REQUESTED = "requested"
    ERASING = "erasing"
    DONE = "done"
    DECLINED = "declined"


class ErasureReason(TextChoices):
    """Why a patient is erased."""

    PATIENT = "patient", "The patient asked for it"
    CONSENT = "consent", "Consent was withdrawn or has ended"
    AUTHORITY = "authority", "A court or an authority ordered it"
    MISTAKE = "mistake", "The images should never have come in"
    OTHER = "other", "Another reason"


class ErasureStage(TextChoices):
    """The last step of an erasure that is done, so that a second run goes on after it."""

    NONE = ""
    PLANNED = "planned"
    ROWS = "rows"
    BYTES = "bytes"
    WORDS = "words"
    VERIFIED = "verified"


class CopyState(TextChoices):
    """What became of the wish for a copy without identity."""

    WAITING = "waiting", "being made"
    MADE = "made"
    REFUSED = "refused"
