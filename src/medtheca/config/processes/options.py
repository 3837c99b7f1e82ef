"""What several commands share on their command lines."""

from __future__ import annotations

import os

import click

from medtheca.config.environment import environment

EXIT_CODES = """\
\b
Exit codes:
  0  done, or stopped on request
  1  the work failed, or a process of `medtheca up` kept failing
  2  wrong usage or wrong settings
  3  the data folder is in use by another Medtheca
  4  the port is in use
"""


def set_data_folder(_ctx: click.Context, _option: click.Parameter, value: str | None) -> None:
    """Let `--data` win over the environment, here and in child processes."""
    if value is not None:
        os.environ["MEDTHECA_DATA"] = value
        environment.cache_clear()
