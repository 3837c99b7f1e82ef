"""Whatever is asked by whomever, in whatever archive: bitmaps find and count what plain Python finds and counts."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from medtheca.domains.access.queries import ANYBODY, Circles, circles_of
from medtheca.domains.search.facets import count_values, counts_by_sql, counts_in
from medtheca.domains.search.index import asking
from medtheca.domains.search.index.holding import View
from medtheca.domains.search.index.reading import read_archive
from medtheca.toolkit.bitmaps import Circle
from medtheca.toolkit.bitmaps.archive import Archive
from medtheca.toolkit.querylang import FIELDS, all_of, parse
from tests.domains.search import brute_force
from tests.domains.search.chance import EVERYBODY, QUERIES, Cast, worlds
from tests.domains.search.test_chance import FIELDS_COUNTED, SETTINGS

pytestmark = pytest.mark.django_db
HIERARCHIES = ("diagnosis", "anatom_site")


class JustMade:
    """An index of the tables as they are in this transaction, which is never committed; packed and unpacked."""

    def make(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT (extract(epoch FROM statement_timestamp()) * 1000000)::bigint")
            moment = cursor.fetchone()[0]
        self.now = View(Archive.of_parts(list(read_archive().parts())), moment, 0)

    @contextmanager
    def view(self):
        yield self.now


@pytest.fixture
def cast(db):
    return Cast()


@pytest.fixture(autouse=True)
def holder(monkeypatch):
    made = JustMade()
    monkeypatch.setattr(asking, "HOLDER", made)
    return made


def check(holder, cast, world, trees, counted):
    """Compare what is found, its order, facets and sizes for everybody; then take the world down."""
    with transaction.atomic():
        archive, people, images = cast.build(world)
        holder.make()
        for tree in trees:
            for name in EVERYBODY:
                expected = brute_force.find(archive, people.get(name), tree)
                with asking.asking(tree, asker=cast.users.get(name), listings=cast.listings_of) as answer:
                    assert answer is not None
                    keys = {images[number] for number in expected}
                    assert set(answer.found) == keys, (name, tree)
                    in_order = sorted((picture.created, images[picture.number]) for picture in archive.pictures)
                    compare_pages(answer, [pk for _, pk in in_order if pk in keys])
                    compare_counts(answer, archive, expected, counted)
        transaction.set_rollback(True)


def compare_pages(answer, order):
    assert answer.number() == len(order)
    assert answer.page(beyond=None, limit=100, descending=False) == order
    assert answer.page(beyond=None, limit=100, descending=True) == order[::-1]


def compare_counts(answer, archive, expected, counted):
    assert answer.bytes() == sum(picture.size for picture in archive.pictures if picture.number in expected)
    for field, counts in counts_in(answer, tuple(counted)).items():
        assert counts.values == dict(brute_force.count_values(archive, expected, field)), field
        assert counts.present + counts.missing == len(expected)
        assert FIELDS[field].multiple or sum(counts.values.values()) == counts.present


@settings(max_examples=120, **SETTINGS)
@given(world=worlds(), trees=st.lists(QUERIES, min_size=1, max_size=3), counted=FIELDS_COUNTED)
def test_bitmaps_answer_as_plain_python_does(world, trees, counted, cast, holder):
    check(holder, cast, world, trees, counted)


@settings(max_examples=4, **SETTINGS)
@given(world=worlds(most=8))
def test_every_field_is_asked_in_every_way(world, cast, holder):
    texts = [f"{name}:*" for name, field in FIELDS.items() if not field.by_name]
    texts += ["sex:male", "melanocytic:false", "age_approx:[5 TO 50}", "mel_thick_mm:0.8", "mel_thick_mm:<=1.0"]
    texts += ["mel_thick_mm:0.8000001", "age_approx:5.5", "file_size:{998.5 TO 1000}", "pixels_x:600"]
    texts += ["diagnosis:Nevus", "diagnosis_3:Nevus", "anatom_site:Head", "stain:*eosin*", "body_part:Brain"]
    texts += ["pixel_spacing:<0.6", "pixel_spacing:0.5", "magnification:20", "file_size:>1kB", "created:2024-02"]
    texts += ["license:CC-*", 'attribution:"*&*"', 'manufacturer:"100%*"', "nevus", "public:true", "rcm_case_id:x"]
    texts += ["near_duplicates:>=1", "near_duplicates:0", "exact_duplicates:>0.5", "near_duplicates:{0 TO 2}"]
    texts += ["duplicate_group:ISIC_0000001", "near_duplicates:[1 TO 0]", "near_duplicates:<9e30"]
    texts += [
        "isic_id:ISIC_*",
        "isic_id:ISIC_0000003",
        "isic_0",
        "ISIC_0000003",
        "is",
        "patient_id:*2",
        "lesion_id:IL*",
    ]
    texts += ['cohort:"First clinic"', "collection:Drafts", "patient_id:IP_0000001", "age_approx:>=99999999999"]
    trees = [parse(text) for text in texts]
    trees += [parse(f"-({text})") for text in texts]
    trees += [parse(f"-(sex:female OR -({text}) diagnosis:*)") for text in texts]
    check(holder, cast, world, trees, ["sex"])


@settings(max_examples=15, **SETTINGS)
@given(world=worlds(), tree=QUERIES)
def test_facets_without_their_own_conditions_are_the_same_by_sql(world, tree, cast, holder):
    fields = (*HIERARCHIES, "sex", "age_approx", "stain")
    query = all_of(tree, parse("diagnosis:Benign (sex:male OR sex:female) age_approx:[5 TO 60]"))
    with transaction.atomic():
        cast.build(world)
        holder.make()
        for name in EVERYBODY:
            asked = {"asker": cast.users.get(name), "listings": cast.listings_of}
            for wanted in (query, parse("diagnosis:Benign sex:male"), tree):
                found = count_values(wanted, fields, **asked, disjunctive=True)
                assert found == counts_by_sql(wanted, fields, **asked, disjunctive=True)
            both = count_values(parse("sex:male"), ("sex",), **asked, disjunctive=True)
            assert both == count_values(parse("*"), ("sex",), **asked)
        transaction.set_rollback(True)


def forgets_embargoes(patch):
    patch.setattr(Circle, "at", lambda circle, _moment: circle.all())


def forgets_withdrawals(patch):
    patch.setattr(asking, "circles_of", lambda viewer: _joined(circles_of(viewer)))


def _joined(circles):
    return Circles(circles.everything, circles.scopes + circles.unless_withdrawn)


def shows_everything(patch):
    patch.setattr(asking, "circles_of", lambda _viewer: Circles(everything=True))


def shows_the_signed_in_to_anybody(patch):
    def circles(viewer):
        return Circles(scopes=(1, 2)) if viewer == ANYBODY else circles_of(viewer)

    patch.setattr(asking, "circles_of", circles)


@pytest.mark.parametrize(
    "plant", [forgets_embargoes, forgets_withdrawals, shows_everything, shows_the_signed_in_to_anybody]
)
def test_a_planted_bug_of_visibility_is_found(plant, monkeypatch, cast, holder):
    plant(monkeypatch)

    @settings(max_examples=200, **SETTINGS)
    @given(world=worlds(), trees=st.lists(QUERIES, min_size=1, max_size=2))
    def search(world, trees):
        check(holder, cast, world, [parse("*"), *trees], ["sex"])

    with pytest.raises((AssertionError, BaseExceptionGroup)):
        search()
