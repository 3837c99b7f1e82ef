"""What `test_gcapi_archives.py` finds in the archive. Run there by `manage shell`, it makes an archive with people."""

import json
import sys
import time

ARCHIVE = "chest-ct"


def wait_for(look, *, seconds=180):
    """What `look` returns as soon as that is something: conversion takes as long as it takes."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, "nothing has come"
        time.sleep(0.3)
    return found


def make_world(archive):
    """Make Alice's archive Chest CT with Una as uploader and Vic as user; Mallory is a stranger."""
    for name in ("alice", "una", "vic", "mallory", "sam"):
        archive.token(name)
    return archive.tell("tests.contract.gcapi_world")


def _make():
    from medtheca.domains.accounts.models import User
    from tests.factories.archives import make_archive, make_socket

    people = {name: User.objects.get(email=f"{name}@example.org") for name in ("alice", "una", "vic", "sam")}
    archive = make_archive(people["alice"], uploaders=[people["una"]], users=[people["vic"]])
    for title, kind in (
        ("CT image", "IMG"),
        ("CT overlay", "HMAP"),
        ("Lung volume", "FLT"),
        ("Report", "PDF"),
        ("Findings JSON", "JSON"),
    ):
        more = {"store_in_database": False} if kind == "JSON" else {}
        make_socket(title, kind, creator=people["sam"], **more)
    print(json.dumps({"archive": str(archive.pk)}))


if sys.argv[0] == __name__:
    _make()
