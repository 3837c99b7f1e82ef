"""Refusals of this package; each message names the thing and what would be right."""


class CannotRun(Exception):
    """Medtheca or its database cannot be started or reached as things are."""


class FolderInUse(CannotRun):
    """Another process holds the data folder."""


class PortInUse(CannotRun):
    """Another program listens where the web process would."""
