import pytest

from medtheca.toolkit.schemas import LICENCES, find_licence, more_permissive


def test_both_names_find_a_licence():
    for licence in LICENCES:
        assert find_licence(licence.spdx) is find_licence(licence.isic_code) is licence


def test_only_less_demanding_licences_are_more_permissive():
    order = ["CC0-1.0", "CC-BY-4.0", "CC-BY-NC-4.0"]
    for first in range(3):
        for second in range(3):
            assert more_permissive(order[first], order[second]) is (first < second)


def test_an_unknown_licence_is_named():
    with pytest.raises(LookupError, match=r"Unknown licence 'CC-BY-3.0'. Did you mean 'CC-BY-4.0'"):
        find_licence("CC-BY-3.0")
