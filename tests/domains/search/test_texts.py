"""Free words find what the asker may know of, and nobody learns by them what they may not read."""

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medtheca.domains.access.operations import add_member
from medtheca.domains.collections.operations import create_collection
from medtheca.domains.imaging.models import Image
from medtheca.domains.metadata.models import Description
from medtheca.domains.provenance.models import Accession
from medtheca.domains.search.models import Text
from medtheca.domains.search.queries import count_by_sql, find
from medtheca.domains.search.texts import mend_texts, texts_amiss
from medtheca.toolkit.querylang import Not, Words, parse
from medtheca.toolkit.querylang.words import says, words_in
from medtheca.workflows.finding import listings
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
WRITTEN = st.text(st.one_of(st.sampled_from("aB1é İßẞøŁΣςÄ-_.'\\\"%:&|!*()<>"), LETTERS), max_size=30)
SETTINGS = settings(
    max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class World:
    """Alice's clinic has a public image with a private name and a secret ward; Bob's clinic has one of his."""

    def __init__(self):
        self.alice, self.bob, self.vera = make_user("alice"), make_user("bob"), make_user("vera")
        self.sam = make_user("sam")
        self.cohort = make_cohort(self.alice, name="Moles of Exampleton", attribution="Käthe's Clinic")
        self.other = make_cohort(self.bob, name="Otherwise", attribution="Elsewhere")
        said = {"sex": "male", "diagnosis_1": "Benign", "patient_id": "PAT-77"}
        [self.image] = make_images(
            self.cohort, 1, names=["Erika_Mustermann_1961.jpg"], structured=said, visibility="public"
        )
        [self.his] = make_images(self.other, 1, names=["his.jpg"], visibility="public")
        self.accession = Accession.objects.get(image=self.image)
        Description.objects.filter(accession=self.accession).update(unstructured={"ward": "Sanatorium Süd"})
        add_member(scope=self.other.scope, user=self.vera, role="viewer")

    def finds(self, text, asker):
        """Whether the words find Alice's image, which everybody sees; and not both they and their contrary."""
        found = find(Words(text), asker=asker, listings=listings).filter(pk=self.image.pk).exists()
        contrary = find(Not(Words(text)), asker=asker, listings=listings).filter(pk=self.image.pk).exists()
        assert found is not contrary
        return found

    def who_finds(self, text):
        people = {"anybody": None, "alice": self.alice, "bob": self.bob, "vera": self.vera, "sam": self.sam}
        return {name for name, asker in people.items() if self.finds(text, asker)}


EVERYBODY = {"anybody", "alice", "bob", "vera", "sam"}


@pytest.fixture
def world(db):
    return World()


@pytest.mark.parametrize("text", ["Käthe", "KATHES clinic", "kathe s clin", "male", "benign", "ISIC_9"])
def test_what_everybody_may_read_everybody_finds(text, world):
    expected = set() if text == "KATHES clinic" else EVERYBODY
    assert world.who_finds(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("Erika", "mustermann 1961", "Erika_Mustermann_1961.jpg", "folder", "folder/erika"),
        *("PAT-77", "pat 7", "Sanatorium", "sanatorium sud", "Moles of Ex"),
    ],
)
def test_what_is_private_is_found_by_the_people_of_the_cohort_alone(text, world):
    """Bob owns another cohort and Vera looks at his: that does not help them with Alice's, whose image they see."""
    assert world.who_finds(text) == {"alice", "sam"}


def test_a_text_follows_its_image_to_another_cohort(world):
    Accession.objects.filter(pk=world.accession.pk).update(cohort=world.other)
    assert world.who_finds("mustermann") == {"bob", "vera", "sam"}


def test_somebody_who_is_disabled_finds_what_anybody_finds(world):
    world.alice.is_active = False
    assert not world.finds("mustermann", world.alice)
    assert world.finds("kathe", world.alice)


def test_names_of_collections_are_found_by_those_who_see_them(world):
    collection = create_collection(creator=world.bob, name="Rarities", description="Nobody searches here", public=False)
    connection.cursor().execute(
        "INSERT INTO access_placement (image_id, scope_id) VALUES (%s, %s)", [world.image.pk, collection.listing_id]
    )
    assert world.who_finds("rarit") == {"bob", "sam"}
    type(collection).objects.filter(pk=collection.pk).update(public=True)
    assert world.who_finds("rarit") == EVERYBODY
    assert world.who_finds("searches") == set()


