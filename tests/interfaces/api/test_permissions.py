"""Routes of the API, asked by session and by token; `tests/interfaces/test_matrix.py` sees that none is forgotten."""

from types import SimpleNamespace

import pytest
from django.db import transaction

from medtheca.domains.access.enums import Visibility
from medtheca.domains.accounts.models import ApiToken
from medtheca.domains.provenance.models import Accession
from medtheca.domains.provenance.publication import request_publication
from medtheca.workflows.describe import give_metadata
from medtheca.workflows.receive import receive_delivery
from tests.factories.accounts import make_user
from tests.factories.provenance import deliver, make_cohort, make_zip
from tests.factories.storage import use_data_folder
from tests.interfaces.api.world import by_revoked_token, by_session, by_token, make_image, nobody

pytestmark = pytest.mark.django_db

# Alice owns the things asked for, Bob owns others, Charlie owns nothing, Sam is staff; the tokens are Alice's.
ACTORS = ("nobody", "alice", "bob", "charlie", "sam", "read token", "write token", "revoked token")
FOR_ALL = (200, 200, 200, 200, 200, 200, 200, 401)
SIGNED_IN = (401, 200, 200, 200, 200, 200, 200, 401)
HERS = (401, 200, 404, 404, 200, 200, 200, 401)
CHANGE_HERS = (401, 200, 404, 404, 200, 403, 200, 401)
STAFF_DECIDE = (401, 403, 404, 404, 200, 403, 403, 401)
OPEN = (200,) * 8
NOWHERE = (404,) * 8
REASON = {"reason": "Consent withdrawn."}
CONTRIBUTOR = {"institution_name": "Clinic of Sampletown"}


def changes(status, row=CHANGE_HERS):
    """A row whose successes have another status."""
    return tuple(status if code == 200 else code for code in row)


# Route, path in the world, body, what each actor gets.
ROWS = [
    ("GET ", "", None, NOWHERE),
    ("GET openapi.json", "openapi.json", None, OPEN),
    ("GET users/me/", "users/me/", None, SIGNED_IN),
    ("PUT users/accept-terms/", "users/accept-terms/", {}, (401, 200, 200, 200, 200, 403, 200, 401)),
    ("GET images/", "images/", None, FOR_ALL),
    ("GET images/<isic_id>/", "images/{public}/", None, FOR_ALL),
    ("GET images/<isic_id>/", "images/{signed_in}/", None, (404, 200, 200, 200, 200, 200, 200, 401)),
    ("GET images/<isic_id>/", "images/{private}/", None, (404, 200, 404, 404, 200, 200, 200, 401)),
    ("POST images/<isic_id>/withdraw/", "images/{public}/withdraw/", REASON, (401, 200, 403, 403, 200, 403, 200, 401)),
    ("POST images/<isic_id>/withdraw/", "images/{private}/withdraw/", REASON, CHANGE_HERS),
    (
        "POST images/<isic_id>/unpublish/",
        "images/{public}/unpublish/",
        REASON,
        (401, 200, 403, 403, 200, 403, 200, 401),
    ),
    ("POST images/<isic_id>/unpublish/", "images/{private}/unpublish/", REASON, changes(409)),
    ("GET contributors/", "contributors/", None, SIGNED_IN),
    ("POST contributors/", "contributors/", CONTRIBUTOR, (401, 201, 201, 201, 201, 403, 201, 401)),
    ("GET contributors/<int:contributor_id>/", "contributors/{contributor}/", None, HERS),
    ("GET cohorts/", "cohorts/", None, SIGNED_IN),
    ("POST cohorts/", "cohorts/", "cohort", changes(201)),
    # isic-cli asks for a cohort before it is logged in, and stumbles over 401.
    ("GET cohorts/<int:cohort_id>/", "cohorts/{cohort}/", None, (404, 200, 404, 404, 200, 200, 200, 401)),
    ("GET cohorts/<int:cohort_id>/metadata-files/", "cohorts/{cohort}/metadata-files/", None, HERS),
    ("POST cohorts/<int:cohort_id>/metadata-files/", "cohorts/{cohort}/metadata-files/", {"a": 1}, changes(202)),
    ("GET metadata-files/<int:file_id>/", "metadata-files/{metadata_file}/", None, HERS),
    ("POST cohorts/<int:cohort_id>/publish-requests/", "cohorts/{cohort}/publish-requests/", {}, changes(201)),
    ("GET publish-requests/", "publish-requests/", None, SIGNED_IN),
    ("GET publish-requests/<int:request_id>/", "publish-requests/{publish_request}/", None, HERS),
    ("POST publish-requests/<int:request_id>/accept/", "publish-requests/{publish_request}/accept/", {}, STAFF_DECIDE),
    (
        "POST publish-requests/<int:request_id>/reject/",
        "publish-requests/{publish_request}/reject/",
        REASON,
        STAFF_DECIDE,
    ),
    ("GET accessions/", "accessions/", None, SIGNED_IN),
    ("GET accessions/<int:accession_id>/", "accessions/{accession}/", None, HERS),
    ("GET uploads/", "uploads/", None, SIGNED_IN),
    ("GET uploads/<uuidstr:upload_id>/", "uploads/{upload}/", None, HERS),
    ("GET uploads/<uuidstr:upload_id>/verdicts/", "uploads/{upload}/verdicts/", None, HERS),
]


