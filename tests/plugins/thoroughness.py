"""How thorough tests are that could go on for ever: more so in `make nightly`.

That is hypothesis' profile `nightly`: `pytest --hypothesis-profile=nightly`.
"""

from hypothesis import HealthCheck, settings

_NIGHTLY = "nightly"
_TIMES = 4

# A busy machine stops for a moment now and then, which says nothing of what is tested.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(_NIGHTLY, settings.get_profile("default"))
settings.load_profile("default")


def examples(each_time):
    """How many examples a test tries; every night four times as many."""
    return each_time * (_TIMES if settings.get_current_profile_name() == _NIGHTLY else 1)
