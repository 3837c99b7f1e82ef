"""Names, UIDs and days that only the holder of a key can tie to the true ones; the same always give the same."""

import hashlib
import hmac

from pydicom._uid_dict import UID_dictionary

_DAYS = 3650


class Keyed:
    """Everything that hangs on the key, which is that of one contributor; a key has 16 bytes at least."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("a key of fewer than 16 bytes can be guessed")
        self._key = key

    def _digest(self, purpose: str, text: str) -> bytes:
        # The purpose keeps a UID's digest from being a patient's as well.
        return hmac.digest(self._key, f"medtheca-{purpose}\0{text}".encode(), hashlib.sha256)

    def uid(self, uid: str) -> str:
        """Another UID (PS3.5 B.2: 2.25 and a number of 128 bits, those of a UUID of version 8).

        Those that the standard itself defines stay.

        >>> Keyed(bytes(16)).uid("1.2.840.10008.5.1.4.1.1.2")
        '1.2.840.10008.5.1.4.1.1.2'
        >>> Keyed(bytes(16)).uid("1.2.3")
        '2.25.293774158491039760014378534169355471006'
        """
        uid = uid.strip(" \0")
        if not uid or uid in UID_dictionary:
            return uid
        number = int.from_bytes(self._digest("uid", uid)[:16], "big")
        number = number & ~(0xF << 76) | 0x8 << 76
        number = number & ~(0x3 << 62) | 0x2 << 62
        return f"2.25.{number}"

    def days(self, patient: str) -> int:
        """By how many days a patient's dates move: always back, by a day to ten years."""
        return -1 - int.from_bytes(self._digest("days", patient)[:8], "big") % _DAYS

    def pseudonym(self, patient: str) -> str:
        """What stands for a patient's id: 16 hex digits behind `P-`."""
        return f"P-{self._digest('patient', patient)[:8].hex()}"
