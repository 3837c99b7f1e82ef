"""Contributors and cohorts."""

import pytest

from medtheca.domains.provenance.models import Cohort, Contributor
from tests.factories.images import make_delivery, make_images
from tests.factories.provenance import make_cohort
from tests.interfaces.conftest import browser_of, person

pytestmark = pytest.mark.django_db


def words(answer):
    return answer.content.decode()


def test_charlie_makes_a_contributor_and_a_cohort_of_it(as_charlie):
    first = as_charlie.get("/cohorts/new/", follow=True)
    assert first.redirect_chain[-1][0] == "/contributors/new/"
    answer = as_charlie.post(
        "/contributors/new/",
        {"institution_name": "Clinic of Sampletown", "default_licence": "CC0-1.0", "default_attribution": "Sampletown"},
        follow=True,
    )
    assert 'value="Sampletown"' in words(answer)
    contributor = Contributor.objects.get()
    answer = as_charlie.post(
        "/cohorts/new/",
        {"contributor": contributor.pk, "name": "Spring", "licence": "CC0-1.0", "attribution": "Sampletown"},
        follow=True,
    )
    assert "No images in this cohort yet" in words(answer)
    assert Cohort.objects.get().contributor == contributor


def test_a_cohort_that_cannot_be_made_keeps_what_was_typed(as_alice, cohort):
    given = {
        "contributor": cohort.contributor_id,
        "name": cohort.name,
        "licence": "CC0-1.0",
        "attribution": "Us & them",
    }
    answer = as_alice.post("/cohorts/new/", given)
    assert "has a cohort named Clinic 2026 already" in words(answer)
    assert "Us &amp; them" in words(answer)
    assert Cohort.objects.count() == 1


def test_nobody_makes_a_cohort_of_anothers_contributor(as_charlie, cohort):
    as_charlie.post("/contributors/new/", {"institution_name": "Charlie's"})
    given = {"contributor": cohort.contributor_id, "name": "Mine", "licence": "CC0-1.0", "attribution": "Me"}
    answer = as_charlie.post("/cohorts/new/", given)
    assert answer.status_code == 200
    assert "Select a valid choice" in words(answer)
    assert Cohort.objects.count() == 1


def test_each_person_lists_their_own_cohorts_and_staff_all(as_alice, as_charlie, as_sam, cohort):
    make_images(cohort, 3)
    make_images(cohort, 2, visibility="public")
    row = '<td data-label="Images" class="number">5</td><td data-label="Published" class="number">2</td>'
    assert row in words(as_alice.get("/cohorts/"))
    assert row in words(as_sam.get("/cohorts/"))
    assert cohort.name not in words(as_charlie.get("/cohorts/"))


def test_the_list_of_cohorts_takes_as_many_queries_for_fifty_as_for_one(
    as_alice, alice, cohort, django_assert_max_num_queries
):
    for number in range(30):
        make_images(make_cohort(alice, name=f"Cohort {number}"), 1)
    as_alice.get("/guide/")  # The first request of a session writes it down.
    with django_assert_max_num_queries(8):
        as_alice.get("/cohorts/")


def test_a_cohorts_page_counts_what_it_shows(as_alice, cohort, django_assert_max_num_queries):
    make_images(cohort, 4)
    make_images(cohort, 3, visibility="public")
    make_delivery(cohort, [{"path": "x.txt", "outcome": "refused"}])
    as_alice.get("/guide/")
    with django_assert_max_num_queries(19):
        text = words(as_alice.get(f"/cohorts/{cohort.pk}/"))
    assert "7 images · 3 published · 4 not published" in text
    assert text.count('class="tile"') == 7
    assert "1 refused" in text


def test_the_empty_csv_has_every_column(nobody):
    answer = nobody.get("/metadata-template.csv")
    assert answer["Content-Type"].startswith("text/csv")
    assert b"filename,age,sex" in answer.content


def test_a_viewer_of_a_cohort_looks_and_changes_nothing(cohort, quick_passwords):
    from medtheca.domains.access.enums import Role
    from medtheca.domains.access.operations import add_member

    bob = person("bob")
    add_member(scope=cohort.scope, user=bob, role=Role.VIEWER)
    client = browser_of(bob)
    text = words(client.get(f"/cohorts/{cohort.pk}/"))
    assert cohort.name in text
    assert "Upload images" not in text
    assert client.get(f"/cohorts/{cohort.pk}/publish/").status_code == 403
    assert client.get(f"/cohorts/{cohort.pk}/metadata/").status_code == 403
    assert cohort.name not in words(client.get("/upload/"))
