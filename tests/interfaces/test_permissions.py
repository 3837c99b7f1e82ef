"""Who gets what at every address: a table, and a test that no address is missing from it.

What a person may not know of is 404, never 403. Each cell is an answer's status; `login` is a redirect to the log-in.
Each request is made in a transaction of its own that is rolled back, so rows do not depend on each other.
"""

import io
from dataclasses import dataclass

import pytest
from django.db import transaction
from django.urls import get_resolver

from medtheca.domains.metadata.models import MetadataFile
from medtheca.domains.provenance.models import Accession
from medtheca.domains.provenance.publication import request_publication
from medtheca.domains.storage.models import Blob
from tests.factories.images import make_delivery, make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db

LOGIN = "login"
PAGES = "pages"


@dataclass(frozen=True)
class Row:
    route: str
    nobody: object
    alice: object
    charlie: object
    sam: object
    method: str = "get"
    data: object = None
    address: str = ""

    def __str__(self):
        return f"{self.method} {self.address or self.route}"


def everybody(route, status=200, **options):
    return Row(route, status, status, status, status, **options)


def people(route, status=200, **options):
    """Whoever is signed in."""
    return Row(route, LOGIN, status, status, status, **options)


def members(route, status=200, **options):
    """Alice and the staff; for Charlie there is nothing."""
    return Row(route, LOGIN, status, 404, status, **options)


def api_members(route, status=200, **options):
    return Row(route, 401, status, 404, status, **options)


def csv_file():
    file = io.BytesIO(b"filename,sex\nphoto.jpg,male\n")
    file.name = "values.csv"
    return {"file": file}


REASON = {"reason": "Consent was withdrawn."}
JSON_REASON = ("application/json", '{"reason": "Consent was withdrawn."}')
CONTRIBUTOR = {"institution_name": "Clinic"}

