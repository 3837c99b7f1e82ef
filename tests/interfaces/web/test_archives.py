"""Pages of archives: the list, and what one says of itself."""

import pytest
from django.test import Client

from medtheca.domains.archives.fields import questions_of
from medtheca.domains.archives.items import create_item
from medtheca.domains.archives.models import Archive
from medtheca.domains.provenance.models import Contributor
from tests.factories.accounts import make_user
from tests.factories.archives import make_archive

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_user("alice")


def get(address, user=None, **options):
    client = Client()
    if user:
        client.force_login(user)
    return client.get(address, **options)


def test_the_list_is_narrowed_by_words_and_by_what_archives_hold(alice):
    make_archive(alice, title="Chest CT", public=True, modalities=["CT"], keywords=["lung"], description="Of adults.")
    make_archive(alice, title="Fundus", public=True, modalities=["Fundus photography"], structures=["Retina"])
    make_archive(alice, title="Own")
    for query, expected in (
        ("", {"Chest CT", "Fundus"}),
        ("?q=adults", {"Chest CT"}),
        ("?q=lung+chest", {"Chest CT"}),
        ("?modality=CT", {"Chest CT"}),
        ("?structure=Retina", {"Fundus"}),
        ("?structure=Retina&modality=CT", set()),
        ("?keyword=lung", {"Chest CT"}),
        ("?view=mine", {"Chest CT", "Fundus"}),
    ):
        page = get(f"/archives/{query}")
        assert {one["title"] for one in page.context["archives"]} == expected, query
    page = get("/archives/?view=mine", alice)
    assert {one["title"] for one in page.context["archives"]} == {"Chest CT", "Fundus", "Own"}


def test_the_empty_list_teaches(alice):
    page = get("/archives/").content.decode()
    assert "An archive is a set of items" in page
    assert "medtheca archive create" in page


def test_counts_are_of_what_is_seen(alice):
    make_archive(alice, title="Open", public=True)
    assert get("/archives/", alice).context["archives"][0]["items"] == 0
    assert get("/archives/").context["archives"][0]["items"] is None


def test_a_licence_is_said_though_none_was_chosen(alice):
    archive = make_archive(alice, public=True)
    assert archive.licence == ""
    page = get(f"/archives/{archive.slug}/").content.decode()
    assert "CC BY-NC" in page
    assert "for what is uploaded" in page


def test_who_finds_which_page(alice):
    bob = make_user("bob")
    public = make_archive(alice, title="Public", public=True)
    private = make_archive(alice, title="Private", description="For us alone.")
    hidden = make_archive(alice, title="Hidden", hidden=True)
    statuses = {
        name: [get(f"/archives/{one.slug}/", user).status_code for one in (public, private, hidden)]
        for name, user in (("nobody", None), ("bob", bob), ("alice", alice))
    }
    assert statuses == {"nobody": [200, 404, 404], "bob": [200, 200, 404], "alice": [200, 200, 200]}
    assert "For us alone." not in get(f"/archives/{private.slug}/", bob).content.decode()
    assert "For us alone." in get(f"/archives/{private.slug}/", alice).content.decode()


def test_what_it_says_is_markdown_that_cannot_run(alice):
    said = "## Methods\n\nSee [here](javascript:alert(1)) <script>alert(2)</script>\n\n- one"
    archive = make_archive(
        alice, public=True, information=said, citation="Roe 2026 <b>", publications=["10.1000/182"], licence="CC-BY-4.0"
    )
    page = get(f"/archives/{archive.slug}/").content.decode()
    assert "<h3" in page
    assert "<script>alert" not in page
    assert 'href="javascript' not in page
    assert "Roe 2026 &lt;b&gt;" in page
    assert 'href="https://doi.org/10.1000/182"' in page


def test_no_archive_is_called_as_a_page_is(alice):
    assert make_archive(alice, title="New").slug == "new-2"


def test_pictures_of_elsewhere_are_not_fetched(alice):
    archive = make_archive(alice, public=True, information="![x](https://elsewhere.example/a.png)")
    assert "<img src=" not in get(f"/archives/{archive.slug}/").content.decode().replace('class="', "")


SAID = {
    "title": "Chest CT",
    "description": "Of adults.",
    "information": "# Methods",
    "modalities": "CT\nCT\n",
    "publications": "https://doi.org/10.1000/182",
    "licence": "CC-BY-4.0",
    "shown": "public",
    "access_requests": "accept_all",
    "request_form": "What for? *\nWhere do you work?",
    "terms": "Be kind.",
}


