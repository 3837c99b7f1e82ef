"""Decoders that were taken over: they lie about which bytes of what they made are those of the original."""

from medtheca.toolkit.images import case_task, tasks
from medtheca.toolkit.ranges.making import Copied, pack_copies


def run(data, options):
    """It says that the public copy is other bytes of the original than it is."""
    report, parts = tasks.run(data, options)
    copied = report.get("copied", [])
    return report | {"copied": [[at, source - 7, length] for at, source, length in copied]}, parts


def run_case(folder, outputs, options, progress):
    """It claims stretches of the original for a pyramid that has others there."""
    report = case_task.run(folder, outputs, options, progress)
    if "copied" in outputs:
        outputs["copied"].seek(0)
        outputs["copied"].truncate()
        outputs["copied"].write(pack_copies([Copied(16, 0, 300_000), Copied(400_000, 8, 300_000)]))
    return report


def warm_up():
    tasks.warm_up()
