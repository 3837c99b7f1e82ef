"""People of archives, requests and links; verification. As in `archives`: Alice edits, Edith uploads, Bob is a user,
Rita may only look, Charlie is a stranger who edits another archive.
"""

from medtheca.domains.accounts.verifying import ask_for_verification
from medtheca.domains.archives.links import make_link
from medtheca.domains.archives.people import invite_person
from medtheca.domains.archives.requests import ask_to_see
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive
from tests.interfaces.matrix import LOGIN, Row, cells, everybody, people, staff

# Of a private archive strangers know the title, so that they are refused and not told that there is none.
_EDITORS = cells(LOGIN, 403, 403, 403, 200, 403, 200)
_EDIT = cells(LOGIN, 403, 403, 403, 302, 403, 302)
_HIDDEN = cells(LOGIN, 404, 403, 403, 200, 403, 200)


def _chosen(world):
    return {"action": "accept", "request": world.names["asked"]}


_API = "api/v2/archives/<archive_ref>/"
_READ = cells(401, 403, 403, 403, 200, 403, 200)
_MADE = cells(401, 403, 403, 403, 201, 403, 201)
_GONE = cells(401, 403, 403, 403, 204, 403, 204)


def _api(method, path, statuses, *, address="", data=None):
    place = address or path
    return Row(method, f"{_API}{path}", statuses, address=f"api/v2/archives/{{archive}}/{place}", data=data)


