"""The folder of a case for its decoder, and what decoding it may cost."""

import contextlib
import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from medtheca.toolkit.images.costs import MOST_SECONDS, seconds_for_case
from medtheca.toolkit.images.formats import THREADED, name_case
from medtheca.toolkit.sandbox import CaseLimits

# Children of the sandbox become another account where we are root; folders above keep everybody else out.
FILE_MODE, FOLDER_MODE = 0o444, 0o755

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}$")
_OUTPUT_FACTOR, _LEAST_OUTPUT = 12, 2_000_000_000


def limits_for(size: int, main: str, *, head: bytes = b"", most: int = MOST_SECONDS) -> CaseLimits:
    """What decoding a case of this many bytes may cost; `main` is the name of its first file, `head` how that begins.

    `most` is the most processor time that any case is given, in seconds.
    """
    seconds = seconds_for_case(name_case(head, main), size, most=most)
    return CaseLimits(
        cpu_seconds=seconds,
        wall_seconds=4 * seconds,
        output_bytes=max(_LEAST_OUTPUT, _OUTPUT_FACTOR * size),
        # OpenSlide looks through Hamamatsu's strips in a thread of its own.
        threads=main.lower().endswith(THREADED),
    )


def plain_name(name: str) -> str:
    """A name of ours with the suffix of theirs.

    >>> plain_name("../Brain scan.NII.gz")
    'image.gz'
    """
    suffix = _SUFFIX.search(name)
    return "image" + (suffix[0].lower() if suffix else "")


@contextlib.contextmanager
def folder_of(files: Sequence[tuple[str, Path]], *, scratch: Path) -> Iterator[Path]:
    """A new folder in `scratch` with these files under their paths; gone afterwards. Raises as `lay_file`."""
    with tempfile.TemporaryDirectory(dir=scratch, prefix="case-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(FOLDER_MODE)
        for path, source in files:
            lay_file(source, path, folder=folder)
        yield folder


def make_folder(folder: Path) -> None:
    """Make a folder that decoders may read whatever the umask of this process is."""
    folder.mkdir()
    folder.chmod(FOLDER_MODE)


def lay_file(source: Path, path: str, *, folder: Path) -> None:
    """Put a file into the folder of a case: as a hard link where decoders may read that, else as a copy.

    Raises ValueError for a path that leaves the folder: whoever made it should have looked; `FileNotFoundError`.
    """
    target = folder / path
    if not target.resolve().is_relative_to(folder.resolve()) or target == folder:
        raise ValueError(f"A file of a case is called {path!r}.")
    _make_folders(target.parent)
    # A link to a symbolic link would be one itself, and lead out of the folder.
    source = source.resolve(strict=True)
    if os.geteuid() != 0 or source.stat().st_mode & 0o004:
        try:
            target.hardlink_to(source)
        except OSError as error:
            # Another disk; somebody else's file; too many links.
            if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK}:
                raise
        else:
            return
    shutil.copyfile(source, target)
    target.chmod(FILE_MODE)


def _make_folders(folder: Path) -> None:
    if not folder.is_dir():
        _make_folders(folder.parent)
        make_folder(folder)
