"""Contributors, their people and invitations; moving, merging and licences; the staff's tools, as pages."""

import re

import pytest
from django.core import mail
from django.test import Client

from medtheca.domains.access.enums import Role
from medtheca.domains.access.models import Invitation, Membership
from medtheca.domains.access.operations import add_member
from medtheca.domains.accounts.models import User
from medtheca.domains.accounts.profiles import Profile, change_profile
from medtheca.domains.provenance.agreements import AGREEMENT_VERSION, agreement_is_current
from medtheca.domains.provenance.models import Accession, Agreement, Cohort, Contributor
from medtheca.domains.provenance.operations import create_cohort
from medtheca.domains.provenance.publication import decide_publication, request_publication
from medtheca.domains.provenance.reviewing import record_reviews
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort
from tests.interfaces.conftest import browser_of, person

pytestmark = pytest.mark.django_db


def words(answer):
    return answer.content.decode()


@pytest.fixture
def contributor(cohort):
    return cohort.contributor


@pytest.fixture
def autumn(cohort, alice):
    return create_cohort(
        contributor=cohort.contributor, creator=alice, name="Autumn", licence="CC0-1.0", attribution="Clinic"
    )


def roles(thing):
    return dict(Membership.objects.filter(scope=thing.scope_id).values_list("user__email", "role"))


def invite(client, thing, email="bob@example.org", role="editor", capture=None):
    kind = "cohorts" if isinstance(thing, Cohort) else "contributors"
    with capture(execute=True):
        return client.post(
            f"/{kind}/{thing.pk}/people/", {"action": "invite", "email": email, "role": role}, follow=True
        )


def link_of_last_mail():
    return re.search(r"https?://[^/]+(/invitations/\S+)", mail.outbox[-1].body)[1]


def test_alice_changes_what_is_said_of_her_contributor(as_alice, contributor):
    given = {
        "institution_name": "Clinic & Sons",
        "institution_url": "https://clinic.example.org",
        "legal_contact_info": "Dr Muster",
        "default_licence": "CC0-1.0",
        "default_attribution": "Clinic",
    }
    answer = as_alice.post(f"/contributors/{contributor.pk}/edit/", given, follow=True)
    assert "Clinic &amp; Sons" in words(answer)
    assert "Dr Muster" in words(answer)
    assert words(answer).count("Private") >= 3
    answer = as_alice.post(f"/contributors/{contributor.pk}/edit/", given | {"institution_url": "javascript:alert(1)"})
    assert "field needs a change" in words(answer)


def test_a_viewer_does_not_see_the_contact(as_alice, contributor):
    Contributor.objects.update(legal_contact_info="Dr Muster, +41 00 000")
    victor = person("victor")
    add_member(scope=contributor.scope, user=victor, role=Role.VIEWER)
    page = words(browser_of(victor).get(f"/contributors/{contributor.pk}/"))
    assert contributor.institution_name in page
    assert "Muster" not in page
    change_profile(
        user=User.objects.get(email="alice@example.org"),
        profile=Profile(affiliation="Clinic of Exampleton", orcid="0000-0002-1825-0097"),
    )
    page = words(browser_of(victor).get(f"/contributors/{contributor.pk}/people/"))
    assert "alice@example.org" not in page
    assert "Clinic of Exampleton" in page
    assert "https://orcid.org/0000-0002-1825-0097" in page


def test_somebody_who_has_no_account_accepts_an_invitation(
    as_alice, contributor, nobody, django_capture_on_commit_callbacks, settings
):
    settings.ACCOUNT_RATE_LIMITS = {}
    answer = invite(as_alice, contributor, capture=django_capture_on_commit_callbacks)
    assert "An invitation is on its way to bob@example.org" in words(answer)
    assert mail.outbox[-1].to == ["bob@example.org"]
    link = link_of_last_mail()
    page = words(nobody.get(link))
    assert contributor.institution_name in page
    signup = re.search(r'href="(/accounts/signup/[^"]+)"', page)[1]
    assert nobody.get(signup).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        nobody.post(signup, {"email": "bob@example.org", "password1": PASSWORD, "password2": PASSWORD, "terms": "on"})
    confirm = re.search(r"https?://[^/]+(/accounts/confirm-email/\S+)", mail.outbox[-1].body)[1]
    nobody.post(confirm)
    bob = User.objects.get(email="bob@example.org")
    nobody.force_login(bob)
    # Whoever has just signed up accepts the terms of use first, and is led on to the invitation.
    asked = nobody.get(link)
    if asked.status_code == 302:
        answer = nobody.post(
            asked.url, {"version": re.search(r'name="version" value="([^"]+)"', words(nobody.get(asked.url)))[1]}
        )
        assert answer.url == link
    assert "Accept the invitation" in words(nobody.get(link))
    answer = nobody.post(link, follow=True)
    assert answer.redirect_chain[-1][0] == f"/contributors/{contributor.pk}/"
    assert roles(contributor)["bob@example.org"] == "editor"
    assert nobody.get(link).status_code == 404