def post(address, data, user):
    client = Client()
    client.force_login(user)
    return client.post(address, data)


def test_an_archive_is_made_with_a_contributor_on_the_spot(alice):
    form = get("/archives/new/", alice).context["form"]
    assert [value for value, _ in form.fields["contributor"].choices] == ["new"]
    answer = post("/archives/new/", SAID | {"contributor": "new", "contributor_name": "Clinic"}, alice)
    assert answer.status_code == 302, answer.context["form"].errors
    made = Archive.objects.get()
    assert (made.contributor.institution_name, made.modalities, made.publications) == (
        "Clinic",
        ["CT"],
        ["10.1000/182"],
    )
    assert (made.public, made.hidden, made.downloads, made.access_requests) == (True, False, False, "accept_all")
    assert made.request_form == [
        {"name": "what_for", "label": "What for?", "required": True},
        {"name": "where_do_you_work", "label": "Where do you work?", "required": False},
    ]


def test_nothing_typed_is_lost_and_nothing_is_half_made(alice):
    wrong = SAID | {"contributor": "new", "contributor_name": "Clinic", "publications": "nature", "contact_email": "x"}
    page = post("/archives/new/", wrong, alice)
    assert page.status_code == 200
    assert set(page.context["form"].errors) == {"publications", "contact_email"}
    text = page.content.decode()
    for typed in ("# Methods", "nature", "Be kind.", "Where do you work?", 'value="Clinic"'):
        assert typed in text
    assert not Contributor.objects.exists()


def test_settings_show_and_change_what_is(alice):
    archive = make_archive(alice, title="Old", hidden=True, keywords=["a", "b"])
    address = f"/archives/{archive.slug}/settings/"
    initial = get(address, alice).context["form"].initial
    assert (initial["shown"], initial["keywords"], initial["downloads"]) == ("hidden", "a\nb", True)
    assert post(address, SAID, alice).status_code == 302
    archive.refresh_from_db()
    assert (archive.title, archive.public, archive.keywords, archive.slug) == ("Chest CT", True, [], "old")
    assert archive.terms_version == 1
    # A question that stays keeps its name, whatever comes before it.
    again = SAID | {"request_form": "New?\nWhat for?"}
    assert post(address, again, alice).status_code == 302
    archive.refresh_from_db()
    assert [one["name"] for one in archive.request_form] == ["new", "what_for"]
    assert post(address, SAID | {"title": ""}, alice).context["form"].errors


def test_a_question_that_keeps_its_name_is_known_by_its_words():
    known = [{"name": "purpose", "label": "What for?", "required": True}]
    assert [one["name"] for one in questions_of("What for?\nWhat for? *\n1?", known)] == ["purpose", "purpose_2", "q_1"]


def test_quick_find_leads_to_archives_that_are_listed(alice):
    make_archive(alice, title="Thorax open", public=True)
    make_archive(alice, title="Thorax closed")
    for user, expected in ((None, 1), (alice, 2), (make_user("bob"), 1)):
        page = get("/find/?q=thorax", user).content.decode()
        assert page.count('href="/archives/thorax-') == expected


def test_a_logo_is_drawn_from_the_title_and_kept_until_that_changes(alice):
    archive = make_archive(alice, title="<script> & Fundus", public=True)
    address = f"/archives/{archive.slug}/logo/"
    first = get(address)
    assert first["Content-Type"] == "image/svg+xml"
    assert b">SF</text>" in first.content
    assert "sandbox" in first["Content-Security-Policy"]
    assert get(address, headers={"if-none-match": first["ETag"]}).status_code == 304
    Archive.objects.update(title="Other")
    assert get(address, headers={"if-none-match": first["ETag"]}).status_code == 200


def test_editors_of_an_empty_archive_are_told_what_comes_next(alice):
    archive = make_archive(alice, public=True)
    address = f"/archives/{archive.slug}/"
    assert "What comes next" in get(address, alice).content.decode()
    assert "What comes next" not in get(address, make_user("bob")).content.decode()
    create_item(archive=archive, creator=alice)
    assert "What comes next" not in get(address, alice).content.decode()


def test_the_address_of_who_gave_no_name_is_not_offered_as_a_public_name(alice):
    nameless = make_user("nameless")
    nameless.first_name = nameless.last_name = ""
    nameless.save()
    assert get("/archives/new/", nameless).context["form"]["contributor_name"].value() == ""
    assert get("/archives/new/", make_user("bob")).context["form"]["contributor_name"].value() == "Bob Example"
