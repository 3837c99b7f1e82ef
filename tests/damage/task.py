"""The tasks of the sandbox, with a note of how much memory they took. Nothing of what they do is changed."""

import resource
import struct

from medtheca.toolkit.images import case_task, tasks
from tests.damage.limits import PEAK


def run(data, options):
    report, parts = tasks.run(data, options)
    return report | {PEAK: _peak()}, parts


def run_case(folder, outputs, options, progress):
    made = {name: file for name, file in outputs.items() if name != PEAK}
    try:
        return case_task.run(folder, made, options, progress)
    finally:
        outputs[PEAK].write(struct.pack("<Q", _peak()))


def warm_up():
    """Both are loaded by one server."""
    tasks.warm_up()
    case_task.warm_up()


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
