"""Archives, and values for their items."""

from importlib import import_module

from django.apps import apps
from django.db import transaction

from medtheca.base.clock import now
from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.archives.intakes import GivenUpload
from medtheca.domains.archives.operations import create_archive
from medtheca.domains.provenance.operations import create_contributor
from medtheca.domains.sockets.defining import define_socket
from medtheca.domains.sockets.models import Socket
from medtheca.domains.storage.models import Upload
from medtheca.domains.storage.open_ended import begin_open_upload, take_upload
from medtheca.domains.storage.uploads import part_path
from medtheca.toolkit.sockets.definitions import Definition
from tests.factories.accounts import make_user


def make_archive(creator, *, title="Chest CT", editors=(), uploaders=(), users=(), onlookers=(), **said):
    """An archive of a contributor that its creator owns, with people who are named in it."""
    contributor = create_contributor(creator=creator, institution_name="Clinic of Exampleton")
    archive = create_archive(creator=creator, contributor=contributor, title=title, **said)
    for people, role in (
        (editors, Role.EDITOR),
        (uploaders, Role.UPLOADER),
        (users, Role.VIEWER),
        (onlookers, Role.ONLOOKER),
    ):
        for user in people:
            add_member(scope=archive.scope, user=user, role=role)
    return archive


def image_socket():
    """Where images without a socket of their own go. Tests with real transactions begin with empty tables."""
    if not Socket.objects.exists():
        module = import_module("medtheca.domains.sockets.migrations.0003_what_everybody_has")
        module.make(apps, None)
    return Socket.objects.get(slug="generic-medical-image")


def make_socket(title="Score", kind="FLT", *, scope=None, creator=None, **more):
    """A socket of everybody's, or of an archive's scope."""
    staff = creator or make_user(f"definer-of-{title.lower().replace(' ', '-')}", staff=True)
    return define_socket(creator=staff, definition=Definition(title=title, kind=kind, **more), scope=scope)


def whole(owner, files):
    """Whole uploads of (path, bytes) pairs, as the byte plane leaves them."""
    found = []
    for path, data in files:
        upload = begin_open_upload(owner=owner, filename=path.rpartition("/")[2])
        part_path(upload.pk).write_bytes(data)
        size = len(data)
        Upload.objects.filter(pk=upload.pk).update(size=size, offset=size, part_size=size, whole=now())
        found.append(upload)
    return found


def give(owner, files):
    """Whole uploads that nothing has used yet, taken to make something of them."""
    with transaction.atomic():
        uploads = [take_upload(owner_id=owner.pk, upload_id=upload.pk) for upload in whole(owner, files)]
    return [GivenUpload(upload, path) for upload, (path, _) in zip(uploads, files, strict=True)]