def test_an_invitation_for_another_address_asks(as_alice, as_charlie, contributor, django_capture_on_commit_callbacks):
    invite(as_alice, contributor, capture=django_capture_on_commit_callbacks)
    link = link_of_last_mail()
    page = words(as_charlie.get(link))
    assert "Accept as charlie@example.org" in page
    assert as_charlie.post(link).status_code == 409
    assert "charlie@example.org" not in roles(contributor)
    as_charlie.post(link, {"other": "yes"})
    assert roles(contributor)["charlie@example.org"] == "editor"


def test_an_invitation_is_sent_again_and_revoked(as_alice, contributor, django_capture_on_commit_callbacks):
    capture = django_capture_on_commit_callbacks
    invite(as_alice, contributor, capture=capture)
    first = link_of_last_mail()
    people = f"/contributors/{contributor.pk}/people/"
    with capture(execute=True):
        as_alice.post(people, {"action": "resend", "invitation": Invitation.objects.get().pk})
    second = link_of_last_mail()
    assert first != second
    assert as_alice.get(first).status_code == 404
    page = as_alice.get(second)
    assert page.status_code == 200
    # With "no-referrer" browsers send the form without its origin, and it is refused.
    assert page["Referrer-Policy"] == "strict-origin"
    open_one = Invitation.objects.get(revoked=None)
    as_alice.post(people, {"action": "revoke", "invitation": open_one.pk})
    assert as_alice.get(second).status_code == 404
    assert "None is open." in words(as_alice.get(people))


