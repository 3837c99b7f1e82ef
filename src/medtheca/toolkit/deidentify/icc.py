"""Which bytes are a colour profile. Source: ICC.1:2022, 7.2 (profile header)."""

from medtheca.toolkit.deidentify.stripped import Buffer

HEADER_BYTES = 128


def find_profile(data: Buffer) -> bytes | None:
    """The ICC profile at the start of the data, cut to the length it declares; None if it is none.

    The profile itself is kept bit for bit. The check keeps other things from travelling under its label.
    """
    if len(data) < HEADER_BYTES + 4 or bytes(data[36:40]) != b"acsp":
        return None
    size = int.from_bytes(data[:4], "big")
    if not HEADER_BYTES + 4 <= size <= len(data):
        return None
    return bytes(data[:size])
