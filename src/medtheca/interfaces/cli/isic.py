"""`medtheca isic …`: the ISIC Archive's own `isic-cli`, as it is installed, speaking to any archive."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

# The table of hosts is read whenever a command needs one, and no other part of the package is touched.
LAUNCHER = "import sys, isic_cli.cli as c; c.DOMAINS['dev'] = sys.argv.pop(1); sys.argv[0] = 'isic'; c.main()"
_HELP = """Run the ISIC Archive's isic-cli against this or any other archive.

isic-cli itself has no option for the host. It has to be installed, in any environment: `pip install isic-cli`.

\b
  medtheca isic --host https://archive.example.org user login
  medtheca isic image download -s "sex:male" images/
"""


@click.command(
    "isic",
    help=_HELP,
    short_help="Run isic-cli against this or any other archive.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option(
    "--host",
    envvar="MEDTHECA_ISIC_HOST",
    default="http://127.0.0.1:8000",
    show_default=True,
    help="Scheme, name and port of the archive. Or set MEDTHECA_ISIC_HOST.",
)
@click.option(
    "--python", envvar="MEDTHECA_ISIC_PYTHON", default="", help="The Python that has isic-cli, where it is not found."
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="COMMAND…")
@click.pass_context
def command(ctx: click.Context, *, host: str, python: str, words: tuple[str, ...]) -> None:
    """Find isic-cli, tell it the host, and end as it ends."""
    address = _checked(host)
    interpreter = python or find_interpreter()
    if not interpreter:
        raise click.ClickException(
            "isic-cli is not installed here. Run `pip install isic-cli`, or name its Python with --python."
        )
    try:
        done = subprocess.run([interpreter, "-c", LAUNCHER, address, "--dev", *words], check=False)
    except OSError as error:
        raise click.ClickException(f"{interpreter} cannot be run: {error.strerror}.") from None
    ctx.exit(done.returncode)


def find_interpreter() -> str:
    """The Python that has isic-cli: ours, or that of the `isic` on the PATH. Empty where there is none."""
    beside = Path(sys.executable).with_name("isic")
    if beside.exists():
        return sys.executable
    found = shutil.which("isic")
    return _interpreter_of(Path(found)) if found else ""


def _interpreter_of(script: Path) -> str:
    """Out of the first line of a script that pip wrote; empty where that is something else."""
    with script.open("rb") as file:
        first = file.readline(4096).decode("utf-8", "replace").strip()
    named = first.removeprefix("#!").strip() if first.startswith("#!") else ""
    if named and os.access(named, os.X_OK):
        return named
    # Where its path is long or has blanks, the line names a shell, and Python lies beside.
    beside = script.resolve().with_name("python")
    return str(beside) if os.access(beside, os.X_OK) else ""


def _checked(host: str) -> str:
    parts = urlsplit(host if "://" in host else f"https://{host}")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise click.BadParameter(
            f"{host} is no address of an archive. Write it as https://archive.example.org.", param_hint="--host"
        )
    return f"{parts.scheme}://{parts.netloc}"
