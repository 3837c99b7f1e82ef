"""Filters, pages, counts and facets against plain Python, in a random world seen by everybody."""

import base64
import copy
import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from medtheca.base.errors import Invalid, NotFound
from medtheca.domains.access.queries import viewer_of, visible_images
from medtheca.domains.imaging.models import Image
from medtheca.domains.provenance.models import Accession
from medtheca.domains.search.facets import facet
from medtheca.domains.search.filters import Filters, read_filters
from medtheca.domains.search.queries import (
    Cursor,
    count,
    decode_cursor,
    find,
    find_page,
    image_for,
)
from medtheca.toolkit.schemas import DERMATOLOGY, validate_row
from tests.domains.search.brute_force import is_written
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.plugins.server import module_database

__all__ = ["module_database"]  # a fixture

DIAGNOSES = DERMATOLOGY.by_name["diagnosis"].vocabulary.values
LICENCES = ("CC0-1.0", "CC-BY-4.0", "CC-BY-NC-4.0")


class World:
    """300 images of two cohorts, with what is said of each kept in plain Python."""

    def __init__(self, seed):
        dice = random.Random(seed)
        self.people = {name: make_user(name) for name in ("alice", "bob", "sam")}
        self.cohorts = [make_cohort(self.people["alice"], name="One"), make_cohort(self.people["bob"], name="Two")]
        self.facts = {}
        for cohort in self.cohorts:
            for visibility in ("private", "signed_in", "public"):
                licence = dice.choice(LICENCES)
                said = [self._draw(dice) for _ in range(50)]
                images = make_images(
                    cohort, 50, structured=lambda at, said=said: said[at], visibility=visibility, licence=licence
                )
                for image, structured in zip(images, said, strict=True):
                    self.facts[image.pk] = (cohort, visibility, licence, structured, image.public_id or "")
        # Many images of one moment, as a batch makes them.
        moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(4)]
        for moment in moments:
            Image.objects.filter(pk__in=dice.sample(sorted(self.facts), 75)).update(created=moment)

    @staticmethod
    def _draw(dice):
        row = {"age": str(dice.randrange(90)), "sex": dice.choice(["male", "female", ""]), "patient_id": "P1"}
        row["diagnosis"] = dice.choice([*dice.sample(DIAGNOSES, 3), ""])
        row["image_type"] = dice.choice(["dermoscopic", "clinical: close-up", ""])
        return validate_row({name: value for name, value in row.items() if value}, pack=DERMATOLOGY).values

    def sees(self, person, pk):
        cohort, visibility, *_ = self.facts[pk]
        owner = cohort is self.cohorts[0] if person == "alice" else cohort is self.cohorts[1] and person == "bob"
        return visibility == "public" or person == "sam" or owner or (visibility == "signed_in" and bool(person))

    def matches(self, filters, person, pk):
        cohort, _, licence, said, public_id = self.facts[pk]
        ok = self.sees(person, pk)
        for name in ("diagnosis", "anatom_site"):
            levels = getattr(filters, name).split(":") if getattr(filters, name) else []
            ok &= all(said.get(f"{name}_{at}") == level for at, level in enumerate(levels, 1))
        for name in ("sex", "image_type", "fitzpatrick_skin_type", "diagnosis_confirm_type"):
            ok &= not getattr(filters, name) or said.get(name) == getattr(filters, name)
        age = said.get("age_approx")
        ok &= filters.age_from is None or (age is not None and age >= filters.age_from)
        ok &= filters.age_to is None or (age is not None and age <= filters.age_to)
        ok &= not filters.licence or licence == filters.licence
        if filters.cohort is not None:
            mine = person == "sam" or (person in {"alice", "bob"} and cohort.creator == self.people[person])
            ok &= cohort.pk == filters.cohort and mine
        if filters.words:
            lowered = filters.words.casefold()
            names = [said.get(f"diagnosis_{level}") or "" for level in range(1, 6)]
            texts = ["Clinic of Exampleton", said.get("sex") or "", said.get("image_type") or ""]
            if person == "sam" or (person in self.people and cohort.creator == self.people[person]):
                texts += [cohort.name, "folder/photo_1.jpg", "P1"]
            named = public_id.casefold().startswith(lowered) or any(lowered in name.casefold() for name in names)
            ok &= named or any(is_written(lowered, text) for text in texts)
        return ok


@pytest.fixture(scope="module")
def made_once(module_database):
    with module_database():
        return World(7)


@pytest.fixture
def world(made_once, db):
    return copy.deepcopy(made_once)


def some_filters(world):
    deep = max(DIAGNOSES, key=lambda path: path.count(":"))
    one = next(path for *_, said, _ in world.facts.values() if (path := said.get("diagnosis_2")))
    yield Filters()
    for path in ("Benign", "Malignant", "Indeterminate", deep, ":".join(deep.split(":")[:2])):
        yield Filters(diagnosis=path)
    yield Filters(sex="female")
    yield Filters(sex="male", image_type="dermoscopic", age_from=30, age_to=60)
    yield Filters(age_from=85)
    yield Filters(age_to=0)
    yield Filters(age_from=2**31 - 1)
    yield from (Filters(licence=licence) for licence in LICENCES)
    yield from (Filters(cohort=cohort.pk) for cohort in world.cohorts)
    yield Filters(cohort=10**9)
    yield from (
        Filters(words=words)
        for words in ("a", "e", "nevus", "NEVUS", "melanoma", "isic_9", one, "100%", "_", "no such")
    )


