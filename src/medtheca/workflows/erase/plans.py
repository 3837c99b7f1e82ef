"""What an erasure works through: everything of one patient by its keys, as JSON in the erasure's row."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(slots=True)
class Plan:
    """Keys of everything of a patient. Private: it is emptied when the work is done.

    `names` and `paths` are of accessions and files; `uploads` those in which files of the patient came, `own_uploads`
    those that held nothing else; `blobs` SHA-256 → bytes; `sheets` spreadsheets with rows of the patient by id, with
    the numbers of their lines; `items` items of archives that are of nobody else; `origins` what other archives said of
    images of the patient; `since` when the first of it came in; `counts` what is told in the receipt.
    """

    contributor: int
    patient: int | None = None
    private_id: str = ""
    public_ids: list[str] = field(default_factory=list)
    accessions: list[int] = field(default_factory=list)
    proofs: list[str] = field(default_factory=list)
    images: list[int] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    lesions: list[int] = field(default_factory=list)
    lesion_private_ids: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    own_uploads: list[str] = field(default_factory=list)
    blobs: dict[str, int] = field(default_factory=dict)
    sheets: dict[str, list[int]] = field(default_factory=dict)
    values: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)
    since: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    shared: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    kept_marks: int = 0

    def to_json(self) -> dict[str, Any]:
        """As it stands in the row."""
        return asdict(self)

    @classmethod
    def of_json(cls, values: dict[str, Any]) -> Plan:
        """Read it from the row; what a newer release wrote beside is passed over."""
        known = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})