def test_words_are_kept_current_with_every_statement(world):
    pk = world.accession.pk
    changes = [
        (lambda: Accession.objects.filter(pk=pk).update(name="other.png"), "other png", True),
        (lambda: Accession.objects.filter(pk=pk).update(original_path=""), "folder", False),
        (lambda: Accession.objects.filter(pk=pk).update(attribution="Nobody"), "kathe", False),
        (lambda: Description.objects.filter(pk=pk).update(unstructured={"ward": "Nord"}), "sanatorium", False),
        (lambda: Description.objects.filter(pk=pk).update(structured={"sex": "male"}), "PAT-77", False),
        (lambda: Description.objects.filter(pk=pk).delete(), "nord", False),
        (lambda: Image.objects.filter(pk=world.image.pk).update(facts={"manufacturer": "Acme"}), "acme", True),
        (
            lambda: Accession.objects.filter(pk=pk).update(image=None, state="refused", original=None, published=None),
            "acme",
            True,
        ),
        (lambda: Accession.objects.filter(pk=pk).delete(), "acme", True),
    ]
    for change, text, expected in changes:
        change()
        assert world.finds(text, world.sam) is expected
        assert texts_amiss() == []
    Image.objects.filter(pk=world.image.pk).delete()
    assert not Text.objects.filter(key__in=[pk, world.image.pk], source__in=["image", "accession"]).exists()


def test_steps_of_a_review_write_no_words(world):
    with connection.cursor() as cursor:
        cursor.execute("SELECT xmin::text FROM search_text WHERE source = 'accession'")
        before = cursor.fetchall()
        Accession.objects.update(review_state="accepted")
        cursor.execute("SELECT xmin::text FROM search_text WHERE source = 'accession'")
        assert cursor.fetchall() == before


def test_a_text_of_any_length_can_be_written_and_its_beginning_found(world):
    Description.objects.filter(accession=world.accession).update(
        unstructured={"long": "x" * 50_000, "many": " ".join(f"w{n}" for n in range(40_000))}
    )
    assert world.finds("w17", world.alice)
    assert not world.finds("w39999", world.alice)
    assert texts_amiss() == []


def test_planted_words_are_found_and_mended(world):
    Text.objects.filter(source="description").update(kept="")
    Text.objects.filter(source="accession", key=world.accession.pk).delete()
    Text.objects.create(source="image", key=world.image.pk, shown="", kept="")
    assert texts_amiss() == [f"accession {world.accession.pk}", f"description {world.accession.pk}"]
    assert mend_texts()
    assert texts_amiss() == []
    assert not mend_texts()
    assert world.finds("sanatorium", world.alice)


@SETTINGS
@given(texts=st.lists(WRITTEN, max_size=3))
def test_the_database_reads_words_as_python_does(texts, db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT search_words(%s::text[])::text", [texts])
        written = cursor.fetchone()[0]
    expected, place = {}, 0
    for text in texts:
        for word in words_in(text):
            place += 1
            expected.setdefault(word, []).append(place)
    read = {}
    for part in written.split():
        word, _, places = part.rpartition(":")
        read[word.strip("'")] = len(places.split(","))
    assert read == {word: len(places) for word, places in expected.items()}


@SETTINGS
@given(text=WRITTEN, wanted=st.one_of(WRITTEN, st.just("")), data=st.data())
def test_phrases_are_found_as_python_finds_them(text, wanted, data, db):
    words = words_in(text)
    if words and data.draw(st.booleans()):
        start = data.draw(st.integers(0, len(words) - 1))
        wanted = " ".join(words[start : start + 3])[: data.draw(st.integers(1, 20))]
    asked = words_in(wanted)
    if not asked:
        assert not says(text, asked)
        return
    query = " <-> ".join(f"'{word}'" for word in asked) + ":*"
    with connection.cursor() as cursor:
        cursor.execute("SELECT search_words(ARRAY[%s]::text[]) @@ %s::tsquery", [text, query])
        assert cursor.fetchone()[0] is says(text, asked)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda: Accession.objects.update(attribution=""), {"accession"}),
        (lambda: Description.objects.update(structured={"sex": "male"}), {"accession"}),
        (lambda: Description.objects.update(structured={"lesion_id": "L 1"}), {"accession", "description"}),
        (lambda: Description.objects.update(structured={}, unstructured={"ward": ""}), {"accession"}),
        (lambda: Description.objects.update(unstructured={"ward": "3"}), {"accession", "description"}),
        (lambda: Image.objects.update(facts={"modality": "CT"}), {"accession"}),
        (lambda: Image.objects.update(facts={"modality": "CT", "model": "Round"}), {"accession", "image"}),
    ],
)
def test_words_made_anew_are_the_words_that_were_kept(change, expected, db):
    """Where a row has no words, none are made; a filling says what triggers said."""
    make_images(make_cohort(make_user("alice"), attribution="Clinic"), 3, structured={})
    change()
    kept = _rows_with_words()
    assert {row[0] for row in kept} == expected
    Text.objects.filter(source="accession").delete()
    assert mend_texts()
    assert _rows_with_words() == kept
    assert Text.objects.count() == len(kept)


def _rows_with_words():
    return {row for row in Text.objects.values_list("source", "key", "shown", "kept") if row[2] or row[3]}


def test_words_of_two_texts_are_no_phrase(world):
    with transaction.atomic():
        Image.objects.filter(pk=world.image.pk).update(facts={"manufacturer": "Acme Corp", "model": "Scanner 3"})
    assert world.finds("acme corp", None)
    assert not world.finds("corp scanner", None)
    assert count_by_sql(parse('"scanner 3"'), asker=None, listings=listings) == 1
