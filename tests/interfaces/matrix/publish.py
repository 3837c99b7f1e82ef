"""Publishing, groups, files that replace others, and what changed since."""

from medtheca.domains.access.enums import Role
from medtheca.domains.access.groups import create_group
from medtheca.domains.access.invitations import invite
from medtheca.domains.access.models import Placement
from medtheca.domains.access.operations import add_member
from medtheca.domains.imaging.enums import BASIC_KINDS
from medtheca.domains.provenance.models import Accession, VersionFile
from medtheca.domains.provenance.versions import begin_version, complete_version, facts_of
from medtheca.domains.storage.operations import keeping_blobs
from tests.factories.images import make_images
from tests.factories.storage import keep
from tests.interfaces.matrix import LOGIN, Row, cells, editors, everybody, members, owners, people

GROUP = {"name": "Panel"}


def prepare(world):
    """A group that Alice runs and Charlie is in, an invitation into it, and a candidate for the public image's file."""
    alice, charlie = world.people["alice"], world.people["charlie"]
    group = create_group(creator=alice, name="Reading panel")
    add_member(scope=group, user=charlie, role=Role.VIEWER)
    _, secret = invite(scope=group, email="dora@example.org", role=Role.VIEWER, by=alice)
    world.names |= {"group": group.pk, "secret": secret}
    (image,) = make_images(world.cohort, 1, visibility="public")
    content = keep(b"A new picture.")
    with keeping_blobs():
        version = begin_version(
            accession=Accession.objects.get(image=image),
            kind="replacement",
            creator=alice,
            reason="Sharper.",
            name="b.jpg",
            original=content,
        )
        files = [
            VersionFile(kind=kind, blob=content, media_type="image/jpeg", recipe="" if kind == "original" else "test 1")
            for kind in BASIC_KINDS
        ]
        complete_version(version=version, facts=facts_of(image), files=files)
    world.names["candidate_accession"] = version.accession_id
    (empty,) = make_images(world.cohort, 1, visibility="public")
    world.names["replaceable_accession"] = Accession.objects.get(image=empty).pk
    assert Placement.objects.filter(scope=group).count() == 0


def _group(route, status, *, method="GET", **options):
    """Charlie and Alice are in the group, and the staff see all; only Alice and the staff run it."""
    login = 401 if route.startswith("api/") else LOGIN
    return Row(method, route, cells(login, *status), **options)


IN = (200, 404, 404, 200, 404, 200)


def _runs(status):
    return (403, 404, 404, status, 404, status)


ROWS = [
    members("publish-requests/<int:request_id>/", address="publish-requests/{request}/"),
    owners("cohorts/<int:cohort_id>/take-back/", address="cohorts/{cohort}/take-back/"),
    owners(
        "cohorts/<int:cohort_id>/take-back/",
        302,
        method="POST",
        address="cohorts/{cohort}/take-back/",
        data={"how": "unpublish", "which": "all", "reason": "A mistake."},
    ),
    editors("accessions/<int:accession_id>/replace/", address="accessions/{replaceable_accession}/replace/"),
    # Without a file the page is shown again.
    editors(
        "accessions/<int:accession_id>/replace/",
        method="POST",
        address="accessions/{replaceable_accession}/replace/",
        data={"reason": "Sharper."},
    ),
    members(
        "accessions/<int:accession_id>/versions/<int:number>/<str:name>/",
        address="accessions/{candidate_accession}/versions/2/thumbnail/",
    ),
    members(
        "accessions/<int:accession_id>/versions/<int:number>/<str:name>/",
        404,
        address="accessions/{candidate_accession}/versions/2/original/",
    ),
    people("groups/"),
    people("groups/", 302, method="POST", data=GROUP),
    _group("groups/<int:group_id>/", IN, address="groups/{group}/"),
    _group(
        "groups/<int:group_id>/",
        _runs(302),
        method="POST",
        address="groups/{group}/",
        data={"action": "rename", "name": "Panel"},
    ),
    everybody("groups/join/<str:secret>/", address="groups/join/{secret}/"),
    # The invitation was sent to Dora, and nobody here says that they accept it all the same.
    Row("POST", "groups/join/<str:secret>/", cells(200, *(409,) * 6), address="groups/join/{secret}/"),
    everybody("groups/join/<str:secret>/", 404, address="groups/join/x/"),
    # The API of the same.
    editors(
        "api/v2/cohorts/<int:cohort_id>/publish-requests/preview/",
        method="POST",
        address="api/v2/cohorts/{cohort}/publish-requests/preview/",
        data={"visibility": "public"},
    ),
    owners(
        "api/v2/cohorts/<int:cohort_id>/take-back/",
        method="POST",
        address="api/v2/cohorts/{cohort}/take-back/",
        data={"reason": "A mistake."},
    ),
    members("api/v2/publish-requests/<int:request_id>/items/", address="api/v2/publish-requests/{request}/items/"),
    members(
        "api/v2/accessions/<int:accession_id>/file-versions/",
        address="api/v2/accessions/{candidate_accession}/file-versions/",
    ),
    everybody("api/v2/images/<isic_id>/changes/", address="api/v2/images/{public}/changes/"),
    Row(
        "GET",
        "api/v2/images/<isic_id>/changes/",
        cells(404, 404, 404, 200, 200, 200, 200),
        address="api/v2/images/{private}/changes/",
    ),
    people("api/v2/groups/"),
    people("api/v2/groups/", 201, method="POST", data=GROUP),
    _group("api/v2/groups/<int:group_id>/", IN, address="api/v2/groups/{group}/"),
    _group("api/v2/groups/<int:group_id>/", _runs(200), method="PATCH", address="api/v2/groups/{group}/", data=GROUP),
    _group("api/v2/groups/<int:group_id>/", _runs(204), method="DELETE", address="api/v2/groups/{group}/"),
    _group("api/v2/groups/<int:group_id>/members/", IN, address="api/v2/groups/{group}/members/"),
    _group(
        "api/v2/groups/<int:group_id>/members/<int:user_id>/",
        _runs(204),
        method="PATCH",
        address="api/v2/groups/{group}/members/{charlie}/",
        data={"role": "viewer"},
    ),
    # Charlie may leave.
    _group(
        "api/v2/groups/<int:group_id>/members/<int:user_id>/",
        (204, 404, 404, 204, 404, 204),
        method="DELETE",
        address="api/v2/groups/{group}/members/{charlie}/",
    ),
    _group(
        "api/v2/groups/<int:group_id>/invitations/",
        _runs(201),
        method="POST",
        address="api/v2/groups/{group}/invitations/",
        data={"email": "emma@example.org"},
    ),
]
