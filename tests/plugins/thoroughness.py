"""How thorough tests are that could go on for ever: more so in `make nightly`.

That is hypothesis' profile `nightly`: `pytest --hypothesis-profile=nightly`.
"""

from hypothesis import settings

_NIGHTLY = "nightly"
_TIMES = 4

settings.register_profile(_NIGHTLY, settings.get_profile("default"))


def examples(each_time):
    """How many examples a test tries; every night four times as many."""
    return each_time * (_TIMES if settings.get_current_profile_name() == _NIGHTLY else 1)
