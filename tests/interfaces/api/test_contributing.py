"""People, agreements, moving, merging and curation by API."""

import re

import pytest
from django.core import mail

from medtheca.domains.access.enums import Role
from medtheca.domains.access.models import Invitation
from medtheca.domains.access.operations import add_member
from medtheca.domains.accounts.profiles import Profile, change_profile
from medtheca.domains.provenance.agreements import AGREEMENT_VERSION
from medtheca.domains.provenance.models import Accession, Agreement, Cohort, Contributor
from medtheca.domains.provenance.operations import create_cohort
from tests.factories.accounts import make_user
from tests.factories.provenance import make_cohort
from tests.interfaces.api.world import by_token, make_images

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


@pytest.fixture
def autumn(cohort, alice):
    return create_cohort(
        contributor=cohort.contributor, creator=alice, name="Autumn", licence="CC0-1.0", attribution="Clinic"
    )


@pytest.fixture
def writer(alice):
    return by_token(alice, "write")


def roles(body):
    return {row["email"]: row["role"] for row in body}


def test_a_contributor_is_handed_over_from_invitation_to_transfer(
    alice, cohort, writer, django_capture_on_commit_callbacks
):
    path = f"contributors/{cohort.contributor_id}/"
    bob = make_user("bob")
    with django_capture_on_commit_callbacks(execute=True):
        made = writer.post(f"{path}invitations/", {"email": "bob@example.org", "role": "editor"})
    assert made.status_code == 201
    assert "secret" not in made.body
    secret = re.search(r"/invitations/([^/]+)/", mail.outbox[-1].body)[1]
    assert [row["email"] for row in writer.get(f"{path}invitations/").body] == ["bob@example.org"]
    wrong = by_token(make_user("charlie"), "write").post("invitations/accept/", {"secret": secret})
    assert (wrong.status_code, wrong.body["code"]) == (409, "other_address")
    accepted = by_token(bob, "write").post("invitations/accept/", {"secret": secret})
    assert accepted.body == {"kind": "contributor", "id": cohort.contributor_id}
    assert roles(writer.get(f"{path}members/").body) == {"alice@example.org": "owner", "bob@example.org": "editor"}
    done = writer.post(f"{path}transfer/", {"giver": alice.pk, "taker": bob.pk})
    assert done.status_code == 200
    assert writer.get(path).status_code == 404
    assert roles(by_token(bob).get(f"{path}members/").body) == {"bob@example.org": "owner"}


def test_roles_change_and_the_last_owner_stays(alice, cohort, writer):
    path = f"contributors/{cohort.contributor_id}/members/"
    bob = make_user("bob")
    # Whoever does not belong to it is invited; nobody learns by this who has an account.
    assert writer.ask("PUT", f"{path}{bob.pk}/", {"role": "editor"}).status_code == 404
    assert writer.ask("PUT", f"{path}999999/", {"role": "editor"}).status_code == 404
    add_member(scope=cohort.contributor.scope, user=bob, role=Role.VIEWER)
    assert roles(writer.ask("PUT", f"{path}{bob.pk}/", {"role": "editor"}).body)["bob@example.org"] == "editor"
    assert writer.ask("PUT", f"{path}{bob.pk}/", {"role": "reviewer"}).status_code == 403
    refused = writer.ask("DELETE", f"{path}{alice.pk}/")
    assert (refused.status_code, refused.body["code"]) == (409, "last_owner")
    assert by_token(bob, "write").ask("DELETE", f"{path}{bob.pk}/").status_code == 204


def test_only_those_who_edit_read_the_contact(cohort, writer):
    path = f"contributors/{cohort.contributor_id}/"
    assert writer.ask("PATCH", path, {"legal_contact_info": "Dr Muster"}).body["legal_contact_info"] == "Dr Muster"
    victor = make_user("victor")
    add_member(scope=cohort.contributor.scope, user=victor, role=Role.VIEWER)
    seen = by_token(victor).get(path).body
    assert (seen["legal_contact_info"], seen["institution_name"]) == ("", cohort.contributor.institution_name)
    assert by_token(victor).get("contributors/").body["results"][0]["legal_contact_info"] == ""
    known = Profile(affiliation="Clinic of Exampleton", orcid="0000-0002-1825-0097")
    change_profile(user=cohort.creator, profile=known)
    told = by_token(victor).get(f"{path}members/").body[0]
    assert told["email"] is None
    assert (told["affiliation"], told["orcid"]) == ("Clinic of Exampleton", "0000-0002-1825-0097")


