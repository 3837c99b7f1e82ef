"""What is found by a few letters: everybody finds what they see; these addresses say nothing of the rest."""

from tests.interfaces.matrix import everybody, people, staff

ROWS = [
    everybody("api/v2/quickfind/", address="api/v2/quickfind/?query=clinic"),
    everybody("api/v2/stats/"),
    everybody("api/v2/stats/overview/"),
    everybody("statistics/"),
    everybody("api/v2/public-table/"),
    everybody("api/v2/public-table/dictionary/"),
    everybody("api/v2/public-table/dictionary.csv"),
    everybody("api/v2/autocomplete/collection/", address="api/v2/autocomplete/collection/?query=pub"),
    everybody("api/v2/autocomplete/field/", address="api/v2/autocomplete/field/?query=dia"),
    everybody("api/v2/autocomplete/value/", address="api/v2/autocomplete/value/?field=sex&query=m"),
    people("api/v2/autocomplete/cohort/", address="api/v2/autocomplete/cohort/?query=clinic"),
    people("api/v2/autocomplete/contributor/", address="api/v2/autocomplete/contributor/?query=clinic"),
    staff("api/v2/autocomplete/user/", address="api/v2/autocomplete/user/?query=alice"),
]
