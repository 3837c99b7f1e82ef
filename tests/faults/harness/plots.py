"""What a story is told of: acts of `Insider` by their names."""

_TWO = ("bring", "tie", "show", "bring", "tie")
PLOTS = {
    "ingest": ((), (), ("deliver", "describe", "publish", "sweep", "erase")),
    "gather": ((), (), ("deliver", "settle")),
    "replace": (_TWO, (), ("replace", "replace", "replace", "judge", "settle")),
    "redact": (_TWO, (), ("redact", "redact", "redact", "settle")),
    "forget": ((), ("bring", "tie", "show", "replace", "redact"), ("forget", "settle")),
    "try_out": ((), (), ("try_out", "settle")),
}
"""Told in peace: what has to be there once, and before each number. Then the acts that are aborted.

What is not acknowledged is done again.
"""

_BY_PREFIX = {
    "case.": "gather",
    "receive.": "gather",
    "erase.": "forget",
    "inspect.": "try_out",
    "replace.": "replace",
    "redact.": "redact",
}
# Bytes that staff has erased, not those of a patient.
_OTHERS = {"erase.unlinked": "ingest"}


def plot_of(step):
    """The plot whose acts pass a step."""
    found = (plot for prefix, plot in _BY_PREFIX.items() if step.startswith(prefix))
    return _OTHERS.get(step) or next(found, "ingest")