@pytest.fixture
def world(settings, tmp_path):
    """Alice's things, one of each kind; Bob has a cohort of his own."""
    use_data_folder(settings, tmp_path / "data")
    people = {name: make_user(name) for name in ("alice", "bob", "charlie", "sam")}
    alice = people["alice"]
    cohort = make_cohort(alice)
    make_image(make_cohort(people["bob"], name="Bob's"), visibility=Visibility.SIGNED_IN)
    images = {
        "public": make_image(cohort, visibility=Visibility.PUBLIC).public_id,
        "signed_in": make_image(cohort, visibility=Visibility.SIGNED_IN).public_id,
    }
    asked_for, left = make_image(cohort), make_image(cohort)
    request = request_publication(
        cohort=cohort,
        requester=alice,
        visibility="public",
        accession_ids=[Accession.objects.get(image=asked_for).pk],
    )
    upload = deliver(alice, cohort, make_zip([("a.txt", b"text")]))
    receive_delivery(upload_id=upload)
    return SimpleNamespace(
        people=people,
        names={
            **images,
            "private": left.key,
            "cohort": cohort.pk,
            "contributor": cohort.contributor_id,
            "metadata_file": give_metadata(user=alice, cohort_id=cohort.pk, name="a.csv", data=b"filename\n").pk,
            "publish_request": request.pk,
            "accession": Accession.objects.filter(cohort=cohort).first().pk,
            "upload": upload,
        },
        callers={
            "nobody": nobody(),
            **{name: by_session(person) for name, person in people.items()},
            "read token": by_token(alice, "read"),
            "write token": by_token(alice, "write"),
            "revoked token": by_revoked_token(alice),
        },
    )


def body_of(given, world):
    if given != "cohort":
        return given
    return {
        "contributor": world.names["contributor"],
        "name": "New",
        "default_copyright_license": "CC-0",
        "default_attribution": "Clinic",
    }


@pytest.mark.parametrize(("route", "path", "given", "expected"), ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_everybody_gets_what_they_may(world, route, path, given, expected):
    method = route.split(" ")[0]
    found = {}
    for actor, caller in world.callers.items():
        # Each in a savepoint of its own, so that nobody finds what another one changed.
        with transaction.atomic():
            found[actor] = caller.ask(method, path.format(**world.names), body_of(given, world)).status_code
            transaction.set_rollback(True)
    assert found == dict(zip(ACTORS, expected, strict=True))


@pytest.mark.parametrize("route", sorted({row[0] for row in ROWS if row[0].split(" ")[0] in {"POST", "PUT"}}))
def test_a_session_without_proof_of_a_page_changes_nothing(world, route):
    path, given = next((row[1], row[2]) for row in ROWS if row[0] == route)
    alice = world.callers["alice"]
    for header in ("x-csrftoken", "origin"):
        del alice.headers[header]
    answer = alice.ask(route.split(" ")[0], path.format(**world.names), body_of(given, world))
    assert (answer.status_code, answer.body["code"]) == (403, "csrf_failed")


def test_a_revoked_token_is_not_taken_for_nobody_and_uses_no_session(world):
    token = world.callers["revoked token"]
    token.client.force_login(world.people["alice"])
    answer = token.get("images/")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert ApiToken.objects.filter(revoked__isnull=False).count() == 1