ROWS = [
    # Pages for everybody.
    everybody(""),
    everybody("gallery/"),
    everybody("images/<str:ref>/", address="images/{public}/"),
    Row("images/<str:ref>/", 404, 200, 404, 200, address="images/{private}/"),
    everybody("images/<str:ref>/", 404, address="images/ISIC_0000000/"),
    everybody("metadata-template.csv"),
    everybody("robots.txt"),
    everybody("favicon.ico", 301),
    everybody("styleguide/", 404),
    everybody("mailbox/"),
    # Taking back.
    Row("images/<str:ref>/withdraw/", LOGIN, 200, 403, 200, address="images/{public}/withdraw/"),
    Row("images/<str:ref>/withdraw/", LOGIN, 200, 404, 200, address="images/{private}/withdraw/"),
    Row(
        "images/<str:ref>/withdraw/",
        LOGIN,
        302,
        403,
        302,
        address="images/{public}/withdraw/",
        method="post",
        data=lambda names: {**REASON, "confirmation": names["public"]},
    ),
    Row("images/<str:ref>/unpublish/", LOGIN, 200, 403, 200, address="images/{public}/unpublish/"),
    Row(
        "images/<str:ref>/unpublish/",
        LOGIN,
        302,
        403,
        302,
        address="images/{public}/unpublish/",
        method="post",
        data=REASON,
    ),
    # Cohorts.
    people("contributors/new/"),
    people("contributors/new/", 302, method="post", data=CONTRIBUTOR),
    people("cohorts/"),
    Row("cohorts/new/", LOGIN, 200, 302, 200),
    Row("cohorts/new/", LOGIN, 302, 302, 302, method="post", data=lambda names: names["new_cohort"]),
    members("cohorts/<int:cohort_id>/", address="cohorts/{cohort}/"),
    members("cohorts/<int:cohort_id>/metadata/", address="cohorts/{cohort}/metadata/"),
    members(
        "cohorts/<int:cohort_id>/metadata/", 302, address="cohorts/{cohort}/metadata/", method="post", data=csv_file
    ),
    members("cohorts/<int:cohort_id>/publish/", address="cohorts/{cohort}/publish/"),
    members(
        "cohorts/<int:cohort_id>/publish/",
        302,
        address="cohorts/{cohort}/publish/",
        method="post",
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
    Row(
        "publish-requests/<int:request_id>/accept/",
        LOGIN,
        403,
        404,
        302,
        address="publish-requests/{request}/accept/",
        method="post",
    ),
    Row(
        "publish-requests/<int:request_id>/reject/",
        LOGIN,
        403,
        404,
        302,
        address="publish-requests/{request}/reject/",
        method="post",
        data=REASON,
    ),
    Row("status/", LOGIN, 403, 403, 200),
    # Accounts.
    people("account/"),
    people("account/tokens/"),
    people("account/tokens/<int:token_id>/revoke/", 404, address="account/tokens/1/revoke/", method="post"),
    Row("accounts/login/", 200, 302, 302, 302),
    Row("accounts/signup/", 200, 302, 302, 302),
    Row("accounts/logout/", 302, 200, 200, 200),
    everybody("accounts/inactive/"),
    people("accounts/reauthenticate/"),
    people("accounts/email/"),
    everybody("accounts/confirm-email/"),
    people("accounts/password/change/"),
    people("accounts/password/set/", 302),
    everybody("accounts/password/reset/"),
    everybody("accounts/login/code/confirm/", 302),
    everybody(r"accounts/^confirm-email/(?P<key>[-:\w]+)/$", address="accounts/confirm-email/x/"),
    everybody("accounts/password/reset/key/done/"),
    everybody(
        "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        address="accounts/password/reset/key/1-x/",
    ),
    everybody("accounts/password/reset/done/"),
    # The API; `tests/interfaces/api` has every method.
    everybody("api/docs/"),
    everybody("api/v2/openapi.json"),
    everybody("api/v2/", 404),
    everybody("api/^v2/(?:.*/)?$", 404, address="api/v2/nothing/"),
    Row("api/v2/users/me/", 401, 200, 200, 200),
    Row("api/v2/users/accept-terms/", 401, 200, 200, 200, method="put"),
    everybody("api/v2/images/"),
    everybody("api/v2/images/<isic_id>/", address="api/v2/images/{public}/"),
    Row("api/v2/images/<isic_id>/", 404, 200, 404, 200, address="api/v2/images/{private}/"),
    Row(
        "api/v2/images/<isic_id>/withdraw/",
        401,
        200,
        403,
        200,
        address="api/v2/images/{public}/withdraw/",
        method="post",
        data=JSON_REASON,
    ),
    Row(
        "api/v2/images/<isic_id>/unpublish/",
        401,
        200,
        403,
        200,
        address="api/v2/images/{public}/unpublish/",
        method="post",
        data=JSON_REASON,
    ),
    Row("api/v2/contributors/", 401, 200, 200, 200),
    api_members("api/v2/contributors/<int:contributor_id>/", address="api/v2/contributors/{contributor}/"),
    Row("api/v2/cohorts/", 401, 200, 200, 200),
    # Not 401 for nobody: a command-line client of the ISIC Archive asks without a log-in, and takes only 404 well.
    Row("api/v2/cohorts/<int:cohort_id>/", 404, 200, 404, 200, address="api/v2/cohorts/{cohort}/"),
    api_members("api/v2/cohorts/<int:cohort_id>/metadata-files/", address="api/v2/cohorts/{cohort}/metadata-files/"),
    api_members("api/v2/metadata-files/<int:file_id>/", address="api/v2/metadata-files/{file}/"),
    Row(
        "api/v2/cohorts/<int:cohort_id>/publish-requests/",
        401,
        201,
        404,
        201,
        address="api/v2/cohorts/{cohort}/publish-requests/",
        method="post",
        data=("application/json", '{"visibility": "public"}'),
    ),
    Row("api/v2/publish-requests/", 401, 200, 200, 200),
    api_members("api/v2/publish-requests/<int:request_id>/", address="api/v2/publish-requests/{request}/"),
    Row(
        "api/v2/publish-requests/<int:request_id>/accept/",
        401,
        403,
        404,
        200,
        address="api/v2/publish-requests/{request}/accept/",
        method="post",
        data=("application/json", "{}"),
    ),
    Row(
        "api/v2/publish-requests/<int:request_id>/reject/",
        401,
        403,
        404,
        200,
        address="api/v2/publish-requests/{request}/reject/",
        method="post",
        data=JSON_REASON,
    ),
    Row("api/v2/accessions/", 401, 200, 200, 200),
    api_members("api/v2/accessions/<int:accession_id>/", address="api/v2/accessions/{accession}/"),
    Row("api/v2/uploads/", 401, 200, 200, 200),
    api_members("api/v2/uploads/<uuidstr:upload_id>/", address="api/v2/uploads/{upload}/"),
    api_members("api/v2/uploads/<uuidstr:upload_id>/verdicts/", address="api/v2/uploads/{upload}/verdicts/"),
]


@pytest.fixture
def names(alice):
    """A cohort of Alice's with a public and private images, an upload, a spreadsheet and a request; and their names."""
    cohort = make_cohort(alice)
    (public,) = make_images(cohort, 1, visibility="public")
    private, asked, _ = make_images(cohort, 3)
    delivery = make_delivery(cohort, [{"path": "a.jpg", "outcome": "refused"}])
    request = request_publication(
        cohort=cohort,
        requester=alice,
        visibility="public",
        accession_ids=[Accession.objects.get(image=asked).pk],
    )
    file = MetadataFile.objects.create(
        cohort=cohort, creator=alice, name="values.csv", blob=Blob.objects.first(), state="applied", rows=1
    )
    return {
        "cohort": cohort.pk,
        "contributor": cohort.contributor_id,
        "public": public.public_id,
        "private": str(private.key),
        "accession": Accession.objects.get(image=private).pk,
        "upload": str(delivery.pk),
        "request": request.pk,
        "file": file.pk,
        "new_cohort": {
            "contributor": cohort.contributor_id,
            "name": "Second",
            "licence": "CC0-1.0",
            "attribution": "Clinic",
        },
    }


@pytest.fixture(autouse=True)
def _mail_in_files(settings, tmp_path):
    # The mailbox reads files; pytest-django would keep mail in memory.
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)


@pytest.fixture
def clients(nobody, as_alice, as_charlie, as_sam):
    return nobody, as_alice, as_charlie, as_sam


def ask(client, row, names):
    address = "/" + (row.address or row.route).format(**names)
    data = row.data
    if callable(data):
        data = data(names) if data is not csv_file else data()
    with transaction.atomic():
        if isinstance(data, tuple):
            answer = client.generic(row.method, address, data[1], content_type=data[0])
        else:
            answer = getattr(client, row.method)(address, data or {})
        if answer.streaming:
            list(answer.streaming_content)
        transaction.set_rollback(True)
    if answer.status_code == 302 and answer.url.startswith("/accounts/login/?next="):
        return LOGIN
    return answer.status_code


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_everyone_gets_what_the_table_says(row, names, clients):
    found = [ask(client, row, names) for client in clients]
    assert found == [row.nobody, row.alice, row.charlie, row.sam]


def routes(patterns, prefix=""):
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


def test_every_address_has_a_row():
    there = set(routes(get_resolver().url_patterns))
    told = {row.route for row in ROWS}
    assert sorted(there - told) == [], "write down who may open these"
    assert sorted(told - there) == [], "these are gone"
