"""Enumerations of archives."""

from django.db.models import TextChoices

from medtheca.domains.access.enums import Role


class AccessHandling(TextChoices):
    """What becomes of a request to see an archive, in Grand Challenge's words."""

    MANUAL_REVIEW = "manual_review", "An editor decides"
    ACCEPT_VERIFIED_USERS = "accept_verified_users", "Verified people are accepted, an editor decides on others"
    ACCEPT_ALL = "accept_all", "Everybody who asks is accepted"


class RequestState(TextChoices):
    """How far a request to see an archive is."""

    PENDING = "pending", "Waiting"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"


class IntakeState(TextChoices):
    """How far files are on their way into an archive; the labels are Grand Challenge's of upload sessions."""

    WAITING = "waiting", "Queued"
    RECEIVING = "receiving", "Started"
    DONE = "done", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class ImportState(TextChoices):
    """How far a spreadsheet of values is."""

    CHECKING = "checking", "Being checked"
    INVALID = "invalid", "Has errors"
    READY = "ready", "Ready"
    APPLYING = "applying", "Being applied"
    APPLIED = "applied", "Applied"


class ImportOutcome(TextChoices):
    """What becomes of a row of a spreadsheet of values."""

    WAITING = "waiting", "Waiting"
    WRONG = "wrong", "Has errors"
    APPLIED = "applied", "Applied"
    CONFLICT = "conflict", "Changed meanwhile"


class ItemVerb(TextChoices):
    """What was done to an item."""

    CREATED = "created", "made"
    TITLED = "titled", "renamed"
    ADDED = "added", "added"
    REPLACED = "replaced", "replaced"
    REMOVED = "removed", "removed"
    TRASHED = "trashed", "put into the trash"
    RESTORED = "restored", "taken out of the trash"


class Person(TextChoices):
    """What somebody is in an archive, in Grand Challenge's words."""

    EDITOR = "editor", "Editor"
    UPLOADER = "uploader", "Uploader"
    USER = "user", "User"


ROLE_OF_PERSON = {Person.EDITOR: Role.EDITOR, Person.UPLOADER: Role.UPLOADER, Person.USER: Role.VIEWER}
PERSON_OF_ROLE = {role: person for person, role in ROLE_OF_PERSON.items()} | {Role.ONLOOKER: Person.USER}


class Service(TextChoices):
    """What uses the items of archives; the labels say what it becomes for them."""

    COLLECTION = "collection", "Collection"
    READER_STUDY = "reader_study", "Reader study"
    ALGORITHM = "algorithm", "Algorithm"
    CHALLENGE_PHASE = "challenge_phase", "Test set of a challenge phase"
