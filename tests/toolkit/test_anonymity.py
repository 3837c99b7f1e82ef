"""Rare combinations are found, and nothing else is."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from medtheca.toolkit.anonymity import QUASI_IDENTIFIERS, Person, find_rare, identifying_values

persons = st.lists(
    st.builds(
        Person, st.integers(0, 6), st.tuples(st.sampled_from(["", "85", "40"]), st.sampled_from(["", "male", "female"]))
    ),
    max_size=30,
)


@given(persons, persons, st.integers(1, 7))
def test_a_combination_is_named_exactly_when_fewer_people_than_k_have_it(asked, others, k):
    shared = defaultdict(set)
    for person in [*asked, *others]:
        shared[person.values].add(person.subject)
    expected = {
        values: len(subjects)
        for values, subjects in shared.items()
        if any(values) and len(subjects) < k and any(person.values == values for person in asked)
    }
    found = find_rare(asked, others, k=k)
    assert {rare.values: rare.people for rare in found} == expected
    assert [rare.people for rare in found] == sorted(rare.people for rare in found)
    assert all(rare.images == sum(p.values == rare.values for p in [*asked, *others]) for rare in found)


def test_the_most_exact_term_counts_and_what_is_private_does_not():
    values = identifying_values(
        {
            "age": 87,
            "age_approx": 85,
            "patient_id": "secret",
            "diagnosis_1": "Malignant",
            "diagnosis_4": "Acral melanoma",
            "anatom_site_1": "Palms or soles",
            "personal_hx_mm": False,
        }
    )
    assert dict(zip(QUASI_IDENTIFIERS, values, strict=True)) == {
        "age_approx": "85",
        "sex": "",
        "fitzpatrick_skin_type": "",
        "anatom_site": "Palms or soles",
        "anatom_site_special": "",
        "diagnosis": "Acral melanoma",
        "personal_hx_mm": "",
        "family_hx_mm": "",
    }
