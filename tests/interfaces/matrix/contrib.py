"""Contributors, their cohorts' settings, people and invitations; the staff's tools."""

from medtheca.domains.access.enums import Role
from medtheca.domains.access.invitations import digest_of
from medtheca.domains.access.models import Invitation
from medtheca.domains.access.operations import add_member
from medtheca.domains.provenance.agreements import AGREEMENT_VERSION
from medtheca.domains.provenance.operations import create_cohort, create_contributor
from medtheca.domains.provenance.people import invite_person
from tests.factories.images import make_images
from tests.interfaces.matrix import LOGIN, Row, cells, everybody, members, owners, people, staff

SECRET = "s" * 43


def prepare(world):
    """A second cohort of Alice's, an open invitation of each kind, and Edith and Rita in the contributor too."""
    alice, contributor = world.people["alice"], world.cohort.contributor
    second = create_cohort(
        contributor=contributor, creator=alice, name="Second", licence="CC0-1.0", attribution="Clinic"
    )
    add_member(scope=second.scope, user=world.people["edith"], role=Role.EDITOR)
    add_member(scope=second.scope, user=world.people["rita"], role=Role.REVIEWER)
    make_images(second, 1)
    world.second_cohort = second
    invitation, _ = invite_person(thing=contributor, email="x@example.org", role=Role.VIEWER, actor=alice)
    of_cohort, _ = invite_person(thing=world.cohort, email="y@example.org", role=Role.VIEWER, actor=alice)
    Invitation.objects.filter(pk=invitation.pk).update(digest=digest_of(SECRET))
    world.names |= {
        "second": second.pk,
        "secret": SECRET,
        "invitation": invitation.pk,
        "cohort_invitation": of_cohort.pk,
        "empty_contributor": create_contributor(creator=world.people["bob"], institution_name="Empty").pk,
    }


def contributors_own(route, status=200, *, refused=404, **options):
    """Edith and Rita belong to the cohort, not to its contributor; so for them there is no such contributor."""
    return Row(options.pop("method", "GET"), route, cells(LOGIN, 404, 404, refused, status, refused, status), **options)


def cohort(verb):
    return {"route": f"cohorts/<int:cohort_id>/{verb}/", "address": f"cohorts/{{second}}/{verb}/"}


def contributor(verb=""):
    tail = f"{verb}/" if verb else ""
    return {"route": f"contributors/<int:contributor_id>/{tail}", "address": f"contributors/{{contributor}}/{tail}"}


def _target(world):
    return {"target": world.names["cohort"]}


def tool(name, data):
    route = f"staff/{name}/"
    return [staff(route), staff(route, method="POST", data=data)]


def api_contributor(path, status=200, *, method="POST", refused=404, data=None, **names):
    """Only the contributor's own people know of it; of those asked here that is Alice."""
    return Row(
        method,
        f"api/v2/contributors/<int:{names.get('key', 'thing_id')}>/{path}",
        cells(401, 404, 404, refused, status, refused, status),
        address=f"api/v2/contributors/{{contributor}}/{names.get('filled', path)}",
        data=data,
    )


def api_cohort(given, path, status=200, *, method="POST", data=None, **names):
    return given(
        f"api/v2/cohorts/<int:{names.get('key', 'thing_id')}>/{path}",
        status,
        method=method,
        address=f"api/v2/cohorts/{{second}}/{names.get('filled', path)}",
        data=data,
    )


def _member(role):
    return {"role": role}


def curate(name, **data):
    """What is not theirs is not there for others; what is, only staff may do."""
    given = {"reason": "Why.", **data}
    return Row(
        "POST",
        f"api/v2/curate/{name}/",
        cells(401, 404, 404, 403, 403, 403, 200),
        data=lambda world: {"cohort": world.names["second"], **given},
    )


INVITED = {"email": "new@example.org", "role": "viewer"}
AGREED = {"version": AGREEMENT_VERSION}
EDITED = {"name": "New name", "licence": "CC0-1.0", "attribution": "Clinic", "readers": 1}
LICENCE = {"which": "all", "licence": "CC0-1.0", "reason": "Given away."}
OF_COHORT = {"kind": "cohort", "given": "1", "reason": "Why", "field": "sex", "licence": "CC0-1.0"}

