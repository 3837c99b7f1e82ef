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
]
