"""Contributors, cohorts and accessions. What must always hold is a constraint here."""

from medtheca.domains.provenance.models.accessions import Accession, FileVersion, VersionFile
from medtheca.domains.provenance.models.contributors import Agreement, Cohort, Contributor, Lesion, Patient
from medtheca.domains.provenance.models.copies import DicomCopy
from medtheca.domains.provenance.models.deliveries import Delivery, HeldFile, Verdict
from medtheca.domains.provenance.models.erasures import Erasure
from medtheca.domains.provenance.models.errands import Errand, ErrandItem
from medtheca.domains.provenance.models.origins import Origin
from medtheca.domains.provenance.models.reviews import PUBLISHABLE, PublishItem, PublishRequest, Review

__all__ = [
    "PUBLISHABLE",
    "Accession",
    "Agreement",
    "Cohort",
    "Contributor",
    "Delivery",
    "DicomCopy",
    "Erasure",
    "Errand",
    "ErrandItem",
    "FileVersion",
    "HeldFile",
    "Lesion",
    "Origin",
    "Patient",
    "PublishItem",
    "PublishRequest",
    "Review",
    "Verdict",
    "VersionFile",
]
