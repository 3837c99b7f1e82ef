"""The ISIC Archive's table of challenges in a real archive: `python -m tests.challenges.run`; exits 1 where it differs.

The full table is 58,613 small images. Cut off, it goes on when it is run again on the same folder.
"""

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.challenges.looking import by_api, by_command, by_pages
from tests.challenges.table import expected
from tests.plugins.archive import Archive
from tests.samples import REPOSITORY, sample_dir


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/challenges"), help="Folder of the archive.")
    parser.add_argument("--scale", type=int, default=1, help="One image of so many.")
    parser.add_argument("--keep", action="store_true", help="Keep the folder, to look at the archive.")
    options = parser.parse_args()
    begun = time.monotonic()
    options.data.mkdir(parents=True, exist_ok=True)
    archive = Archive(options.data.resolve() / "data")
    archive.start()
    try:
        differences = look(archive, options.scale, quiet=False)
    finally:
        archive.stop()
    print(f"{time.monotonic() - begun:,.0f} s")
    if differences:
        sys.exit("\n".join(differences))
    if not options.keep:
        shutil.rmtree(options.data)


def look(archive, scale, *, quiet=True):
    """Fill a running archive and compare what it shows with the table: what differs, in words."""
    fill(archive, scale, quiet=quiet)
    table, memberships, images = expected(scale)
    shown = {"API": by_api(archive.url), "pages": by_pages(archive.url)}
    shown["command line"] = (by_command(archive), memberships, images)
    differences = []
    for where, (found, *sums) in shown.items():
        differences += [
            f"{where}: {name} is {found.get(name)}, and should be {table.get(name)}"
            for name in sorted({*found, *table})
            if found.get(name) != table.get(name)
        ]
        if sums != [memberships, images]:
            differences.append(f"{where}: memberships and images are {sums}, and should be {[memberships, images]}")
    if not quiet:
        for name, (number, contributors) in table.items():
            print(f"{name:36} {number:>7,}  {'; '.join(contributors)}")
        print(f"{memberships:,} memberships, {images:,} images")
    return differences


def fill(archive, scale, *, quiet):
    """Run `building.build` beside the archive, as a command of it."""
    drawn = archive.data.parent / "drawn"
    code = f"from tests.challenges.building import build; build({scale}, {str(drawn)!r})"
    samples = {"MEDTHECA_SAMPLES": str(sample_dir())} if sample_dir().is_dir() else {}
    done = subprocess.run(
        [sys.executable, "-m", "medtheca", "manage", "shell", "-v", "0", "-c", code],
        env=archive.variables | samples | {"PYTHONUNBUFFERED": "1"},
        cwd=REPOSITORY,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout or ''}\n{archive.said()}"


if __name__ == "__main__":
    main()
