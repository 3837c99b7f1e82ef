"""Whatever is asked by whomever, in whatever archive: SQL finds and counts what plain Python finds and counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from django.db.models import F, Q
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from medtheca.domains.access import queries as access_queries
from medtheca.domains.access.models import Placement
from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.models import Cohort
from medtheca.domains.search import naming
from medtheca.domains.search import queries as search_queries
from medtheca.domains.search.facets import COUNTED, bytes_by_sql, bytes_of, count_values, counts_by_sql
from medtheca.domains.search.queries import count, count_by_sql, find
from medtheca.toolkit.querylang import FIELDS, parse
from tests.domains.search import brute_force
from tests.domains.search.chance import EVERYBODY, QUERIES, Cast, worlds

pytestmark = pytest.mark.django_db
SETTINGS = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.explicit, Phase.generate],
}
FIELDS_COUNTED = st.lists(st.sampled_from([field.name for field in COUNTED]), min_size=1, max_size=2, unique=True)


@pytest.fixture
def cast(db):
    return Cast()


class Functions(NamedTuple):
    """What is compared with plain Python, beside the images that `find` gives."""

    count: Callable[..., int]
    bytes_of: Callable[..., int]
    count_values: Callable[..., dict[str, Any]]


AS_ASKED = Functions(count, bytes_of, count_values)
BY_SQL = Functions(count_by_sql, bytes_by_sql, counts_by_sql)


def check(cast, world, trees, counted, by=AS_ASKED):
    """Compare images, counts, facets and sizes for everybody; then take the world down."""
    with transaction.atomic():
        archive, people, images = cast.build(world)
        for tree in trees:
            for name in EVERYBODY:
                asked = {"asker": cast.users.get(name), "listings": cast.listings_of}
                expected = brute_force.find(archive, people.get(name), tree)
                rows = list(find(tree, **asked).values_list("pk", flat=True))
                assert sorted(rows) == sorted(images[number] for number in expected), (name, tree)
                assert by.count(tree, **asked) == len(rows)
                sizes = sum(picture.size for picture in archive.pictures if picture.number in expected)
                assert by.bytes_of(tree, **asked) == sizes
                for field, counts in by.count_values(tree, tuple(counted), **asked).items():
                    assert counts.values == dict(brute_force.count_values(archive, expected, field)), (field, name)
                    assert counts.present + counts.missing == len(rows)
                    assert FIELDS[field].multiple or sum(counts.values.values()) == counts.present
        transaction.set_rollback(True)


@settings(max_examples=25, **SETTINGS)
@given(world=worlds(), trees=st.lists(QUERIES, min_size=1, max_size=3), counted=FIELDS_COUNTED)
def test_sql_answers_as_plain_python_does(world, trees, counted, cast):
    check(cast, world, trees, counted, BY_SQL)


TEXTS = (
    *(f"{name}:*" for name, field in FIELDS.items() if not field.by_name),
    *("sex:male", "melanocytic:false", "age_approx:[5 TO 50}", "mel_thick_mm:0.8", "mel_thick_mm:<=1.0"),
    *("diagnosis:Nevus", "diagnosis_3:Nevus", "anatom_site:Head", "stain:*eosin*", "body_part:Brain"),
    *("pixel_spacing:<0.6", "magnification:20", "file_size:>1kB", "created:2024-02", "isic_id:ISIC_*"),
    *("near_duplicates:>=1", "near_duplicates:0", "exact_duplicates:>0.5", "near_duplicates:{0 TO 2}"),
    *("duplicate_group:ISIC_0000001", "near_duplicates:[1 TO 0]", "near_duplicates:<9e30", "exact_duplicates:-1"),
    *("license:CC-*", 'attribution:"*&*"', 'manufacturer:"100%*"', "nevus", "public:true", "rcm_case_id:x"),
    *('cohort:"First clinic"', "collection:Drafts", "patient_id:IP_0000001", "age_approx:>=99999999999"),
    *("age_approx:<99999999999", "pixels_x:>-99999999999", "file_size:<1e30", "mel_thick_mm:<1e30"),
)


@settings(max_examples=2, **SETTINGS)
@given(world=worlds(most=8))
def test_every_field_is_asked_in_every_way(world, cast):
    """As it is, negated, and negated within a negation, where unknown must be no as well."""
    with transaction.atomic():
        archive, people, images = cast.build(world)
        for text in TEXTS:
            for whole in (text, f"-({text})", f"-(sex:female OR -({text}) diagnosis:*)"):
                expected = brute_force.find(archive, people["sam"], parse(whole))
                rows = find(parse(whole), asker=cast.users["sam"], listings=cast.listings_of)
                assert set(rows.values_list("pk", flat=True)) == {images[number] for number in expected}, whole
        transaction.set_rollback(True)


def forgets_embargoes(patch):
    patch.setattr(access_queries, "open_placements", lambda viewer: Placement.objects.filter(
        Q(scope__in=[1, 2]) | Q(scope__memberships__user=viewer.user_id)
    ))  # fmt: skip


def shows_everything(patch):
    patch.setattr(search_queries, "visible_images", lambda _: Image.objects.all())


def shows_what_is_withdrawn(patch):
    own = Q(scope__memberships__user__isnull=False)
    patch.setattr(access_queries, "open_placements", lambda viewer: Placement.objects.filter(
        Q(scope__in=[1, 2][: 1 + (viewer.user_id is not None)]) | own & Q(scope__memberships__user=viewer.user_id),
        Q(opens__isnull=True) | Q(opens__lte=F("created")),
    ))  # fmt: skip


def counts_cohorts_of_others(patch):
    patch.setattr(naming, "visible_cohorts", lambda _: Cohort.objects.all())


def counts_for_staff(patch):
    patch.setattr(search_queries, "count_visible", lambda _: Image.objects.count())


@pytest.mark.parametrize(
    "plant",
    [forgets_embargoes, shows_everything, shows_what_is_withdrawn, counts_cohorts_of_others, counts_for_staff],
)
def test_a_planted_bug_of_visibility_is_found(plant, monkeypatch, cast):
    plant(monkeypatch)

    @settings(max_examples=150, **SETTINGS)
    @given(world=worlds(), trees=st.lists(QUERIES, min_size=2, max_size=4))
    def search(world, trees):
        check(
            cast, world, [parse("*"), parse('cohort:"First clinic" OR cohort:"Second clinic"'), *trees], ["sex"], BY_SQL
        )

    with pytest.raises((AssertionError, BaseExceptionGroup)):
        search()
