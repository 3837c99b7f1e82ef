"""Upload sessions: uploads that become images of an archive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router

from medtheca.base.errors import Invalid, Problem
from medtheca.domains.archives.access import inside_archives
from medtheca.domains.archives.images import images_of_intakes, uploads_of_intakes
from medtheca.domains.archives.intakes import intake_for, visible_intakes
from medtheca.domains.archives.queries import item_for
from medtheca.interfaces.api.v1.addresses import address_of, no_such_thing, read_address
from medtheca.interfaces.api.v1.calling import user_of
from medtheca.interfaces.api.v1.paging import page_of, send_json
from medtheca.interfaces.api.v1.shapes.common import ListOut, WindowQuery
from medtheca.interfaces.api.v1.shapes.images import SessionIn, SessionOut, session_out
from medtheca.interfaces.http.api_auth import somebody
from medtheca.workflows.archiving.filling import bring_to_archive, bring_to_item

if TYPE_CHECKING:
    from medtheca.domains.archives.models import Intake

router = Router(tags=["uploads"], auth=somebody)


@router.get("/", response=ListOut[SessionOut], url_name="upload_sessions")
def list_sessions(request: HttpRequest, asked: Query[WindowQuery]) -> Any:
    """One's own sessions, and those of archives that one edits."""
    user = user_of(request)
    return page_of(request, visible_intakes(user), shape=lambda rows: _out(user, rows))


@router.get("/{uuid:session_id}/", response=SessionOut, url_name="upload_session")
def read_session(request: HttpRequest, session_id: UUID) -> Any:
    """One session: how far it is, why it failed, what came of it."""
    user = user_of(request)
    return send_json(_out(user, [intake_for(user, session_id)])[0])


@router.post("/", response={201: SessionOut}, url_name="upload_sessions")
def create_session(request: HttpRequest, given: SessionIn) -> Any:
    """Have uploads become images: of an archive (by its slug), an item each, or of an item in one socket."""
    user = user_of(request)
    uploads = [read_address(one, "upload", field="uploads") for one in given.uploads]
    if (given.archive is None) == (given.archive_item is None):
        message = "Only one of archive, archive item, answer or reader study can be set"
        raise Invalid(message, problems=[Problem("", message)])
    if given.archive is not None:
        archive = inside_archives(user).filter(slug=given.archive.replace("\x00", "")).first()
        if archive is None:
            message = f"Object with slug={given.archive} does not exist."
            raise Invalid(message, problems=[Problem("archive", message)])
        made = bring_to_archive(
            archive=archive, user=user, uploads=uploads, socket=given.interface, rule=given.rule, field="uploads"
        )
    else:
        if not given.interface:
            message = "An interface needs to be defined to upload to an archive item."
            raise Invalid(message, problems=[Problem("", message)])
        item = item_for(user, _key(given.archive_item or ""))
        made = bring_to_item(item=item, user=user, uploads=uploads, socket=given.interface, field="uploads")
    return send_json(_out(user, [intake_for(user, made.pk)])[0], status=201)


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise no_such_thing("archive_item") from None


def _out(user: Any, intakes: Sequence[Intake]) -> list[dict[str, Any]]:
    images, uploads = images_of_intakes(user, intakes), uploads_of_intakes(intakes)
    return [
        session_out(one, [address_of("image", key) for key in images[one.pk]], [str(key) for key in uploads[one.pk]])
        for one in intakes
    ]
