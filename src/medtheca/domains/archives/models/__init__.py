"""Tables of archives: what they are, who asks to see them, their items, files on their way in, what uses them."""

from medtheca.domains.archives.models.archives import Archive
from medtheca.domains.archives.models.importing import ImportedRow, ValuesImport
from medtheca.domains.archives.models.intakes import Intake, IntakeUpload
from medtheca.domains.archives.models.items import Item, ItemChange, ItemValue
from medtheca.domains.archives.models.people import (
    Acceptance,
    AccessRequest,
    Held,
    Invited,
    Lasting,
    Proposal,
    ReviewerLink,
)
from medtheca.domains.archives.models.services import ServiceLink

__all__ = [
    "Acceptance",
    "AccessRequest",
    "Archive",
    "Held",
    "ImportedRow",
    "Intake",
    "IntakeUpload",
    "Invited",
    "Item",
    "ItemChange",
    "ItemValue",
    "Lasting",
    "Proposal",
    "ReviewerLink",
    "ServiceLink",
    "ValuesImport",
]
