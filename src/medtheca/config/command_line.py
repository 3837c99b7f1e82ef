"""The root of the command line: a list of commands, each imported only when it is called.

To add one, write a click command in `medtheca.interfaces.cli` and add a line to `COMMANDS`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from importlib.metadata import version
from typing import cast

import click

from medtheca.config.environment import WrongSetting, environment
from medtheca.config.processes.errors import CannotRun, FolderInUse, PortInUse
from medtheca.config.processes.options import EXIT_CODES, set_data_folder


class Needs(Enum):
    """What must be there before a command's module is imported."""

    NOTHING = "nothing"
    DATABASE = "Django, and a database that answers"


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its name, where its click command is, its line in the list, what it needs."""

    name: str
    target: str
    help: str
    needs: Needs = Needs.DATABASE
    hidden: bool = False
    without_database: tuple[str, ...] = ()
    """Commands below it that need Django and no database."""


_PROCESSES = "medtheca.config.processes.commands"
_CLI = "medtheca.interfaces.cli"

COMMANDS: tuple[Command, ...] = (
    Command("up", f"{_PROCESSES}:up", "Start everything and keep it running.", Needs.NOTHING),
    Command("status", f"{_PROCESSES}:status", "Say whether Medtheca runs, and how it is.", Needs.NOTHING),
    Command(
        "tls",
        "medtheca.config.processes.tls_command:command",
        "Say how clients come to trust this archive's https.",
        Needs.NOTHING,
    ),
    Command("settings", f"{_PROCESSES}:settings", "List all settings of the environment.", Needs.NOTHING),
    Command("web", f"{_PROCESSES}:web", "Serve pages, APIs and files in this process."),
    Command("worker", f"{_PROCESSES}:worker", "Do jobs of the queue in this process."),
    Command("migrate", f"{_PROCESSES}:migrate", "Bring the tables of the database up to date."),
    Command("manage", f"{_PROCESSES}:manage", "Run a management command of Django."),
    Command("ingest", f"{_CLI}.ingest:command", "Take files or ZIPs into a cohort."),
    Command("import", f"{_CLI}.importing:command", "Bring images from other archives into a cohort."),
    Command(
        "inspect", f"{_CLI}.inspect:command", "Say what would become of files, without storing any.", Needs.NOTHING
    ),
    Command(
        "deidentify",
        f"{_CLI}.deidentify:command",
        "Make copies of files without what tells whom they are of.",
        Needs.NOTHING,
    ),
    Command(
        "metadata",
        f"{_CLI}.metadata:command",
        "Check, apply and undo metadata sheets.",
        without_database=("template", "dictionary"),
    ),
    Command("patients", f"{_CLI}.subjects:patients", "See patients with what there is of them."),
    Command("lesions", f"{_CLI}.subjects:lesions", "See lesions with their images."),
    Command("replace", f"{_CLI}.replace:replace", "Replace the file of an image."),
    Command("publish", f"{_CLI}.publish:publish", "Ask that a cohort's images become visible, or see what would."),
    Command("reviews", f"{_CLI}.publish:reviews", "See what waits for reviewers, and decide on requests."),
    Command("contributor", f"{_CLI}.contributor:contributor", "Make and change contributors."),
    Command("cohort", f"{_CLI}.cohort:cohort", "Make and change cohorts, attest, move images."),
    Command("member", f"{_CLI}.member:member", "Invite and change the people of a contributor or cohort."),
    Command("agreement", f"{_CLI}.agreement:agreement", "Read and accept the contributor agreement."),
    Command("group", f"{_CLI}.group:group", "Make and run groups for which images are published."),
    Command(
        "sockets",
        f"{_CLI}.sockets:sockets",
        "See and define sockets, check values against them.",
        without_database=("kinds",),
    ),
    Command("protocols", f"{_CLI}.protocols:protocols", "Check hanging protocols and view content.", Needs.NOTHING),
    Command("archive", f"{_CLI}.archive:archive", "Let people into archives, invite them, decide on requests."),
    Command("collection", f"{_CLI}.collection:collection", "Make collections of images, fill and share them."),
    Command("pins", f"{_CLI}.pins:pins", "Show images before others, in an order."),
    Command("user", f"{_CLI}.people:user", "Create and change accounts."),
    Command("token", f"{_CLI}.accounts:token", "Create and revoke API tokens."),
    Command("curate", f"{_CLI}.curate:curate", "Relicense, remove fields, purge, merge, convert again."),
    Command("rebuild", f"{_CLI}.rebuild:rebuild", "Make renditions of older recipes again."),
    Command("scrub", f"{_CLI}.scrub:command", "Read and hash every stored file again."),
    Command("check", f"{_CLI}.check:command", "Check that database and stored files agree."),
    Command("index", f"{_CLI}.index:index", "See, verify and rebuild the search index."),
    Command("duplicates", f"{_CLI}.duplicates:duplicates", "See images that look nearly the same."),
    Command("backup", f"{_CLI}.backup:backup", "Write a verified backup to a folder."),
    Command("restore", f"{_CLI}.backup:restore", "Restore a backup into an empty data folder."),
    Command("erase", f"{_CLI}.erase:erase", "Erase a patient, confirmed by a second person."),
    Command("download", f"{_CLI}.download:command", "Fetch images from an archive, here or elsewhere.", Needs.NOTHING),
    Command("isic", f"{_CLI}.isic:command", "Run isic-cli against this or any other archive.", Needs.NOTHING),
    Command("demo", f"{_CLI}.demo:command", "Fill the archive with demonstration images."),
)


class CommandList(click.Group):
    """The commands above; their help line is known without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [command.name for command in COMMANDS if not command.hidden]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = next((command for command in COMMANDS if command.name == cmd_name), None)
        if entry is None:
            return None
        if ctx.resilient_parsing:  # Completion of a half-written line.
            return click.Command(entry.name, short_help=entry.help)
        return self._load(ctx, entry)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.help) for entry in COMMANDS if not entry.hidden])

    def _load(self, ctx: click.Context, entry: Command) -> click.Command:
        if entry.needs is Needs.DATABASE:
            # Help needs the command's own words, hence its module, but no database.
            wants_help = "--help" in sys.argv[1:]
            after = sys.argv[sys.argv.index(entry.name) + 1 :] if entry.name in sys.argv else []
            alone = next((word for word in after if not word.startswith("-")), "") in entry.without_database
            ctx.with_resource(_django(entry.name, with_database=not (wants_help or alone)))
        module, _, name = entry.target.partition(":")
        try:
            return cast("click.Command", getattr(import_module(module), name))
        except ModuleNotFoundError as error:
            if error.name is None or not module.startswith(error.name):
                raise
            raise click.ClickException(f"`medtheca {entry.name}` is not part of this version.") from None


