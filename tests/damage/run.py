"""Damaged files of every format: `python -m tests.damage.run --files 20000 --seed 1`. Exits 1 where one does harm.

Every file ends as an image or as a refusal with a reason. A decoder that dies, hangs, throws or takes too much is
refused for whoever sent the file, and listed here, with the file in the folder of `--keep`.
"""

import argparse
import json
import secrets
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.damage.damages import damaged
from tests.damage.trial import Trials

_TOLD_EVERY = 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="The number of the first file, to go on with a seed.")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--decoders", type=int, default=2)
    parser.add_argument("--formats", default="", help="Only these, with commas between them.")
    parser.add_argument("--keep", type=Path, default=None, help="A folder for offending files.")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else secrets.randbelow(1 << 31)
    print(f"seed {seed}", flush=True)
    tally = Tally(seed, options.keep)
    wanted = set(filter(None, options.formats.split(",")))
    with Trials(size=options.decoders) as trials, ThreadPoolExecutor(options.decoders) as workers:

        def work(number):
            one, words = damaged(seed, number)
            if not wanted or one.format in wanted:
                tally.count(number, one, words, trials.check(one))

        for _ in workers.map(work, range(options.first, options.first + options.files)):
            pass
    tally.tell()
    sys.exit(bool(tally.offences))


class Tally:
    """Counts, and what stands out."""

    def __init__(self, seed, keep):
        self._seed, self._keep = seed, keep
        self._begun = time.monotonic()
        self.codes = defaultdict(Counter)
        self.offences = []
        self.largest, self.slowest = (0, ""), (0.0, "")

    def count(self, number, one, words, result):
        self.codes[one.format][result.code] += 1
        name = f"file {number} ({one.format}, {words})"
        self.largest = max(self.largest, (result.peak, name))
        self.slowest = max(self.slowest, (result.seconds, name))
        if result.offence:
            self.offences.append((one.format, result.offence, result.words, name))
            print(f"{name}: {result.offence}. {result.words}", flush=True)
            self._save(number, one, words, result)
        if (done := sum(map(Counter.total, self.codes.values()))) % _TOLD_EVERY == 0:
            print(f"{time.monotonic() - self._begun:6.0f} s  {done} files, {len(self.offences)} offences", flush=True)

    def _save(self, number, one, words, result):
        if self._keep is None:
            return
        folder = self._keep / f"{self._seed}-{number}"
        for path, data in one.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        told = {"seed": self._seed, "number": number, "main": one.main, "format": one.format, "damage": words}
        told |= {"code": result.code, "offence": result.offence, "words": result.words}
        (self._keep / f"{folder.name}.json").write_text(json.dumps(told, indent=1))

    def tell(self):
        for kind, codes in self.codes.items():
            counts = ", ".join(f"{code} {count}" for code, count in codes.most_common())
            print(f"{kind:9} {codes.total():6}  {counts}")
        total = sum(self.codes.values(), Counter())
        print(f"{'all':9} {total.total():6}  " + ", ".join(f"{code} {count}" for code, count in total.most_common()))
        print(f"{total['decoder_crashed']} deaths of decoders, {len(self.offences)} offences")
        for (kind, offence, words), count in Counter(one[:3] for one in self.offences).most_common():
            print(f"  {count:5} times {kind}: {offence}. {words}")
        print(f"most memory {self.largest[0] / 1e6:,.0f} MB: {self.largest[1]}")
        print(f"slowest {self.slowest[0]:.1f} s: {self.slowest[1]}")
        print(f"{time.monotonic() - self._begun:.0f} s, seed {self._seed}")


if __name__ == "__main__":
    main()
