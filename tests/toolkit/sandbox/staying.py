"""A task for children that stay: the probe, with what a child was told and what it has kept from earlier renderings."""

import os

from tests.toolkit.sandbox import probe

SEEN = []


def run(data, options):
    """Obey as the probe does; say who answers, what it may keep, and what it has worked on before."""
    SEEN.append(options["source"])
    report, parts = probe.run(data, options)
    told = {"pid": os.getpid(), "keep": options["keep"], "seen": list(SEEN), "data": bytes(data).decode()}
    return report | told, parts
