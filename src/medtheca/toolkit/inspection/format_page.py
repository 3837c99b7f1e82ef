"""`docs/reference/formats.md`, made by opening sample files.

Run `python -m medtheca.toolkit.inspection.format_page FOLDER`; the page comes on standard output.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

from medtheca.toolkit.inspection.files import inspect_files
from medtheca.toolkit.inspection.format_table import TABLE, Format
from medtheca.toolkit.inspection.values import Container, ImageFound
from medtheca.toolkit.sandbox import DecoderPool

_TASK, _CASE_TASK = "medtheca.toolkit.images.tasks:run", "medtheca.toolkit.images.case_task:run"
# Containers that were written for tests around real pixels; no scanner made them.
_SYNTHETIC = "wsi_synth/"
_TOLD = 6
_BY = "\N{MULTIPLICATION SIGN}"
_HEAD = """\
# Formats

What Medtheca reads, what becomes of it, and what the claim rests on. This page is made by opening the sample files:
`python -m medtheca.toolkit.inspection.format_page FOLDER > docs/reference/formats.md`, where FOLDER has the samples;
a test compares the two. `medtheca inspect FILE…` says the same of any file, without an archive.

Formats are told by content; the extension and its case do not matter, except where files name each other. Originals
are kept bit for bit. Files that belong together go into one upload: one ZIP, or one call of `medtheca ingest`.

*Real* files come from devices, programs and published sets. *Synthetic containers* hold real pixels in files that were
written for tests: they show that the code works, and not that the files of every scanner do.
"""


def format_page(samples: Path) -> str:
    """The page, in Markdown. Raises `SandboxUnavailable` where the kernel has no fence."""
    with (
        DecoderPool(_TASK, case_task=_CASE_TASK, size=2) as pool,
        tempfile.TemporaryDirectory(prefix="medtheca-formats-") as name,
    ):
        scratch = Path(name)
        images = _open(samples, pool, scratch)
        found = {kind.name: [image for image in images if _is_sample(kind, image)] for kind in TABLE}
        said_of_half = _open_halves(samples, found, pool, scratch)
    lines = [_HEAD, "| format | extensions | evidence |", "|---|---|---|"]
    for kind in TABLE:
        anchor = kind.name.lower().replace(" ", "-")
        lines.append(f"| [{kind.name}](#{anchor}) | {kind.extensions} | {_evidence(found[kind.name])} |")
    for kind in TABLE:
        lines += _section(kind, found[kind.name], said_of_half.get(kind.name, ""))
    return "\n".join(lines) + "\n"


def _open(samples: Path, pool: DecoderPool, scratch: Path) -> tuple[ImageFound, ...]:
    """Every image of the folders that the table names, as one upload."""
    folders = sorted({pattern.split("/")[0] for kind in TABLE for pattern in kind.samples})
    paths = sorted(path for folder in folders for path in (samples / folder).rglob("*") if path.is_file())
    containers = [Container(str(path.relative_to(samples)), path, packed=True) for path in paths]
    return inspect_files(containers, pool=pool, scratch=scratch).images


def _is_sample(kind: Format, image: ImageFound) -> bool:
    first = image.files[0]
    return any(_matches(first, pattern) for pattern in kind.samples)


def _matches(path: str, pattern: str) -> bool:
    # The stars of fnmatch go over folders; those of the table do not.
    same_depth = path.count("/") == pattern.count("/")
    return path.startswith(f"{pattern}/") or (same_depth and fnmatch(path, pattern))


def _open_halves(
    samples: Path, found: Mapping[str, Sequence[ImageFound]], pool: DecoderPool, scratch: Path
) -> dict[str, str]:
    """What is said of the first half of a sample of each format, by the format's name."""
    halves: dict[str, Container] = {}
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        for place, (name, images) in enumerate(found.items()):
            single = next((image for image in images if len(image.files) == 1), None)
            if single is None:
                continue
            whole = samples / single.files[0]
            half = Path(folder) / f"{place}"
            half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
            halves[name] = Container(f"{place}{whole.suffix}", half)
        verdicts = inspect_files(list(halves.values()), pool=pool, scratch=scratch).verdicts
    return {name: f"{verdict.message} (`{verdict.code}`)" for name, verdict in zip(halves, verdicts, strict=True)}


def _section(kind: Format, images: Sequence[ImageFound], said_of_half: str) -> list[str]:
    lines = ["", f"## {kind.name}", "", f"- **Extensions:** {kind.extensions}", f"- **Read:** {kind.reads}"]
    lines += [f"- **Becomes:** {kind.becomes}", f"- **Limits:** {kind.limits}"]
    lines.append(f"- **Refused or told:** {'; '.join(kind.refusals)}.")
    if said_of_half:
        lines.append(f"- **Half of a sample:** {said_of_half}")
    lines.append(f"- **Evidence:** {_evidence(images)}. {kind.tested}".rstrip())
    lines += [f"    - {_line(image)}" for image in images[:_TOLD]]
    if len(images) > _TOLD:
        lines.append(f"    - and {len(images) - _TOLD} more")
    return lines


def _evidence(images: Sequence[ImageFound]) -> str:
    synthetic = sum(image.files[0].startswith(_SYNTHETIC) for image in images)
    real = len(images) - synthetic
    parts = [_count(real, "real sample"), _count(synthetic, "synthetic container")]
    return " and ".join(part for part in parts if part) or "generated files only"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}" if number else ""


def _line(image: ImageFound) -> str:
    files = (
        image.files[0] if len(image.files) == 1 else f"{image.files[0]} and {_count(len(image.files) - 1, 'more file')}"
    )
    x, y, z = image.size
    size = f"{x:,} {_BY} {y:,}" + (f" {_BY} {z:,}" if image.kind == "volume" else "")
    times = f", {image.timepoints} time points" if image.timepoints > 1 else ""
    return f"`{files}`: {image.kind}, {size}{times}, {image.value_type}"


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("Say where the samples are: python -m medtheca.toolkit.inspection.format_page FOLDER")
    sys.stdout.write(format_page(Path(sys.argv[1])))
