"""`medtheca contributor`, `cohort` and `agreement`: Alice owns, Bob is invited, Charlie is a stranger, Sam is staff."""

import json

import pytest
from click.testing import CliRunner

from medtheca.domains.access.enums import Role
from medtheca.domains.access.operations import add_member
from medtheca.domains.provenance.agreements import AGREEMENT_VERSION
from medtheca.domains.provenance.models import Accession, Agreement, Cohort, Contributor
from medtheca.domains.provenance.operations import create_cohort, create_contributor
from medtheca.interfaces.cli.agreement import agreement
from medtheca.interfaces.cli.cohort import cohort as cohorts
from medtheca.interfaces.cli.contributor import contributor as contributors
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    make_user("charlie")
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


def run(command, *words, by="alice", exit_code=0):
    done = CliRunner().invoke(command, [*map(str, words), "--as", f"{by}@example.org"])
    assert done.exit_code == exit_code, done.output + str(done.exception)
    return done.output


def run_json(*words, **options):
    return json.loads(run(*words, "--json", **options))


def test_a_contributor_is_made_shown_and_changed(alice):
    made = run_json(
        contributors, "create", "Clinic", "--url", "https://clinic.example", "--contact", "Legal", "--licence", "CC-BY"
    )
    assert made["owners"] == [{"user": alice.pk, "name": "Alice Example", "email": "alice@example.org"}]
    assert (made["default_licence"], made["cohorts"], made["agreement_accepted"]) == ("CC-BY-4.0", [], False)
    changed = run_json(contributors, "edit", "Clinic", "--name", "University Clinic", "--licence", "")
    assert changed["id"] == made["id"]
    assert (changed["name"], changed["default_licence"]) == ("University Clinic", "")
    # What was left out stayed.
    assert (changed["url"], changed["contact"]) == ("https://clinic.example", "Legal")
    told = run(contributors, "show", made["id"])
    assert "University Clinic" in told
    assert "alice@example.org" in told


def test_contributors_are_listed_to_their_people_alone(cohort):
    institution = cohort.contributor
    row = {"id": institution.pk, "name": institution.institution_name, "cohorts": 1, "default_licence": ""}
    (listed,) = run_json(contributors, "list")
    assert listed.items() >= row.items()
    assert run(contributors, "list") == f"{institution.pk}\t{institution.institution_name}\t1\t-\n"
    assert run_json(contributors, "list", by="charlie") == []
    make_user("sam")
    assert len(run_json(contributors, "list", by="sam")) == 1


def test_contact_and_addresses_are_not_for_viewers(cohort):
    institution = cohort.contributor
    run(contributors, "edit", institution.pk, "--contact", "Legal office")
    add_member(scope=institution.scope, user=make_user("bob"), role=Role.VIEWER)
    shown = run_json(contributors, "show", institution.pk, by="bob")
    assert (shown["contact"], shown["owners"][0]["email"]) == ("", None)
    assert "Only owners" in run(contributors, "edit", institution.pk, "--name", "Bob's", by="bob", exit_code=1)


def test_what_cannot_be_of_a_contributor_is_refused_with_words(cohort):
    name = cohort.contributor.institution_name
    assert "None is called" in run(contributors, "show", name, by="charlie", exit_code=1)
    assert "None is called 999" in run(contributors, "edit", 999, "--name", "X", exit_code=1)
    assert "Say what to change" in run(contributors, "edit", name, exit_code=2)
    assert "Unknown licence" in run(contributors, "create", "X", "--licence", "MIT", exit_code=2)
    assert "institution_url: ftp://x" in run(contributors, "create", "X", "--url", "ftp://x", exit_code=1)
    assert "There is no user" in run(contributors, "list", by="nobody", exit_code=1)
    # Bytes of the command line that are no text come as halves of characters.
    assert "None is called" in run(contributors, "show", "Clinic \udcff", exit_code=1)
    assert "half a character" in run(contributors, "create", "Clinic \udcff", exit_code=1)
    create_contributor(creator=cohort.creator, institution_name=name)
    assert "Several are called" in run(contributors, "show", name, exit_code=1)
    assert Contributor.objects.count() == 2


def test_names_of_others_do_not_command_the_terminal(alice):
    create_contributor(creator=alice, institution_name="Clinic\n\x1b[2J2026")
    told = run(contributors, "list")
    assert "\x1b" not in told
    assert told.count("\n") == 1


def test_a_cohort_takes_licence_and_attribution_from_its_contributor(alice):
    run(contributors, "create", "Clinic", "--licence", "CC-0", "--attribution", "The clinic")
    made = run_json(cohorts, "create", "Spring", "--contributor", "Clinic", "--description", "Two\nlines")
    assert (made["licence"], made["attribution"]) == ("CC0-1.0", "The clinic")
    assert made["contributor"]["name"] == "Clinic"
    assert made["submissions"] == {"received": 0, "converted": 0, "refused": 0, "published": 0}
    other = run_json(cohorts, "create", "Autumn", "--contributor", "Clinic", "--licence", "CC-BY", "--attribution", "X")
    assert (other["licence"], other["attribution"]) == ("CC-BY-4.0", "X")
    assert "already" in run(cohorts, "create", "Spring", "--contributor", "Clinic", exit_code=1)
    run(contributors, "edit", "Clinic", "--licence", "", "--attribution", "")
    refused = run(cohorts, "create", "Summer", "--contributor", "Clinic", exit_code=1)
    assert "licence: Nothing is not a licence here." in refused
    assert "attribution: Attribution is missing." in refused


