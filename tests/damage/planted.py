"""A task that does harm, for the tests that harm is noticed: what it does is the file's first word."""

import os
import time

from medtheca.toolkit.errors import Refused
from tests.damage.specimens import CANARY


def run_case(folder, outputs, options, progress):
    word = (folder / options["main"]).read_text()
    if word == "die":
        os.abort()
    if word == "hang":
        while True:
            time.sleep(1)
    if word == "swell":
        return {"size": len(bytes(2_000_000_000))}
    if word == "throw":
        raise ValueError(word)
    if word == "lie":
        return {"kind": "film"}
    if word == "tell":
        raise Refused("corrupt", f"This is an image of Mary {CANARY}.", "Send another.")
    raise Refused("corrupt", "The file is damaged.", "Send it again.")
