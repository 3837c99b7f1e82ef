"""Blobs in the states that tests need, in a data folder of each test's own."""

import dataclasses
import hashlib

from django.db import connection

from medtheca.domains.access.enums import PUBLIC_SCOPE, SIGNED_IN_SCOPE, ScopeKind
from medtheca.domains.access.models import Scope
from medtheca.domains.storage.composing import compose
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.models import Upload
from medtheca.domains.storage.opening import read_blob
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.toolkit.ranges.making import Copied
from medtheca.toolkit.ranges.readers import MemoryRanges


def use_data_folder(settings, folder, **changes):
    """Make `folder` the data folder of this test; `changes` are further settings of the environment."""
    folder.mkdir(exist_ok=True)
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, data=folder, **{"disk_reserve": 0, **changes})
    blob_store.cache_clear()
    return folder


def make_wide_scopes():
    """The two scopes that a migration makes; tests with real transactions begin with empty tables."""
    for pk, kind in ((PUBLIC_SCOPE, ScopeKind.PUBLIC), (SIGNED_IN_SCOPE, ScopeKind.SIGNED_IN)):
        Scope.objects.get_or_create(pk=pk, kind=kind)
    with connection.cursor() as cursor:
        # The queue's tables are not Django's own, so emptying the tables passes them over.
        cursor.execute("TRUNCATE procrastinate_jobs CASCADE")


def sha256_of(content):
    return hashlib.sha256(content).hexdigest()


def keep(content):
    """Store a blob that nothing refers to."""
    with keeping_blobs():
        return store_blobs([blob_store().stage([content])])[sha256_of(content)]


def keep_for(owner, content, *, declared=""):
    """Store a blob that a finished upload refers to; returns the upload."""
    with keeping_blobs():
        blob = store_blobs([blob_store().stage([content])])[sha256_of(content)]
        return Upload.objects.create(
            owner=owner,
            filename="file.bin",
            size=len(content),
            offset=len(content),
            declared_sha256=declared,
            state=UploadState.FINISHED,
            blob=blob,
        )


def read(sha256):
    return read_blob(sha256)


def keep_composed(content, source, *copies):
    """Store a content as composed of ranges of a blob, each (target, source, length); nothing refers to it."""
    staged = compose(MemoryRanges(content), [Copied(*copy) for copy in copies], source=source)
    assert staged is not None, "it was not worth composing, or not true"
    with keeping_blobs():
        return store_blobs([staged])[sha256_of(content)]
