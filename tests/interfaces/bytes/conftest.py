from tests.plugins.server import server, world

__all__ = ["server", "world"]
