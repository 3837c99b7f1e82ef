"""The decoder of pictures, but for files that begin with a word: those do as if they had taken it over."""

import ctypes
import os
import time

from medtheca.toolkit.images.examine import examine as examine_picture


def warm_up():
    from medtheca.toolkit.images import examine

    examine.warm_up()


def examine(data, options):
    word = bytes(data[:8]).rstrip(b".")
    if word == b"CRASH":
        ctypes.string_at(0)
    if word == b"EXIT":
        os._exit(0)
    if word == b"HANG":
        time.sleep(60)
    if word == b"EAT":
        return {"eaten": len(bytearray(1 << 40))}, {}
    return examine_picture(data, options)
