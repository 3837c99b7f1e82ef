"""Saved searches on pages: the menu of the gallery, and the list of the account."""

from html import unescape
from urllib.parse import urlencode

import pytest

from medtheca.domains.search.models import SavedSearch
from medtheca.domains.search.operations import save_search
from medtheca.workflows.leaving import preview_deletion, request_deletion
from medtheca.workflows.personal_data import export_of
from tests.factories.images import make_images

pytestmark = pytest.mark.django_db


def words_on(page):
    return unescape(page.content.decode())


def test_filters_and_query_are_saved_together_and_open_again(as_alice, alice, cohort):
    make_images(cohort, 2, visibility="public", structured={"sex": "male", "age_approx": 40})
    page = words_on(as_alice.get("/gallery/?q=age_approx:40&sex=male&sort=oldest"))
    assert "Save this search as" in page
    address = "/gallery/save/?" + urlencode({"q": "age_approx:40 AND sex:male", "sort": "oldest"})
    answer = as_alice.post(address, {"name": "Men of 40"})
    assert answer.status_code == 302, answer.content
    page = words_on(as_alice.get(answer.url))
    assert "2 images" in page
    assert "Men of 40" in page
    assert "Save this search as" not in page  # it is saved
    kept = SavedSearch.objects.get()
    assert (kept.user, kept.query, kept.oldest_first) == (alice, "age_approx:40 AND sex:male", True)
    assert answer.url in words_on(as_alice.get("/account/searches/"))


def test_nobody_in_particular_has_no_menu(nobody, cohort):
    make_images(cohort, 1, visibility="public")
    assert "Save this search" not in words_on(nobody.get("/gallery/?q=sex:male"))
    assert nobody.get("/account/searches/").url.startswith("/accounts/login/")


def test_a_refused_name_keeps_what_was_typed(as_alice, alice):
    save_search(user=alice, name="Nevi", query="nevus")
    answer = as_alice.post("/gallery/save/?q=sex:male", {"name": "nevi"})
    assert answer.status_code == 200
    assert "is called nevi already" in words_on(answer)
    assert 'value="nevi"' in words_on(answer)
    assert "There is nothing to save" in words_on(as_alice.post("/gallery/save/", {"name": "All"}))


def test_one_is_renamed_and_deleted_and_anothers_is_not_there(as_alice, as_charlie, alice):
    kept = save_search(user=alice, name="Nevi", query="nevus")
    one = f"/account/searches/{kept.pk}/"
    assert as_alice.post(one, {"name": "All nevi"}).url == "/account/searches/"
    assert "All nevi" in words_on(as_alice.get("/account/searches/"))
    for answer in (as_charlie.get(one), as_charlie.post(f"{one}delete/")):
        assert answer.status_code == 404
    assert as_alice.post(f"{one}delete/").url == "/account/searches/"
    assert not SavedSearch.objects.exists()


def test_a_query_that_cannot_be_read_any_more_says_why_and_can_be_mended(as_alice, alice):
    kept = SavedSearch.objects.create(user=alice, name="Old", query="gone_field:male")
    page = words_on(as_alice.get("/account/searches/"))
    assert "It cannot be read any more. Column 1" in page
    assert "gone_field:male" in page
    opened = as_alice.get("/gallery/?q=gone_field:male")
    assert opened.status_code == 400
    assert 'value="gone_field:male"' in words_on(opened)
    assert SavedSearch.objects.filter(pk=kept.pk).exists()


def test_they_are_in_what_a_person_takes_away_and_go_with_the_account(alice):
    import io
    import zipfile

    from medtheca.domains.accounts.models import AccountDeletion
    from medtheca.workflows.leaving import delete_due_accounts

    save_search(user=alice, name="Nevi", query="diagnosis:Nevus")
    with zipfile.ZipFile(io.BytesIO(export_of(alice))) as archive:
        assert "diagnosis:Nevus" in archive.read("references.json").decode()
    assert preview_deletion(user=alice).saved_searches == 1
    request_deletion(user=alice)
    AccountDeletion.objects.update(due="2020-01-01T00:00:00Z")
    assert delete_due_accounts() == 1
    assert not SavedSearch.objects.exists()
