"""The gallery over the whole query language: errors where they are, several values beside each other, completion."""

import json
import re
import time
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.urls import reverse

from medtheca.interfaces.web.completing import place_in
from medtheca.toolkit.querylang import parse
from tests.factories.collections import make_collection
from tests.factories.images import make_images
from tests.interfaces.web.test_gallery import MELANOMA, NEVUS, ids_on, option

pytestmark = pytest.mark.django_db


def ask(client, query, **more):
    return client.get(f"/gallery/?{urlencode({'q': query, **more})}")


def query_of(address):
    return parse_qs(urlsplit(address).query).get("q", [""])[0]


@pytest.fixture
def skin(cohort):
    """Five public nevi of women, three public melanomas of men, and two private nevi."""
    make_images(cohort, 5, visibility="public", structured=NEVUS)
    make_images(cohort, 3, visibility="public", structured=MELANOMA)
    make_images(cohort, 2, structured={**NEVUS, "sex": "male"})


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("diagnosis:Nevus", 5),
        ("sex:(male OR female)", 8),
        ("-sex:male", 5),
        ("NOT (diagnosis:Nevus OR age_approx:>=70)", 0),
        ("age_approx:{40 TO 70]", 3),
        ("nevus license:CC-BY", 5),
        ("image_type:dermo*", 5),
        ("*", 8),
    ],
)
def test_the_box_takes_the_whole_language(nobody, skin, query, number):
    page = ask(nobody, query)
    assert len(ids_on(page)) == number
    assert f"{number} image" in page.content.decode()
    assert f'name="q" value="{query.replace(">", "&gt;")}"' in page.content.decode()


def test_a_query_that_is_none_comes_back_with_the_place_and_what_may_have_been_meant(nobody, skin):
    page = ask(nobody, "nevus sexx:male", sort="oldest")
    text = page.content.decode()
    assert page.status_code == 400
    assert 'name="q" value="nevus sexx:male"' in text
    assert 'name="sort" value="oldest"' in text
    assert "Column 7: There is no field sexx." in text
    assert "Expected: the name of a field." in text
    assert "nevus <mark>sexx</mark>:male" in text
    instead = unescape(re.search(r'Did you mean <a class="text-link" href="([^"]+)"', text)[1])
    assert query_of(instead) == "nevus sex:male"
    assert nobody.get(instead).status_code == 200


@pytest.mark.parametrize(
    "query", ["(sex:male", '"open', "sex:", "age_approx:old", "<b>:1", "x" * 9000, "diagnosis:Nevis"]
)
def test_nothing_typed_is_lost_or_run(nobody, query):
    page = ask(nobody, query)
    assert page.status_code == 400
    box = re.search(r'class="query-text" type="search" name="q" value="([^"]*)"', page.content.decode())[1]
    assert unescape(box) == query
    assert "<b>:1" not in page.content.decode()


def test_values_of_one_filter_are_chosen_beside_each_other_and_taken_out_again(nobody, skin):
    page = ask(nobody, "sex:female")
    address, counted = option(page, "male")
    assert counted == 3
    both = nobody.get(address)
    assert parse(query_of(address)) == parse("sex:(female OR male)")
    assert len(ids_on(both)) == 8
    assert "Sex: female or male" in both.content.decode()
    assert query_of(option(both, "female")[0]) == "sex:male"


def test_branches_of_a_tree_are_chosen_beside_each_other(nobody, skin):
    page = ask(nobody, "diagnosis:Nevus")
    address, counted = option(page, "Malignant")
    assert counted == 3
    both = nobody.get(address)
    assert len(ids_on(both)) == 8
    assert option(both, "Nevus")[1] == 5
    assert option(both, "Malignant melanocytic proliferations (Melanoma)")[1] == 3
    # A branch takes the place of what was chosen in it.
    assert query_of(option(ask(nobody, "diagnosis:Nevus"), "Benign")[0]) == "diagnosis:Benign"


