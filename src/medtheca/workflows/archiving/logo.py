"""An editor gives a picture, of which a square becomes the logo of an archive: decoded and cut in the sandbox."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from medtheca.base.errors import Conflict, Invalid, Problem
from medtheca.domains.accounts.models import User
from medtheca.domains.archives.logos import require_logo_editor, set_logo
from medtheca.domains.archives.models import Archive
from medtheca.domains.storage.operations import keeping_blobs, store_blobs
from medtheca.domains.storage.queries import blob_store
from medtheca.domains.storage.stores import Staged
from medtheca.toolkit.images.square import Square, find_square_fault, options_for_square
from medtheca.toolkit.sandbox import Outcome, SandboxUnavailable
from medtheca.workflows.decoding import decoder_pool

MOST_BYTES = 8_000_000
"""Of a picture that is given."""

_log = logging.getLogger(__name__)


def choose_logo(
    *, archive: Archive, actor: User, size: int, chunks: Iterable[bytes], square: Square | None = None
) -> Archive:
    """Cut a square out of a PNG or JPEG of `size` bytes, by default the largest in the middle, and show it as the logo.

    The picture itself is not kept. Raises `NotAllowed`, `NotFound`, `NoSpace`, `Conflict` where nothing can be decoded,
    and `Invalid` with a problem of `file` or of `crop`.
    """
    require_logo_editor(actor, archive)
    if size > MOST_BYTES:
        raise _refused(
            Problem(
                "file",
                f"The file has {size:,} bytes; {MOST_BYTES:,} are the most.",
                code="too_large",
                remedy="Save it smaller, or as a JPEG.",
            )
        )
    store = blob_store()
    given = store.stage(chunks)
    try:
        cut = _cut(given.path, square)
    finally:
        store.discard([given])
    made: dict[str, Staged] = {}
    try:
        for name, data in cut.items():
            made[name] = store.stage([data])
        with keeping_blobs():
            blobs = store_blobs(list(made.values()))
            logo, small = (blobs[made[name].sha256] for name in ("large", "small"))
            return set_logo(archive=archive, actor=actor, logo=logo, small=small)
    finally:
        # What was committed is no longer there to be discarded.
        store.discard(made.values())


def _cut(path: Path, square: Square | None) -> dict[str, bytes]:
    try:
        (outcome,) = decoder_pool().run([("logo", path)], options_for_square(square))
    except SandboxUnavailable as error:
        _log.error("A logo cannot be decoded: %s", error)
        raise Conflict(
            "Pictures cannot be decoded on this machine, which lacks the fence for decoders; the logo stays as it is.",
            code="no_sandbox",
            remedy="Ask whoever runs the archive.",
        ) from error
    return _parts_of(outcome)


def _parts_of(outcome: Outcome) -> dict[str, bytes]:
    if (refusal := outcome.refusal) is not None:
        field = "crop" if refusal.code == "bad_square" else "file"
        raise _refused(Problem(field, refusal.message, code=refusal.code, remedy=refusal.remedy))
    if fault := find_square_fault(outcome.report or {}, outcome.parts):
        # The file had taken its decoder over, or the decoder is ours and wrong: the log tells which.
        _log.error("The logo that a decoder made is not sound: %s.", fault)
        raise _refused(
            Problem(
                "file",
                f"What the decoder made of this file cannot be used: {fault}.",
                code="decoder_output",
                remedy="Check that the file opens in another program; save it again.",
            )
        )
    return outcome.parts


def _refused(problem: Problem) -> Invalid:
    return Invalid("The picture cannot be the logo.", problems=[problem])