@pytest.mark.parametrize("person", [None, "alice", "bob", "sam"])
def test_filters_counts_and_facets_agree_with_plain_python(person, world):
    asker = world.people.get(person)
    for filters in some_filters(world):
        expected = {pk for pk in world.facts if world.matches(filters, person, pk)}
        assert set(find(filters, asker=asker).values_list("pk", flat=True)) == expected, filters
        assert count(filters, asker=asker) == len(expected), filters
        for field in ("sex", "diagnosis_1", "diagnosis_3", "image_type"):
            values = Counter(world.facts[pk][3].get(field) for pk in expected)
            values.pop(None, None)
            assert facet(filters, field, asker=asker) == dict(values), (filters, field)


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("limit", [1, 7, 100])
def test_pages_are_complete_and_the_same_there_and_back(limit, newest_first, world):
    asker = world.people["alice"]
    filters = Filters(sex="female")
    order = sorted(
        Image.objects.filter(pk__in=[pk for pk in world.facts if world.matches(filters, "alice", pk)]),
        key=lambda image: (image.created, image.pk),
        reverse=newest_first,
    )
    pages, cursor = [], None
    while True:
        page = find_page(filters, asker=asker, limit=limit, cursor=cursor, newest_first=newest_first)
        pages.append(page.images)
        if page.next is None:
            break
        cursor = decode_cursor(page.next.encode())
    assert [image for images in pages for image in images] == order
    back = [page.images]
    while page.previous is not None:
        cursor = decode_cursor(page.previous.encode())
        page = find_page(filters, asker=asker, limit=limit, cursor=cursor, newest_first=newest_first)
        back.append(page.images)
    assert back[::-1] == pages


def test_images_that_come_in_between_do_not_shift_the_pages(world):
    asker = world.people["sam"]
    first = find_page(Filters(), asker=asker, limit=10, newest_first=True)
    newcomer = make_images(world.cohorts[0], 1)[0]
    Image.objects.filter(pk=newcomer.pk).update(created=datetime(2030, 1, 1, tzinfo=UTC))
    second = find_page(Filters(), asker=asker, limit=10, cursor=first.next, newest_first=True)
    assert not set(first.images) & set(second.images)
    assert newcomer not in second.images


@pytest.mark.parametrize("field", ["age", "patient_id", "lesion_id", "accession", "", "sex'; DROP TABLE x"])
def test_what_is_private_is_not_counted_by(field, world):
    with pytest.raises(Invalid):
        facet(Filters(), field, asker=world.people["alice"])


def test_private_values_are_no_filters():
    assert read_filters({"age": "53", "patient_id": "P1", "name": "photo.jpg"}) == Filters()


def test_names_of_files_and_private_ids_are_not_found_by_strangers(world):
    name = Accession.objects.first().name
    for words in (name, "P1", "photo_"):
        assert count(Filters(words=words), asker=None) == 0


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"age_from": "9" * 30}, "age_from"),
        ({"age_to": "old"}, "age_to"),
        ({"cohort": "9" * 5000}, "cohort"),
        ({"words": "a\x00b"}, "words"),
        ({"words": "\ud800"}, "words"),
        ({"words": "w" * 1000}, "words"),
        ({"sex": "femal"}, "sex"),
        ({"licence": "GPL"}, "licence"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(given, field):
    with pytest.raises(Invalid) as refusal:
        read_filters(given)
    assert [problem.field for problem in refusal.value.problems] == [field]


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "\u00e4",
        "=" * 9,
        encoded(["2026-01-01", 1, False]),
        encoded(["2026-01-01T00:00:00", 1, False]),
        encoded(["2026-01-01T00:00:00+00:00", float("inf"), False]),
        encoded(["2026-01-01T00:00:00+00:00", 10**30, False]),
        encoded(["2026-01-01T00:00:00+00:00", "1", False]),
        encoded(["0001-01-01T00:00:00+14:00", 1, False]),
        encoded([None, 1, False]),
        encoded({"a": 1}),
        base64.urlsafe_b64encode(b"[" * 5000).decode(),
    ],
)
def test_a_cursor_that_is_none_is_refused(text):
    with pytest.raises(Invalid):
        decode_cursor(text)


def test_a_cursor_survives_an_address():
    cursor = Cursor(datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC), 42, backwards=True)
    assert decode_cursor(cursor.encode()) == cursor


def test_an_image_is_found_by_id_and_key_and_what_is_hidden_is_as_what_is_absent(world):
    public = visible_images(viewer_of(None)).first()
    assert (
        image_for(None, public.public_id) == image_for(None, public.key) == image_for(None, str(public.key)) == public
    )
    hidden = next(Image.objects.get(pk=pk) for pk, fact in world.facts.items() if fact[1] == "private")
    for ref in (hidden.key, "ISIC_0000000", "a\x00b", "\ud800", ""):
        with pytest.raises(NotFound):
            image_for(None, ref)
