"""`medtheca protocols`. Needs neither Django nor a database, so nothing here may import what does.

Exit codes: 0 right; 1 a rule is broken; 2 the command was written wrongly, or a file cannot be read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from medtheca.toolkit.sockets.kinds import KINDS, kind_named
from medtheca.toolkit.suggest import did_you_mean
from medtheca.toolkit.viewing.contents import content_faults
from medtheca.toolkit.viewing.faults import LARGEST, Fault, read_json
from medtheca.toolkit.viewing.layouts import layout
from medtheca.toolkit.viewing.protocols import protocol_faults, viewport_names

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_EPILOG = """\
\b
Examples:
  medtheca protocols check protocol.json
  medtheca protocols check protocol.json --content content.json
  medtheca protocols check --content content.json --socket ct=Image --socket lungs=SEG
  medtheca protocols check protocol.json --json | jq '.protocol.faults[].message'

\b
A hanging protocol is a list of viewports, one of which is called main:
  [{"viewport_name": "main", "x": 0, "y": 0, "w": 2, "h": 1},
   {"viewport_name": "secondary", "x": 2, "y": 0, "w": 1, "h": 1}]
View content says which sockets are shown in each, the image first:
  {"main": ["ct", "lungs"], "secondary": ["report"]}
With a protocol beside it, the content has to name exactly the protocol's viewports. With
--socket, each socket has to be among those given, and kinds have to go together.

\b
Exit codes:
  0  every rule is kept
  1  a rule is broken; each is told with its viewport and key, and what would be right
  2  wrong usage, or a file that cannot be read
"""


@click.group("protocols")
def protocols() -> None:
    """Check hanging protocols and view content before they are given to an archive."""


@protocols.command("check", epilog=_EPILOG)
@click.argument("protocol", required=False, type=_FILE, metavar="[FILE]")
@click.option("--content", type=_FILE, help="A file of view content.")
@click.option(
    "--socket",
    "sockets",
    multiple=True,
    metavar="SLUG=KIND",
    help="A socket that there is, with its kind by code or name. Once for each.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.pass_context
def check(
    ctx: click.Context, *, protocol: Path | None, content: Path | None, sockets: tuple[str, ...], as_json: bool
) -> None:
    """Say whether a hanging protocol and view content keep every rule, and where the panels are.

    Works without an archive.
    """
    if protocol is None and content is None:
        raise click.UsageError("Name a file with a hanging protocol, or one with view content by --content.")
    kinds = dict(map(_socket, sockets)) if sockets else None
    report: dict[str, Any] = {}
    read: Any = None
    if protocol is not None:
        read, faults = _read(protocol)
        faults = faults or protocol_faults(read)
        panels = [] if faults else [_panel(panel) for panel in layout(read)]
        names = [] if faults else list(viewport_names(read))
        report["protocol"] = {
            "file": str(protocol),
            "viewports": names,
            "panels": panels,
            "faults": [_told(fault) for fault in faults],
        }
        read = None if faults else read
    if content is not None:
        said, faults = _read(content)
        faults = faults or content_faults(said, protocol=read, kinds=kinds)
        report["content"] = {"file": str(content), "faults": [_told(fault) for fault in faults]}
    report["right"] = not any(part["faults"] for part in report.values())
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _words(report))
    ctx.exit(0 if report["right"] else 1)


def _socket(text: str) -> tuple[str, str]:
    slug, equals, name = text.partition("=")
    kind = kind_named(name)
    if not slug or not equals:
        raise click.UsageError(f"--socket {text}: write SLUG=KIND, such as ct=Image.")
    if kind is None:
        known = [*KINDS, *(one.label for one in KINDS.values())]
        raise click.UsageError(f"--socket {text}: there is no kind {name}. {did_you_mean(name, known)}".strip())
    return slug, kind.code


def _read(path: Path) -> tuple[Any, list[Fault]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(LARGEST + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{path} cannot be read as text: {error}") from error
    read, fault = read_json(text)
    return read, [fault] if fault else []


def _panel(panel: Any) -> dict[str, Any]:
    return {"name": panel.name, **{name: round(getattr(panel, name), 4) for name in ("x", "y", "w", "h")}}


def _told(fault: Fault) -> dict[str, str]:
    return {"place": fault.place, "code": fault.code, "message": fault.message, "remedy": fault.remedy}


def _words(report: dict[str, Any]) -> str:
    lines = []
    for part in (report[name] for name in ("protocol", "content") if name in report):
        number = len(part["faults"])
        what = "right" if not number else f"{number} {'rule is' if number == 1 else 'rules are'} broken"
        lines.append(f"{part['file']}: {what}")
        lines += [f"  {fault['message']} {fault['remedy']}".rstrip() for fault in part["faults"]]
        lines += [
            f"  {panel['name']}: from {panel['x']:.0%} right and {panel['y']:.0%} down, "
            f"{panel['w']:.0%} wide and {panel['h']:.0%} high"
            for panel in part.get("panels", [])
        ]
    return "\n".join(lines)