def test_what_else_was_written_stays_when_a_filter_is_chosen(nobody, skin):
    page = ask(nobody, "(nevus OR melanoma) -age_approx:20 sex:female")
    address, _ = option(page, "male")
    assert parse(query_of(address)) == parse("(nevus OR melanoma) -age_approx:20 (sex:female OR sex:male)")


def test_the_counts_of_a_filter_are_what_its_options_find(nobody, as_alice, skin):
    for client in (nobody, as_alice):
        page = ask(client, "sex:male")
        for label in ("female", "Benign", "Malignant", "CC-BY-4.0"):
            found = option(page, label)
            if found and label != "female":
                assert len(ids_on(client.get(found[0]))) == found[1], label
        assert option(page, "female")[1] == 5
    assert option(ask(nobody, "sex:male"), "Benign") is None
    assert option(ask(as_alice, "sex:male"), "Benign")[1] == 2


def test_bars_tell_ages_and_the_fields_keep_what_else_was_asked(nobody, skin):
    page = ask(nobody, "age_approx:>=60 sex:male").content.decode()
    assert "<title>70: 3 images</title>" in page
    assert "<title>40: 0 images</title>" in page
    assert "Age: 60 and above" in page
    form = re.search(r'<form(?:(?!</form>).)*name="age_from".*?</form>', page, re.DOTALL)[0]
    assert '<input type="hidden" name="q" value="sex:male">' in form
    assert 'name="age_from" value="60"' in form
    # The form's own names join the query.
    found = ask(nobody, "sex:male", age_from="", age_to="69")
    assert ids_on(found) == []
    assert 'name="q" value="sex:male AND age_approx:[* TO 69]"' in found.content.decode()


def test_older_addresses_mean_what_they_meant(nobody, skin):
    page = nobody.get("/gallery/?sex=male&q=melanoma&age_from=50&licence=CC-BY-4.0")
    assert len(ids_on(page)) == 3
    text = page.content.decode()
    shown = unescape(re.search(r'class="query-text" type="search" name="q" value="([^"]*)"', text)[1])
    assert parse(shown) == parse("melanoma sex:male license:CC-BY age_approx:>=50")


def test_a_collection_is_found_by_who_sees_it(nobody, as_alice, alice, cohort):
    images = make_images(cohort, 3, visibility="public")
    private = make_collection(alice, images[:2], name="Moles")
    assert len(ids_on(ask(as_alice, "collection:Moles"))) == 2
    assert ids_on(ask(nobody, "collection:Moles")) == []
    mine = ask(as_alice, f"collection:{private.pk}").content.decode()
    assert "Collection: Moles" in mine
    assert "Moles" not in ask(nobody, f"collection:{private.pk}").content.decode()


def test_zero_results_count_what_each_part_costs(nobody, skin):
    page = ask(nobody, "sex:female age_approx:70").content.decode()
    assert "Sex: female: 3 images without it" in page
    assert "Age: 70: 5 images without it" in page


def test_the_next_tiles_come_alone_and_lead_on_to_whole_pages(nobody, cohort):
    make_images(cohort, 130, visibility="public")
    page = nobody.get("/gallery/")
    following = unescape(re.search(r'rel="next" href="([^"]+)"', page.content.decode())[1])
    part = nobody.get(f"{following}&part=tiles")
    assert "<html" not in part.content.decode()
    assert ids_on(part) == ids_on(nobody.get(following))
    assert "part=" not in re.search(r'rel="next" href="([^"]+)"', part.content.decode())[1]


def test_neighbours_of_an_image_are_those_of_the_query(nobody, skin):
    first, second = ids_on(ask(nobody, "diagnosis:Nevus"))[:2]
    page = nobody.get(f"/images/{first}/?{urlencode({'q': 'diagnosis:Nevus'})}").content.decode()
    assert f"/images/{second}/?q=diagnosis%3ANevus" in page


def test_a_search_is_copied_as_query_call_command_and_program(nobody, skin):
    text = unescape(ask(nobody, 'image_type:"dermoscopic" sex:female').content.decode())
    assert "/api/v2/images/search/?query=image_type%3A%22dermoscopic%22+sex%3Afemale" in text
    assert """isic image download --search 'image_type:"dermoscopic" sex:female' images""" in text
    program = re.search(r'<pre class="copy-text" tabindex="0" aria-label="pandas">(.*?)</pre>', text, re.DOTALL)[1]
    compile(program, "copied", "exec")


