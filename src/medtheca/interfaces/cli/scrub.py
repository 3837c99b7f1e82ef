"""`medtheca scrub`."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from medtheca.domains.storage.fixity import ScrubReport, scrub_blobs, scrub_size
from medtheca.interfaces.cli.bars import byte_bar, human_size

_EXIT_CODES = """\
\b
Exit codes:
  0  every file holds what its name says
  1  something differs, is missing or cannot be read
  2  wrong usage
"""


@click.command("scrub", epilog=_EXIT_CODES)
@click.option("--oldest-first", is_flag=True, help="Begin with what was not verified for longest.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Look at N files at most.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def command(ctx: click.Context, *, oldest_first: bool, limit: int | None, as_json: bool) -> None:
    """Read and hash every stored file again.

    What differs from its SHA-256 is put into quarantine, where nobody is served it; what is right again comes
    out of it. A file that is missing, or differs, is restored by uploading the same content, or from a backup.
    """
    with byte_bar(shown=not as_json) as bar:
        files, size = scrub_size(oldest_first=oldest_first, limit=limit)
        bar.begin("Scrubbing", files=files, size=size)
        report = scrub_blobs(oldest_first=oldest_first, limit=limit, progress=bar.advance)
    click.echo(_json(report) if as_json else _words(report))
    ctx.exit(0 if report.clean else 1)


def _json(report: ScrubReport) -> str:
    return json.dumps({**asdict(report), "rate": round(report.rate), "clean": report.clean})


def _words(report: ScrubReport) -> str:
    lines = [finding.words for finding in report.findings]
    lines += [f"Blob {sha256} is right again and was released from quarantine." for sha256 in report.released]
    lines.append(
        f"{report.blobs:,} files, {human_size(report.bytes)}, {human_size(report.rate)}/s: "
        + ("all as they should be." if report.clean else f"{len(report.findings)} not as they should be.")
    )
    return "\n".join(lines)