API_ROWS = [
    _api("GET", "people/", _READ),
    Row(
        "GET",
        f"{_API}people/",
        cells(401, 404, 403, 403, 200, 403, 200),
        address="api/v2/archives/{hidden_archive}/people/",
    ),
    _api("POST", "people/", _READ, data={"email": "newcomer@example.org", "role": "user"}),
    _api("PUT", "people/<int:user_id>/", _READ, address="people/{rita}/", data={"role": "uploader"}),
    _api("DELETE", "people/<int:user_id>/", cells(401, 403, 403, 403, 204, 204, 204), address="people/{rita}/"),
    _api("GET", "invitations/", _READ),
    _api("POST", "invitations/", _MADE, data={"email": "new@example.org", "role": "user"}),
    _api(
        "POST",
        "invitations/<int:invitation_id>/resend/",
        _READ,
        address="invitations/{archive_invitation_id}/resend/",
    ),
    _api("DELETE", "invitations/<int:invitation_id>/", _GONE, address="invitations/{archive_invitation_id}/"),
    _api("GET", "requests/", _READ),
    _api("POST", "requests/", cells(401, 201, 409, 409, 409, 409, 201), data={}),
    _api(
        "POST",
        "requests/decide/",
        _READ,
        data=lambda world: {"requests": [world.names["asked"]], "accept": True},
    ),
    _api("POST", "accept-terms/", cells(401, 404, 204, 204, 204, 204, 404), data={"version": 1}),
    _api("POST", "ask-terms-anew/", cells(401, 403, 403, 403, 409, 403, 409)),
    _api("GET", "links/", _READ),
    _api("POST", "links/", _MADE, data={"label": "Reviewers"}),
    _api("DELETE", "links/<int:link_id>/", _GONE, address="links/{archive_link_id}/"),
    people("api/v2/me/archive-requests/"),
    Row(
        "POST",
        "api/v2/me/archive-invitations/accept/",
        cells(401, 200, 409, 409, 409, 409, 409),
        data=lambda world: {"secret": world.names["archive_invitation"]},
    ),
    people("api/v2/me/verification/"),
    people("api/v2/me/verification/", 202, method="POST", data={"email": "somebody@clinic.example"}),
    staff(
        "api/v2/users/<int:user_id>/verification/",
        refused=403,
        method="POST",
        address="api/v2/users/{bob}/verification/",
        data={},
    ),
    Row(
        "DELETE",
        "api/v2/users/<int:user_id>/verification/",
        cells(401, 403, 403, 403, 403, 403, 204),
        address="api/v2/users/{charlie}/verification/",
    ),
    staff("api/v2/archive-proposals/", refused=403),
    staff(
        "api/v2/archive-proposals/<uuidstr:archive_id>/judge/",
        409,
        refused=403,
        method="POST",
        address="api/v2/archive-proposals/{archive_id}/judge/",
        data={"agree": True},
    ),
]
ROWS = [
    *API_ROWS,
    Row("GET", "archives/<slug:slug>/people/", _EDITORS, address="archives/{archive}/people/"),
    Row("GET", "archives/<slug:slug>/people/", _HIDDEN, address="archives/{hidden_archive}/people/"),
    Row(
        "POST",
        "archives/<slug:slug>/people/",
        _EDIT,
        address="archives/{archive}/people/",
        data={"action": "add", "email": "newcomer@example.org", "role": "editor"},
    ),
    Row("GET", "archives/<slug:slug>/requests/", _EDITORS, address="archives/{archive}/requests/"),
    Row("GET", "archives/<slug:slug>/requests/", _HIDDEN, address="archives/{hidden_archive}/requests/"),
    Row(
        "POST",
        "archives/<slug:slug>/requests/",
        _EDIT,
        address="archives/{archive}/requests/",
        data=_chosen,
    ),
    # Another archive's request is none of this one's, also for its editor.
    Row(
        "POST",
        "archives/<slug:slug>/requests/",
        cells(LOGIN, 404, 403, 403, 403, 403, 404),
        address="archives/{open_archive}/requests/",
        data=_chosen,
    ),
    people("archives/<slug:slug>/request/", address="archives/{archive}/request/"),
    Row(
        "GET",
        "archives/<slug:slug>/request/",
        cells(LOGIN, 404, 200, 200, 200, 200, 200),
        address="archives/{hidden_archive}/request/",
    ),
    Row(
        "POST",
        "archives/<slug:slug>/request/",
        cells(LOGIN, 404, 302, 302, 302, 302, 302),
        address="archives/{hidden_archive}/request/",
        data={"unused": "1"},
    ),
    Row(
        "POST",
        "archives/<slug:slug>/leave/",
        cells(LOGIN, 404, 302, 302, 409, 302, 404),
        address="archives/{archive}/leave/",
    ),
    everybody("archives/join/<str:secret>/", address="archives/join/{archive_invitation}/"),
    Row(
        "POST",
        "archives/join/<str:secret>/",
        cells(200, 302, 409, 409, 409, 409, 409),
        address="archives/join/{archive_invitation}/",
    ),
    everybody("archives/join/<str:secret>/", 404, address="archives/join/nothing/"),
    everybody("archives/by-link/<str:secret>/", 302, address="archives/by-link/{archive_link}/"),
    everybody("archives/by-link/<str:secret>/", 404, address="archives/by-link/nothing/"),
    people("account/archive-requests/"),
    people("account/verification/"),
    people("account/verification/", 302, method="POST", data={"email": "somebody@clinic.example"}),
    people("account/verification/<str:secret>/", address="account/verification/{verification}/"),
    Row(
        "POST",
        "account/verification/<str:secret>/",
        cells(LOGIN, 302, 409, 409, 409, 409, 409),
        address="account/verification/{verification}/",
    ),
    staff("staff/archives/"),
    staff(
        "staff/archives/",
        409,
        method="POST",
        data=lambda world: {"action": "agree", "archive": world.names["archive_id"]},
    ),
]


def prepare(world):
    charlie, bob, edith, alice, rita = (world.people[name] for name in ("charlie", "bob", "edith", "alice", "rita"))
    inside = {"uploaders": [edith], "users": [bob], "onlookers": [rita]}
    archive = make_archive(alice, title="Private CT", **inside)
    hidden = make_archive(alice, title="Hidden CT", hidden=True, **inside)
    public = make_archive(charlie, title="Public CT", public=True)
    make_user("newcomer")
    asked = ask_to_see(archive=archive, user=make_user("requester"), answers={})
    invited, invitation = invite_person(archive=archive, actor=alice, email=charlie.email, person="user")
    made, link = make_link(archive=archive, editor=alice, label="Reviewers")
    _, verification = ask_for_verification(user=charlie, email="charlie@clinic.example")
    world.names |= {
        "archive": archive.slug,
        "archive_id": str(archive.pk),
        "hidden_archive": hidden.slug,
        "open_archive": public.slug,
        "asked": asked.pk,
        "archive_invitation": invitation,
        "archive_link": link,
        "archive_invitation_id": invited.pk,
        "archive_link_id": made.pk,
        "verification": verification,
    }