@contextmanager
def _django(command: str, *, with_database: bool) -> Iterator[None]:
    """Django set up and, if asked for, a database that answers with tables up to date."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medtheca.config.settings")
    import django  # Here and below: `medtheca --help` and `medtheca up` never load Django.

    if not with_database:
        django.setup()
        yield
        return
    from medtheca.config.processes.database import database

    with database(environment(), command=command, say=_say) as (_url, started_here):
        django.setup()
        if started_here and command not in {"migrate", "manage", "restore"}:
            from medtheca.config.processes.commands import bring_tables_up_to_date

            # Nobody else sees to the tables of a server that only this command runs.
            bring_tables_up_to_date(verbosity=0)
        yield


def _say(message: str) -> None:
    click.echo(message, err=True)


@click.group(cls=CommandList, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("medtheca"), prog_name="medtheca", message="%(prog)s %(version)s")
@click.option(
    "--data",
    metavar="FOLDER",
    expose_value=False,
    is_eager=True,
    callback=set_data_folder,
    help="Data folder, instead of MEDTHECA_DATA.",
)
def root() -> None:
    """Medtheca, a medical image archive."""


def main() -> None:
    """Run the command line; expected refusals end in one message and an exit code, never in a traceback."""
    try:
        root()
    except (WrongSetting, CannotRun) as refusal:
        click.echo(f"medtheca: {refusal}", err=True)
        sys.exit(exit_code(refusal))


def exit_code(refusal: Exception) -> int:
    """The exit code of an expected refusal."""
    codes: dict[type[Exception], int] = {WrongSetting: 2, FolderInUse: 3, PortInUse: 4}
    return codes.get(type(refusal), 1)
