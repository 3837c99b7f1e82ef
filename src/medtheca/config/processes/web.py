"""The web process: granian inside this process, serving both planes."""

from __future__ import annotations

import asyncio
import importlib.util
import signal

import click

from medtheca.config.environment import Environment, environment

_MOST_REQUESTS_AT_ONCE = 512


async def _serve(settings: Environment) -> None:
    from granian.constants import Interfaces, SSLProtocols  # Only in this process: the supervisor stays small.
    from granian.log import LogLevels
    from granian.server.embed import Server

    from medtheca.config.asgi import application
    from medtheca.config.processes.tls import served_pair

    shown = served_pair(settings) if settings.serves_tls else None
    server = Server(
        application,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        backpressure=_MOST_REQUESTS_AT_ONCE,
        websockets=False,
        log_level=LogLevels.warning,
        ssl_cert=shown.certificate if shown else None,
        ssl_key=shown.key if shown else None,
        # What older clients of hospitals still speak, and no attack on it is known.
        ssl_protocol_min=SSLProtocols.tls12,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, server.stop)
    await server.serve()
    await application.finish()


@click.command()
def command() -> None:
    """Serve pages, APIs and files in this process."""
    if importlib.util.find_spec("uvloop") is not None:
        uvloop = importlib.import_module("uvloop")
        uvloop.run(_serve(environment()))
    else:
        asyncio.run(_serve(environment()))