def test_a_cohort_is_changed_and_attested(cohort):
    make_images(cohort, 2)
    changed = run_json(
        cohorts, "edit", cohort.name, "--consent-basis", "Ethics 2026/17", "--description", "", "--licence", "CC-0"
    )
    assert (changed["consent_basis"], changed["licence"], changed["attested"]) == ("Ethics 2026/17", "CC0-1.0", None)
    assert set(Accession.objects.values_list("licence", flat=True)) == {"CC-BY-4.0"}
    attested = run_json(cohorts, "attest", cohort.pk)
    assert attested["attested_by"] == "Alice Example"
    assert attested["attested"]
    assert "converted submissions  2" in run(cohorts, "show", cohort.pk)
    assert run(cohorts, "list").split("\t")[:2] == [str(cohort.pk), cohort.name]
    (listed,) = run_json(cohorts, "list", "--contributor", cohort.contributor_id)
    assert (listed["images"], listed["published"]) == (2, 0)


def test_how_many_must_accept_is_for_staff_to_say(cohort):
    make_user("sam")
    assert "Only staff" in run(cohorts, "edit", cohort.pk, "--readers", 2, exit_code=1)
    assert run_json(cohorts, "edit", cohort.pk, "--readers", 2, by="sam")["readers"] == 2
    assert "1 or 2" in run(cohorts, "edit", cohort.pk, "--readers", 3, by="sam", exit_code=1)


def test_what_cannot_be_of_a_cohort_is_refused_with_words(cohort):
    for words in (["show"], ["attest"], ["edit", "--name", "Mine"]):
        told = run(cohorts, words[0], cohort.pk, *words[1:], by="charlie", exit_code=1)
        assert f"There is no cohort {cohort.pk}." in told
    add_member(scope=cohort.scope, user=make_user("bob"), role=Role.EDITOR)
    assert "Only owners" in run(cohorts, "attest", cohort.pk, by="bob", exit_code=1)
    # Bob is in the cohort and not in its contributor.
    assert "None is called" in run(
        cohorts, "create", "Bob's", "--contributor", cohort.contributor_id, by="bob", exit_code=1
    )
    run(cohorts, "edit", cohort.pk, exit_code=2)
    assert run_json(cohorts, "list", by="charlie") == []
    cohort.refresh_from_db()
    assert (cohort.name, cohort.attested) == ("Clinic 2026", None)


def test_images_move_to_another_cohort(cohort):
    target = create_cohort(
        contributor=cohort.contributor, creator=cohort.creator, name="Autumn", licence="CC0-1.0", attribution="Clinic"
    )
    make_images(cohort, 3, names=["a.jpg", "b.jpg", "c.jpg"])
    plan = run_json(cohorts, "move", cohort.name, "Autumn", "--dry-run")
    assert (plan["dry_run"], plan["number"]) == (True, 3)
    assert "1 changed." in run(cohorts, "move", cohort.pk, target.pk, "--image", "b.jpg")
    assert list(Accession.objects.filter(cohort=target).values_list("name", flat=True)) == ["b.jpg"]
    assert "The cohort has no z.jpg." in run(cohorts, "move", cohort.pk, target.pk, "--image", "z.jpg", exit_code=1)
    assert "There is no cohort" in run(cohorts, "move", cohort.pk, target.pk, by="charlie", exit_code=1)
    bob = make_user("bob")
    for thing in (cohort, target):
        add_member(scope=thing.scope, user=bob, role=Role.EDITOR)
    assert "Only owners" in run(cohorts, "move", cohort.pk, target.pk, by="bob", exit_code=1)
    assert Cohort.objects.count() == 2


def test_the_agreement_is_read_accepted_and_listed(alice):
    institution = create_contributor(creator=alice, institution_name="Clinic")
    told = run(agreement, "show", "Clinic")
    assert "What you say when you give images" in told
    assert f"medtheca agreement accept {institution.pk} --version {AGREEMENT_VERSION}" in told
    assert run_json(agreement, "list", "Clinic") == []
    accept = [agreement, "accept", "Clinic", "--version"]
    assert f"The present version of the agreement is {AGREEMENT_VERSION}" in run(*accept, "2020-01", exit_code=1)
    run(agreement, "accept", "Clinic", exit_code=2)
    assert not Agreement.objects.exists()
    assert "Alice Example accepted it on" in run(*accept, AGREEMENT_VERSION)
    (row,) = run_json(agreement, "list", "Clinic")
    assert (row["version"], row["accepted_by"]) == (AGREEMENT_VERSION, "Alice Example")
    # The first time stays.
    make_user("sam")
    assert run_json(*accept, AGREEMENT_VERSION, by="sam") == row
    shown = run_json(agreement, "show", "Clinic")
    assert (shown["accepted"], shown["accepted_by"]) == (row["accepted"], "Alice Example")
    assert shown["text"]


def test_who_does_not_own_accepts_nothing(alice):
    institution = create_contributor(creator=alice, institution_name="Clinic")
    add_member(scope=institution.scope, user=make_user("bob"), role=Role.EDITOR)
    words = ("accept", "Clinic", "--version", AGREEMENT_VERSION)
    assert "Only owners may accept the agreement." in run(agreement, *words, by="bob", exit_code=1)
    assert "None is called Clinic" in run(agreement, *words, by="charlie", exit_code=1)
    assert "None is called Clinic" in run(agreement, "list", "Clinic", by="charlie", exit_code=1)
    assert not Agreement.objects.exists()
