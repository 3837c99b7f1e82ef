"""The named steps of the source, where processes stand in them, and orders to stretch them or to abort in them."""

import ast
import os
import time
from collections import Counter
from pathlib import Path

import medtheca

SOURCE = Path(medtheca.__file__).parent
# A thread that has noted nothing for longer has done its work and waits for more.
_FRESH = 5.0
# Steps of a command that no story here runs: tests/interfaces/cli/importing aborts it in each.
_ELSEWHERE = ("import.",)


def all_steps():
    """Every name with which the source calls `step` of `medtheca.base.steps`, by reading it; not those of imports."""
    names = set()
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        imported = any(
            isinstance(node, ast.ImportFrom) and node.module == "medtheca.base.steps" for node in ast.walk(tree)
        )
        for node in ast.walk(tree) if imported else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "step":
                assert isinstance(node.args[0], ast.Constant), f"{path}: the name of a step is written out"
                names.add(node.args[0].value)
    return sorted(name for name in names if not name.startswith(_ELSEWHERE))


class Steps:
    """The folder of MEDTHECA_FAULT_STEPS, and how often each step was hit."""

    def __init__(self, folder):
        self.folder = folder
        self.hits = Counter(dict.fromkeys(all_steps(), 0))
        self._orders = 0
        folder.mkdir(parents=True, exist_ok=True)

    def stood_in(self, process, killed_at):
        """The steps in which the threads of a killed process stood, and forget them."""
        found = []
        for slot in self.folder.glob(f"{process}.*"):
            if killed_at - slot.stat().st_mtime < _FRESH:
                found.append(slot.read_text().strip())
            slot.unlink()
        return [name for name in found if name]

    def standing(self, names):
        """A process, with a thread of it in one of these steps; 0 where there is none."""
        for slot in self.folder.glob("*.*"):
            try:
                fresh = time.time() - slot.stat().st_mtime < _FRESH
                if slot.name[0].isdigit() and fresh and slot.read_text().strip() in names:
                    process = int(slot.stem)
                    if is_alive(process):
                        return process
            except FileNotFoundError:
                continue  # Forgotten meanwhile.
        return 0

    def order(self, *orders):
        """Replace all orders by these, each (verb, step, amount)."""
        lines = []
        for verb, name, amount in orders:
            self._orders += 1
            lines.append(f"{self._orders} {verb} {name} {amount}\n")
        fresh = self.folder / "orders.new"
        fresh.write_text("".join(lines))
        fresh.rename(self.folder / "orders")

    def aborted(self):
        """Whether the order to abort that was given last was obeyed."""
        return (self.folder / f"aborted-{self._orders}").exists()

    def missing(self):
        return [name for name, count in self.hits.items() if not count]

    def rarest(self, count):
        return [name for name, _ in self.hits.most_common()[: -count - 1 : -1]]

    def table(self):
        return "\n".join(f"  {count:6}  {name}" for name, count in sorted(self.hits.items()))


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(condition, what, *, seconds):
    """Wait until the condition gives something, and return that; an AssertionError says what was waited for."""
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, f"waited {seconds} s in vain until {what}"
        time.sleep(0.05)
    return found
