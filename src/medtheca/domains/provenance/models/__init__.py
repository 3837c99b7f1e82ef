"""Contributors, cohorts and accessions. What must always hold is a constraint here."""

from medtheca.domains.provenance.models.accessions import Accession, FileVersion, VersionFile
from medtheca.domains.provenance.models.contributors import Agreement, Cohort, Contributor, Lesion, Patient
from medtheca.domains.provenance.models.deliveries import Delivery, Verdict
from medtheca.domains.provenance.models.erasures import Erasure
from medtheca.domains.provenance.models.reviews import PUBLISHABLE, PublishItem, PublishRequest, Review

__all__ = [
    "PUBLISHABLE",
    "Accession",
    "Agreement",
    "Cohort",
    "Contributor",
    "Delivery",
    "Erasure",
    "FileVersion",
    "Lesion",
    "Patient",
    "PublishItem",
    "PublishRequest",
    "Review",
    "Verdict",
    "VersionFile",
]
