"""One case by the sandbox's task, in a process of its own: `python -m benchmarks.peers.one_case FILE SCRATCH`."""

import json
import os
import resource
import shutil
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from medtheca.toolkit.images import case_task
from medtheca.toolkit.images.case_reports import CASE_PARTS, COPIED
from medtheca.toolkit.ranges.making import draft_recipe, read_copies, stretches_of
from medtheca.toolkit.ranges.readers import FileRanges
from medtheca.toolkit.ranges.recipe import Source


def main() -> None:
    """Print processor time, the greatest resident set, and bytes written, as JSON."""
    path, scratch = Path(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        folder, made = Path(name) / "case", Path(name) / "made"
        folder.mkdir()
        made.mkdir()
        try:
            (folder / path.name).hardlink_to(path)
        except OSError:
            shutil.copy(path, folder)
        outputs = {part: (made / part).open("w+b") for part in (*CASE_PARTS, COPIED)}
        began = time.process_time()
        report = case_task.run(folder, outputs, {"main": path.name}, lambda _share: None)
        cpu = time.process_time() - began
        for file in outputs.values():
            file.close()
        sizes = {part: (made / part).stat().st_size for part in CASE_PARTS}
        composed = _compose(path, made, sizes["public"])
    written = sum(sizes.values())
    stored = written - sizes["public"] + (sizes["public"] if composed is None else composed)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    copied = report["geometry"].get("copied")
    found = {"cpu": cpu, "peak_mb": peak, "bytes": written, "stored": stored, "copied": copied}
    print(json.dumps(found))


def _compose(path: Path, made: Path, size: int) -> int | None:
    """Bytes of the recipe by which the public part is ranges of the slide; None where it is stored whole."""
    with closing(FileRanges(os.open(made / "public", os.O_RDONLY))) as content:
        copies = stretches_of(read_copies((made / COPIED).read_bytes()))
        draft = draft_recipe(content, copies, [Source("0" * 64, path.stat().st_size)])
    # As `domains.storage.composing.is_worth_it`, which knows a database.
    return draft.recipe_size if draft and size - draft.recipe_size >= max(65536, size // 4) else None


if __name__ == "__main__":
    main()
