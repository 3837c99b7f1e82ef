"""The commands about processes and settings."""

from __future__ import annotations

import os
import shutil
import sys

import click

from medtheca.config.environment import environment, settings_table
from medtheca.config.processes.lock import read_holder
from medtheca.config.processes.options import EXIT_CODES, set_data_folder
from medtheca.config.processes.web import command as web

__all__ = ["bring_tables_up_to_date", "manage", "migrate", "settings", "status", "up", "web", "worker"]


@click.command(epilog=EXIT_CODES)
@click.option("--host", metavar="ADDRESS", help="Address to listen on (MEDTHECA_HOST, 127.0.0.1).")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (MEDTHECA_PORT, 8000).")
@click.option(
    "--data",
    metavar="FOLDER",
    expose_value=False,
    callback=set_data_folder,
    help="Data folder (MEDTHECA_DATA, ./data).",
)
@click.option("--workers", type=click.IntRange(0, 64), help="Worker processes (MEDTHECA_WORKERS, 1).")
@click.option("--demo", is_flag=True, help="Fill the archive with demonstration images, and make demo logins.")
@click.option("--tls", is_flag=True, help="Serve https by an authority of its own (MEDTHECA_TLS, no).")
@click.option("--tls-cert", metavar="FILE", help="Serve https with this certificate, PEM (MEDTHECA_TLS_CERT).")
@click.option("--tls-key", metavar="FILE", help="Its private key, PEM without a password (MEDTHECA_TLS_KEY).")
def up(
    *,
    host: str | None,
    port: int | None,
    workers: int | None,
    demo: bool,
    tls: bool,
    tls_cert: str | None,
    tls_key: str | None,
) -> None:
    """Start the database, the web process and the workers, and keep them running until Ctrl-C.

    With --tls it is at https://localhost:PORT. Clients such as gcapi, which speak nothing else, have to be told to
    trust the certificate authority that lies in the data folder then: `medtheca tls` prints the lines.
    """
    chosen = {
        "MEDTHECA_HOST": host,
        "MEDTHECA_PORT": port,
        "MEDTHECA_WORKERS": workers,
        "MEDTHECA_DEMO": "yes" if demo else None,
        "MEDTHECA_TLS": "yes" if tls else None,
        "MEDTHECA_TLS_CERT": tls_cert,
        "MEDTHECA_TLS_KEY": tls_key,
    }
    os.environ.update({variable: str(value) for variable, value in chosen.items() if value is not None})
    environment.cache_clear()
    from medtheca.config.processes.up import Up  # It brings psycopg and rich, which the other commands spare.

    found = environment()
    # Children may run elsewhere; the folder must mean the same to them.
    os.environ["MEDTHECA_DATA"] = str(found.data)
    Up(found, demo=found.demo).run()


@click.command()
def status() -> None:
    """Say whether Medtheca runs on this data folder, and how it is. Exits 1 when it does not."""
    found = environment()
    holder = read_holder(found.data)
    click.echo(f"data      {found.data}")
    if found.data.exists():
        click.echo(f"free      {shutil.disk_usage(found.data).free / 1e9:.1f} GB")
    click.echo(f"database  {'outside, by DATABASE_URL' if found.database_url else 'in the data folder'}")
    click.echo(f"used by   {holder or 'nobody'}")
    if holder is None or holder.command != "up":
        sys.exit(1)
    click.echo(f"ready     {'yes' if holder.ready else 'not yet'}")


@click.command()
def settings() -> None:
    """List all settings of the environment, with defaults and meanings, as a Markdown table."""
    click.echo(settings_table())


@click.command()
@click.option("--concurrency", type=click.IntRange(1, 64), default=2, show_default=True, help="Jobs at once.")
def worker(*, concurrency: int) -> None:
    """Do jobs of the queue until stopped; a job that cannot be finished in time is given back."""
    from medtheca.interfaces.jobs.worker import run_worker  # Needs Django, which the caller has set up.

    sys.exit(run_worker(concurrency=concurrency))


@click.command()
def migrate() -> None:
    """Bring the tables of the database up to date."""
    bring_tables_up_to_date(verbosity=1)


def bring_tables_up_to_date(*, verbosity: int) -> None:
    """Apply migrations, those of the queue among them, and make the table of the cache."""
    from django.core.management import call_command  # Django is set up by now, and not before.

    call_command("migrate", interactive=False, verbosity=verbosity)
    call_command("createcachetable", verbosity=verbosity)


@click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(arguments: tuple[str, ...]) -> None:
    """Run a management command of Django."""
    from django.core.management import execute_from_command_line  # Same as above.

    execute_from_command_line(["medtheca manage", *arguments])
