"""`medtheca archive logo`: the picture that stands for an archive.

Exit codes: 0 done; 1 refused, with the reason on standard error; 2 the command was written wrongly.
"""

from __future__ import annotations

from pathlib import Path

import click

from medtheca.domains.accounts.queries import user_by_email
from medtheca.domains.archives.logos import remove_logo
from medtheca.domains.archives.queries import archive_named
from medtheca.interfaces.cli.accounts import refusals_told
from medtheca.interfaces.cli.options import acting, as_json
from medtheca.interfaces.cli.telling import print_json, printable
from medtheca.toolkit.images.square import Square
from medtheca.workflows.archiving.logo import choose_logo
from medtheca.workflows.decoding import close_decoder_pool

_CHUNK = 1024 * 1024


def _square_given(_context: click.Context, _option: click.Parameter, value: str | None) -> Square | None:
    if value is None:
        return None
    try:
        return Square.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command(
    name="logo",
    epilog="\b\nExamples:\n"
    "  medtheca archive logo chest-ct logo.png --as alice@example.org\n"
    "  medtheca archive logo chest-ct ward.jpg --crop 120,0,900 --as alice@example.org\n"
    "  medtheca archive logo chest-ct --remove --as alice@example.org\n",
)
@click.argument("archive", metavar="ARCHIVE")
@click.argument("path", required=False, metavar="[FILE]", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--crop",
    "square",
    metavar="X,Y,SIZE",
    callback=_square_given,
    help="Which square: its left edge, its upper edge and its side, in pixels of the upright picture. "
    "Without it, the largest in the middle.",
)
@click.option("--remove", is_flag=True, help="Go back to the logo that is drawn from the title.")
@acting("Who does it: an editor of the archive, or one of the staff.")
@as_json
@refusals_told
def logo(*, archive: str, path: Path | None, square: Square | None, remove: bool, email: str, as_json: bool) -> None:
    """Make a square of FILE, a PNG or JPEG, the logo of ARCHIVE, or remove the logo that it has.

    FILE has 640 pixels at least on its shorter side and 8 MB at most. It is decoded in the sandbox and not kept: of it
    two PNG files are made, without metadata, of 640 and of 128 pixels. Transparent parts become white.
    """
    if (path is None) != remove or (remove and square is not None):
        raise click.UsageError("Give either a FILE, with --crop where the middle will not do, or --remove.")
    user = user_by_email(email)
    found = archive_named(user, archive)
    if path is None:
        changed = remove_logo(archive=found, actor=user)
        words = "The logo was removed. It is drawn from the title again."
    else:
        try:
            with path.open("rb") as file:
                chunks = iter(lambda: file.read(_CHUNK), b"")
                size = path.stat().st_size
                changed = choose_logo(archive=found, actor=user, size=size, chunks=chunks, square=square)
        finally:
            close_decoder_pool()
        words = f"{path.name} is the logo of {changed.title} now."
    if as_json:
        print_json({"archive": changed.slug, "logo": changed.logo.sha256 if changed.logo else None})
        return
    click.echo(printable(words))
