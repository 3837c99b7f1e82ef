"""Dates moved by whole days, as DICOM writes them (PS3.5 6.2: DA, TM, DT); what is not well written is not kept."""

import datetime as dt
import re

_DATE = re.compile(r"(\d{4})(\.?)(\d{2})\2(\d{2})")
_TIME = re.compile(r"([01]\d|2[0-3])(:?[0-5]\d(:?([0-5]\d|60)(\.\d{1,6})?)?)?")
_DATE_TIME = re.compile(r"(\d{8})(\d{2,6}(?:\.\d{1,6})?)?([+-]\d{4})?")
_FIRST = dt.date(1900, 1, 1)


def move_date(text: str, days: int) -> str | None:
    """A date, moved; None where it is not whole or would lie before 1900.

    >>> move_date("20240301", -1), move_date("2024.03.01", -1), move_date("202403", -1), move_date("19000102", -5)
    ('20240229', '20240229', None, None)
    """
    found = _DATE.fullmatch(text.strip(" \0"))
    if found is None:
        return None
    try:
        moved = dt.date(int(found[1]), int(found[3]), int(found[4])) + dt.timedelta(days)
    except (ValueError, OverflowError):
        return None
    return f"{moved:%Y%m%d}" if moved >= _FIRST else None


def keep_time(text: str) -> str | None:
    """A time of day, as it is; None where it is none.

    >>> keep_time("235959.5"), keep_time("23:59"), keep_time("25"), keep_time("at noon")
    ('235959.5', '2359', None, None)
    """
    text = text.strip(" \0")
    return text.replace(":", "") if _TIME.fullmatch(text) else None


def move_date_time(text: str, days: int) -> str | None:
    """Date and time, the date moved; the offset from UTC, which tells of the place, is left out.

    >>> move_date_time("20240301120000.25+0100", -1), move_date_time("2024", -1)
    ('20240229120000.25', None)
    """
    found = _DATE_TIME.fullmatch(text.strip(" \0"))
    if found is None:
        return None
    date = move_date(found[1], days)
    time = keep_time(found[2]) if found[2] else ""
    return None if date is None or time is None else date + time
