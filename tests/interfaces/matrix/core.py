"""What was there first: gallery, images, cohorts, uploads, publication, accounts, and the API of the same."""

import io

from tests.interfaces.matrix import LOGIN, Row, cells, editors, everybody, members, owners, people, reviewers, staff

REASON = {"reason": "Consent was withdrawn."}


def _spreadsheet(_world):
    file = io.BytesIO(b"filename,sex\nphoto.jpg,male\n")
    file.name = "values.csv"
    return {"file": file}


def _new_cohort(world):
    return {
        "contributor": world.names["contributor"],
        "name": "Second",
        "licence": "CC0-1.0",
        "attribution": "Clinic",
    }


def _take_back(verb, page, status, data):
    """A public image may be seen by all: whoever may not take it back is told so."""
    route = f"images/<str:ref>/{verb}/"
    method = "POST" if data else "GET"
    seen = cells(LOGIN, 403, 403, 403, status, 403, status)
    return Row(method, route, seen, address=f"images/{{{page}}}/{verb}/", data=data)


ROWS = [
    # Pages for everybody.
    everybody(""),
    everybody("gallery/"),
    everybody("gallery/", 400, address="gallery/?q=sexx:male"),
    everybody("gallery/complete/", address="gallery/complete/?q=sex:"),
    everybody("images/<str:ref>/", address="images/{public}/"),
    Row("GET", "images/<str:ref>/", cells(404, 404, 404, 200, 200, 200, 200), address="images/{private}/"),
    everybody("images/<str:ref>/", 404, address="images/ISIC_0000000/"),
    everybody("metadata-template.csv"),
    everybody("robots.txt"),
    everybody("favicon.ico", 301),
    everybody("styleguide/", 404),
    everybody("mailbox/"),
    # Taking back.
    _take_back("withdraw", "public", 200, None),
    owners("images/<str:ref>/withdraw/", address="images/{private}/withdraw/"),
    _take_back("withdraw", "public", 302, lambda world: {**REASON, "confirmation": world.names["public"]}),
    _take_back("unpublish", "public", 200, None),
    _take_back("unpublish", "public", 302, REASON),
    # Cohorts.
    people("contributors/new/"),
    people("contributors/new/", 302, method="POST", data={"institution_name": "Clinic"}),
    people("cohorts/"),
    Row("GET", "cohorts/new/", cells(LOGIN, 302, 200, 302, 200, 302, 200)),
    # Bob has a contributor of his own, and his page offers no other.
    Row("POST", "cohorts/new/", cells(LOGIN, 302, 200, 302, 302, 302, 302), data=_new_cohort),
    members("cohorts/<int:cohort_id>/", address="cohorts/{cohort}/"),
    editors("cohorts/<int:cohort_id>/metadata/", address="cohorts/{cohort}/metadata/"),
    editors(
        "cohorts/<int:cohort_id>/metadata/",
        302,
        method="POST",
        address="cohorts/{cohort}/metadata/",
        data=_spreadsheet,
    ),
    editors("cohorts/<int:cohort_id>/publish/", address="cohorts/{cohort}/publish/"),
    editors(
        "cohorts/<int:cohort_id>/publish/",
        302,
        method="POST",
        address="cohorts/{cohort}/publish/",
        data={"visibility": "public", "which": "all"},
    ),
    members("metadata-files/<int:file_id>/", address="metadata-files/{file}/"),
    # Uploads.
    people("upload/"),
    members("upload/<int:cohort_id>/browser/", 302, address="upload/{cohort}/browser/"),
    people("uploads/"),
    members("uploads/<uuid:upload_id>/", address="uploads/{upload}/"),
    members("uploads/<uuid:upload_id>/verdicts.csv", address="uploads/{upload}/verdicts.csv"),
    # Publication.
    people("publish-requests/"),
    reviewers(
        "publish-requests/<int:request_id>/accept/", 302, method="POST", address="publish-requests/{request}/accept/"
    ),
    reviewers(
        "publish-requests/<int:request_id>/reject/",
        302,
        method="POST",
        address="publish-requests/{request}/reject/",
        data=REASON,
    ),
    staff("status/", refused=403),
    # The API; `tests/interfaces/api` has the tokens.
    everybody("api/docs/"),
    everybody("api/v2/openapi.json"),
    everybody("api/v2/", 404),
    everybody(r"api/^v2/(?:[\s\S]*/)?$", 404, address="api/v2/nothing/"),
    people("api/v2/users/me/"),
    people("api/v2/users/accept-terms/", method="PUT"),
    everybody("api/v2/images/"),
    everybody("api/v2/images/search/"),
    everybody("api/v2/images/search/size/"),
    everybody("api/v2/images/facets/"),
    everybody("api/v2/images/<isic_id>/", address="api/v2/images/{public}/"),
    Row(
        "GET",
        "api/v2/images/<isic_id>/",
        cells(404, 404, 404, 200, 200, 200, 200),
        address="api/v2/images/{private}/",
    ),
    *(
        Row(
            "POST",
            f"api/v2/images/<isic_id>/{verb}/",
            cells(401, 403, 403, 403, 200, 403, 200),
            address=f"api/v2/images/{{public}}/{verb}/",
            data=REASON,
        )
        for verb in ("withdraw", "unpublish")
    ),
    people("api/v2/contributors/"),
    people("api/v2/contributors/", 201, method="POST", data={"institution_name": "Clinic"}),
    # Edith and Rita belong to the cohort, not to its contributor.
    Row(
        "GET",
        "api/v2/contributors/<int:contributor_id>/",
        cells(401, 404, 404, 404, 200, 404, 200),
        address="api/v2/contributors/{contributor}/",
    ),
    people("api/v2/cohorts/"),
    # Not 401 for nobody: a command-line client of the ISIC Archive asks without a log-in, and takes only 404 well.
    Row(
        "GET",
        "api/v2/cohorts/<int:cohort_id>/",
        cells(404, 404, 404, 200, 200, 200, 200),
        address="api/v2/cohorts/{cohort}/",
    ),
    members("api/v2/cohorts/<int:cohort_id>/metadata-files/", address="api/v2/cohorts/{cohort}/metadata-files/"),
    members("api/v2/metadata-files/<int:file_id>/", address="api/v2/metadata-files/{file}/"),
    editors(
        "api/v2/cohorts/<int:cohort_id>/publish-requests/",
        201,
        method="POST",
        address="api/v2/cohorts/{cohort}/publish-requests/",
        data={"visibility": "public"},
    ),
    people("api/v2/publish-requests/"),
    members("api/v2/publish-requests/<int:request_id>/", address="api/v2/publish-requests/{request}/"),
    reviewers(
        "api/v2/publish-requests/<int:request_id>/accept/",
        method="POST",
        address="api/v2/publish-requests/{request}/accept/",
    ),
    reviewers(
        "api/v2/publish-requests/<int:request_id>/reject/",
        method="POST",
        address="api/v2/publish-requests/{request}/reject/",
        data=REASON,
    ),
    people("api/v2/accessions/"),
    members("api/v2/accessions/<int:accession_id>/", address="api/v2/accessions/{accession}/"),
    people("api/v2/uploads/"),
    members("api/v2/uploads/<uuidstr:upload_id>/", address="api/v2/uploads/{upload}/"),
    members("api/v2/uploads/<uuidstr:upload_id>/verdicts/", address="api/v2/uploads/{upload}/verdicts/"),
]
