"""Review, submissions, redaction, and images that look alike."""

from medtheca.domains.provenance.reviewing import record_reviews
from tests.interfaces.matrix import LOGIN, Row, cells, everybody, members, people, reviewers

_BOXES = {"x": ["1"], "y": ["2"], "width": ["3"], "height": ["4"], "reason": "A name tag."}
_REDACTION = {"boxes": [[1, 2, 3, 4]], "reason": "A name tag."}


def prepare(world):
    """Sam has judged one image, to be taken back."""
    sam, accession = world.people["sam"], world.names["asked_accession"]
    given = record_reviews(accession_ids=[accession], reviewer=sam, decision="accepted")
    world.names["review"] = given[accession]


def _current(world):
    return {"act": "accepted", "current": world.names["accession"]}


def _bulk(world):
    return [{"id": world.names["accession"], "value": True}]


_GALLERY = "review/<int:cohort_id>/"
_REDACT = "accessions/<int:accession_id>/redact/"
_DUPLICATES = "api/v2/images/<isic_id>/duplicates/"
_SIMILAR = "api/v2/images/<isic_id>/similar/"

ROWS = [
    people("review/"),
    reviewers(_GALLERY, address="review/{cohort}/"),
    reviewers(f"{_GALLERY}decide/", 302, method="POST", address="review/{cohort}/decide/", data=_current),
    # One takes back one's own word only: Sam's is not Rita's.
    Row(
        "POST",
        f"{_GALLERY}undo/",
        cells(LOGIN, 404, 404, 403, 403, 404, 302),
        address="review/{cohort}/undo/",
        data=lambda world: {"reviews": [world.names["review"]]},
    ),
    reviewers(f"{_GALLERY}<int:accession_id>/", address="review/{cohort}/{accession}/"),
    members("accessions/<int:accession_id>/", address="accessions/{accession}/"),
    members(_REDACT, address="accessions/{accession}/redact/"),
    members(_REDACT, 302, method="POST", address="accessions/{accession}/redact/", data=_BOXES),
    people("api/v2/reviews/"),
    members("api/v2/accessions/<int:accession_id>/reviews/", address="api/v2/accessions/{accession}/reviews/"),
    reviewers(
        "api/v2/accessions/<int:accession_id>/reviews/",
        201,
        method="POST",
        address="api/v2/accessions/{accession}/reviews/",
        data={"decision": "accepted"},
    ),
    reviewers("api/v2/accessions/create-review-bulk/", 201, method="POST", data=_bulk),
    members(
        "api/v2/accessions/<int:accession_id>/redactions/",
        202,
        method="POST",
        address="api/v2/accessions/{accession}/redactions/",
        data=_REDACTION,
    ),
    people(_SIMILAR, address="api/v2/images/{public}/similar/"),
    members(_SIMILAR, address="api/v2/images/{private}/similar/"),
    members("cohorts/<int:cohort_id>/duplicates/", address="cohorts/{cohort}/duplicates/"),
    members("api/v2/cohorts/<int:cohort_id>/duplicates/", address="api/v2/cohorts/{cohort}/duplicates/"),
    everybody(_DUPLICATES, address="api/v2/images/{public}/duplicates/"),
    Row("GET", _DUPLICATES, cells(404, 404, 404, 200, 200, 200, 200), address="api/v2/images/{private}/duplicates/"),
]
