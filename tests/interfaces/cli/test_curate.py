"""`medtheca curate`: a preview, then the change; refusals in words."""

import json

import pytest
from click.testing import CliRunner

from medtheca.domains.provenance.models import Accession, Cohort, Contributor
from medtheca.domains.provenance.operations import create_cohort
from medtheca.interfaces.cli.curate import curate
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

pytestmark = pytest.mark.django_db
BY = ["--as", "sam@example.org"]
WHY = ["--reason", "Asked for."]


@pytest.fixture
def cohort():
    make_user("sam")
    return make_cohort(make_user("alice"))


def run(*words, exit_code=0):
    done = CliRunner().invoke(curate, [*map(str, words), *BY])
    assert done.exit_code == exit_code, done.output + str(done.exception)
    return done.output


def test_a_dry_run_lists_every_change_and_changes_nothing(cohort):
    make_images(cohort, 30)
    told = run("relicense", "--cohort", cohort.pk, "--licence", "CC-0", "--dry-run")
    assert "30 would change." in told
    assert "Only the first 20 of each are shown" in told
    plan = json.loads(run("relicense", "--cohort", cohort.pk, "--licence", "CC-0", "--dry-run", "--json"))
    assert (plan["dry_run"], plan["number"], len(plan["steps"])) == (True, 30, 30)
    assert set(Accession.objects.values_list("licence", flat=True)) == {"CC-BY-4.0"}
    assert "30 changed." in run("relicense", "--cohort", cohort.name, "--licence", "CC-0", *WHY)
    assert set(Accession.objects.values_list("licence", flat=True)) == {"CC0-1.0"}


def test_a_reason_and_staff_are_needed(cohort):
    make_images(cohort, 1, structured={"sex": "male"})
    assert "reason" in run("purge", "--cohort", cohort.pk, exit_code=1).lower()
    done = CliRunner().invoke(curate, ["purge", "--cohort", str(cohort.pk), "--dry-run", "--as", "alice@example.org"])
    assert done.exit_code == 1
    assert "Only staff may" in done.output
    run("purge", "--dry-run", exit_code=2)
    run("relicense", "--cohort", cohort.pk, "--licence", "MIT", "--dry-run", exit_code=2)


def test_fields_and_images_go(cohort):
    (public,) = make_images(cohort, 1, visibility="public", structured={"sex": "male"})
    make_images(cohort, 2, structured={"sex": "male"})
    told = run("remove-field", "sex", "--image", public.public_id, "--dry-run")
    assert f"{public.public_id}: male -> not given" in told
    assert "3 changed." in run("remove-field", "sex", "--cohort", cohort.pk, *WHY)
    told = run("purge", "--cohort", cohort.pk, *WHY)
    assert "2 changed." in told
    assert f"Left alone: {public.public_id}" in told
    assert Accession.objects.get().image == public


def test_cohorts_and_contributors_are_merged_by_name(cohort):
    create_cohort(
        contributor=cohort.contributor, creator=cohort.creator, name="Autumn", licence="CC0-1.0", attribution="Clinic"
    )
    assert "1 would change." in run("merge", "cohorts", "Autumn", cohort.name, "--dry-run")
    run("merge", "cohorts", "Autumn", cohort.name)
    assert list(Cohort.objects.values_list("name", flat=True)) == [cohort.name]
    other = make_cohort(make_user("bob"), name="Bob's").contributor
    run("merge", "contributors", other.institution_name, cohort.contributor_id)
    assert Contributor.objects.count() == 1
    assert "There is no cohort nothing" in run("merge", "cohorts", "nothing", cohort.name, exit_code=1)


def test_a_dry_run_of_converting_again_begins_nothing(cohort):
    from procrastinate.contrib.django.models import ProcrastinateJob

    make_images(cohort, 2)
    assert "2 would change." in run("reconvert", "--cohort", cohort.pk, "--dry-run")
    assert not ProcrastinateJob.objects.filter(task_name="convert.again").exists()