def test_a_cohort_changes_what_is_named_and_nothing_else(cohort, writer):
    changed = writer.ask("PATCH", f"cohorts/{cohort.pk}/", {"consent_basis": "Approval 7"}).body
    assert (changed["consent_basis"], changed["name"]) == ("Approval 7", cohort.name)
    assert changed["attested"] is None
    assert writer.post(f"cohorts/{cohort.pk}/attest/", {}).body["attested"]
    assert writer.ask("PATCH", f"cohorts/{cohort.pk}/", {"readers": 2}).status_code == 403
    assert writer.ask("PATCH", f"cohorts/{cohort.pk}/", {"title": "x"}).status_code == 422


def test_the_agreement_is_accepted_by_its_version(cohort, writer):
    Agreement.objects.all().delete()
    path = f"contributors/{cohort.contributor_id}/agreement/"
    shown = writer.get(path).body
    assert (shown["version"], shown["accepted"]) == (AGREEMENT_VERSION, None)
    assert "What the archive may do" in shown["text"]
    assert writer.post(path, {"version": "2020-01"}).status_code == 409
    assert writer.post(path, {"version": AGREEMENT_VERSION}).body["accepted"]


def test_moving_and_merging_are_previews_unless_said_otherwise(cohort, autumn, writer):
    images = make_images(cohort, 2)
    ids = [Accession.objects.get(image=image).pk for image in images]
    move = f"cohorts/{cohort.pk}/move/"
    plan = writer.post(move, {"to": autumn.pk, "accessions": ids[:1]}).body
    assert (plan["dry_run"], plan["number"], len(plan["steps"])) == (True, 1, 1)
    assert not Accession.objects.filter(cohort=autumn).exists()
    stale = writer.post(move, {"to": autumn.pk, "accessions": ids[:1], "dry_run": False, "expected": 2})
    assert (stale.status_code, stale.body["code"]) == (409, "changed_meanwhile")
    done = writer.post(move, {"to": autumn.pk, "accessions": ids[:1], "dry_run": False, "expected": 1})
    assert (done.status_code, done.body["dry_run"]) == (200, False)
    assert Accession.objects.get(cohort=autumn).pk == ids[0]
    writer.post(f"cohorts/{cohort.pk}/merge/", {"into": autumn.pk, "dry_run": False})
    assert list(Cohort.objects.all()) == [autumn]


def test_curation_by_api(cohort, writer):
    sam = by_token(make_user("sam"), "write")
    make_images(cohort, 2, structured={"sex": "male"})
    given = {"cohort": cohort.pk, "dry_run": False, "reason": "Why."}
    assert writer.post("curate/relicense/", given | {"copyright_license": "CC-0"}).body["number"] == 2
    assert writer.post("curate/purge/", given).status_code == 403
    assert sam.post("curate/remove-field/", given | {"field": "sex"}).body["number"] == 2
    assert sam.post("curate/reconvert/", {"cohort": cohort.pk}).body["number"] == 2
    assert sam.post("curate/purge/", given | {"reason": ""}).status_code == 400
    assert sam.post("curate/purge/", given | {"contributor": cohort.contributor_id}).status_code == 400
    assert sam.post("curate/purge/", given | {"expected": 2}).body["number"] == 2
    assert not Accession.objects.exists()
    other = make_cohort(make_user("bob"), name="Bob's").contributor
    merged = sam.post(f"contributors/{other.pk}/merge/", {"into": cohort.contributor_id, "dry_run": False})
    assert merged.status_code == 200
    assert Contributor.objects.count() == 1
    assert not Invitation.objects.exists()