def complete(client, text, at=None):
    return json.loads(
        client.get(f"/gallery/complete/?{urlencode({'q': text, **({'at': at} if at is not None else {})})}").content
    )


def test_fields_and_values_are_completed_with_what_the_asker_sees(nobody, as_alice, as_charlie, skin):
    fields = complete(nobody, "nevus diag")
    assert fields["start"] == 6
    assert fields["items"][0]["text"] == "diagnosis:"
    for client, number in ((nobody, 5), (as_charlie, 5), (as_alice, 7)):
        [nevus] = [one for one in complete(client, "diagnosis:nev")["items"] if one["label"] == "Nevus"]
        assert (nevus["text"], nevus["number"]) == ("Nevus", number)
    assert complete(nobody, "sex:(male OR fe")["items"][0]["text"] == "female"
    assert complete(nobody, 'diagnosis:"benign mel')["items"][0]["text"] == '"Benign melanocytic proliferations"'
    assert complete(nobody, "sex:ma -nevus", at=6)["items"][0]["text"] == "male"


def test_cohorts_and_collections_of_others_are_not_completed(nobody, as_alice, as_charlie, alice, cohort):
    make_collection(alice, make_images(cohort, 1), name="Secret moles")
    assert [one["text"] for one in complete(as_alice, "collection:secret")["items"]] == ['"Secret moles"']
    for stranger in (nobody, as_charlie):
        assert complete(stranger, "collection:secret")["items"] == []
        assert complete(stranger, f"cohort:{cohort.name[:4]}")["items"] == []


@pytest.mark.parametrize("text", ["", "(", "nothing:x", '"an open phrase', "sex:male ", "\ud7ff"])
def test_odd_texts_are_completed_by_nothing(nobody, text):
    assert complete(nobody, text)["items"] == []
    for odd in ("q=sex:&at=-1", "q=%00&at=9", "q=sex:%00", "q=" + "x:(" * 9000):
        assert nobody.get(f"/gallery/complete/?{odd}").status_code in {200, 400}


def test_a_long_text_without_an_end_is_soon_looked_at():
    began = time.perf_counter()
    for text in ("a:(" * 2700, "a:(" + "b " * 4000, "a" * 8192, "a:(" + chr(34) + "b" * 8000):
        place_in(text)
    assert time.perf_counter() - began < 2


def test_chosen_images_are_added_together(as_alice, as_charlie, alice, cohort):
    images = make_images(cohort, 3, visibility="public")
    collection = make_collection(alice, [], name="Moles")
    refs = [("image", image.public_id) for image in images]
    page = as_alice.get(f"/collections/add/?{urlencode(refs)}")
    assert "the 3 images that were chosen" in page.content.decode()
    done = as_alice.post(f"/collections/add/?{urlencode(refs)}", {"collection": collection.pk}, follow=True)
    assert "3 images are new in Moles; 0 were in it already." in done.content.decode()
    [hidden] = make_images(cohort, 1)
    refs = [("image", images[0].public_id), ("image", str(hidden.key))]
    own = as_charlie.post(f"/collections/add/?{urlencode(refs)}", {"collection": "new", "name": "Mine"})
    assert f"There is no image {hidden.key}." in own.content.decode()
    assert "Mine" not in as_charlie.get("/collections/?view=mine").content.decode()


def test_everybody_may_download_what_they_choose_and_who_is_known_add_it(nobody, as_alice, cohort):
    [image] = make_images(cohort, 1, visibility="public")
    pages = {client: client.get("/gallery/").content.decode() for client in (nobody, as_alice)}
    for page in pages.values():
        assert f'name="image" value="{image.public_id}"' in page
        assert f'class="selection" action="{reverse("download_new")}"' in page
    assert reverse("collection_add") in pages[as_alice]
    assert reverse("collection_add") not in pages[nobody]
