"""Numbers, sizes and times in words. `frontend/site/words.ts` says the same in the browser."""

from datetime import datetime, timedelta

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


def thousands(number: float) -> str:
    """12345.6 → '12,345.6'."""
    return f"{number:,}"


def file_size(size: int) -> str:
    """Bytes in powers of 1,000, as file managers and disks count: 1234567 → '1.2 MB'.

    >>> [file_size(n) for n in (0, 999, 1000, 99_960, 1_234_567, 999_600_000)]
    ['0 B', '999 B', '1 kB', '100 kB', '1.2 MB', '1 GB']
    """
    value = float(size)
    units = ("B", "kB", "MB", "GB", "TB", "PB")
    unit = 0
    while value >= 999.5 and unit < len(units) - 1:
        value /= 1000
        unit += 1
    digits = 0 if unit == 0 or value >= 99.95 else 1
    return f"{value:.{digits}f}".removesuffix(".0") + f" {units[unit]}"


def relative_time(then: datetime, now: datetime) -> str:
    """'just now', '3 minutes ago', 'in 2 days'; after 30 days the date itself.

    >>> noon = datetime(2026, 5, 1, 12)
    >>> relative_time(datetime(2026, 5, 1, 11, 57), noon), relative_time(datetime(2026, 5, 3, 12), noon)
    ('3 minutes ago', 'in 2 days')
    """
    passed = now - then
    distance = abs(passed) // timedelta(seconds=1)
    if distance < 45:
        return "just now"
    for limit, unit, word in (
        (_HOUR, _MINUTE, "minute"),
        (_DAY, _HOUR, "hour"),
        (30 * _DAY, _DAY, "day"),
    ):
        if distance < limit:
            count = max(1, round(distance / unit))
            text = f"{count} {word}{'' if count == 1 else 's'}"
            return f"{text} ago" if passed > timedelta(0) else f"in {text}"
    return f"{then.day} {then:%B %Y}"
