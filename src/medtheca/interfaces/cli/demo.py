"""`medtheca demo`."""

from __future__ import annotations

import time

import click

from medtheca.base.errors import DomainError
from medtheca.base.failures import WorkStopped
from medtheca.interfaces.cli.waiting import let_work
from medtheca.workflows.decoding import close_decoder_pool
from medtheca.workflows.demo import run_demo

_PAUSE = 0.5


@click.command("demo")
def command() -> None:
    """Fill the archive with demonstration images, through the same pipeline as an upload.

    Where the sample images are (MEDTHECA_SAMPLES), these are the 2,750 images of the ISIC 2017 challenge; elsewhere,
    300 pictures that Medtheca draws, labelled synthetic. What is in already is not brought in twice.
    """
    said: list[str] = []

    def say(line: str) -> None:
        if said[-1:] != [line]:
            said.append(line)
            click.echo(line)

    stopped = False

    def pause() -> None:
        nonlocal stopped
        try:
            let_work(lambda: False)
        except WorkStopped:
            # What failed may be somebody else's: the demo looks at its own first, and comes back if that is not done.
            if stopped:
                raise
            stopped = True
        else:
            stopped = False
        time.sleep(_PAUSE)

    try:
        run_demo(say=say, pause=pause)
    except DomainError as error:
        raise click.ClickException(f"{error.message} {error.remedy}".strip()) from error
    finally:
        close_decoder_pool()
