"""Runs inside a mount namespace of its own: puts the data folder on a small tmpfs, fills it, and prints what happened.

`python full_disk.py FOLDER`, with DATABASE_URL naming a database with tables.
"""

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

FOLDER = Path(sys.argv[1])
SIZE = 24 << 20
RESERVE = 4 << 20


def main():  # noqa: PLR0915 - one story, told from top to bottom
    FOLDER.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", FOLDER], check=True)
    os.environ |= {"MEDTHECA_DATA": str(FOLDER), "MEDTHECA_DISK_RESERVE": str(RESERVE)}
    os.environ["DJANGO_SETTINGS_MODULE"] = "medtheca.config.settings"
    import django

    django.setup()
    from medtheca.base.errors import NoSpace
    from medtheca.domains.accounts.models import User
    from medtheca.domains.storage.fixity import scrub_blobs
    from medtheca.domains.storage.models import Blob, Upload
    from medtheca.domains.storage.queries import blob_store, space_is_short
    from medtheca.domains.storage.reserve import ensure_reserve, release_reserve, release_reserve_when_full
    from medtheca.domains.storage.stores import LocalStore
    from medtheca.domains.storage.uploads import begin_upload
    from tests.factories.storage import keep

    def free():
        return shutil.disk_usage(FOLDER).free

    def refused(function):
        try:
            function()
        except NoSpace:
            return True
        return False

    told = {"reserve_made": ensure_reserve(FOLDER, disk_reserve=RESERVE), "free_with_reserve": free()}

    # Fill it through the front door, with files that do not divide the disk evenly.
    kept = 0
    while not refused(partial(keep, kept.to_bytes(4) * 75_001)):
        kept += 1
    told |= {"kept": kept, "rows": Blob.objects.count(), "free_at_refusal": free(), "short": space_is_short()}
    told["upload_refused"] = refused(lambda: begin_upload(owner=User.objects.get(), filename="a.zip", size=1 << 20))
    told["uploads"] = Upload.objects.count()
    big = (bytes(1 << 20) for _ in range(100))
    told["stream_refused"] = refused(lambda: blob_store().stage(big))
    told["staging"] = len(list((FOLDER / "blobs" / "staging").iterdir()))
    told["clean_when_refusing"] = scrub_blobs().clean

    # Somebody else fills it to the last byte: a store without a reserve meets the real ENOSPC.
    ballast = FOLDER / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    told["free_when_full"] = free()
    bare = LocalStore(FOLDER / "blobs")
    told["enospc_refused"] = refused(lambda: bare.stage([bytes(100_000)]))
    told["staging_after_enospc"] = len(list((FOLDER / "blobs" / "staging").iterdir()))
    told["clean_when_full"] = scrub_blobs().clean
    told["released_unasked"] = release_reserve_when_full(FOLDER, needed=1 << 20)
    told["free_after_release"] = free()
    told["reserve_while_short"] = ensure_reserve(FOLDER, disk_reserve=RESERVE)

    # Space comes back; nobody does anything else.
    ballast.unlink()
    for blob in Blob.objects.order_by("pk")[:30]:
        blob_store().delete(blob.sha256)
        blob.delete()
    told["works_again"] = not refused(lambda: keep(b"after the flood" * 1000))
    told["reserve_again"] = ensure_reserve(FOLDER, disk_reserve=RESERVE)
    told["clean_at_the_end"] = scrub_blobs().clean
    told["released_by_hand"] = release_reserve(FOLDER)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
