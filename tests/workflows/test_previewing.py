"""Before anybody asks: how many, for whom, what is left out, what is rare. Nothing changes."""

import pytest

from medtheca.base.errors import Invalid, NotAllowed
from medtheca.domains.access.enums import Role
from medtheca.domains.access.groups import create_group
from medtheca.domains.access.operations import add_member
from medtheca.domains.ledger.models import Event
from medtheca.domains.provenance.models import Accession, Patient, PublishRequest
from medtheca.domains.provenance.reviewing import record_reviews
from medtheca.workflows.previewing import preview_publication
from tests.factories.accounts import make_user
from tests.factories.images import make_images
from tests.factories.provenance import make_cohort

OLD = {
    "age": 87,
    "age_approx": 85,
    "sex": "female",
    "anatom_site_1": "Palms or soles",
    "diagnosis_1": "Malignant",
    "diagnosis_2": "Acral melanoma",
}
COMMON = {"age": 42, "age_approx": 40, "sex": "male", "diagnosis_1": "Benign"}


@pytest.fixture
def alice(db):
    return make_user("alice")


@pytest.fixture
def cohort(alice):
    return make_cohort(alice)


def preview(cohort, user, **options):
    return preview_publication(cohort=cohort, user=user, **{"visibility": "public", **options})


def test_a_rare_combination_is_named_and_a_common_one_is_not(alice, cohort):
    make_images(cohort, 6, structured=lambda at: OLD if at == 0 else COMMON)
    found = preview(cohort, alice)
    assert (found.number, found.awaiting, found.left_out, found.without_patient) == (6, 6, {}, 6)
    [rare] = found.rare
    assert (rare.words, rare.people) == ("85, female, Palms or soles, Acral melanoma", 1)
    assert found.example["clinical"]["age_approx"] == 85
    assert "age" not in found.example["clinical"]
    assert found.licences == {"CC-BY-4.0": 6}
    assert not PublishRequest.objects.exists()
    assert not Event.objects.filter(verb__startswith="publication").exists()


def test_five_images_of_one_patient_are_one_patient(alice, cohort):
    make_images(cohort, 5, structured=COMMON)
    assert not preview(cohort, alice).rare
    patient = Patient.objects.create(public_id="IP_0000001", contributor=cohort.contributor, private_id="secret 17")
    Accession.objects.update(patient=patient)
    found = preview(cohort, alice)
    assert [(rare.people, rare.images) for rare in found.rare] == [(1, 5)]
    assert "secret 17" not in repr(found)
    assert found.example["clinical"]["patient_id"] == "IP_0000001"


def test_what_the_contributor_has_published_counts_and_what_others_have_does_not(alice, cohort):
    make_images(cohort, 1, structured=COMMON)
    make_images(make_cohort(make_user("bob"), name="Bob's"), 9, structured=COMMON, visibility="public")
    assert [rare.people for rare in preview(cohort, alice).rare] == [1]
    make_images(cohort, 4, structured=COMMON, visibility="public")
    assert not preview(cohort, alice).rare


def test_what_is_left_out_is_counted_by_reason(alice, cohort):
    images = make_images(cohort, 5)
    accessions = [image.accession for image in images]
    sam = make_user("sam")
    record_reviews(accession_ids=[accessions[0].pk], reviewer=sam, decision="rejected", reason_code="quality")
    record_reviews(accession_ids=[accessions[1].pk], reviewer=sam, decision="flagged", reason_code="text")
    record_reviews(accession_ids=[accessions[2].pk], reviewer=sam, decision="accepted")
    found = preview(cohort, alice, accession_ids=[*(row.pk for row in accessions), 10**9])
    assert (found.number, found.awaiting, found.undescribed) == (3, 2, 3)
    assert found.left_out == {
        "rejected in review": 1,
        "flagged in review": 1,
        "not ready, asked for already, or published as widely": 1,
    }


def test_who_may_ask_may_look_and_nobody_else(alice, cohort):
    make_images(cohort, 1)
    edith, rita = make_user("edith"), make_user("rita")
    add_member(scope=cohort.scope, user=edith, role=Role.EDITOR)
    add_member(scope=cohort.scope, user=rita, role=Role.REVIEWER)
    assert preview(cohort, edith).number == 1
    for person in (rita, make_user("charlie")):
        with pytest.raises(NotAllowed):
            preview(cohort, person)
    group = create_group(creator=edith, name="Readers")
    assert preview(cohort, edith, visibility="groups", group_ids=[group.pk]).groups == ["Readers"]
    with pytest.raises(Invalid):
        preview(cohort, alice, visibility="groups", group_ids=[group.pk])
