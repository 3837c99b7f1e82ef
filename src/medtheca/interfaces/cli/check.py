"""`medtheca check`."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from medtheca.domains.ledger.operations import seal_events
from medtheca.interfaces.cli.bars import byte_bar
from medtheca.workflows.checking import INVARIANTS, CheckReport, Invariant, Look, check_archive, check_size

_SHOWN = 20
_EXIT_CODES = """\
\b
Exit codes:
  0  every invariant holds
  1  at least one is broken
  2  wrong usage
"""


@click.command("check", epilog=_EXIT_CODES)
@click.option("--deep", is_flag=True, help="Hash every original again, too.")
@click.option("--seal", is_flag=True, help="Seal events that wait for it first; for an archive that was at rest.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def command(ctx: click.Context, *, deep: bool, seal: bool, as_json: bool) -> None:
    """Check the archive's invariants: database, stored files, ledger and visibility agree.

    May run while the archive works. Changes nothing, but for --seal.
    """
    while seal and seal_events():
        pass
    with byte_bar(shown=not as_json) as bar:
        bar.begin("Checking", **check_size(deep=deep))
        report = check_archive(Look(deep=deep, progress=bar.advance))
    click.echo(_json(report) if as_json else report_in_words(report))
    ctx.exit(0 if report.clean else 1)


def report_in_words(report: CheckReport) -> str:
    """A line for each invariant, and the first violations of those that are broken."""
    return "\n".join(line for invariant in INVARIANTS for line in _lines(invariant, report))


def _lines(invariant: Invariant, report: CheckReport) -> list[str]:
    found = report.violations[invariant.name]
    lines = [f"{'ok    ' if not found else 'BROKEN'}  {invariant.name}: {invariant.promise}"]
    lines += [f"        {violation.subject}: {violation.words}" for violation in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(f"        and {len(found) - _SHOWN:,} more; --json lists all.")
    return lines


def _json(report: CheckReport) -> str:
    return json.dumps(
        {
            "clean": report.clean,
            "invariants": {name: len(found) for name, found in report.violations.items()},
            "violations": [asdict(violation) for violation in report.all],
        }
    )