ROWS = [
    people("contributors/"),
    contributors_own(**contributor()),
    contributors_own(**contributor("edit")),
    contributors_own(**contributor("edit"), status=302, method="POST", data={"institution_name": "New"}),
    contributors_own(**contributor("people")),
    contributors_own(
        **contributor("people"),
        status=302,
        method="POST",
        data={"action": "invite", "email": "new@example.org", "role": "viewer"},
    ),
    contributors_own(**contributor("agreement")),
    contributors_own(**contributor("agreement"), status=302, method="POST", data={"version": AGREEMENT_VERSION}),
    # Cohorts: their people see the page of people, their owners change them.
    owners(**cohort("edit")),
    owners(**cohort("edit"), status=302, method="POST", data=EDITED),
    members(**cohort("people")),
    owners(
        **cohort("people"),
        status=302,
        method="POST",
        data={"action": "invite", "email": "new@example.org", "role": "viewer"},
    ),
    # Alone among these, leaving is everybody's who is in.
    Row(
        "POST",
        "cohorts/<int:cohort_id>/people/",
        cells(LOGIN, 404, 404, 302, 404, 302, 404),
        address="cohorts/{second}/people/",
        data={"action": "leave"},
    ),
    owners(**cohort("attest"), status=302, method="POST"),
    owners(**cohort("move")),
    owners(**cohort("move"), method="POST", data=lambda world: _target(world) | {"which": "all"}),
    owners(
        **cohort("move"), status=302, method="POST", data=lambda world: _target(world) | {"which": "all", "expected": 1}
    ),
    owners(**cohort("merge")),
    owners(**cohort("merge"), method="POST", data=_target),
    owners(**cohort("merge"), status=302, method="POST", data=lambda world: _target(world) | {"expected": 2}),
    owners(**cohort("licence")),
    owners(**cohort("licence"), method="POST", data={**LICENCE, "licence": "CC-BY-4.0"}),
    # An invitation is for whoever has its secret; accepting with another address has to be said.
    everybody("invitations/<str:secret>/", 404, address="invitations/nothing/"),
    everybody("invitations/<str:secret>/", address="invitations/{secret}/"),
    Row("POST", "invitations/<str:secret>/", cells(200, *(409,) * 6), address="invitations/{secret}/"),
    Row(
        "POST",
        "invitations/<str:secret>/",
        cells(200, *(302,) * 6),
        address="invitations/{secret}/",
        data={"other": "yes"},
    ),
    everybody("guide/"),
    # The staff's tools: for everybody else there is nothing.
    staff("staff/"),
    *tool("relicense", OF_COHORT),
    *tool("remove-field", OF_COHORT),
    *tool("purge", OF_COHORT),
    *tool("merge", {"source": "1", "target": "2"}),
    *tool("reconvert", OF_COHORT),
    staff("staff/people/"),
    staff("staff/people/<int:user_id>/", address="staff/people/{bob}/"),
    staff("staff/people/<int:user_id>/", 302, method="POST", address="staff/people/{bob}/", data={"active": "no"}),
    # The API of the same.
    api_contributor("", method="PATCH", key="contributor_id", data={"institution_name": "New"}),
    api_contributor("agreement/", method="GET", key="contributor_id"),
    api_contributor("agreement/", key="contributor_id", data=AGREED),
    Row(
        "POST",
        "api/v2/contributors/<int:contributor_id>/merge/",
        cells(401, 404, 404, 404, 404, 404, 200),
        address="api/v2/contributors/{contributor}/merge/",
        data=lambda world: {"into": world.names["empty_contributor"]},
    ),
    api_contributor("members/", method="GET"),
    api_contributor(
        "members/<int:user_id>/", method="PUT", filled="members/{alice}/", status=409, data=_member("viewer")
    ),
    api_contributor("members/<int:user_id>/", method="DELETE", filled="members/{alice}/", status=409),
    api_contributor(
        "transfer/", status=409, data=lambda world: dict.fromkeys(("giver", "taker"), world.names["alice"])
    ),
    api_contributor("invitations/", method="GET"),
    api_contributor("invitations/", 201, data=INVITED),
    api_contributor("invitations/<int:invitation_id>/resend/", filled="invitations/{invitation}/resend/"),
    api_contributor("invitations/<int:invitation_id>/", 204, method="DELETE", filled="invitations/{invitation}/"),
    people("api/v2/invitations/accept/", method="POST", data={"secret": SECRET, "with_other_address": True}),
    api_cohort(owners, "", method="PATCH", key="cohort_id", data={"name": "New"}),
    api_cohort(owners, "attest/", key="cohort_id"),
    api_cohort(owners, "move/", key="cohort_id", data=lambda world: {"to": world.names["cohort"]}),
    api_cohort(owners, "merge/", key="cohort_id", data=lambda world: {"into": world.names["cohort"]}),
    api_cohort(members, "members/", method="GET"),
    api_cohort(owners, "members/<int:user_id>/", method="PUT", filled="members/{edith}/", data=_member("viewer")),
    Row(
        "DELETE",
        "api/v2/cohorts/<int:thing_id>/members/<int:user_id>/",
        # Edith leaves by herself.
        cells(401, 404, 404, 204, 204, 403, 204),
        address="api/v2/cohorts/{second}/members/{edith}/",
    ),
    api_cohort(
        owners,
        "transfer/",
        404,
        data=lambda world: {"giver": world.names["rita"], "taker": world.names["edith"]},
    ),
    api_cohort(owners, "invitations/", method="GET"),
    api_cohort(owners, "invitations/", 201, data=INVITED),
    Row(
        "POST",
        "api/v2/cohorts/<int:thing_id>/invitations/<int:invitation_id>/resend/",
        cells(401, 404, 404, 403, 200, 403, 200),
        address="api/v2/cohorts/{cohort}/invitations/{cohort_invitation}/resend/",
    ),
    Row(
        "DELETE",
        "api/v2/cohorts/<int:thing_id>/invitations/<int:invitation_id>/",
        cells(401, 404, 404, 403, 204, 403, 204),
        address="api/v2/cohorts/{cohort}/invitations/{cohort_invitation}/",
    ),
    Row(
        "POST",
        "api/v2/curate/relicense/",
        cells(401, 404, 404, 403, 200, 403, 200),
        data=lambda world: {"cohort": world.names["second"], "copyright_license": "CC-0"},
    ),
    curate("remove-field", field="sex"),
    curate("purge"),
    Row(
        "POST",
        "api/v2/curate/reconvert/",
        cells(401, 404, 404, 403, 403, 403, 200),
        data=lambda world: {"cohort": world.names["second"]},
    ),
]
