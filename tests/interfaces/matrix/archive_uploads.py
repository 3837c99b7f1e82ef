"""Uploads to archives; who is what in them is said in `archives.py`, whose world these rows use too."""

from medtheca.domains.archives.enums import IntakeState
from medtheca.domains.archives.models import Archive, Intake
from tests.factories.archives import image_socket
from tests.interfaces.matrix import LOGIN, Row, archives, cells

_ARCHIVE = "archives/<slug:slug>/uploads/"
_BRINGS = cells(LOGIN, 403, 403, 200, 200, 403, 200)
_SETTLES = cells(LOGIN, 403, 403, 403, 200, 403, 200)
_RULE = {"by": "folder", "depth": "1", "socket": "generic-medical-image", "sockets": "", "pattern": ""}

ROWS = [
    Row("GET", _ARCHIVE, _BRINGS, address="archives/{archive}/uploads/"),
    Row("GET", _ARCHIVE, cells(LOGIN, 404, 403, 200, 200, 403, 200), address="archives/{hidden_archive}/uploads/"),
    Row("GET", f"{_ARCHIVE}rule/", _SETTLES, address="archives/{archive}/uploads/rule/"),
    Row(
        "POST",
        f"{_ARCHIVE}rule/",
        cells(LOGIN, 403, 403, 403, 302, 403, 302),
        address="archives/{archive}/uploads/rule/",
        data=_RULE,
    ),
    Row("GET", f"{_ARCHIVE}<uuid:intake_id>/", _BRINGS, address="archives/{archive}/uploads/{intake}/"),
    # Somebody else's, for whoever does not settle the archive.
    Row(
        "GET",
        f"{_ARCHIVE}<uuid:intake_id>/",
        cells(LOGIN, 403, 403, 404, 200, 403, 200),
        address="archives/{archive}/uploads/{others_intake}/",
    ),
]


def prepare(world):
    archives.prepare(world)
    archive = Archive.objects.get(slug=world.names["archive"])

    def bring(name):
        return Intake.objects.create(
            archive=archive, creator=world.people[name], socket=image_socket(), state=IntakeState.DONE
        ).pk

    world.names |= {"intake": bring("edith"), "others_intake": bring("alice")}
