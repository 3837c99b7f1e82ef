"""Archives: made, described, found by those who may know of them."""

import pytest

from medtheca.base.errors import Invalid, NotAllowed, NotFound
from medtheca.domains.access.enums import Role
from medtheca.domains.archives.access import (
    findable_archives,
    inside_archives,
    listed_archives,
    may_edit,
    may_see_items,
    may_take_away,
    may_upload,
    role_in,
)
from medtheca.domains.archives.operations import change_archive, create_archive
from medtheca.domains.archives.queries import archive_of_slug
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return {name: make_user(name) for name in ("alice", "ed", "una", "vic", "olaf", "mallory", "sam")}


@pytest.fixture
def archive(people):
    return make_archive(
        people["alice"],
        editors=[people["ed"]],
        uploaders=[people["una"]],
        users=[people["vic"]],
        onlookers=[people["olaf"]],
    )


def test_it_belongs_to_a_contributor_and_has_a_cohort_of_its_own(archive, people):
    assert archive.cohort.contributor == archive.contributor
    assert archive.cohort.archive_id == archive.scope_id
    assert (archive.slug, role_in(people["alice"], archive)) == ("chest-ct", Role.EDITOR)


def test_addresses_are_made_of_titles_and_differ(people):
    titles = ["Chest CT", "Chest  CT!", "Cœur & Lungen Größe", "胸部"]
    slugs = [make_archive(people["alice"], title=title).slug for title in titles]
    assert slugs == ["chest-ct", "chest-ct-2", "cur-lungen-groe", "archive"]


ROLES = [
    # who, sees items, uploads, edits, takes away
    (None, False, False, False, False),
    ("mallory", False, False, False, False),
    ("olaf", True, False, False, False),
    ("vic", True, False, False, True),
    ("una", True, True, False, True),
    ("ed", True, True, True, True),
    ("sam", True, True, True, True),
]


@pytest.mark.parametrize("row", ROLES, ids=lambda row: row[0] or "anybody")
def test_what_each_role_may(archive, people, row):
    asker = people.get(row[0])
    may = [ask(asker, archive) for ask in (may_see_items, may_upload, may_edit, may_take_away)]
    assert tuple(may) == row[1:]
    assert (archive in inside_archives(asker)) == may[0]


@pytest.mark.parametrize(
    ("said", "listed", "found"),
    [({"public": True}, True, True), ({"public": False}, False, True), ({"hidden": True}, False, False)],
)
def test_who_finds_it(archive, people, said, listed, found):
    change_archive(archive=archive, actor=people["ed"], **said)
    mallory = people["mallory"]
    assert (archive in listed_archives(mallory), archive in findable_archives(mallory)) == (listed, found)
    assert archive in listed_archives(people["olaf"])
    assert (archive in listed_archives(None), archive in findable_archives(None)) == (listed, listed)
    if found:
        assert archive_of_slug(mallory, "chest-ct") == archive
    else:
        with pytest.raises(NotFound):
            archive_of_slug(mallory, "chest-ct")


def test_only_editors_settle_it_and_others_learn_no_more_than_they_see(archive, people):
    with pytest.raises(NotAllowed):
        change_archive(archive=archive, actor=people["una"], title="Mine")
    change_archive(archive=archive, actor=people["ed"], hidden=True)
    with pytest.raises(NotFound):
        change_archive(archive=archive, actor=people["mallory"], title="Mine")


def test_only_owners_of_a_contributor_make_an_archive_of_it(people):
    contributor = make_cohort(people["alice"]).contributor
    with pytest.raises(NotAllowed):
        create_archive(creator=people["mallory"], contributor=contributor, title="Mine")


def test_a_new_data_use_text_is_a_new_version(archive, people):
    def write(terms):
        return change_archive(archive=archive, actor=people["ed"], terms=terms).terms_version

    # What was empty could not be accepted, so the first text is no second version.
    assert [write("For research only."), write("For research only."), write("For research and teaching.")] == [1, 1, 2]
    assert [write(""), write("For research only.")] == [3, 3]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "a\nb"}, "title"),
        ({"licence": "MIT"}, "licence"),
        ({"publications": ["not a doi"]}, "publications"),
        ({"keywords": ["x" * 61]}, "keywords"),
        ({"access_requests": "perhaps"}, "access_requests"),
        ({"contact_email": "nobody"}, "contact_email"),
        ({"public": True, "hidden": True}, "hidden"),
        ({"request_form": [{"name": "Why?", "label": "Why?"}]}, "request_form"),
        ({"request_form": [{"name": "why", "label": "Why?"}, {"name": "why", "label": "Why?"}]}, "request_form"),
        ({"slug": "mine"}, "slug"),
    ],
)
def test_what_cannot_be_said_is_named(archive, people, said, field):
    with pytest.raises(Invalid) as refused:
        change_archive(archive=archive, actor=people["ed"], **said)
    assert [problem.field for problem in refused.value.problems] == [field]


def test_words_are_kept_as_they_are_meant(archive, people):
    changed = change_archive(
        archive=archive,
        actor=people["ed"],
        publications=["https://doi.org/10.1000/182", "doi: 10.1000/182", "10.1038/s41591-018-0107-6"],
        keywords=["Lung", "lung ", ""],
    )
    assert changed.publications == ["10.1000/182", "10.1038/s41591-018-0107-6"]
    assert changed.keywords == ["Lung"]
