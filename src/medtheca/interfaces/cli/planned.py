"""Plans as commands print them: what would change with --dry-run, else what was changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from medtheca.domains.provenance.plans import Plan

_SHOWN = 20


def carry_out(*, dry_run: bool, as_json: bool, look: Callable[[], Plan], do: Callable[[], Plan]) -> None:
    """Look or do, and print the plan: the first of each kind, as JSON all."""
    plan = look() if dry_run else do()
    if as_json:
        click.echo(json.dumps({"dry_run": dry_run, **asdict(plan)}, ensure_ascii=False))
        return
    for row in plan.obstacles[:_SHOWN]:
        click.echo(f"In the way: {row.subject}: {row.words} {row.remedy}".rstrip())
    for step in plan.steps[:_SHOWN]:
        click.echo(f"{step.subject}: {step.before} -> {step.after}")
    for row in plan.left[:_SHOWN]:
        click.echo(f"Left alone: {row.subject}: {row.words} {row.remedy}".rstrip())
    most = max(len(plan.obstacles), len(plan.steps), len(plan.left))
    if most > _SHOWN:
        click.echo(f"Only the first {_SHOWN} of each are shown; --json lists all.")
    for words, number in plan.facts.items():
        if number:
            click.echo(f"  {words}: {number:,}")
    click.echo(f"{plan.number:,} {'would change' if dry_run else 'changed'}.")