def test_a_mail_that_cannot_be_sent_does_not_lose_the_invitation(
    as_alice, contributor, django_capture_on_commit_callbacks, settings
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    answer = invite(as_alice, contributor, capture=django_capture_on_commit_callbacks)
    assert answer.status_code == 200
    assert Invitation.objects.filter(revoked=None).count() == 1


def test_alice_changes_roles_hands_over_and_is_out(as_alice, contributor):
    bob = make_user("bob")
    add_member(scope=contributor.scope, user=bob, role=Role.VIEWER)
    people = f"/contributors/{contributor.pk}/people/"
    alice = User.objects.get(email="alice@example.org")
    answer = as_alice.post(people, {"action": "leave"})
    assert answer.status_code == 409
    assert "is the last owner" in words(answer)
    answer = as_alice.post(people, {"action": "role", "user": bob.pk, "role": "reviewer"})
    assert answer.status_code == 403
    as_alice.post(people, {"action": "role", "user": bob.pk, "role": "editor"})
    assert roles(contributor)[bob.email] == "editor"
    charlie = make_user("charlie")
    # Nobody learns by this whether there is such a user.
    for number in (charlie.pk, 10**9):
        answer = as_alice.post(people, {"action": "transfer", "giver": alice.pk, "taker": number})
        assert "This person does not belong here." in words(answer)
    answer = as_alice.post(people, {"action": "transfer", "giver": alice.pk, "taker": bob.pk}, follow=True)
    assert answer.redirect_chain[-1][0] == "/cohorts/"
    assert roles(contributor) == {bob.email: "owner"}
    assert as_alice.get(people).status_code == 404


@pytest.mark.parametrize(
    "given",
    [
        {"action": "frobnicate"},
        {"action": "role", "user": "x", "role": "viewer"},
        {"action": "role", "user": "1", "role": "king"},
        {"action": "remove", "user": "9" * 40},
        {"action": "revoke"},
        {"action": "resend", "invitation": "0"},
        {"action": "invite", "email": "x", "role": "king"},
        {},
    ],
)
def test_what_cannot_be_meant_is_no_fault_of_ours(as_alice, contributor, given):
    answer = as_alice.post(f"/contributors/{contributor.pk}/people/", given)
    assert answer.status_code in {200, 404, 409}


def test_the_agreement_is_read_accepted_and_needed(as_alice, as_sam, contributor, cohort, alice):
    Agreement.objects.all().delete()
    make_images(cohort, 1)
    request = request_publication(cohort=cohort, requester=alice, visibility="public")
    answer = as_sam.post(f"/publish-requests/{request.pk}/accept/")
    assert answer.status_code == 409
    assert "contributor agreement" in words(answer)
    assert "an owner accepts the contributor agreement" in words(as_alice.get(f"/cohorts/{cohort.pk}/"))
    page = f"/contributors/{contributor.pk}/agreement/"
    assert "What you say when you give images" in words(as_alice.get(page))
    assert as_alice.post(page, {"version": "2020-01"}).status_code == 409
    assert not agreement_is_current(contributor)
    answer = as_alice.post(page, {"version": AGREEMENT_VERSION}, follow=True)
    assert "The agreement was accepted" in words(answer)
    assert agreement_is_current(contributor)
    decide_publication(request_id=request.pk, staff=User.objects.get(email="sam@example.org"), accept=True)


def test_a_cohort_is_changed_and_attested(as_alice, as_sam, cohort):
    given = {"name": "New", "licence": "CC0-1.0", "attribution": "Us", "consent_basis": "Approval 7", "readers": "2"}
    as_alice.post(f"/cohorts/{cohort.pk}/edit/", given)
    cohort.refresh_from_db()
    # How many must review an image is for staff to say; the field is not there for owners.
    assert (cohort.name, cohort.consent_basis, cohort.readers) == ("New", "Approval 7", 1)
    as_sam.post(f"/cohorts/{cohort.pk}/edit/", given)
    cohort.refresh_from_db()
    assert cohort.readers == 2
    answer = as_alice.post(f"/cohorts/{cohort.pk}/attest/", follow=True)
    assert "Alice Example said" in words(answer)


def test_a_preview_changes_nothing_and_its_button_names_the_number(as_alice, cohort, autumn):
    make_images(cohort, 3, names=["a.jpg", "b.jpg", "c.jpg"])
    page = f"/cohorts/{cohort.pk}/move/"
    given = {"target": autumn.pk, "which": "listed", "listed": "a.jpg\nc\n"}
    text = words(as_alice.post(page, given))
    assert "Move 2 images" in text
    assert Accession.objects.filter(cohort=autumn).count() == 0
    assert 'name="expected" value="2"' in text
    answer = as_alice.post(page, given | {"expected": "3"})
    assert "the archive has changed since the preview" in words(answer)
    assert Accession.objects.filter(cohort=autumn).count() == 0
    answer = as_alice.post(page, given | {"format": "csv", "expected": "2"})
    rows = b"".join(answer.streaming_content).decode()
    assert "changes,a.jpg,Clinic 2026,Autumn" in rows
    assert Accession.objects.filter(cohort=autumn).count() == 0
    answer = as_alice.post(page, given | {"expected": "2"}, follow=True)
    assert "2 images moved." in words(answer)
    assert set(Accession.objects.filter(cohort=autumn).values_list("name", flat=True)) == {"a.jpg", "c.jpg"}


def test_names_that_are_not_there_are_told(as_alice, cohort, autumn):
    make_images(cohort, 1, names=["a.jpg"])
    given = {"target": autumn.pk, "which": "listed", "listed": "a.jpg\nnothing.jpg"}
    assert "The cohort has no nothing.jpg" in words(as_alice.post(f"/cohorts/{cohort.pk}/move/", given))
    given = {"target": autumn.pk, "which": "all", "listed": "a.jpg"}
    assert "Say whether only those are meant" in words(as_alice.post(f"/cohorts/{cohort.pk}/move/", given))


def test_only_cohorts_that_one_may_see_are_offered(cohort, autumn):
    bob = person("bob")
    add_member(scope=cohort.scope, user=bob, role=Role.OWNER)
    page = words(browser_of(bob).get(f"/cohorts/{cohort.pk}/move/"))
    assert "Autumn" not in page
    assert "The contributor has no other cohort" in page


def test_cohorts_become_one_on_their_page(as_alice, cohort, autumn):
    make_images(cohort, 2)
    page = f"/cohorts/{cohort.pk}/merge/"
    assert "Merge the cohort with 2 images" in words(as_alice.post(page, {"target": autumn.pk}))
    as_alice.post(page, {"target": autumn.pk, "expected": "3"})
    assert list(Cohort.objects.values_list("name", flat=True)) == ["Autumn"]
    assert as_alice.get(f"/cohorts/{cohort.pk}/").status_code == 404


def test_a_selection_gets_a_freer_licence(as_alice, cohort):
    one, two = make_images(cohort, 2, visibility="public")
    page = f"/cohorts/{cohort.pk}/licence/"
    given = {"which": "listed", "listed": one.public_id, "licence": "CC0-1.0", "reason": "Given away."}
    assert "Change the licence of 1 image" in words(as_alice.post(page, given))
    as_alice.post(page, given | {"expected": "1"})
    assert Accession.objects.get(image=one).licence == "CC0-1.0"
    assert Accession.objects.get(image=two).licence == "CC-BY-4.0"
    answer = as_alice.post(page, given | {"licence": "CC-BY-NC-4.0", "expected": "1"})
    assert Accession.objects.get(image=one).licence == "CC0-1.0"
    assert "1 is left alone" in words(answer)


def test_the_staffs_tools_do_what_they_say(as_sam, cohort):
    make_images(cohort, 2, structured={"sex": "male"})
    public = make_images(cohort, 1, visibility="public")
    of = {"kind": "cohort", "given": str(cohort.pk), "reason": "Why."}
    answer = as_sam.post("/staff/remove-field/", of | {"field": "sex"})
    assert "Remove the field from 2 images" in words(answer)
    answer = as_sam.post("/staff/remove-field/", of | {"field": "sexx"})
    assert "Did you mean" in words(answer)
    as_sam.post("/staff/remove-field/", of | {"field": "sex", "expected": "2"})
    answer = as_sam.post(
        "/staff/relicense/", of | {"licence": "CC0-1.0", "expected": "3", "default": "on"}, follow=True
    )
    assert "3 images got the licence CC0-1.0" in words(answer)
    assert Cohort.objects.get().licence == "CC0-1.0"
    answer = as_sam.post("/staff/purge/", of)
    assert "Remove 2 images for good" in words(answer)
    as_sam.post("/staff/purge/", of | {"expected": "2"})
    assert list(Accession.objects.values_list("image", flat=True)) == [public[0].pk]
    images = {"kind": "images", "given": f"{public[0].public_id}\n", "reason": "Why."}
    assert "Convert 1 image again" in words(as_sam.post("/staff/reconvert/", images))
    assert "There is no image ISIC_0000000" in words(
        as_sam.post("/staff/reconvert/", images | {"given": "ISIC_0000000"})
    )


def test_staff_merge_contributors(as_sam, cohort):
    other = make_cohort(person("bob"), name="Bob's")
    given = {"source": other.contributor.institution_name, "target": str(cohort.contributor_id)}
    assert "Merge the contributors: 2 changes" in words(as_sam.post("/staff/merge/", given))
    as_sam.post("/staff/merge/", given | {"expected": "2"})
    assert Contributor.objects.count() == 1
    assert "None is called nobody" in words(as_sam.post("/staff/merge/", given | {"source": "nobody"}))


def test_staff_find_and_disable_people_but_not_themselves(as_sam, cohort):
    bob, rita = make_user("bob"), make_user("rita")
    add_member(scope=cohort.scope, user=rita, role=Role.REVIEWER)
    page = words(as_sam.get("/staff/people/?q=bob+example"))
    assert "bob@example.org" in page
    assert "alice@example.org" not in page
    assert "Rita Example" in page  # Among the reviewers.
    as_sam.post(f"/staff/people/{bob.pk}/", {"active": "no"})
    bob.refresh_from_db()
    assert not bob.is_active
    as_sam.post(f"/staff/people/{bob.pk}/", {"active": "yes"})
    bob.refresh_from_db()
    assert bob.is_active
    sam = User.objects.get(email="sam@example.org")
    assert as_sam.post(f"/staff/people/{sam.pk}/", {"active": "no"}).status_code == 409
    assert as_sam.get("/staff/people/999999/").status_code == 404
    assert "Clinic 2026" in words(as_sam.get(f"/staff/people/{rita.pk}/"))


def test_the_menu_offers_review_to_reviewers_alone(as_alice, as_sam, cohort):
    rita = person("rita")
    add_member(scope=cohort.scope, user=rita, role=Role.REVIEWER)
    assert 'href="/review/"' in words(browser_of(rita).get("/guide/"))
    assert 'href="/review/"' in words(as_sam.get("/guide/"))
    assert 'href="/review/"' not in words(as_alice.get("/guide/"))
    assert 'href="/staff/"' not in words(as_alice.get("/guide/"))
    assert 'href="/staff/"' in words(as_sam.get("/guide/"))


def test_the_guide_is_for_everybody(nobody):
    assert "What should I use?" in words(nobody.get("/guide/"))
    assert isinstance(nobody, Client)


def test_who_owns_nothing_reads_nobodys_address(cohort, alice):
    alice.first_name = alice.last_name = ""
    alice.save()
    viewer = make_user("vera")
    add_member(scope=cohort.contributor.scope, user=viewer, role=Role.VIEWER)
    client = browser_of(viewer)
    (image,) = make_images(cohort, 1)
    sam = make_user("sam")
    User.objects.filter(pk=sam.pk).update(first_name="", last_name="")
    accession = Accession.objects.get(image=image)
    record_reviews(accession_ids=[accession.pk], reviewer=sam, decision="accepted")
    for address in (
        f"/cohorts/{cohort.pk}/people/",
        f"/contributors/{cohort.contributor_id}/",
        f"/contributors/{cohort.contributor_id}/people/",
        f"/cohorts/{cohort.pk}/",
        f"/accessions/{accession.pk}/",
        f"/images/{image.key}/",
    ):
        page = client.get(address)
        assert page.status_code == 200
        assert alice.email not in words(page), address
        assert sam.email not in words(page), address
